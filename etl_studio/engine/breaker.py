"""A circuit breaker with the semantics of resilience4j's CircuitBreaker.

A window (the last N calls, or the calls of the last N seconds) gives failure rate and slow-call rate; from a minimum
of calls on, reaching either threshold opens the breaker. While open, calls are refused and nothing is sent. After a
while a fixed number of trial calls is let through (half open); their rates close it or open it again, and so does the
end of the longest half-open time. A person may force it open, or disable it: then every call goes through, unjudged.
https://resilience4j.readme.io/docs/circuitbreaker

Two differences: the result of a call that was permitted in an older state is ignored (resilience4j counts it), and
there is no METRICS_ONLY.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.engine.call_window import CallWindow, CountWindow, closed_window
from etl_studio.engine.events import BreakerState
from etl_studio.errors import CircuitOpenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.sdk import Breaker

    Changed = Callable[["Change"], None]

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN

BUSY_WAIT = 0.05
"""Seconds after which a caller may ask again while all trial calls are under way."""

FORCED = (BreakerState.FORCED_OPEN, BreakerState.DISABLED)
"""States that only a person sets, and only a person ends."""


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker went into a state.

    Attributes:
        failure_rate, slow_call_rate: per cent of the calls that led to it; None where none were judged.
        open_for: seconds until trial calls are let through, for OPEN.
        by_hand: a person asked for it.
    """

    target: str
    state: BreakerState
    failure_rate: float | None
    slow_call_rate: float | None
    open_for: float | None
    by_hand: bool = False


class Permit:
    """Leave for one call. Give exactly one verdict: ``record`` its outcome, or ``release`` it without one."""

    __slots__ = ("_breaker", "_generation")

    def __init__(self, breaker: CircuitBreaker, generation: int) -> None:
        self._breaker = breaker
        self._generation = generation

    def record(self, *, failed: bool, seconds: float) -> None:
        """The call ended after so many seconds."""
        self._breaker._record(self._generation, failed, seconds)  # noqa: SLF001 - one class in two parts

    def release(self) -> None:
        """The call was given up, or says nothing about the other side: no verdict."""
        self._breaker._release(self._generation)  # noqa: SLF001 - one class in two parts


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
        self._state = CLOSED
        # A verdict carries the generation it was permitted in; one of an older state is ignored.
        self._generation = 0
        self._since = clock()
        self._trials = 0
        self._window: CallWindow = closed_window(policy, clock)
        self._minimum = policy.minimum_calls
        if policy.window == "count":
            self._minimum = min(policy.minimum_calls, policy.window_size)

    @property
    def state(self) -> BreakerState:
        """The state as of the last call, verdict or order."""
        return self._state

    def acquire(self) -> Permit:
        """Ask for leave to call.

        Raises:
            CircuitOpenError: refused; ``retry_after`` tells when to ask again, None: when a person has closed it.
        """
        with self._lock:
            if self._state is CLOSED:
                return Permit(self, self._generation)
            changes: list[Change] = []
            self._expire(changes)
            if self._state is OPEN and self._clock() - self._since >= self.policy.open_for:
                self._to(HALF_OPEN, changes)
            answer = Permit(self, self._generation) if self._admits() else self._refusal()
        self._tell(changes)
        if isinstance(answer, CircuitOpenError):
            raise answer
        return answer

    def force(self, state: BreakerState) -> None:
        """Obey a person: FORCED_OPEN refuses all calls, DISABLED lets all through, CLOSED begins to judge anew.

        Raises:
            ValueError: OPEN and HALF_OPEN follow from calls; nobody can order them.
        """
        if state not in (*FORCED, CLOSED):
            raise ValueError(f"a breaker cannot be forced into {state}")
        changes: list[Change] = []
        with self._lock:
            self._to(state, changes, by_hand=True)
        self._tell(changes)

    def _expire(self, changes: list[Change]) -> None:
        """Trial calls that never end must not keep it half open: it is open again since that moment."""
        until = self._since + self.policy.max_half_open
        if self._state is HALF_OPEN and self._clock() >= until:
            self._to(OPEN, changes, since=until)

    def _admits(self) -> bool:
        if self._state is HALF_OPEN:
            if self._trials >= self.policy.half_open_calls:
                return False
            self._trials += 1
            return True
        return self._state in (CLOSED, BreakerState.DISABLED)

    def _refusal(self) -> CircuitOpenError:
        name = self.target or "this node"
        if self._state is BreakerState.FORCED_OPEN:
            return CircuitOpenError(
                f"The breaker of {name} was opened by hand.", hint="Close it in the menu of the node."
            )
        return CircuitOpenError(
            f"The breaker of {name} is open: it failed too often.",
            hint="Nothing is sent until trial calls are let through.",
            retry_after=self._wait() if self._state is OPEN else BUSY_WAIT,
        )

    def _wait(self) -> float:
        """Seconds until an open breaker lets trial calls through."""
        return max(0.0, self._since + self.policy.open_for - self._clock())

    def _record(self, generation: int, failed: bool, seconds: float) -> None:  # noqa: FBT001 - told by name above
        changes: list[Change] = []
        with self._lock:
            if self._state is HALF_OPEN:
                self._expire(changes)
            if generation == self._generation and self._state is not BreakerState.DISABLED:
                self._window.add(failed, seconds > self.policy.slow_call)
                self._judge(changes)
        self._tell(changes)

    def _release(self, generation: int) -> None:
        with self._lock:
            if generation == self._generation and self._state is HALF_OPEN:
                self._trials -= 1

    def _judge(self, changes: list[Change]) -> None:
        half_open = self._state is HALF_OPEN
        if self._window.calls < (self.policy.half_open_calls if half_open else self._minimum):
            return
        failure_rate, slow_call_rate = self._rates()
        if failure_rate >= self.policy.failure_rate or slow_call_rate >= self.policy.slow_call_rate:
            self._to(OPEN, changes)
        elif half_open:
            self._to(CLOSED, changes)

    def _rates(self) -> tuple[float, float]:
        """Per cent of failed and of slow calls; the window holds at least one."""
        window = self._window
        return 100.0 * window.failed / window.calls, 100.0 * window.slow / window.calls

    def _to(
        self, state: BreakerState, changes: list[Change], *, since: float | None = None, by_hand: bool = False
    ) -> None:
        failure_rate, slow_call_rate = self._rates() if self._window.calls else (None, None)
        self._state = state
        self._generation += 1
        self._since = self._clock() if since is None else since
        self._trials = 0
        if state is HALF_OPEN:
            self._window = CountWindow(self.policy.half_open_calls)
        else:
            self._window = closed_window(self.policy, self._clock)
        open_for = self._wait() if state is OPEN else None
        changes.append(Change(self.target, state, failure_rate, slow_call_rate, open_for, by_hand))

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            self._changed(change)
