"""The history of runs, and what can be done with each: stop, pause, continue, resume."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.engine.conservation import sum_line
from etl_studio.engine.events import RunStatus
from etl_studio.ui.forms.retry_timeline import duration
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import WORDS, moment, status_colour
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from etl_studio.storage.workspace import RunCommand, RunRecord, Workspace
    from etl_studio.ui.theme.theme import Theme

KINDS = {"dry_run": N_("dry run"), "replay": N_("replay"), "trial": N_("trial")}
"""Of what is no usual run."""
LIMIT = 500
"""The most runs that are listed."""
LOOK = 2_000
"""Milliseconds between two looks while the panel is seen: runs of other processes come and go by themselves."""


class RunsPanel(QFrame):
    """Lists the last runs of a workspace, the newest first.

    Signals:
        run_requested: id of a run that was double-clicked or entered.
        resume_requested: the record of a run that should go on.

    Args:
        workspace: gives the workspace; called in a thread, since opening it may take a while.
        theme: colours and icons.
        open_file: the pipeline file in the window: only its last run can be resumed here.
        parent: its parent.
    """

    run_requested = Signal(str)
    resume_requested = Signal(object)

    def __init__(
        self,
        workspace: Callable[[], Workspace],
        theme: Theme,
        open_file: Callable[[], Path | None] = lambda: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._workspace, self._theme, self._open_file = workspace, theme, open_file
        self.model = RowsModel(self._columns(), self)
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.activated.connect(self._enter)
        self.notice = Notice(theme, self)
        self.notice.tell(
            "history", tr("No runs yet"), tr("Run the pipeline. Every run of this workspace is listed here.")
        )
        self.refresh_button = QPushButton(tr("Refresh"), self)
        self.refresh_button.clicked.connect(self.refresh)
        self.stop_button = self._order_button(tr("Stop"), "stop", tr("What it has read is still loaded"))
        self.pause_button = self._order_button(tr("Pause"), "pause", tr("Its sources wait"))
        self.continue_button = self._order_button(tr("Continue"), "go_on", tr("End its pause"))
        self.resume_button = QPushButton(tr("Resume"), self)
        self.resume_button.setToolTip(tr("Go on with the last run of this file, which broke off, where it was"))
        self.resume_button.clicked.connect(self._resume)
        self.details = QPlainTextEdit(self)
        self.details.setReadOnly(True)
        self.details.setProperty("role", "text")
        self.details.setPlaceholderText(tr("Select a run to see where the rows of each node went."))
        self.title = QLabel(tr("Runs"), self)
        self.title.setProperty("role", "title")
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._fail)
        self._orders = Fetcher(self)
        self._orders.fetched.connect(self.refresh)
        self._orders.failed.connect(self.details.setPlainText)
        self._counts = Fetcher(self)
        self._counts.fetched.connect(self._show_counts)
        self._counts.failed.connect(self.details.setPlainText)
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)
        self._asked = False
        self._lay_out()
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self._enable_buttons()
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
        self._timer.stop()
        for fetcher in (self._fetcher, self._orders, self._counts):
            fetcher.close()

    def _read(self) -> list[RunRecord]:
        workspace = self._workspace()
        try:
            workspace.mark_interrupted()
            return workspace.runs(limit=LIMIT)
        finally:
            workspace.release()

    def _look(self) -> None:
        if not self.isVisible():
            self._timer.stop()
        elif not self._fetcher.is_busy:
            self.refresh()

    def _order_button(self, text: str, command: RunCommand, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._order(command))
        return button

    def _order(self, command: RunCommand) -> None:
        run = self.chosen
        if run is None:
            return

        def ask() -> None:
            workspace = self._workspace()
            try:
                workspace.ask(run.id, command)
            finally:
                workspace.release()

        self._orders.ask(ask)

    @property
    def chosen(self) -> RunRecord | None:
        """The selected run."""
        rows = self.table.selectionModel().selectedRows() or self.table.selectionModel().selectedIndexes()
        return self.model.rows[rows[0].row()] if rows else None

    def _resume(self) -> None:
        if self.chosen is not None:
            self.resume_requested.emit(self.chosen)

    def _on_selection(self) -> None:
        self._enable_buttons()
        run = self.chosen
        self._counts.cancel()
        self.details.clear()
        if run is not None:
            self._counts.ask(lambda: self._read_counts(run))

    def _read_counts(self, run: RunRecord) -> str:
        workspace = self._workspace()
        try:
            nodes = workspace.node_counts(run.id)
        finally:
            workspace.release()
        lines = [*run.notes, *(f"{node}: {sum_line(counts)}" for node, counts in nodes.items())]
        return "\n".join([*lines, run.error or ""]).strip()

    def _show_counts(self, text: str) -> None:
        self.details.setPlainText(text)

    def _enable_buttons(self) -> None:
        run = self.chosen
        running = run is not None and run.status is RunStatus.RUNNING
        self.stop_button.setEnabled(running)
        self.pause_button.setEnabled(running and not run.paused)
        self.continue_button.setEnabled(running and run.paused)
        self.resume_button.setEnabled(run is not None and run.resumable and run.id == self._last_of_file())

    def _last_of_file(self) -> str:
        """The last run of the open file: an older one would bring rows back that a later one has replaced."""
        file = self._open_file()
        mine = (run.id for run in self.model.rows if file and run.file == str(file.resolve()) and run.kind == "run")
        return next(mine, "")

    def _columns(self) -> list[Column]:
        return [
            Column(tr("Status"), _status, colour=self._colour, tip=_error),
            Column(tr("Started"), _started),
            Column(tr("Pipeline"), _pipeline),
            Column(tr("Duration"), _duration, right=True),
            Column(tr("Rows in"), _rows_in, right=True),
            Column(tr("Rows out"), _rows_out, right=True),
            Column(tr("Rejected"), _rejected, right=True),
            Column(tr("Dead letters"), _dead_letters, right=True),
            Column(tr("Run id"), _run),
        ]

    def _colour(self, row: RunRecord) -> str:
        return status_colour(str(row.status), self._theme.tokens)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.addWidget(self.title)
        bar.addStretch(1)
        for button in (self.resume_button, self.stop_button, self.pause_button, self.continue_button):
            bar.addWidget(button)
        bar.addWidget(self.refresh_button)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        both = QSplitter(self)
        both.addWidget(self.table)
        both.addWidget(self.details)
        both.setStretchFactor(0, 3)
        both.setStretchFactor(1, 1)
        self._pages.addWidget(both)
        self._list = both
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def _show(self, rows: list[RunRecord]) -> None:
        chosen = self.chosen
        if rows != self.model.rows:
            self.model.show_rows(rows)
            at = [number for number, run in enumerate(rows) if chosen is not None and run.id == chosen.id]
            if at:
                self.table.selectRow(at[0])
            else:
                self._on_selection()
            self.table.resizeColumnsToContents()
        self.notice.tell(
            "history", tr("No runs yet"), tr("Run the pipeline. Every run of this workspace is listed here.")
        )
        self._pages.setCurrentWidget(self._list if rows else self.notice)

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The history could not be read"), message, bad=True)
        self._pages.setCurrentWidget(self.notice)

    def _enter(self, index: QModelIndex) -> None:
        self.run_requested.emit(_run(self.model.rows[index.row()]))

    def _dress(self) -> None:
        for button, icon in (
            (self.refresh_button, "refresh"),
            (self.stop_button, "stop"),
            (self.pause_button, "pause"),
            (self.continue_button, "play"),
            (self.resume_button, "history"),
        ):
            button.setIcon(self._theme.icon(icon))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self.refresh()
        self._timer.start()


def _run(row: RunRecord) -> str:
    return str(row.id)


def _status(row: RunRecord) -> str:
    return tr("paused") if row.paused else tr(WORDS.get(str(row.status), str(row.status)))


def _error(row: RunRecord) -> str:
    return row.error or ""


def _started(row: RunRecord) -> str:
    return moment(row.started, time.time())


def _pipeline(row: RunRecord) -> str:
    kind = "trial" if "trial" in row.document else row.kind
    return row.pipeline if kind == "run" else f"{row.pipeline} ({tr(KINDS.get(kind, kind))})"


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
