"""Rows at a node: computed in a thread, shown in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.quantities import count, rows
from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.app.previews import Preview
    from etl_studio.engine.samples import Sample
    from etl_studio.ui.previews.runner import PreviewRunner
    from etl_studio.ui.theme.theme import Theme

BAR_WIDTH = 40 * SPACE


class PreviewPanel(QFrame):
    """Shows the first rows at a node.

    Args:
        runner: computes them.
        theme: colours and icons.
        parent: its parent.
    """

    def __init__(self, runner: PreviewRunner, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._runner = runner
        self.node = ""
        self.model = ArrowTableModel(theme, self)
        self.table = DataTable(self, numbered=True)
        self.table.setModel(self.model)
        self.notice = Notice(theme, self)
        self.title, self.count = QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(BAR_WIDTH)
        self.refresh = QPushButton(theme.icon("refresh"), "Refresh", self)
        self.refresh.clicked.connect(self._again)
        self._theme = theme
        self._lay_out()
        runner.ready.connect(self._show_preview)
        runner.failed.connect(self._show_error)
        theme.changed.connect(self._dress)
        self.show_node("")

    def show_node(self, node: str) -> None:
        """Turn to a node without computing; empty: to none."""
        self._runner.cancel()
        self.node = node
        self.model.show_table(None)
        self._tell_state("", busy=False)
        self.title.setText(node or "Preview")
        self.refresh.setEnabled(bool(node))
        if node:
            self.notice.tell("eye", "No rows yet", "Press Refresh to see the first rows at this node.")
        else:
            self.notice.tell("eye", "Nothing selected", "Select a node on the canvas to look at its rows.")
        self._pages.setCurrentWidget(self.notice)

    def load(self, node: str) -> None:
        """Turn to a node and compute its rows."""
        if node != self.node:
            self.show_node(node)
        self._compute()

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self._runner.close()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        for widget in (self.title, self.count):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.busy)
        bar.addWidget(self.refresh)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)

    def _again(self) -> None:
        self._compute(again=True)

    def _compute(self, *, again: bool = False) -> None:
        if self.node:
            self._tell_state("computing…", busy=True)
            if self.model.table is None:
                self.notice.tell("clock", "Computing the first rows…", "Nothing is written.")
            self._runner.request(self.node, again=again)

    def _show_preview(self, preview: Preview) -> None:
        if preview.node != self.node or preview.sample is None:
            return
        table = next(iter(preview.sample.ports.values()))
        self.model.show_table(table)
        self._tell_state(_count(preview.node, preview.sample, table, self._runner.rows), busy=False)
        if not table.num_columns:
            self.notice.tell("table", "No columns", "This node gives out rows without columns.")
        self._pages.setCurrentWidget(self.table if table.num_columns else self.notice)
        self.table.fit_columns()

    def _show_error(self, node: str, message: str) -> None:
        if node == self.node:
            self.model.show_table(None)
            self._tell_state("", busy=False)
            self.notice.tell("alert-circle", "The rows could not be computed", message, bad=True)
            self._pages.setCurrentWidget(self.notice)

    def _tell_state(self, text: str, *, busy: bool) -> None:
        self.count.setText(text)
        self.busy.setVisible(busy)
        self.refresh.setText("Refresh")
        self.refresh.setEnabled(not busy and bool(self.node))

    def _dress(self) -> None:
        self.refresh.setIcon(self._theme.icon("refresh"))


def _count(node: str, sample: Sample, table: pa.Table, read: int) -> str:
    """``57 rows, 3 columns, from the first 200 of orders``."""
    columns = "1 column" if table.num_columns == 1 else f"{table.num_columns} columns"
    if node in sample.cut:
        return f"first {rows(table.num_rows)}, {columns}"
    cut = f", from the first {count(read)} of {', '.join(sorted(sample.cut))}" if sample.cut else ""
    return f"{rows(table.num_rows)}, {columns}{cut}"
