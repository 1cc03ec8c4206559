"""Workers of the engine as QThreads."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


NICENESS = 5
"""How far workers step back behind the window's thread when there are more threads to run than cores."""

_thread_state_dict = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_GetDict", ctypes.pythonapi))


@contextmanager
def thread_locals_dropped() -> Iterator[None]:
    """Drop what Python code has kept for this thread before the thread ends; surrounds all work in a QThread.

    Python itself drops it after a QThread has let go of the interpreter. A destructor that takes the interpreter once
    more then, as that of an APSW connection does, frees the thread's state under its own feet and the process dies.
    """
    try:
        yield
    finally:
        kept = _thread_state_dict()
        if kept:
            # A cast takes a reference of its own; as a result type, py_object would give away one that is not ours.
            ctypes.cast(kept, ctypes.py_object).value.clear()


def step_back() -> None:
    """Let the window's thread go first. What this thread starts, threads or processes, steps back too.

    On Linux, where each thread has a niceness of its own; elsewhere all stay equal.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # where it is forbidden, all threads stay equal
            me = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, me, max(os.getpriority(os.PRIO_PROCESS, me), NICENESS))


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
        step_back()
        with thread_locals_dropped():
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
