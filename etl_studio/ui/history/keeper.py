"""Keeps versions of the open file in its workspace: at each save, and at the start of each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.pipeline.file_format import dumps, name_of
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.storage.versions import Reason
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.document import PipelineDocument


class VersionKeeper(QObject):
    """Writes the local history of one document.

    Args:
        document: whose file has a history.
        workspace: gives the workspace; called in a thread.
        parent: its parent.

    Attributes:
        kept: there may be another version in the history.
    """

    kept = Signal()

    def __init__(
        self, document: PipelineDocument, workspace: Callable[[], Workspace], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._workspace = document, workspace
        self._found = document.saved_text
        self._waiting: list[tuple[Callable[[], str], Reason, str]] = []
        self._busy = False
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._on_kept)
        self._fetcher.failed.connect(self._on_kept)  # the panel of the history tells what is wrong with the workspace
        document.reset.connect(self._on_reset)
        document.saved.connect(self._on_saved)
        document.reloaded.connect(self._on_reloaded)

    def keep_run(self) -> None:
        """Keep what is on the screen: a run of it begins."""
        if self._document.path is not None:
            taken, name, registry = snapshot(self._document.pipeline), self._name, self._document.registry
            self._keep(lambda: dumps(taken, registry, name=name), "run")

    def close_threads(self) -> None:
        """Wait until all is kept."""
        self._fetcher.close()
        if self._waiting:
            self._write(self._take_waiting())

    @property
    def _name(self) -> str:
        return name_of(self._document.path) if self._document.path else ""

    def _on_reset(self) -> None:
        self._found = self._document.saved_text

    def _on_saved(self) -> None:
        # What was there before the first save here is the version that a person would miss most.
        before, self._found = self._found, None
        if before is not None:
            self._keep(lambda: before, "found")
        self._keep_text("saved")

    def _on_reloaded(self) -> None:
        self._keep_text("reloaded")

    def _keep_text(self, why: Reason) -> None:
        if (text := self._document.saved_text) is not None:
            self._keep(lambda: text, why)

    def _keep(self, text: Callable[[], str], why: Reason) -> None:
        if self._document.path is not None:
            self._waiting.append((text, why, self._document.path.name))
            self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._busy:
            self._busy = True
            jobs = self._take_waiting()
            self._fetcher.ask(lambda: self._write(jobs))

    def _take_waiting(self) -> list[tuple[Callable[[], str], Reason, str]]:
        jobs, self._waiting = self._waiting, []
        return jobs

    def _write(self, jobs: list[tuple[Callable[[], str], Reason, str]]) -> None:
        workspace = self._workspace()
        try:
            for text, why, file in jobs:
                workspace.versions.keep(file, text(), why)
        finally:
            workspace.release()

    def _on_kept(self) -> None:
        self._busy = False
        self.kept.emit()
        self._go_on()
