"""What the policies of one run share: breakers and rate limiters by node or by name, a retry budget for each host."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from etl_studio.engine.breaker import Change, CircuitBreaker
from etl_studio.engine.events import BreakerState
from etl_studio.engine.rate_limit import RateLimiter
from etl_studio.engine.retry_budget import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.engine.inject import Injector
    from etl_studio.sdk import Policy, RateLimit


class SharedPolicies:
    """Thread-safe.

    Args:
        clock: seconds, monotonic.
        faults: makes attempts fail on purpose.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, faults: Injector | None = None) -> None:
        self.clock = clock
        self.faults = faults
        self._lock = threading.Lock()
        self._groups: dict[str, str] = {}  # node -> name of its breakers
        self._breakers: dict[tuple[str, str], CircuitBreaker] = {}
        self._orders: dict[str, BreakerState] = {}
        self._limiters: dict[str, RateLimiter] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._listeners: dict[tuple[str, str], list[Callable[[Change], None]]] = {}

    def breaker(self, node: str, target: str, policy: Policy, changed: Callable[[Change], None]) -> CircuitBreaker:
        """The breaker of a target; ``changed`` is told of every change, whoever caused it."""
        group = policy.breaker.name or node
        key = (group, target)
        with self._lock:
            self._groups[node] = group
            listeners = self._listeners.setdefault(key, [])
            if changed not in listeners:
                listeners.append(changed)
            if key in self._breakers:
                return self._breakers[key]

            def tell(change: Change) -> None:
                for listener in tuple(listeners):
                    listener(change)

            breaker = self._breakers[key] = CircuitBreaker(target, policy.breaker, tell, self.clock)
            order = self._orders.get(group)
        if order is not None:
            breaker.force(order)
        return breaker

    def force(self, node: str, state: str) -> None:
        """Obey a person: ``forced_open``, ``disabled`` or ``closed`` for every breaker of a node, later ones included.

        Nodes that share a breaker by name obey together. A node that has called nothing yet has no breaker: nothing
        happens.

        Raises:
            ValueError: another state.
        """
        order = BreakerState(state)
        with self._lock:
            group = self._groups.get(node)
            if group is None:
                return
            breakers = [breaker for (name, _), breaker in self._breakers.items() if name == group]
            if order is BreakerState.CLOSED:
                self._orders.pop(group, None)
            else:
                self._orders[group] = order
        for breaker in breakers:
            breaker.force(order)

    def limiter(self, node: str, limit: RateLimit) -> RateLimiter:
        """The rate limiter of a node, or of its name."""
        with self._lock:
            return self._limiters.setdefault(limit.name or f"node:{node}", RateLimiter(limit, self.clock))

    def retry_budget(self, target: str) -> RetryBudget:
        """The retry budget of a host."""
        with self._lock:
            return self._budgets.setdefault(target, RetryBudget(self.clock))
