"""How long a call may take under a policy when everything goes wrong: each attempt runs into its timeout."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from etl_studio.sdk.policy import Policy, Retry

WEB_TIMEOUT = 30.0
"""Seconds of one web request where the policy gives none, as ``engine.context`` has it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the time. ``breaker``: nothing is called, an open breaker is waited for."""

    kind: Literal["attempt", "wait", "breaker"]
    seconds: float


def delays(retry: Retry) -> list[float]:
    """The longest waits between attempts that fail at once, in seconds; jitter only makes them shorter."""
    waits = [retry.delay_after(attempt) for attempt in range(1, retry.attempts)]
    if retry.max_elapsed is None:
        return waits
    return [wait for wait, total in zip(waits, accumulate(waits), strict=True) if total < retry.max_elapsed]


def timeout_of(policy: Policy, *, web: bool) -> float | None:
    """Seconds after which an attempt is given up; None: never."""
    return policy.timeout or (WEB_TIMEOUT if web else None)


def worst_case(policy: Policy, *, web: bool) -> list[Step]:
    """What follows what until a call is given up: the breaker is open from the beginning and every trial fails.

    Args:
        policy: of the node.
        web: the node asks a site, so that there is a breaker and a timeout by default.
    """
    retry, breaker = policy.retry, policy.breaker
    waits = breaker.enabled and breaker.when_open == "wait" and (web or breaker.name is not None)
    steps: list[Step] = []
    for attempt in range(1, retry.attempts + 1):
        if waits and (attempt - 1) % breaker.half_open_calls == 0:
            steps.append(Step("breaker", breaker.open_for))
        steps.append(Step("attempt", timeout_of(policy, web=web) or 0.0))
        delay = retry.delay_after(attempt)
        elapsed = sum(step.seconds for step in steps)
        if attempt == retry.attempts or (retry.max_elapsed is not None and elapsed + delay >= retry.max_elapsed):
            break
        steps.append(Step("wait", delay))
    return steps


def total(steps: list[Step], kind: str = "") -> float:
    """Seconds of all steps, or of one kind."""
    return sum(step.seconds for step in steps if kind in ("", step.kind))
