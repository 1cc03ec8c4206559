"""The loads of the tables, and taking one back."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.letter_layout import add_pages
from etl_studio.ui.panels.load_work import KnownLoad, LoadWork, Outlook, what_came_back, what_comes_back
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import moment
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from etl_studio.storage.databases import Databases
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.theme.theme import Theme

NOTHING = N_("Run a pipeline that fills a table. What it has written is listed here, and can be taken back.")


class LoadsPanel(QFrame):
    """Lists the loads of the workspace's tables and of other databases of the pipeline, the newest first.

    Signals:
        undone: a load was taken back.

    Args:
        workspace: gives the workspace; called in a thread.
        databases: gives what opens other databases; called in a thread.
        theme: colours and icons.
        others: other databases that the open pipeline loads into.
        parent: its parent.
    """

    undone = Signal()

    def __init__(
        self,
        workspace: Callable[[], Workspace],
        databases: Callable[[], Databases],
        theme: Theme,
        others: Callable[[], Sequence[Path]] = tuple,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme, self._others = theme, others
        self._work = LoadWork(workspace, databases)
        self._running = self._busy = False
        self._outlook: Outlook | None = None
        self.model = RowsModel(self._columns(), self)
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.title, self.count, self.said = QLabel(tr("Loads"), self), QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setWordWrap(True)
        self.undo_button = QPushButton(tr("Undo this load…"), self)
        self.refresh_button = IconButton(theme, "refresh", tr("Read the loads again"), self)
        self.notice = Notice(theme, self)
        self._reader, self._looker, self._changer = Fetcher(self), Fetcher(self), Fetcher(self)
        self._lay_out()
        self._connect()
        self._dress()
        self._tell("")
        self._show([])

    def refresh(self) -> None:
        """Read again."""
        self._reader.ask(partial(self._work.read, list(self._others())))

    def forget(self) -> None:
        """Another workspace: read it now if the panel is seen, else when it is shown."""
        self._reader.cancel()
        self._looker.cancel()
        self._busy = False
        self._tell("")
        self._show([])
        if self.isVisible():
            self.refresh()

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Whether a run goes on: what it loads cannot be taken back under its hands."""
        self._running = running
        self._enable()

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        for fetcher in (self._reader, self._looker, self._changer):
            fetcher.close()

    @property
    def chosen(self) -> KnownLoad | None:
        """The selected load."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.rows[rows[0].row()] if rows else None

    def ask_to_undo(self) -> None:
        """Find out what the undo of the selected load would do, then ask."""
        known = self.chosen
        if known is not None and self.undo_button.isEnabled():
            self._begin(tr("Looking what would come back…"))
            self._looker.ask(partial(self._work.look, known))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # -- inside -----------------------------------------------------------------------------------------------

    def _columns(self) -> list[Column]:
        return [
            Column(tr("Number"), _number, right=True),
            Column(tr("Table"), _table, tip=_place),
            Column(tr("When"), _when),
            Column(tr("How"), _how),
            Column(tr("Inserted"), lambda known: count(known.load.loaded.inserted), right=True),
            Column(tr("Updated"), lambda known: count(known.load.loaded.updated), right=True),
            Column(tr("Deleted"), lambda known: count(known.load.loaded.deleted), right=True),
            Column(tr("Node"), lambda known: known.load.node),
            Column(tr("Run id"), lambda known: known.load.run),
            Column(tr("State"), _state, colour=self._state_colour),
        ]

    def _state_colour(self, known: KnownLoad) -> str:
        return self._theme.tokens.text_muted if known.load.undone_at else self._theme.tokens.success

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        bar.addWidget(self.title)
        bar.addWidget(self.count)
        bar.addStretch(1)
        bar.addWidget(self.undo_button)
        bar.addWidget(self.refresh_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        self._pages = add_pages(column, self.said, self.notice, self.table)

    def _connect(self) -> None:
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.undo_button.clicked.connect(self.ask_to_undo)
        self.refresh_button.clicked.connect(self.refresh)
        self._reader.fetched.connect(self._show)
        self._reader.failed.connect(self._fail)
        self._looker.fetched.connect(self._ask)
        self._looker.failed.connect(self._on_refused)
        self._changer.fetched.connect(self._on_undone)
        self._changer.failed.connect(self._on_refused)
        self._theme.changed.connect(self._dress)

    def _begin(self, text: str) -> None:
        self._busy = True
        self._tell(text)
        self._enable()

    def _end(self, text: str, *, bad: bool = False) -> None:
        self._busy = False
        self._tell(text, bad=bad)
        self._enable()

    def _ask(self, outlook: Outlook) -> None:
        self._end("")
        self._outlook = outlook
        title, question = tr("Undo a load"), tr("Undo {load}?", load=outlook.known.name)
        ask = QMessageBox(QMessageBox.Icon.Question, title, question, parent=self)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setInformativeText(what_comes_back(outlook.undoing))
        yes = ask.addButton(tr("Undo this load"), QMessageBox.ButtonRole.DestructiveRole)
        yes.clicked.connect(self._undo)
        ask.setDefaultButton(ask.addButton(QMessageBox.StandardButton.Cancel))
        ask.open()

    def _undo(self) -> None:
        if self._outlook is not None and not self._running:
            self._begin(tr("Undoing {load}…", load=self._outlook.known.name))
            self._changer.ask(partial(self._work.undo, self._outlook.known))

    def _on_undone(self, outlook: Outlook) -> None:
        self._end(what_came_back(outlook.known, outlook.undoing))
        self.refresh()
        self.undone.emit()

    def _on_refused(self, message: str) -> None:
        self._end(message, bad=True)
        self.refresh()

    def _show(self, loads: list[KnownLoad]) -> None:
        chosen = self.chosen
        if loads != self.model.rows:
            self.model.show_rows(loads)
            self.table.fit_columns()
            at = [number for number, known in enumerate(loads) if chosen is not None and known.key == chosen.key]
            if at:
                self.table.selectRow(at[0])
        self.notice.tell("layers", tr("No loads yet"), tr(NOTHING))
        self.count.setText(count(len(loads)) if loads else "")
        self._pages.setCurrentWidget(self.table if loads else self.notice)
        self._enable()

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The loads could not be read"), message, bad=True)
        self._pages.setCurrentWidget(self.notice)
        self._enable()

    def _on_selection(self) -> None:
        if not self._busy:
            self._tell("")
        self._enable()

    def _enable(self) -> None:
        known = self.chosen
        undone = known is not None and known.load.undone_at is not None
        self.undo_button.setEnabled(known is not None and not (undone or self._busy or self._running))
        if known is None:
            tip = tr("Select a load to take it back")
        elif self._running:
            tip = tr("A run is going on; undo when it has ended")
        else:
            tip = tr("It is undone") if undone else tr("Bring the rows back as they were before it; asks first")
        self.undo_button.setToolTip(tip)

    def _tell(self, text: str, *, bad: bool = False) -> None:
        self.said.setText(text)
        set_role(self.said, "danger" if bad else "muted")
        self.said.setVisible(bool(text))

    def _dress(self) -> None:
        self.undo_button.setIcon(self._theme.icon("undo"))


def _number(known: KnownLoad) -> str:
    return str(known.load.id)


def _table(known: KnownLoad) -> str:
    table, database = known.load.table, known.database
    return tr("{table} in {database}", table=table, database=database.name) if database else table


def _place(known: KnownLoad) -> str:
    return str(known.database or tr("In the workspace"))


def _when(known: KnownLoad) -> str:
    return moment(known.load.at, time.time())


def _how(known: KnownLoad) -> str:
    return (known.load.strategy or known.load.disposition).replace("_", " ")


def _state(known: KnownLoad) -> str:
    at = known.load.undone_at
    return tr("loaded") if at is None else tr("undone {when}", when=moment(at, time.time()))
