"""The history of runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.forms.retry_timeline import duration
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import WORDS, count, moment, status_colour
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent

    from etl_studio.storage.workspace import RunRecord, Workspace
    from etl_studio.ui.theme.theme import Theme

LIMIT = 500
"""The most runs that are listed."""


class RunsPanel(QFrame):
    """Lists the last runs of a workspace, the newest first.

    Signals:
        run_requested: id of a run that was double-clicked or entered.

    Args:
        workspace: gives the workspace; called in a thread, since opening it may take a while.
        theme: colours and icons.
        parent: its parent.
    """

    run_requested = Signal(str)

    def __init__(self, workspace: Callable[[], Workspace], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._workspace, self._theme = workspace, theme
        self.model = RowsModel(self._columns(), self)
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.activated.connect(self._enter)
        self.notice = Notice(theme, self)
        self.notice.tell("history", "No runs yet", "Every run of this workspace is listed here.")
        self.refresh_button = QPushButton("Refresh", self)
        self.refresh_button.clicked.connect(self.refresh)
        self.title = QLabel("Runs", self)
        self.title.setProperty("role", "title")
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._fail)
        self._asked = False
        self._lay_out()
        theme.changed.connect(self._dress)
        self._dress()

    def refresh(self) -> None:
        """Read the history again."""
        self._asked = True
        self._fetcher.ask(self._read)

    def forget(self) -> None:
        """Another workspace: read it now if the panel is seen, else when it is shown."""
        self._fetcher.cancel()
        self._asked = False
        self._show([])
        if self.isVisible():
            self.refresh()

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._fetcher.close()

    def _read(self) -> list[RunRecord]:
        workspace = self._workspace()
        try:
            return workspace.runs(limit=LIMIT)
        finally:
            workspace.release()

    def _columns(self) -> list[Column]:
        return [
            Column("Status", _status, colour=self._colour, tip=_error),
            Column("Started", _started),
            Column("Pipeline", _pipeline),
            Column("Duration", _duration, right=True),
            Column("Rows in", _rows_in, right=True),
            Column("Rows out", _rows_out, right=True),
            Column("Rejected", _rejected, right=True),
            Column("Dead letters", _dead_letters, right=True),
            Column("Run", _run),
        ]

    def _colour(self, row: RunRecord) -> str:
        return status_colour(str(row.status), self._theme.tokens)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.addWidget(self.title)
        bar.addStretch(1)
        bar.addWidget(self.refresh_button)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def _show(self, rows: list[RunRecord]) -> None:
        self.model.show_rows(rows)
        self.notice.tell("history", "No runs yet", "Every run of this workspace is listed here.")
        self._pages.setCurrentWidget(self.table if rows else self.notice)
        self.table.resizeColumnsToContents()

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", "The history could not be read", message, bad=True)
        self._pages.setCurrentWidget(self.notice)

    def _enter(self, index: QModelIndex) -> None:
        self.run_requested.emit(_run(self.model.rows[index.row()]))

    def _dress(self) -> None:
        self.refresh_button.setIcon(self._theme.icon("refresh"))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self.refresh()


def _run(row: RunRecord) -> str:
    return str(row.id)


def _status(row: RunRecord) -> str:
    return WORDS.get(str(row.status), str(row.status))


def _error(row: RunRecord) -> str:
    return row.error or ""


def _started(row: RunRecord) -> str:
    return moment(row.started, time.time())


def _pipeline(row: RunRecord) -> str:
    return row.pipeline


def _duration(row: RunRecord) -> str:
    return "" if row.duration is None else duration(row.duration)


def _rows_in(row: RunRecord) -> str:
    return count(row.rows_in)


def _rows_out(row: RunRecord) -> str:
    return count(row.rows_out)


def _rejected(row: RunRecord) -> str:
    return count(row.rejected)


def _dead_letters(row: RunRecord) -> str:
    return count(row.dead_letters)
