"""Work in a thread, one thing after the other; none is dropped."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable


class InOrder(QObject):
    """Does what it is given, in order.

    Signals:
        done: what a piece of work gave.
        failed: why one could not be done, for people; the next one follows.

    Args:
        parent: its parent.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Callable[[], Any]] = deque()
        self._working = False
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._on_done)
        self._fetcher.failed.connect(self._on_failed)

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be done."""
        return bool(self._waiting) or self._working

    def do(self, work: Callable[[], Any]) -> None:
        """Do this after what was given before."""
        self._waiting.append(work)
        self._next()

    def close(self) -> None:
        """Finish what was given, and wait until nothing runs; no signal will come."""
        waiting, self._waiting = self._waiting, deque()
        self._fetcher.close()
        for work in waiting:
            work()

    def _next(self) -> None:
        if self._waiting and not self._working:
            self._working = True
            self._fetcher.ask(self._waiting.popleft())

    def _on_done(self, answer: object) -> None:
        self._working = False
        self.done.emit(answer)
        self._next()

    def _on_failed(self, message: str) -> None:
        self._working = False
        self.failed.emit(message)
        self._next()
