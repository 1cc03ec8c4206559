"""What a circuit breaker remembers of past calls: the last N of them, or those of the last N seconds.

Running totals, so that a verdict costs the same for a window of ten calls and of ten thousand. The two kinds are
resilience4j's FixedSizeSlidingWindowMetrics and SlidingTimeWindowMetrics.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.sdk import Breaker


class CallWindow(Protocol):
    """Totals of the calls in the window."""

    calls: int
    failed: int
    slow: int

    def add(self, failed: bool, slow: bool) -> None:  # noqa: FBT001 - called for every verdict
        """A call ended."""
        ...


class CountWindow:
    """The last ``size`` calls."""

    def __init__(self, size: int) -> None:
        self.calls = self.failed = self.slow = 0
        self._size = size
        self._verdicts: deque[tuple[bool, bool]] = deque()

    def add(self, failed: bool, slow: bool) -> None:  # noqa: FBT001 - called for every verdict
        """A call ended; the oldest one leaves when there are too many."""
        self._verdicts.append((failed, slow))
        self.calls += 1
        self.failed += failed
        self.slow += slow
        if self.calls > self._size:
            failed, slow = self._verdicts.popleft()
            self.calls -= 1
            self.failed -= failed
            self.slow -= slow


class TimeWindow:
    """The calls of the last ``size`` whole seconds, the present one included; one sum for each second."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self.calls = self.failed = self.slow = 0
        self._size = size
        self._clock = clock
        self._seconds: deque[list[int]] = deque()  # [second, calls, failed, slow]

    def add(self, failed: bool, slow: bool) -> None:  # noqa: FBT001 - called for every verdict
        """A call ended; seconds that are too old leave."""
        now = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append([now, 0, 0, 0])
        second = self._seconds[-1]
        second[1] += 1
        second[2] += failed
        second[3] += slow
        self.calls += 1
        self.failed += failed
        self.slow += slow
        while self._seconds[0][0] <= now - self._size:
            _, calls, failures, slows = self._seconds.popleft()
            self.calls -= calls
            self.failed -= failures
            self.slow -= slows


def closed_window(policy: Breaker, clock: Callable[[], float]) -> CallWindow:
    """The window of a closed breaker."""
    if policy.window == "count":
        return CountWindow(policy.window_size)
    return TimeWindow(policy.window_size, clock)
