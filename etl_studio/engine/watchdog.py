"""Names the wires that stand still, and who holds them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from etl_studio.engine.events import NodeState

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from etl_studio.engine.events import Sampled, WireSample
    from etl_studio.engine.station import Station
    from etl_studio.pipeline.model import Wire

STILL_SECONDS = 30.0

WAITS = (NodeState.RETRYING, NodeState.OPEN)
ENDED = (NodeState.DONE, NodeState.FAILED, NodeState.STOPPED)


class Watchdog:
    """Looks at each sample of a run; tells once when nothing has moved for long and nobody has a reason to wait.

    A reason is a person who paused or halted it, a call or a query under way, and what a policy waits for: a retry, a
    breaker, a rate limit.

    Args:
        stations: of the run, by node.
        paused: whether it waits for a person: paused, or halted at a breakpoint.
        tell: takes the warning.
        seconds: without any move, until it tells; default: 30.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        stations: Mapping[str, Station],
        paused: Callable[[], bool],
        tell: Callable[[str], None],
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stations = stations
        self._paused = paused
        self._tell = tell
        self._seconds = STILL_SECONDS if seconds is None else seconds
        self._clock = clock
        self._seen: Hashable = None
        self._since = clock()
        self._told = False

    def look(self, sample: Sampled) -> None:
        """Take a sample."""
        now = self._clock()
        seen = (
            tuple((wire.passed, wire.waiting) for wire in sample.wires.values()),
            tuple(node.counts for node in sample.nodes.values()),
        )
        if seen != self._seen:
            self._seen, self._since, self._told = seen, now, False
        elif self._paused() or any(map(_has_reason, self._stations.values())):
            self._since = now
        elif not self._told and now - self._since >= self._seconds:
            self._told = True
            texts = [
                _describe(wire, sample.wires[str(wire)], self._stations)
                for station in self._stations.values()
                for wire in station.planned.inputs
                if station.inbox.is_open(wire)
            ]
            if texts:
                self._tell(f"Nothing has moved for {now - self._since:.0f} s. " + " ".join(texts))


def _has_reason(station: Station) -> bool:
    querying = station.busy_since is not None and not station.inbox.hungry
    return querying or bool(station.meter.calling) or station.meter.state in WAITS


def _describe(wire: Wire, sample: WireSample, stations: Mapping[str, Station]) -> str:
    how = "is full" if sample.fill >= 1 else "holds rows" if sample.waiting else "is empty"
    if sample.waiting:
        how += f" ({sample.waiting:,} rows, the oldest for {sample.age:.0f} s)"
    ends = (f'"{node}" {_doing(stations[node], stations)}' for node in (wire.source, wire.target))
    return f"The wire {wire} {how}: {', '.join(ends)}."


def _doing(station: Station, stations: Mapping[str, Station]) -> str:
    if station.meter.state in ENDED:
        return "has ended"
    if station.inbox.hungry:
        return "waits for rows"
    for wires in station.planned.outputs.values():
        for wire in wires:
            if stations[wire.target].inbox.blocks(wire):
                return f'waits to send to "{wire.target}"'
    return "is busy"
