"""Gives life to a node's policy: retry(breaker(rate limit(call))). The call itself holds its deadline.

What happens in which order is written once, as a generator (``_course``) that neither waits nor calls: it yields the
seconds to wait, None where the operation is to be done, or ``before`` where its turn is to be waited for, and is given
what came of it. ``call`` walks through it with a thread, ``acall`` with a task of an event loop.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

from etl_studio.engine.events import BreakerChanged, BreakerState, NodeChanged, NodeState, RetryScheduled
from etl_studio.errors import Cancelled, CircuitOpenError, TransientError

if TYPE_CHECKING:
    import threading
    from collections.abc import Awaitable, Callable, Generator

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
        course = self._course(target)
        step = next(course)
        try:
            while True:
                try:
                    came: Any = None
                    if step is None:
                        came = operation()
                    else:
                        self._sleep(step)
                except BaseException as error:  # noqa: BLE001 - the course says what becomes of it
                    step = course.throw(error)
                else:
                    step = course.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    async def acall(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        target: str = "",
        before: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """``call`` on an event loop: waits hold up no thread. Who cancels the task stops it; ``stopping`` does not.

        Args:
            operation: what to do.
            target: what is called.
            before: awaited before each attempt, such as for a place in a queue; its time is not that of the attempt.
        """
        course = self._course(target, before)
        step = next(course)
        try:
            while True:
                try:
                    came: Any = None
                    if step is None:
                        came = await operation()
                    elif before is not None and step is before:
                        await before()
                    else:
                        await asyncio.sleep(step)
                except BaseException as error:  # noqa: BLE001 - the course says what becomes of it
                    step = course.throw(error)
                else:
                    step = course.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    def _course(self, target: str, before: Any = None) -> Generator[Any, Any, Any]:
        retry = self._policy.retry
        if target:
            self._shared.retry_budget(target).request()
        began, attempt = self._shared.clock(), 1
        self._meter.count("calling")
        try:
            while True:
                try:
                    return (yield from self._attempt(target, before))
                except TransientError as error:
                    delay = self._delay(error, attempt, target) if self._may_be_tried_again(error, attempt) else None
                    if delay is None or self._gives_up(retry, began, delay):
                        error.attempts = error.attempts or attempt
                        raise
                    self._announce(error, attempt, delay, target)
                yield delay
                attempt += 1
        finally:
            self._meter.count("calling", -1)

    def _attempt(self, target: str, before: Any) -> Generator[Any, Any, Any]:
        permit = yield from self._permit(target)
        if self._limiter is not None:
            yield from _waiting(self._limiter.reserve() or None, permit)
        yield from _waiting(before, permit)
        self._state(NodeState.RUNNING)
        self._meter.count("calls")
        started = self._shared.clock()
        try:
            if self._shared.faults is not None:
                self._shared.faults.strike(self._node, target)
            result = yield None
        except TransientError as error:
            self._meter.count("errors")
            self._took(started, permit, failed=True)
            if error.retry_after and self._limiter is not None:
                self._limiter.penalise(min(error.retry_after, self._policy.retry.max_delay))
            raise
        except BaseException as error:
            # A permanent answer (404, bad settings) says nothing about the health of the other side.
            if not isinstance(error, Cancelled | asyncio.CancelledError):
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

    def _permit(self, target: str) -> Generator[float, Any, Permit | None]:
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
                wait = OPEN_POLL if error.retry_after is None else min(error.retry_after, OPEN_POLL)
            yield wait

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Cancelled("The run was stopped.")

    def _may_be_tried_again(self, error: TransientError, attempt: int) -> bool:
        # What a call inside this one has tried to the end is not tried as often again: attempts would multiply.
        ended = isinstance(error, CircuitOpenError) or error.attempts
        return not ended and attempt < self._policy.retry.attempts

    def _delay(self, error: TransientError, attempt: int, target: str) -> float:
        retry = self._policy.retry
        delay = retry.delay_after(attempt)
        if retry.jitter:
            delay *= self._rng()
        wanted = min(max(delay, error.retry_after or 0.0), max(retry.max_delay, delay))
        if not target:
            return wanted
        return max(wanted, self._shared.retry_budget(target).reserve(retry.budget))

    def _gives_up(self, retry: Retry, began: float, delay: float) -> bool:
        return retry.max_elapsed is not None and self._shared.clock() - began + delay >= retry.max_elapsed

    def _announce(self, error: TransientError, attempt: int, delay: float, target: str) -> None:
        self._meter.count("retries")
        attempts = self._policy.retry.attempts
        self._emit(RetryScheduled(self._run, time.time(), self._node, attempt, attempts, delay, error.what, target))
        self._state(NodeState.RETRYING, f"Attempt {attempt} of {attempts} failed: {error.what}")

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


def _waiting(step: Any, permit: Permit | None) -> Generator[Any, Any, None]:
    if step is not None:
        try:
            yield step
        except BaseException:
            if permit:
                permit.release()
            raise
