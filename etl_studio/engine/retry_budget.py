"""How many retries one host gets, so that many nodes together do not bury a site that is already failing.

Retries of the last minute may be a share of its requests of that minute, beyond a number that is always free: the idea
of Finagle's RetryBudget and of gRPC's retry throttling. Those give up what is beyond; a pipeline has time, so here it
waits.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60.0
"""Seconds that are looked back."""
FREE = 10
"""Retries of one window that need no requests beside them."""


class RetryBudget:
    """Thread-safe; all nodes that call one host share one.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: list[float] = []  # moments of first attempts, oldest first
        self._retries: list[float] = []  # moments of retries, those that still wait included

    def request(self) -> None:
        """A first attempt begins."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            self._requests.append(now)

    def reserve(self, percent: float) -> float:
        """Take the place of the next retry; seconds until it may begin.

        Args:
            percent: retries for each hundred requests.
        """
        with self._lock:
            now = self._clock()
            self._forget(now)
            # A place is free now, or when one of the retries is forgotten: at the last of these moments none is left.
            moments = (now, *(retry + WINDOW for retry in self._retries))
            moment = next(one for one in moments if self._has_room(one, percent))
            insort(self._retries, moment)
            return moment - now

    def _has_room(self, moment: float, percent: float) -> bool:
        requests = len(self._requests) - bisect_right(self._requests, moment - WINDOW)
        retries = len(self._retries) - bisect_right(self._retries, moment - WINDOW)
        return retries < FREE + requests * percent / 100

    def _forget(self, now: float) -> None:
        del self._requests[: bisect_right(self._requests, now - WINDOW)]
        del self._retries[: bisect_right(self._retries, now - WINDOW)]
