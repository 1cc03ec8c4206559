"""Gives life to a node's policy: retry(breaker(rate limit(call))). The call itself holds its deadline."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

import tenacity

from etl_studio.engine.events import BreakerChanged, BreakerState, NodeChanged, NodeState, RetryScheduled
from etl_studio.errors import Cancelled, CircuitOpenError, TransientError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from etl_studio.engine.breaker import Change, Permit
    from etl_studio.engine.events import Listener
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.shared_policies import SharedPolicies
    from etl_studio.sdk import Policy, Retry

T = TypeVar("T")

OPEN_POLL = 0.2
"""Seconds after which a call that waits for an open breaker looks again: a person may have closed it."""


class PolicyCaller:
    """Runs operations of one node under its policy.

    Args:
        run, node: ids for the events.
        policy: the policy.
        shared: breakers, limiters and retry budgets of the run.
        meter: counts of the node.
        emit: takes the events.
        stopping: ends every wait at once.
        rng: random numbers for the jitter.
    """

    def __init__(  # noqa: PLR0913 - what a policy touches
        self,
        run: str,
        node: str,
        policy: Policy,
        shared: SharedPolicies,
        meter: Meter,
        emit: Listener,
        stopping: threading.Event,
        rng: Callable[[], float] = random.random,  # jitter, no cryptography
    ) -> None:
        self._run = run
        self._node = node
        self._policy = policy
        self._shared = shared
        self._meter = meter
        self._emit = emit
        self._stopping = stopping
        self._rng = rng
        self._limiter = shared.limiter(node, policy.rate_limit) if policy.rate_limit else None

    def call(self, operation: Callable[[], T], *, target: str = "") -> T:
        """Run an operation.

        Args:
            operation: what to do.
            target: what is called, such as a host; each target has a breaker and a retry budget of its own.

        Raises:
            TransientError: it still failed at the last attempt.
            CircuitOpenError: the breaker is open, and the policy says not to wait for it.
            PermanentError: as the operation raised it; never tried again.
            Cancelled: the run was stopped while waiting.
        """
        retry = self._policy.retry
        stops: list[tenacity.stop.stop_base] = [tenacity.stop_after_attempt(retry.attempts)]
        if retry.max_elapsed is not None:
            stops.append(tenacity.stop_before_delay(retry.max_elapsed))
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_be_tried_again),
            stop=tenacity.stop_any(*stops),
            wait=lambda state: self._delay(state, retry, target),
            before_sleep=lambda state: self._announce(state, target),
            sleep=self._sleep,
            reraise=True,
        )
        if target:
            self._shared.retry_budget(target).request()
        self._meter.count("calling")
        try:
            result: T = retrying(self._attempt, operation, target)
        except TransientError as error:
            error.attempts = error.attempts or int(retrying.statistics["attempt_number"])
            raise
        finally:
            self._meter.count("calling", -1)
        return result

    def _attempt(self, operation: Callable[[], T], target: str) -> T:
        permit = self._permit(target)
        if self._limiter is not None:
            self._wait(self._limiter.reserve(), permit)
        self._state(NodeState.RUNNING)
        self._meter.count("calls")
        started = self._shared.clock()
        try:
            if self._shared.faults is not None:
                self._shared.faults.strike(self._node, target)
            result = operation()
        except TransientError as error:
            self._meter.count("errors")
            self._took(started, permit, failed=True)
            if error.retry_after and self._limiter is not None:
                self._limiter.penalise(min(error.retry_after, self._policy.retry.max_delay))
            raise
        except BaseException as error:
            # A permanent answer (404, bad settings) says nothing about the health of the other side.
            if not isinstance(error, Cancelled):
                self._meter.count("errors")
            if permit:
                permit.release()
            raise
        self._took(started, permit, failed=False)
        return result

    def _took(self, started: float, permit: Permit | None, *, failed: bool) -> None:
        seconds = self._shared.clock() - started
        self._meter.took(seconds)
        if permit:
            permit.record(failed=failed, seconds=seconds)

    def _permit(self, target: str) -> Permit | None:
        breaking = self._policy.breaker
        # Work inside this process has no other side to spare, unless nodes share a breaker by name.
        if not breaking.enabled or not (target or breaking.name):
            return None
        breaker = self._shared.breaker(self._node, target, self._policy, self._breaker_changed)
        self._meter.breaker = self._meter.breaker or breaker.state
        refused = False
        while True:
            try:
                return breaker.acquire()
            except CircuitOpenError as error:
                if not refused:
                    self._meter.count("refused")
                    refused = True
                if breaking.when_open == "fail":
                    raise
                self._state(NodeState.OPEN, error.what)
                self._sleep(OPEN_POLL if error.retry_after is None else min(error.retry_after, OPEN_POLL))

    def _wait(self, seconds: float, permit: Permit | None) -> None:
        try:
            if seconds > 0:
                self._sleep(seconds)
        except Cancelled:
            if permit:
                permit.release()
            raise

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Cancelled("The run was stopped.")

    def _delay(self, state: tenacity.RetryCallState, retry: Retry, target: str) -> float:
        if state.attempt_number >= retry.attempts:
            return 0.0  # tenacity asks before it looks whether this was the last one
        delay = retry.delay_after(state.attempt_number)
        if retry.jitter:
            delay *= self._rng()
        wanted = min(max(delay, _failure(state).retry_after or 0.0), max(retry.max_delay, delay))
        if not target:
            return wanted
        return max(wanted, self._shared.retry_budget(target).reserve(retry.budget))

    def _announce(self, state: tenacity.RetryCallState, target: str) -> None:
        self._meter.count("retries")
        what, delay = _failure(state).what, state.upcoming_sleep
        attempts = self._policy.retry.attempts
        self._emit(
            RetryScheduled(self._run, time.time(), self._node, state.attempt_number, attempts, delay, what, target)
        )
        self._state(NodeState.RETRYING, f"Attempt {state.attempt_number} of {attempts} failed: {what}")

    def _state(self, state: NodeState, detail: str = "") -> None:
        if self._meter.state is not state:
            self._meter.state = state
            self._emit(NodeChanged(self._run, time.time(), self._node, state, detail))

    def _breaker_changed(self, change: Change) -> None:
        self._meter.breaker = change.state
        until = time.time() + change.open_for if change.open_for is not None else None
        self._emit(
            BreakerChanged(
                self._run,
                time.time(),
                self._node,
                change.target,
                change.state,
                change.failure_rate,
                until,
                change.slow_call_rate,
                change.by_hand,
            )
        )
        if change.state in (BreakerState.CLOSED, BreakerState.DISABLED) and self._meter.state is NodeState.OPEN:
            self._state(NodeState.RUNNING)


def _failure(state: tenacity.RetryCallState) -> TransientError:
    """The error of the attempt that just failed; other errors are not tried again."""
    assert state.outcome is not None  # noqa: S101 - tenacity waits after an attempt only
    error = state.outcome.exception()
    assert isinstance(error, TransientError)  # noqa: S101 - see _may_be_tried_again
    return error


def _may_be_tried_again(error: BaseException) -> bool:
    # What a call inside this one has tried to the end is not tried as often again: attempts would multiply.
    return isinstance(error, TransientError) and not isinstance(error, CircuitOpenError) and not error.attempts
