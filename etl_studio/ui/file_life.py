"""The life of the open file: kept safe while it is unsaved, watched, remembered, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from etl_studio.app.committed import committed_text
from etl_studio.pipeline.file_format import read_text as pipeline_text
from etl_studio.pipeline.model import FORMAT
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.autosave import Autosave
from etl_studio.ui.compare.comparing import Comparing, read_version
from etl_studio.ui.document_files import FILTER
from etl_studio.ui.file_banner import FileBanner
from etl_studio.ui.file_changes import FileChanges
from etl_studio.ui.file_watch import FileWatch
from etl_studio.ui.history.keeper import VersionKeeper
from etl_studio.ui.history.panel import HistoryPanel
from etl_studio.ui.recovery import Recovery
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.storage.journal import Journal
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.document_files import DocumentFiles
    from etl_studio.ui.run.controller import RunController
    from etl_studio.ui.theme.theme import Theme

READ_ONLY, NOT_KEPT, NOT_COMPARED = "read_only", "not_kept", "not_compared"


class FileLife(QObject):
    """Joins the parts around one document.

    Args:
        document: the document.
        files: loads and saves it.
        controller: runs it.
        journal: where unsaved documents are kept.
        workspace: gives the workspace beside the file; called in a thread.
        theme: colours and icons.
        parent: the workbench.

    Attributes:
        banner: where a person is told and asked; the workbench shows it over the canvas.
        history: the panel of earlier versions; the workbench shows it below.
        autosave, watch, changes, recovery, versions, comparing: the parts.
    """

    def __init__(  # noqa: PLR0913 - all that a file meets
        self,
        document: PipelineDocument,
        files: DocumentFiles,
        controller: RunController,
        journal: Journal,
        workspace: Callable[[], Workspace],
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document, self._files, self._window = document, files, parent
        self.banner = FileBanner(theme, parent)
        self.comparing = Comparing(document.registry, theme, parent)
        document.reset.connect(self._on_reset)  # before the parts, which may have something to say about the new one
        self.autosave = Autosave(document, journal, self)
        self.watch = FileWatch(document, self)
        self.changes = FileChanges(document, self.watch, self.banner, self.comparing, self)
        self.recovery = Recovery(document, journal, self.autosave, self.watch, self.banner, self.comparing, self)
        self.versions = VersionKeeper(document, workspace, self)
        self.history = HistoryPanel(document, workspace, self.comparing, theme, parent)
        self.versions.kept.connect(self.history.look)
        self.comparing.failed.connect(self._tell_not_compared)
        self.autosave.failed.connect(self._tell_not_kept)
        files.opened.connect(self.recovery.look)
        controller.started.connect(self.versions.keep_run)

    def close_threads(self) -> None:
        """End everything; before the window or its tab closes."""
        self.watch.close()
        self.autosave.close()
        for part in (self.changes, self.recovery, self.versions, self.history, self.comparing):
            part.close_threads()

    def compare_with_saved(self) -> None:
        """Show what is on the screen beside what the file says."""
        text = self._document.saved_text
        if text is not None:
            self._compare(tr("saved"), lambda: text)

    def compare_with_commit(self) -> None:
        """Show what is on the screen beside what is committed in git."""
        path = self._document.path
        if path is not None:
            self._compare(tr("committed"), lambda: committed_text(path))

    def compare_with_file(self) -> None:
        """Ask for another pipeline file and show it beside what is on the screen."""
        folder = str(self._document.path.parent) if self._document.path else ""
        title, parent = tr("Compare with a pipeline"), self._window.window()
        chosen, _ = QFileDialog.getOpenFileName(parent, title, folder, tr(FILTER))
        if chosen:
            self._compare(Path(chosen).name, lambda: pipeline_text(Path(chosen)))

    def _compare(self, title: str, text: Callable[[], str]) -> None:
        self._files.flush()
        now, registry = snapshot(self._document.pipeline), self._document.registry
        self.comparing.show(lambda: read_version(text(), registry), lambda: now, (title, tr("now")))

    def _tell_not_compared(self, message: str) -> None:
        what = tr("There is nothing to compare with. {problem}", problem=message)
        self.banner.ask(NOT_COMPARED, what, icon="alert-circle", tone="warning")

    def _on_reset(self) -> None:
        self.banner.clear()
        pipeline = self._document.pipeline
        if self._document.is_read_only:
            what = tr(
                "This file was made by a newer ETL Studio (format {theirs}; this one writes {ours}). It is "
                "shown as far as it is understood, and can be neither changed nor run. Update ETL Studio to do that.",
                theirs=pipeline.format,
                ours=FORMAT,
            )
            self.banner.ask(READ_ONLY, what, icon="eye", closable=False)

    def _tell_not_kept(self, message: str) -> None:
        if not self.banner.about:
            what = tr("Changes that are not saved are lost if the program ends now. {problem}", problem=message)
            self.banner.ask(NOT_KEPT, what, icon="alert-circle", tone="warning")
