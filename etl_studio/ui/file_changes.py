"""What is done when another program has changed the file of the open document: reload, keep, merge, or look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.pipeline.conflict_marks import conflict_lines
from etl_studio.pipeline.merge import merge
from etl_studio.pipeline.model import Pipeline
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.compare.comparing import read_version
from etl_studio.ui.document_files import display_name
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from etl_studio.pipeline.merge import Merged
    from etl_studio.ui.compare.comparing import Comparing
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.file_banner import FileBanner
    from etl_studio.ui.file_watch import FileWatch

CHANGED, GONE, MERGED = "changed", "gone", "merged"
TOLD = 3
"""Conflicts that are told one by one."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The file as it was read in a thread."""

    text: str
    pipeline: Pipeline


class FileChanges(QObject):
    """Keeps the document and its file together.

    An unmodified document follows its file by itself; of a modified one a person decides. Each way is one undo step.

    Args:
        document: the document.
        watch: notices changes.
        banner: where they are told.
        comparing: shows differences.
        parent: its parent.
    """

    def __init__(
        self,
        document: PipelineDocument,
        watch: FileWatch,
        banner: FileBanner,
        comparing: Comparing,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._banner, self._comparing = document, banner, comparing
        self._text = ""
        self._at = 0
        self._reader, self._merger = Fetcher(self), Fetcher(self)
        self._reader.fetched.connect(self._take)
        self._reader.failed.connect(self._tell_unreadable)
        self._merger.fetched.connect(self._take_merged)
        self._merger.failed.connect(self._tell_unreadable)
        watch.changed.connect(self._on_changed)
        watch.gone.connect(self._on_gone)
        watch.settled.connect(self._on_settled)
        document.saved.connect(self._on_settled)

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._reader.close()
        self._merger.close()

    def reload(self) -> None:
        """Take what the file says; undo brings back what was here."""
        self._banner.clear(CHANGED)
        self._read()

    def keep_mine(self) -> None:
        """Keep what is here; the next save writes over the file."""
        self._banner.clear(CHANGED)
        self._document.take_file_text(self._text)

    def merge(self) -> None:
        """Put the changes of the file into what is here."""
        document, theirs, registry = self._document, self._text, self._document.registry
        base, ours, self._at = document.saved_text, snapshot(document.pipeline), document.undo_stack.index()

        def work() -> Merged:
            begin = read_version(base, registry) if base else Pipeline()
            return merge(begin, ours, read_version(theirs, registry), registry)

        self._merger.ask(work)

    def show_difference(self) -> None:
        """Show what another program has changed beside what is here."""
        mine, text, registry = snapshot(self._document.pipeline), self._text, self._document.registry
        name = display_name(self._document)
        self._comparing.show(
            lambda: mine, lambda: read_version(text, registry), (tr("here"), tr("{file} on the disk", file=name))
        )

    # -- inside -----------------------------------------------------------------------------------------------

    def _on_changed(self, text: str) -> None:
        self._text = text
        name = display_name(self._document)
        if self._document.is_read_only:
            self._document.load(self._document.path)
        elif not self._document.is_modified:
            self._read()
        else:
            choices = (
                (tr("Merge"), self.merge),
                (tr("Reload"), self.reload),
                (tr("Keep mine"), self.keep_mine),
                (tr("Show the difference"), self.show_difference),
            )
            what = tr(
                "{file} was changed by another program, and there are changes here that are not saved.", file=name
            )
            self._banner.ask(CHANGED, what, choices, icon="alert-triangle", tone="warning", closable=False)

    def _read(self) -> None:
        text, registry = self._text, self._document.registry
        self._reader.ask(lambda: _Read(text, read_version(text, registry)))

    def _take(self, read: _Read) -> None:
        document, before = self._document, snapshot(self._document.pipeline)
        if read.pipeline.is_newer:
            document.load(document.path)
            return
        was_modified = document.is_modified
        document.reload(read.pipeline)
        if was_modified:
            return
        titles, now = (tr("before"), tr("now")), snapshot(document.pipeline)
        look = lambda: self._comparing.show(lambda: before, lambda: now, titles)  # noqa: E731
        name = display_name(document)
        what = tr("{file} was changed by another program and has been read again.", file=name)
        choices = ((tr("Show the difference"), look), (tr("Undo"), document.undo_stack.undo))
        self._banner.ask(MERGED, what, choices, icon="refresh")

    def _take_merged(self, merged: Merged) -> None:
        document = self._document
        if document.undo_stack.index() != self._at:
            self.merge()  # there were edits in between
            return
        self._banner.clear(CHANGED)
        document.become(merged.pipeline, tr("Merge with the file"))
        document.take_file_text(self._text)
        look = (tr("Show the difference"), self.show_difference)
        name = display_name(document)
        if not merged.conflicts:
            what = tr("The changes of {file} are merged with those here.", file=name)
            self._banner.ask(MERGED, what, [look], icon="merge")
            return
        count = len(merged.conflicts)
        places = [conflict_lines(one)[0].removeprefix("CONFLICT ").partition(":")[0] for one in merged.conflicts[:TOLD]]
        listed = "; ".join(places)
        if count > TOLD:
            listed = trn("{places} and {count} more", "{places} and {count} more", count - TOLD, places=listed)
        text = trn(
            "Merged with {file}. {count} setting was changed on both sides and kept as here: {places}.",
            "Merged with {file}. {count} settings were changed on both sides and kept as here: {places}.",
            count,
            file=name,
            places=listed,
        )
        self._banner.ask(MERGED, text, [look], icon="merge", tone="warning")

    def _tell_unreadable(self, message: str) -> None:
        what = tr(
            "{file} was changed by another program and cannot be read: {problem}",
            file=display_name(self._document),
            problem=message,
        )
        self._banner.ask(CHANGED, what, [(tr("Keep mine"), self.keep_mine)], icon="alert-circle", tone="warning")

    def _on_gone(self) -> None:
        self._document.undo_stack.resetClean()
        what = tr(
            "{file} was deleted or moved by another program. Save writes it again.", file=display_name(self._document)
        )
        self._banner.ask(GONE, what, icon="alert-triangle", tone="warning")

    def _on_settled(self) -> None:
        for about in (CHANGED, GONE, MERGED):
            self._banner.clear(about)
