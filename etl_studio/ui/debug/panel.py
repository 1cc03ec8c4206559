"""The debugger's panel: the breakpoints, and the rows of the batch that waits for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.debug.breakpoints import shown_place
from etl_studio.ui.debug.held_rows import HeldRowsModel, HeldRowsTable
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.quantities import count, rows
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from etl_studio.engine.events import Halted
    from etl_studio.ui.debug.breakpoints import Breakpoints
    from etl_studio.ui.theme.theme import Theme

LIST_WIDTH = 76 * SPACE
NOTHING = N_("Set a breakpoint on a node or a wire, by its menu, and choose Debug: the run halts there.")
READY = N_("Choose Debug to run and halt at the breakpoints. Nothing is written.")
HINT = N_("Return edits a value, Delete makes it NULL, Ctrl+Delete drops the row. What has passed stays as it is.")


class DebuggerPanel(QFrame):
    """Shows where a debugged run is halted.

    Signals:
        typed: row, column and text of a value that a person wrote.
        nulls_wanted: pairs of row and column name that should become NULL.
        drop_wanted: rows that should go.
        condition_wanted: place of the breakpoint whose condition a person wants to write.
        place_wanted: place that a person wants to see on the canvas.

    Args:
        breakpoints: of the open pipeline.
        theme: colours and icons.
        parent: its parent.
    """

    typed = Signal(int, str, str)
    nulls_wanted = Signal(list)
    drop_wanted = Signal(list)
    condition_wanted = Signal(str)
    place_wanted = Signal(str)

    def __init__(self, breakpoints: Breakpoints, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._breakpoints, self._theme = breakpoints, theme
        self._halt: Halted | None = None
        self._batch: pa.RecordBatch | None = None
        self._given: Mapping[str, pa.RecordBatch] = {}
        self._filling = False
        self.title, self.facts = QLabel(tr("Breakpoints"), self), QLabel(self)
        self.title.setProperty("role", "title")
        self.facts.setProperty("role", "muted")
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Breakpoints"))
        self.condition_button, self.remove_button = QPushButton(tr("Condition…"), self), QPushButton(tr("Remove"), self)
        self.sides = QTabBar(self)
        self.sides.setDrawBase(False)
        self.sides.setAccessibleName(tr("Rows before and after the node"))
        self.sides.addTab(tr("Arriving"))
        self.sides.addTab(tr("Given out last"))
        self.drop_button = QPushButton(tr("Drop row"), self)
        self.drop_button.setToolTip(
            tr("Take the selected rows out of the batch; they are counted as dropped (Ctrl+Del)")
        )
        self.model = HeldRowsModel(theme, self)
        self.table = HeldRowsTable(theme, self)
        self.table.setAccessibleName(tr("Rows of the halted batch"))
        self.table.setToolTip(tr(HINT))
        self.table.setModel(self.model)
        self.message = QLabel(tr(HINT), self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setMinimumWidth(1)
        self.notice = Notice(theme, self)
        self._lay_out()
        self.list.itemChanged.connect(self._on_checked)
        self.list.itemActivated.connect(self._on_activated)
        self.list.currentRowChanged.connect(self._enable)
        self.condition_button.clicked.connect(self._ask_condition)
        self.remove_button.clicked.connect(self._remove)
        self.sides.currentChanged.connect(self._show_side)
        self.drop_button.clicked.connect(self._drop)
        self.model.typed.connect(self.typed)
        self.table.nulls_wanted.connect(self._empty)
        self.table.drop_wanted.connect(self.drop_wanted)
        breakpoints.changed.connect(self._fill)
        theme.changed.connect(self._dress)
        self._dress()
        self._fill()
        self.show_halt(None, None, {})

    def show_halt(self, halt: Halted | None, batch: pa.RecordBatch | None, given: Mapping[str, pa.RecordBatch]) -> None:
        """Turn to a halt; None: nothing is halted.

        Args:
            halt: where.
            batch: the rows that wait.
            given: what its node gave out last, by port.
        """
        moved = halt is not None and (
            self._halt is None or (self._halt.place, self._halt.batch) != (halt.place, halt.batch)
        )
        self._halt, self._batch, self._given = halt, batch, given
        if moved:
            self.sides.setCurrentIndex(0)
        self.say("")
        self._show_side()
        if moved and self._incoming:
            self.table.fit_columns()
        if halt is not None and self._incoming:
            self.table.scrollTo(self.model.index(halt.row, 0))

    def show_recorded(self, title: str, batch: pa.RecordBatch | None) -> None:
        """Show rows of a recorded run, which cannot be edited.

        Args:
            title: whose they are, and when.
            batch: None: none had come by then.
        """
        import pyarrow as pa

        self._halt = self._batch = None
        before = self.model.table
        self.facts.setText(title)
        self.model.show_batch(None, None if batch is None else pa.Table.from_batches([batch]))
        if batch is not None and (before is None or before.schema != batch.schema):
            self.table.fit_columns()
        self.drop_button.setEnabled(False)
        self.sides.setVisible(False)
        self.message.clear()
        if batch is None:
            self.notice.tell("history", tr("No rows by then"), title)
        self._pages.setCurrentWidget(self.notice if batch is None else self._rows)

    def say(self, text: str) -> None:
        """Tell why something was refused; empty: nothing was."""
        set_role(self.message, "danger" if text else "muted")
        self.message.setText(text or tr(HINT))
        self.message.setToolTip(text)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        bar = QHBoxLayout()
        bar.addWidget(self.title)
        bar.addStretch(1)
        bar.addWidget(self.condition_button)
        bar.addWidget(self.remove_button)
        rows_bar = QHBoxLayout()
        rows_bar.addWidget(self.sides)
        rows_bar.addWidget(self.facts)
        rows_bar.addStretch(1)
        rows_bar.addWidget(self.drop_button)
        for line in (bar, rows_bar):
            line.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
            line.setSpacing(2 * SPACE)
        column.addLayout(bar)
        column.addWidget(self.list, 1)
        self._pages = QStackedWidget()
        self._rows = QWidget()
        inner = QVBoxLayout(self._rows)
        inner.addLayout(rows_bar)
        inner.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(3 * SPACE, SPACE, 3 * SPACE, SPACE)
        foot.addWidget(self.message, 1)
        inner.addLayout(foot)
        outer = QVBoxLayout(right)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self._rows)
        outer.addWidget(self._pages)
        for layout in (column, inner, outer):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setHandleWidth(1)
        both.setChildrenCollapsible(False)
        both.addWidget(left)
        both.addWidget(right)
        both.setStretchFactor(1, 1)
        both.setSizes([LIST_WIDTH, 800])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(both)

    def _fill(self) -> None:
        chosen = self.list.currentRow()
        self._filling = True
        self.list.clear()
        for one in self._breakpoints.all():
            item = QListWidgetItem(shown_place(one.place) + (f"\n{one.condition}" if one.condition else ""))
            item.setData(Qt.ItemDataRole.UserRole, one.place)
            item.setToolTip(
                tr("Halts at each row that meets the condition") if one.condition else tr("Halts at each batch")
            )
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if one.enabled else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self._filling = False
        self.list.setCurrentRow(min(chosen, self.list.count() - 1))
        self._enable()
        self._show_side()

    def _enable(self) -> None:
        chosen = self.list.currentRow() >= 0
        self.condition_button.setEnabled(chosen)
        self.remove_button.setEnabled(chosen)

    def _chosen(self) -> str:
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else ""

    def _on_checked(self, item: QListWidgetItem) -> None:
        one = self._breakpoints.at(item.data(Qt.ItemDataRole.UserRole))
        if one is not None and not self._filling:
            self._breakpoints.put(replace(one, enabled=item.checkState() == Qt.CheckState.Checked))

    def _on_activated(self, item: QListWidgetItem) -> None:
        self.place_wanted.emit(item.data(Qt.ItemDataRole.UserRole))

    def _ask_condition(self) -> None:
        if place := self._chosen():
            self.condition_wanted.emit(place)

    def _remove(self) -> None:
        if place := self._chosen():
            self._breakpoints.remove(place)

    def _empty(self, cells: list[tuple[int, int]]) -> None:
        if self._incoming and self.model.table is not None:
            self.nulls_wanted.emit([(row, self.model.table.column_names[column]) for row, column in cells])

    def _drop(self) -> None:
        self.drop_wanted.emit(self.table.chosen_rows())

    @property
    def _incoming(self) -> bool:
        return self.sides.currentIndex() == 0

    def _show_side(self) -> None:
        import pyarrow as pa

        self.sides.setVisible(True)
        incoming = self._incoming
        self.drop_button.setEnabled(incoming)
        if self._halt is None or self._batch is None:
            self.model.show_batch(None, None)
            self.notice.tell("bug", tr("Nothing is halted"), tr(READY if self.list.count() else NOTHING))
            self._pages.setCurrentWidget(self.notice)
            return
        if incoming:
            waiting = count(self._halt.rows - self._halt.row)
            self.facts.setText(tr("{count} of {rows} wait", count=waiting, rows=rows(self._halt.rows)))
            self.model.show_batch(self._halt, pa.Table.from_batches([self._batch]))
        else:
            batch = next(iter(self._given.values()), None)
            last = 0 if batch is None else batch.num_rows
            self.facts.setText(
                tr("nothing yet") if batch is None else trn("the last {count} row", "the last {count} rows", last)
            )
            self.model.show_batch(None, None if batch is None else pa.Table.from_batches([batch]))
        self._pages.setCurrentWidget(self._rows)

    def _dress(self) -> None:
        self.remove_button.setIcon(self._theme.icon("trash"))
        self.condition_button.setIcon(self._theme.icon("filter"))
        self.drop_button.setIcon(self._theme.icon("minus"))
        self.table.viewport().update()
