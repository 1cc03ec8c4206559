"""Runs that broke off: found when their file is opened, offered in the banner, and gone on with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from etl_studio.engine.events import RunStatus
from etl_studio.errors import SourceChanged
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.errors import EtlError
    from etl_studio.storage.workspace import RunRecord
    from etl_studio.ui.banner import Banner
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.run.controller import RunController


class Resuming(QObject):
    """Looks for a run that broke off, and goes on with one.

    Args:
        studio: opens workspaces.
        document: the pipeline, as it is on the screen.
        controller: runs it.
        banner: where the offer is made.
        parent: of the question.
    """

    def __init__(
        self,
        studio: Studio,
        document: PipelineDocument,
        controller: RunController,
        banner: Banner,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._studio, self._document, self._controller, self._banner = studio, document, controller, banner
        self._window = parent
        self._offered: RunRecord | None = None
        self._tried: RunRecord | None = None
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._offer)
        # A workspace that cannot be read is told by the panels that show it.
        banner.accepted.connect(self._accept)

    def look(self) -> None:
        """Look for a run of the open file whose program died; offer to go on with it."""
        self._offered = None
        self._fetcher.cancel()
        file = self._document.path
        if file is not None and self._studio.workspace_folder(file).is_dir():
            self._fetcher.ask(lambda: self._find(file))

    def resume(self, run: RunRecord, *, accept_changes: bool = False) -> None:
        """Go on with a run of the open file."""
        self._tried = run
        self._banner.hide()
        self._controller.start(
            self._document.pipeline, self._document.path, resume=run, accept_changes=accept_changes
        )  # fmt: skip

    def ask_about(self, error: EtlError) -> bool:
        """Ask a person whether to go on where a source has changed; whether that was the error."""
        run, self._tried = self._tried, None
        if run is None or not isinstance(error, SourceChanged):
            return False
        box = QMessageBox(QMessageBox.Icon.Warning, "ETL Studio", error.what, parent=self._window)
        box.setInformativeText(tr("Rows could be lost or come twice."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Yes | buttons.Cancel)
        box.button(buttons.Yes).setText(tr("Resume anyway"))
        box.setDefaultButton(buttons.Cancel)
        if box.exec() == buttons.Yes:
            self.resume(run, accept_changes=True)
        box.deleteLater()
        return True

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._fetcher.close()

    def _find(self, file: Path) -> tuple[RunRecord, int] | None:
        place = self._studio.workspace(self._studio.workspace_folder(file))
        try:
            place.mark_interrupted()
            run = place.last_run(str(file.resolve()))
            if run is None or run.status is not RunStatus.INTERRUPTED:
                return None
            return run, max((one.epoch for one in place.history(run.id).checkpoints()), default=0)
        finally:
            place.release()

    def _offer(self, found: tuple[RunRecord, int] | None) -> None:
        if found is None or self._controller.is_running:
            return
        self._offered, epoch = found
        began = time.strftime("%H:%M", time.localtime(self._offered.started))
        what = tr("The run of {time} was broken off before its first checkpoint.", time=began)
        if epoch:
            what = tr("The run of {time} was broken off after checkpoint {epoch}.", time=began, epoch=epoch)
        self._banner.show_offer(what, tr("Resume"))

    def _accept(self) -> None:
        if self._offered is not None:
            self.resume(self._offered)
