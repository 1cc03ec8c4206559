"""How the workers of a run are started: the terminal gives plain threads, the window QThreads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker(Protocol):
    """A started worker."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        ...


class StartWorker(Protocol):
    """Starts a worker."""

    def __call__(self, name: str, work: Callable[[], None]) -> Worker:
        """Start ``work`` in a thread of that name."""
        ...


def start_thread(name: str, work: Callable[[], None]) -> Worker:
    """Start a plain thread."""
    thread = threading.Thread(target=work, name=name)
    thread.start()
    return thread
