"""Workers of the engine as QThreads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QThread

if TYPE_CHECKING:
    from collections.abc import Callable


class QtWorker(QThread):
    """Calls ``work`` once in a thread of its own.

    Args:
        name: shown by debuggers and system monitors.
        work: must catch its own errors.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName(name)
        self._work = work

    def run(self) -> None:
        self._work()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most ``timeout`` seconds."""
        if timeout is None:
            self.wait()
        else:
            self.wait(QDeadlineTimer(int(timeout * 1000)))

    def is_alive(self) -> bool:
        """Whether it still works."""
        return self.isRunning()


def start_qt_worker(name: str, work: Callable[[], None]) -> QtWorker:
    """Start ``work`` in a QThread; given to the engine as its way to start workers."""
    worker = QtWorker(name, work)
    worker.start()
    return worker
