"""Ctrl-C and SIGTERM: the first one stops the run gracefully, a second one at once."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from etl_studio.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stoppable(Protocol):
    """A run."""

    def stop(self, *, hard: bool = False) -> None:
        """End it."""
        ...


class StopRequest:
    """What came while a run was on."""

    def __init__(self) -> None:
        self.count = 0

    def __bool__(self) -> bool:
        return self.count > 0


@contextmanager
def stopping_on_signals(run: Stoppable) -> Iterator[StopRequest]:
    """Turn signals into ``run.stop`` while the block runs; must be entered on the main thread."""
    request = StopRequest()

    def handle(_number: int, _frame: Any) -> None:
        request.count += 1
        hard = request.count > 1
        say("stopping at once" if hard else "stopping: sources end, what was read is loaded; again to stop at once")
        # A thread of its own: the handler may have interrupted code that holds the run's lock.
        threading.Thread(target=run.stop, kwargs={"hard": hard}, name="stop", daemon=True).start()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
