"""Earlier versions of the open file: what changed in each, beside what is on the screen, and back to one of them."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.history.reading import HistoryWork, KnownVersion
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.letter_layout import add_pages
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import moment
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.compare.comparing import Comparing
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

WHY = {
    "found": N_("as it was found"),
    "saved": N_("saved"),
    "run": N_("run"),
    "reloaded": N_("changed by another program"),
}


class HistoryPanel(QFrame):
    """Lists the versions of the open file, the newest first.

    Args:
        document: what is compared with, and restored into.
        workspace: gives the workspace; called in a thread.
        comparing: shows differences.
        theme: colours and icons.
        parent: its parent.

    Signals:
        restored: a version is on the screen again.
    """

    restored = Signal()

    def __init__(
        self,
        document: PipelineDocument,
        workspace: Callable[[], Workspace],
        comparing: Comparing,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._document, self._comparing, self._theme = document, comparing, theme
        self._work = HistoryWork(workspace, document.registry)
        self._wanted: KnownVersion | None = None
        self.model = RowsModel(
            [
                Column(tr("When"), lambda known: moment(known.version.at, time.time())),
                Column(tr("Why"), lambda known: tr(WHY[known.version.why])),
                Column(tr("What changed"), lambda known: known.words, tip=lambda known: known.words),
            ],
            self,
        )
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.title, self.count, self.said = QLabel(tr("History"), self), QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.compare_button, self.restore_button = (
            QPushButton(tr("Compare with now"), self),
            QPushButton(tr("Restore"), self),
        )
        self.restore_button.setToolTip(tr("Put this version on the screen; Undo brings back what is there now"))
        self.refresh_button = IconButton(theme, "refresh", tr("Read the history again"), self)
        self.notice = Notice(theme, self)
        self._reader, self._restorer = Fetcher(self), Fetcher(self)
        self._lay_out()
        self._connect()
        self._dress()
        self._show([])

    def refresh(self) -> None:
        """Read again."""
        path = self._document.path
        if path is not None:
            self._reader.ask(partial(self._work.read, path.name))

    def look(self) -> None:
        """Read again if the panel is seen: there may be another version."""
        if self.isVisible():
            self.refresh()

    def forget(self) -> None:
        """Another file: read now if the panel is seen, else when it is shown."""
        self._reader.cancel()
        self._restorer.cancel()
        self._show([])
        self.look()

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._reader.close()
        self._restorer.close()

    @property
    def chosen(self) -> KnownVersion | None:
        """The selected version."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.rows[rows[0].row()] if rows else None

    def compare(self) -> None:
        """Show what differs between the selected version and what is on the screen."""
        if (known := self.chosen) is None:
            return
        now, version = snapshot(self._document.pipeline), known.version
        titles = (moment(version.at, time.time()), tr("now"))
        self._comparing.show(
            lambda: self._work.pipeline(version), lambda: now, titles,
            accept=tr("Restore {when}", when=titles[0]), agreed=partial(self._restore, known),
        )  # fmt: skip

    def restore(self) -> None:
        """Put the selected version on the screen, in one undo step."""
        if (known := self.chosen) is not None:
            self._restore(known)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # -- inside -----------------------------------------------------------------------------------------------

    def _restore(self, known: KnownVersion) -> None:
        self._wanted = known
        self._restorer.ask(lambda: self._work.pipeline(known.version))

    def _become(self, pipeline: Pipeline) -> None:
        known, self._wanted = self._wanted, None
        if known is not None and not self._document.is_read_only:
            when = moment(known.version.at, time.time())
            self._document.become(pipeline, tr("Restore the version of {when}", when=when))
            self._tell(
                tr("The version of {when} is on the screen. Undo brings back what was there; Save keeps it.", when=when)
            )
            self.restored.emit()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        bar.addWidget(self.title)
        bar.addWidget(self.count)
        bar.addStretch(1)
        for button in (self.compare_button, self.restore_button, self.refresh_button):
            bar.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        self._pages = add_pages(column, self.said, self.notice, self.table)

    def _connect(self) -> None:
        self.table.selectionModel().selectionChanged.connect(self._enable)
        self.table.activated.connect(self.compare)
        self.compare_button.clicked.connect(self.compare)
        self.restore_button.clicked.connect(self.restore)
        self.refresh_button.clicked.connect(self.refresh)
        self._reader.fetched.connect(self._show)
        self._reader.failed.connect(self._fail)
        self._restorer.fetched.connect(self._become)
        self._restorer.failed.connect(self._tell_bad)
        self._document.reset.connect(self.forget)
        self._document.path_changed.connect(self.forget)
        self._theme.changed.connect(self._dress)

    def _show(self, rows: list[KnownVersion]) -> None:
        chosen = self.chosen
        self.model.show_rows(rows)
        at = [number for number, known in enumerate(rows) if chosen and known.version.id == chosen.version.id]
        if at:
            self.table.selectRow(at[0])
        self.table.fit_columns()
        self.count.setText(trn("{count} version", "{count} versions", len(rows)) if rows else "")
        why = tr("Save the pipeline: from then on, each save and each run keeps a version of it here.")
        self.notice.tell("clock", tr("No versions yet"), why)
        self._pages.setCurrentWidget(self.table if rows else self.notice)
        self._tell("")
        self._enable()

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The history could not be read"), message, bad=True)
        self._pages.setCurrentWidget(self.notice)

    def _tell(self, text: str) -> None:
        self.said.setText(text)
        self.said.setProperty("role", "muted")
        self.said.setVisible(bool(text))

    def _tell_bad(self, text: str) -> None:
        self._tell(tr("It cannot be restored: {reason}", reason=text))

    def _enable(self) -> None:
        self.compare_button.setEnabled(self.chosen is not None)
        self.restore_button.setEnabled(self.chosen is not None and not self._document.is_read_only)

    def _dress(self) -> None:
        self.compare_button.setIcon(self._theme.icon("diff"))
        self.restore_button.setIcon(self._theme.icon("undo"))
