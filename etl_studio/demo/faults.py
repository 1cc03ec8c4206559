"""Faults of the demo site: which request fails, and how."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["status", "reset", "truncate", "damage", "hang", "drip"]
_KINDS: tuple[Kind, ...] = ("reset", "truncate", "damage", "hang", "drip")
_FIRST_ERROR, _LAST_STATUS = 400, 599


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How the site misbehaves on its own. All off by default.

    Attributes:
        latency: seconds before each answer.
        rate_429: share of requests (0 to 1) answered with 429 and ``Retry-After``.
        retry_after: seconds that a 429 asks to wait.
        rate_500: share answered with 500.
        rate_reset: share whose connection is reset (a TCP RST, no answer).
        rate_503: share answered with 503.
        rate_truncate: share whose body ends half way under the full ``Content-Length``.
        rate_damage: share whose body is only its first half, sent as if it were all: JSON that breaks off.
        rate_hang: share that is never answered.
        rate_drip: share whose body comes byte by byte, 20 a second: a read timeout never fires.
        outage_after: seconds after the start at which an outage begins; None: no outage. During an outage each
            request is answered with 503.
        outage_for: seconds that this outage lasts.

    Raises:
        ValueError: a negative number, or rates that add up to more than 1.
    """

    latency: float = 0.0
    rate_429: float = 0.0
    retry_after: float = 1.0
    rate_500: float = 0.0
    rate_reset: float = 0.0
    rate_503: float = 0.0
    rate_truncate: float = 0.0
    rate_damage: float = 0.0
    rate_hang: float = 0.0
    rate_drip: float = 0.0
    outage_after: float | None = None
    outage_for: float = 2.0

    def __post_init__(self) -> None:
        rates = self.rates
        if min(*rates, self.latency, self.retry_after, self.outage_for, self.outage_after or 0.0) < 0:
            raise ValueError("A fault's rate or time must not be negative.")
        if sum(rates) > 1:
            raise ValueError("The rates of the faults add up to more than 1.")

    @property
    def rates(self) -> tuple[float, ...]:
        """The shares of all faults that are drawn."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__ if name.startswith("rate_"))


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request. ``status`` and ``retry_after`` belong to the kind ``status``."""

    kind: Kind
    status: int = 0
    retry_after: float | None = None


class FaultInjector:
    """Chooses the fault of each request; safe to use from many threads.

    Args:
        faults: what happens on its own.
        seed: the n-th request of a site meets the same fault for the same seed.
        clock: seconds, monotonic.
    """

    def __init__(self, faults: Faults, seed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._seed = seed
        self._count = 0
        self._tries: Counter[str] = Counter()
        self._outage: tuple[float, float] | None = None
        self._faults = faults
        self.start()

    @property
    def faults(self) -> Faults:
        """The faults that are set now."""
        return self._faults

    def set(self, faults: Faults) -> None:
        """Use other faults from the next request on; a planned outage counts from now."""
        with self._lock:
            self._faults = faults
        self.start()

    def start(self) -> None:
        """Count the planned outage from now."""
        with self._lock:
            after = self._faults.outage_after
            begin = self._clock() + (after or 0.0)
            self._outage = None if after is None else (begin, begin + self._faults.outage_for)

    def begin_outage(self, seconds: float) -> None:
        """Answer each request with 503 for so many seconds, from now."""
        with self._lock:
            now = self._clock()
            self._outage = (now, now + seconds)

    def choose(self, target: str, query: Mapping[str, str]) -> tuple[float, Fault | None]:
        """The latency in seconds and the fault of the next request.

        Args:
            target: path and query; ``fail_first`` counts per target.
            query: its parameters; ``fault``, ``retry_after``, ``latency`` and ``fail_first`` win over the site's own.

        Raises:
            ValueError: a parameter says nothing that can be done.
        """
        with self._lock:
            self._count += 1
            self._tries[target] += 1
            faults, count, tries, outage = self._faults, self._count, self._tries[target], self._outage
        latency = float(query.get("latency", faults.latency))
        if outage and outage[0] <= self._clock() < outage[1]:
            return latency, Fault("status", 503)
        first = int(query["fail_first"]) if "fail_first" in query else None
        if first is not None and tries > first:
            return latency, None
        if first is not None or "fault" in query:
            return latency, _asked(query)
        return latency, self._drawn(faults, count)

    def _drawn(self, faults: Faults, count: int) -> Fault | None:
        draw = random.Random(self._seed * 1_000_003 + count).random()  # noqa: S311 - the same faults for the same seed
        for rate, fault in (
            (faults.rate_429, Fault("status", 429, faults.retry_after)),
            (faults.rate_500, Fault("status", 500)),
            (faults.rate_reset, Fault("reset")),
            (faults.rate_truncate, Fault("truncate")),
            (faults.rate_503, Fault("status", 503)),
            (faults.rate_damage, Fault("damage")),
            (faults.rate_hang, Fault("hang")),
            (faults.rate_drip, Fault("drip")),
        ):
            if draw < rate:
                return fault
            draw -= rate
        return None


def _asked(query: Mapping[str, str]) -> Fault:
    name = query.get("fault", "500")
    for kind in _KINDS:
        if name == kind:
            return Fault(kind)
    status = int(name) if name.isdecimal() else 0
    if not _FIRST_ERROR <= status <= _LAST_STATUS:
        raise ValueError(f"fault={name}: use a status from 400 to 599, {', '.join(_KINDS)}.")
    wait = float(query["retry_after"]) if "retry_after" in query else None
    return Fault("status", status, wait)
