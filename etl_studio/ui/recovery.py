"""Offers what a program that was killed had not saved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.compare.comparing import read_version
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.status import moment
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.storage.journal import Journal, Unsaved
    from etl_studio.ui.autosave import Autosave
    from etl_studio.ui.compare.comparing import Comparing
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.file_banner import FileBanner
    from etl_studio.ui.file_watch import FileWatch

RECOVERY = "recovery"


class Recovery(QObject):
    """Looks in the journal when a file is opened, and offers what is there for it.

    Args:
        document: the document.
        journal: where unsaved documents are.
        autosave: keeps what was restored safe from then on.
        watch: finds whether the file has changed since.
        banner: where it is offered.
        comparing: shows differences.
        parent: its parent.
    """

    def __init__(  # noqa: PLR0913 - all that a recovery touches
        self,
        document: PipelineDocument,
        journal: Journal,
        autosave: Autosave,
        watch: FileWatch,
        banner: FileBanner,
        comparing: Comparing,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._journal, self._autosave = document, journal, autosave
        self._watch, self._banner, self._comparing = watch, banner, comparing
        self.offered: Unsaved | None = None
        self._finder, self._reader = Fetcher(self), Fetcher(self)
        self._finder.fetched.connect(self._on_found)
        self._reader.fetched.connect(self._become)
        self._reader.failed.connect(self._tell)

    def look(self) -> None:
        """Look for unsaved changes of the open file."""
        self.offered = None
        self._banner.clear(RECOVERY)
        path = self._document.path
        if path is not None and not self._document.is_read_only:
            wanted = path.resolve()
            self._finder.ask(lambda: next((one for one in self._journal.left_behind() if one.path == wanted), None))

    def offer(self, unsaved: Unsaved) -> None:
        """Offer an unsaved document in this place."""
        self.offered = unsaved
        when = moment(unsaved.at, time.time())
        since = unsaved.path is not None and unsaved.base != self._document.saved_text
        what = tr(
            "{title} has changes of {when} that were not saved when the program ended.", title=unsaved.title, when=when
        )
        if since:
            what += " " + tr("The file has changed since.")
        choices = (
            (tr("Restore"), self.restore),
            (tr("Show the difference"), self.show_difference),
            (tr("Discard"), self.discard),
        )
        self._banner.ask(RECOVERY, what, choices, icon="history", tone="warning", closable=False)

    def restore(self) -> None:
        """Put the unsaved changes back, in one undo step."""
        if (unsaved := self.offered) is not None:
            registry = self._document.registry
            self._reader.ask(lambda: read_version(unsaved.text, registry))

    def discard(self) -> None:
        """Forget them."""
        if self.offered is not None:
            self._journal.remove(self.offered.id)
        self._end()

    def show_difference(self) -> None:
        """Show what they changed in the file."""
        if (unsaved := self.offered) is None:
            return
        now, registry = snapshot(self._document.pipeline), self._document.registry
        when = moment(unsaved.at, time.time())
        titles = (tr("saved") if unsaved.path else tr("empty"), tr("not saved, of {when}", when=when))
        self._comparing.show(
            lambda: now,
            lambda: read_version(unsaved.text, registry),
            titles,
            accept=tr("Restore"),
            agreed=self.restore,
        )

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._finder.close()
        self._reader.close()

    def _on_found(self, unsaved: Unsaved | None) -> None:
        if unsaved is not None:
            self.offer(unsaved)

    def _become(self, pipeline: Pipeline) -> None:
        unsaved = self.offered
        if unsaved is None:
            return
        self._end()
        changed_since = unsaved.base != self._document.saved_text
        self._document.become(pipeline, tr("Restore what was not saved"))
        self._autosave.adopt(unsaved.id)
        if self._document.path is not None and changed_since:
            self._document.take_file_text(unsaved.base)
            self._watch.look_anew()

    def _tell(self, message: str) -> None:
        self._banner.ask(
            RECOVERY,
            tr("It cannot be restored: {problem}", problem=message),
            [(tr("Discard"), self.discard)],
            icon="alert-circle",
            tone="warning",
        )

    def _end(self) -> None:
        self.offered = None
        self._banner.clear(RECOVERY)
