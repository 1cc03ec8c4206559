"""Looks after a run while it works: samples, timeouts of queries, standstills, and the limits of the machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from etl_studio.engine.events import LogWritten, Sampled
from etl_studio.engine.watchdog import Watchdog
from etl_studio.errors import EtlError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from etl_studio.engine.events import Listener, MemorySample
    from etl_studio.engine.memory import Limits
    from etl_studio.engine.station import Station

SAMPLE_SECONDS = 0.1
LIMITS_SECONDS = 1.0


class Monitor:
    """One thread of a run.

    Args:
        run: id.
        stations: by node.
        limits: what the run may take of the machine.
        paused: whether it waits for a person.
        emit: takes the events.
        fail: ends the run.
        obey: looks for what other processes ask of the run.
    """

    def __init__(  # noqa: PLR0913 - what it looks at, and whom it tells
        self,
        run: str,
        stations: Mapping[str, Station],
        limits: Limits,
        paused: Callable[[], bool],
        emit: Listener,
        fail: Callable[[EtlError], None],
        obey: Callable[[], None],
    ) -> None:
        self._run = run
        self._stations = stations
        self._limits = limits
        self._emit = emit
        self._fail = fail
        self._obey = obey
        self._watchdog = Watchdog(stations, paused, self._warn)
        self._memory: MemorySample | None = None
        self._looked = -LIMITS_SECONDS

    def watch(self, finished: threading.Event) -> None:
        """Look again and again until the run has finished."""
        while not finished.wait(SAMPLE_SECONDS):
            self._watchdog.look(self.sample())
            self._obey()
            for station in self._stations.values():
                station.check_deadlines()
            if self._memory is not None and not finished.is_set():
                try:
                    self._limits.check(self._memory)
                except EtlError as error:
                    self._fail(error)
                    return

    def sample(self) -> Sampled:
        """Tell how everything stands now."""
        now = time.monotonic()
        if now - self._looked >= LIMITS_SECONDS:
            self._looked = now
            self._memory = self._limits.read()
        nodes = {node: station.meter.sample() for node, station in self._stations.items()}
        wires = {text: wire for station in self._stations.values() for text, wire in station.inbox.samples().items()}
        sampled = Sampled(self._run, time.time(), nodes, wires, self._memory)
        self._emit(sampled)
        return sampled

    def _warn(self, text: str) -> None:
        self._emit(LogWritten(self._run, time.time(), "warning", None, text))
