"""The work of a source: send on what it reads, with barriers at its cursors."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.checkpoints import Barrier, Position
from etl_studio.engine.last_good import marked
from etl_studio.errors import Cancelled, PermanentError
from etl_studio.sdk import Bookmark, Cursor, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.engine.station import Station
    from etl_studio.sdk import Source
    from etl_studio.sdk.node import SourceEmission


def read(station: Station, source: Source) -> None:
    """Run a source to its end, or until the run stops."""
    _Reading(station, source).run()


class _Reading:
    def __init__(self, station: Station, source: Source) -> None:
        self._station = station
        self._source = source
        self._position = station.position
        self._replays = deque(station.replays)
        self._ended = False
        self._bookmark = station.position.bookmark

    def run(self) -> None:
        station = self._station
        station.outlet.tell_again(self._position.columns)
        self._repeat_barriers()
        if self._position.ended:
            self._ended = True
        else:
            self._read()
        if self._replays:
            self._come_up_short()
        station.outlet.tell(None)
        while (barrier := station.checkpoints.rest(station.planned.id, self._now())) is not None:
            self._send(barrier)

    def _read(self) -> None:
        station = self._station
        emissions = iter(self._source.read(station.context))
        if station.faults is not None:
            emissions = station.faults.spoil(station.planned.id, emissions)
        if station.planned.policy.fallback == "last_good":
            emissions = marked(emissions, lambda: station.context.stale)
        try:
            self._ended = self._send_all(emissions)
        except Cancelled:
            # A graceful stop ends the source's waits; what it gave so far drains to the sinks.
            if not station.draining():
                raise
        finally:
            self._count()
            close = getattr(emissions, "close", None)
            if close is not None:
                close()

    def _send_all(self, emissions: Iterator[SourceEmission]) -> bool:
        """Whether the source came to its end."""
        station = self._station
        for emission in emissions:
            station.wait_while_paused()
            if isinstance(emission, Bookmark):
                self._bookmark = asdict(emission)
                continue
            if isinstance(emission, Cursor):
                self._position = Position(self._rows, emission.value, columns=station.outlet.columns)
                station.outlet.cursor = emission.value
                barrier = None if self._replays else station.checkpoints.reached(station.planned.id, self._position)
                if barrier is not None:
                    self._send(barrier)
            else:
                self._emit(emission)
            if station.stopping.is_set() and (isinstance(emission, Cursor) or not self._source.replays):
                return False
        # It looks at the stop itself, too: nobody knows whether it has given everything.
        return not station.stopping.is_set()

    def _emit(self, emission: pa.RecordBatch | Any) -> None:
        """Send rows; in a replay, put the barriers where they were."""
        while self._replays and _size(emission) >= (room := self._replays[0][1] - self._rows):
            head, emission = _cut(emission, room)
            self._give(head)
            self._repeat_barriers()
        self._give(emission)

    def _give(self, emission: pa.RecordBatch | Any) -> None:
        debugged = self._station.debugger is not None and isinstance(emission, pa.RecordBatch)
        for part in self._station.let_in("", emission) if debugged else (emission,):
            self._station.outlet.send(part)
            self._count()
        self._count()

    def _send(self, barrier: Barrier) -> None:
        station = self._station
        station.checkpoints.collect(barrier, station.planned.id, station.meter.counts())
        station.outlet.pass_on(barrier)

    def _count(self) -> None:
        meter = self._station.meter
        meter.rows_in = meter.rows_out + meter.refused_rows + meter.dropped

    @property
    def _rows(self) -> int:
        return self._station.meter.rows_in

    def _now(self) -> Position:
        columns = self._station.outlet.columns
        if self._ended:
            return Position(self._rows, self._position.value, ended=True, columns=columns, bookmark=self._bookmark)
        exact = self._rows == self._position.rows
        return Position(self._rows, self._position.value, exact=exact, columns=columns)

    def _repeat_barriers(self) -> None:
        """Those that stood just here."""
        while self._replays and self._replays[0][1] == self._rows:
            self._send(Barrier(self._replays.popleft()[0], replayed=True))

    def _come_up_short(self) -> None:
        if not self._ended:
            # Stopped before all sinks stood at the same row again: no commit may hide that.
            self._station.checkpoints.commit_no_more()
            return
        raise PermanentError(
            f"The source gave {self._replays[0][1]:,} rows before the run broke off, and only {self._rows:,} now.",
            hint="What it reads has changed. Undo the load and run again.",
        )


def _size(emission: Any) -> int:
    if isinstance(emission, Rejected):
        return int(emission.rows.num_rows)
    return int(emission.num_rows) if isinstance(emission, pa.RecordBatch) else 0


def _cut(emission: Any, rows: int) -> tuple[Any, Any]:
    if isinstance(emission, Rejected):
        head = Rejected(emission.rows.slice(0, rows), emission.problems[:rows])
        return head, Rejected(emission.rows.slice(rows), emission.problems[rows:])
    return emission.slice(0, rows), emission.slice(rows)
