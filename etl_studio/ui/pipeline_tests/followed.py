"""The files of tests follow a node that gets another id, and go back when that is undone or given up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.app.renamed_tests import make, renamed_tests
from etl_studio.errors import EtlError
from etl_studio.ui.panels.in_order import InOrder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.ui.document import PipelineDocument


class FollowedNames(QObject):
    """Renames in the tests what is renamed in the document. What was not saved in the end is taken back.

    Signals:
        changed: files have other names.
        failed: why they keep the old ones.

    Args:
        document: the pipeline whose tests they are.
        load: reads other pipeline files.
        parent: its parent.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(
        self, document: PipelineDocument, load: Callable[[Path], Pipeline], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._load = document, load
        self._path = document.path
        self._not_saved: list[tuple[str, str]] = []
        self._work = InOrder(self)
        self._work.done.connect(self._on_done)
        self._work.failed.connect(self.failed)
        document.node_renamed.connect(self._follow)
        document.path_changed.connect(self._leave)
        document.reset.connect(self._leave)
        document.saved.connect(self._not_saved.clear)

    @property
    def is_busy(self) -> bool:
        """Whether files are still to be renamed."""
        return self._work.is_busy

    def close(self) -> None:
        """Take back what was not saved, and wait until nothing runs."""
        self._leave()
        self._work.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def _follow(self, old: str, new: str) -> None:
        if (path := self._document.path) is not None:
            self._not_saved.append((old, new))
            self._work.do(partial(_rename, path, self._load, old, new))

    def _leave(self) -> None:
        """The file on the disk knows nothing of what was not saved: its tests must not either."""
        if self._path is not None:
            for old, new in reversed(self._not_saved):
                self._work.do(partial(_given_up, self._path, self._load, new, old))
        self._not_saved.clear()
        self._path = self._document.path

    def _on_done(self, changes: int) -> None:
        if changes:
            self.changed.emit()


def _rename(path: Path, load: Callable[[Path], Pipeline], old: str, new: str) -> int:
    changes = renamed_tests(path, load, old, new)
    make(changes)
    return len(changes)


def _given_up(path: Path, load: Callable[[Path], Pipeline], old: str, new: str) -> int:
    """Nobody is there any more to be told why it cannot be done."""
    try:
        return _rename(path, load, old, new)
    except EtlError:
        return 0
