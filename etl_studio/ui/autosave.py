"""Keeps what is on the screen safe: each unsaved document is in the journal within a second of its last edit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from etl_studio.pipeline.file_format import UNTITLED, dumps, name_of
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.storage.journal import Unsaved
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from etl_studio.storage.journal import Journal
    from etl_studio.ui.document import PipelineDocument

AFTER = 300
"""Milliseconds after an edit until it is written; those of the meantime go with it."""


class Autosave(QObject):
    """Writes one document to the journal while it is unsaved.

    The window's thread only takes a snapshot (2 ms for 1,000 nodes); text and file are made in another one.

    Args:
        document: what is kept.
        journal: where.
        parent: its parent.

    Attributes:
        kept: what was on the screen at the snapshot is on the disk.
        failed: it cannot be kept, with the reason for people.
    """

    kept = Signal()
    failed = Signal(str)

    def __init__(self, document: PipelineDocument, journal: Journal, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._journal = document, journal
        self._id = journal.new_id()
        self._writing, self._again = False, False
        self._forgotten: set[str] = set()
        self._timer = QTimer(self, singleShot=True, interval=AFTER)
        self._timer.timeout.connect(self._write)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._on_written)
        self._fetcher.failed.connect(self._on_failed)
        document.undo_stack.indexChanged.connect(self._soon)
        document.undo_stack.cleanChanged.connect(self._soon)
        document.saved.connect(self.forget)
        document.reset.connect(self.forget)

    def forget(self) -> None:
        """Take the document out of the journal: it is saved, or nobody wants what was not."""
        self._timer.stop()
        self._again = False
        if self._writing:
            self._forgotten.add(self._id)
        else:
            self._journal.remove(self._id)
        self._id = self._journal.new_id()

    def adopt(self, unsaved_id: str) -> None:
        """Go on in the place of what another program has left: the document has it now."""
        self.forget()
        self._id = unsaved_id
        self._soon()

    def close(self) -> None:
        """Forget the document and wait until nothing is written; before its window or tab closes."""
        self.forget()
        self._fetcher.close()
        self._remove_forgotten()

    def _soon(self) -> None:
        # Not put off by further edits: the first one waits no longer than the others.
        if not self._timer.isActive():
            self._timer.start()

    def _write(self) -> None:
        if self._writing:
            self._again = True
        elif self._document.is_modified:
            self._writing = True
            document, unsaved_id, journal = self._document, self._id, self._journal
            taken, path, base = snapshot(document.pipeline), document.path, document.saved_text
            registry, now = document.registry, time.time()

            def work() -> None:
                text = dumps(taken, registry, name=name_of(path) if path else UNTITLED)
                journal.write(Unsaved(unsaved_id, path, taken.name, base, text, now))

            self._fetcher.ask(work)
        else:
            self._journal.remove(self._id)  # undone to what the file says

    def _on_written(self) -> None:
        self._go_on()
        self.kept.emit()

    def _on_failed(self, message: str) -> None:
        self._go_on()
        self.failed.emit(message)

    def _go_on(self) -> None:
        self._writing = False
        self._remove_forgotten()
        if self._again or not self._document.is_modified:
            self._again = False
            self._write()

    def _remove_forgotten(self) -> None:
        for unsaved_id in self._forgotten:
            self._journal.remove(unsaved_id)
        self._forgotten.clear()
