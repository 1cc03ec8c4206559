"""A rate limiter: the generic cell rate algorithm (ITU-T I.371), which keeps one number and needs no timer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.sdk import RateLimit


class RateLimiter:
    """Thread-safe; several nodes may share one.

    Args:
        policy: calls per period and burst.
        clock: seconds, monotonic.
    """

    def __init__(self, policy: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = policy.period / policy.calls
        self._tolerance = self._interval * (policy.burst - 1)
        self._clock = clock
        self._lock = threading.Lock()
        self._arrival = 0.0

    def reserve(self) -> float:
        """Take the next place; seconds to wait for it."""
        with self._lock:
            now = self._clock()
            arrival = max(now, self._arrival)
            self._arrival = arrival + self._interval
            return max(0.0, arrival - self._tolerance - now)

    def penalise(self, seconds: float) -> None:
        """Nobody calls for that long: the other side asked for it (Retry-After)."""
        with self._lock:
            self._arrival = max(self._arrival, self._clock() + seconds + self._tolerance)
