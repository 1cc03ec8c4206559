"""A circuit breaker with the semantics of resilience4j's CircuitBreaker.

A window (the last N calls, or the calls of the last N seconds) gives failure rate and slow-call rate; from a minimum
of calls on, reaching either threshold opens the breaker. While open, calls are refused and nothing is sent. After a
while a fixed number of trial calls is let through (half open); their rates close it or open it again.
https://resilience4j.readme.io/docs/circuitbreaker
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.engine.events import BreakerState
from etl_studio.errors import CircuitOpenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.sdk import Breaker

    Changed = Callable[["Change"], None]

BUSY_WAIT = 0.05
"""Seconds after which a caller may ask again while all trial calls are under way."""


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker went into a state. ``open_for``: seconds until trial calls are let through, for OPEN."""

    target: str
    state: BreakerState
    failure_rate: float | None
    open_for: float | None


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call. Give exactly one verdict: ``record`` its outcome, or ``release`` it without one."""

    breaker: CircuitBreaker
    generation: int

    def record(self, *, failed: bool, seconds: float) -> None:
        """The call ended."""
        self.breaker._record(self.generation, failed=failed, seconds=seconds)  # noqa: SLF001 - one class in two parts

    def release(self) -> None:
        """The call was given up (the run was stopped): no verdict."""
        self.breaker._release(self.generation)  # noqa: SLF001 - one class in two parts


class CircuitBreaker:
    """Thread-safe. The lock covers the bookkeeping only, never the call.

    Args:
        target: what is called, such as a host; for messages.
        policy: thresholds and times.
        changed: told of each change of state, outside the lock.
        clock: seconds, monotonic.
    """

    def __init__(
        self, target: str, policy: Breaker, changed: Changed, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.target = target
        self.policy = policy
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        # A verdict carries the generation it was permitted in; one of an older state is ignored.
        self._generation = 0
        self._since = clock()
        self._trials = 0
        self._window: deque[tuple[float, bool, bool]] = deque()

    @property
    def state(self) -> BreakerState:
        """The state as of the last call or verdict."""
        return self._state

    def acquire(self) -> Permit:
        """Ask for leave to call.

        Raises:
            CircuitOpenError: refused; ``retry_after`` tells when to ask again.
        """
        changes: list[Change] = []
        with self._lock:
            permit = self._acquire(changes)
        self._tell(changes)
        if permit is None:
            raise CircuitOpenError(
                f"The breaker of {self.target or 'this node'} is open: it failed too often.",
                hint="Nothing is sent until trial calls are let through.",
                retry_after=self._wait(),
            )
        return permit

    def _acquire(self, changes: list[Change]) -> Permit | None:
        now = self._clock()
        if self._state is BreakerState.HALF_OPEN and now - self._since >= self.policy.max_half_open:
            self._to(BreakerState.OPEN, changes)
        if self._state is BreakerState.OPEN and now - self._since >= self.policy.open_for:
            self._to(BreakerState.HALF_OPEN, changes)
        if self._state is BreakerState.OPEN:
            return None
        if self._state is BreakerState.HALF_OPEN:
            if self._trials >= self.policy.half_open_calls:
                return None
            self._trials += 1
        return Permit(self, self._generation)

    def _wait(self) -> float:
        with self._lock:
            if self._state is BreakerState.OPEN:
                return max(0.0, self._since + self.policy.open_for - self._clock())
            return BUSY_WAIT

    def _record(self, generation: int, *, failed: bool, seconds: float) -> None:
        changes: list[Change] = []
        with self._lock:
            if generation == self._generation:
                self._window.append((self._clock(), failed, seconds >= self.policy.slow_call))
                self._judge(changes)
        self._tell(changes)

    def _release(self, generation: int) -> None:
        with self._lock:
            if generation == self._generation and self._state is BreakerState.HALF_OPEN:
                self._trials -= 1

    def _judge(self, changes: list[Change]) -> None:
        if self._state is BreakerState.HALF_OPEN:
            if len(self._window) >= self.policy.half_open_calls:
                self._to(BreakerState.OPEN if self._over() else BreakerState.CLOSED, changes)
            return
        self._trim()
        minimum = self.policy.minimum_calls
        if self.policy.window == "count":
            minimum = min(minimum, self.policy.window_size)
        if len(self._window) >= minimum and self._over():
            self._to(BreakerState.OPEN, changes)

    def _trim(self) -> None:
        if self.policy.window == "count":
            while len(self._window) > self.policy.window_size:
                self._window.popleft()
        else:
            oldest = self._clock() - self.policy.window_size
            while self._window and self._window[0][0] <= oldest:
                self._window.popleft()

    def _rates(self) -> tuple[float, float]:
        calls = len(self._window)
        if not calls:
            return 0.0, 0.0
        failed = sum(failed for _, failed, _ in self._window)
        slow = sum(slow for _, _, slow in self._window)
        return 100.0 * failed / calls, 100.0 * slow / calls

    def _over(self) -> bool:
        failure_rate, slow_rate = self._rates()
        return failure_rate >= self.policy.failure_rate or slow_rate >= self.policy.slow_call_rate

    def _to(self, state: BreakerState, changes: list[Change]) -> None:
        rate = self._rates()[0] if self._window else None
        self._state = state
        self._generation += 1
        self._since = self._clock()
        self._trials = 0
        self._window.clear()
        open_for = self.policy.open_for if state is BreakerState.OPEN else None
        changes.append(Change(self.target, state, rate, open_for))

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            self._changed(change)
