"""When barriers start, and the gate where sinks meet before they commit.

Barriers are aligned (Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows", 2015): each source
puts one behind the rows that came before its cursor, a node with several inputs waits until all wires have given it,
and when every sink holds it, the checkpoint is saved and each sink commits. At most one is under way at a time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from etl_studio.engine.events import NodeCounts


@dataclass(frozen=True, slots=True)
class Barrier:
    """A marker between rows. ``replayed``: its rows were committed by some sinks before the run broke off."""

    epoch: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a source stands.

    Attributes:
        rows: rows that it gave out or refused until here, since the beginning of the run.
        value: of its cursor; None before the first one.
        ended: it has nothing more to give.
        exact: it can go on from here; False where rows came after the cursor.
        columns: of each port that has given any, as ``Outlet.columns`` writes them. Who resumes a source that gives no
            more rows must know them.
        bookmark: what an ended source gave as its ``sdk.Bookmark``, as a mapping.
    """

    rows: int = 0
    value: Any = None
    ended: bool = False
    exact: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)
    bookmark: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What changed in a node's state up to a barrier."""

    node: str
    epoch: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a resumed run needs besides the marks in the targets.

    Attributes:
        epoch: number of the barrier, from 1.
        positions: of each source.
        counts: of each node when the barrier passed it; sinks tell theirs in their marks.
        snapshots: of nodes that hold rows, since the checkpoint before.
    """

    epoch: int
    positions: Mapping[str, Position]
    counts: Mapping[str, NodeCounts]
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """How often barriers start: after so many seconds or rows, whichever comes first; None: not by that."""

    seconds: float | None = 30.0
    rows: int | None = None


@dataclass(slots=True)
class _Collected:
    positions: dict[str, Position] = field(default_factory=dict)
    counts: dict[str, NodeCounts] = field(default_factory=dict)
    abandoned: bool = False


class Checkpoints:
    """Shared by the workers of one run.

    Args:
        sources: ids, with whether each can replay.
        sinks: ids.
        interval: how often.
        possible: whether there may be barriers at all before the end.
        save: keeps a checkpoint, durably, before the sinks commit.
        first: number of the first barrier.
        positions: where the sources begin.
        clock: monotonic seconds.
    """

    def __init__(  # noqa: PLR0913 - where sources, nodes and sinks meet
        self,
        sources: Mapping[str, bool],
        sinks: Iterable[str],
        interval: Interval,
        *,
        possible: bool,
        save: Callable[[Checkpoint], None],
        first: int = 1,
        positions: Mapping[str, Position] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = threading.Condition()
        self._reading = dict(sources)
        self._loading = set(sinks)
        self._interval = interval
        self._possible = possible
        self._save = save
        self._clock = clock
        self._epoch = first
        self._under_way = False
        self._since = clock()
        self._positions = {source: (positions or {}).get(source, Position()) for source in sources}
        self._rows_before = sum(position.rows for position in self._positions.values())
        self._passed: set[str] = set()
        self._collected = _Collected()
        self._snapshots: list[Snapshot] = []
        self._arrived: set[str] = set()
        self._opened: int | None = None
        self._left: set[str] = set()
        self._saved: Checkpoint | None = None
        self._loaded: Mapping[str, Position] = {}
        self._error: BaseException | None = None
        self._cancelled = False

    def reached(self, source: str, position: Position) -> Barrier | None:
        """A source gave a cursor; the barrier that it must send now, if one is due."""
        with self._changed:
            self._positions[source] = position
            if self._begin():
                return self._pass(source)
            return None

    def rest(self, source: str, position: Position) -> Barrier | None:
        """A source has ended; waits for the next barrier that it must still pass. None: all sources have ended.

        Raises:
            Cancelled: the run is over.
        """
        with self._changed:
            self._positions[source] = position
            self._reading.pop(source, None)
            self._changed.notify_all()
            while True:
                if self._cancelled:
                    raise Cancelled("The run was stopped.")
                if self._under_way and source not in self._passed:
                    return self._pass(source)
                if not self._possible or (not self._reading and not self._under_way):
                    return None
                self._changed.wait()

    def collect(self, barrier: Barrier, node: str, counts: NodeCounts, state: bytes | None = None) -> None:
        """A barrier passes a node."""
        if barrier.replayed:
            return
        with self._changed:
            self._collected.counts[node] = counts
            if state is not None:
                self._snapshots.append(Snapshot(node, barrier.epoch, state))

    def abandon(self, barrier: Barrier) -> None:
        """A node holds rows that it cannot keep: no sink commits at this barrier."""
        if barrier.replayed:
            return
        with self._changed:
            self._collected.abandoned = True

    def arrive(self, sink: str, counts: Mapping[str, NodeCounts] | None = None) -> Checkpoint | None:
        """A sink holds a barrier, or has all its rows; waits for the others.

        Args:
            sink: id.
            counts: of all nodes now, where the sink has all its rows.

        Returns:
            The checkpoint to commit at; None: do not commit now.

        Raises:
            Cancelled: the run failed or was stopped meanwhile.
            EtlError: the checkpoint could not be saved.
        """
        with self._changed:
            self._arrived.add(sink)
            number = self._epoch
            if self._everybody_is_here():
                self._open(counts)
            while self._opened != number and not self._cancelled:
                self._changed.wait()
            if self._error is not None:
                raise self._error
            if self._cancelled:
                raise Cancelled("The run was stopped.")
            return self._saved

    def committed(self, sink: str) -> None:
        """A sink has committed what it held, or goes on without."""
        with self._changed:
            self._go_on(sink)

    def loaded(self, source: str) -> Any | None:
        """The last cursor of a source behind which no sink stands; None: they have not committed yet."""
        with self._changed:
            place = self._loaded.get(source)
            return place.value if place is not None else None

    def leave(self, sink: str) -> None:
        """A sink gave up in a graceful stop, perhaps in the middle of its commit; the others need not wait for it."""
        with self._changed:
            self._left.add(sink)
            if sink in self._arrived:
                self._go_on(sink)
            elif self._arrived and self._everybody_is_here():
                self._open(None)

    def commit_no_more(self) -> None:
        """The run was stopped where its sinks stand at different rows: whoever comes to the gate is cancelled."""
        self.cancel()

    def cancel(self) -> None:
        """Nobody commits any more."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def bookmarks(self) -> dict[str, Mapping[str, Any]]:
        """Where the next runs of the sources that have ended begin."""
        with self._changed:
            return {node: place.bookmark for node, place in self._positions.items() if place.bookmark is not None}

    def _begin(self) -> bool:
        """Whether a barrier is under way, after starting one if it is due."""
        if self._under_way or not self._possible or not all(self._reading.values()):
            return self._under_way
        seconds, rows = self._interval.seconds, self._interval.rows
        given = sum(position.rows for position in self._positions.values()) - self._rows_before
        due = (seconds is not None and self._clock() - self._since >= seconds) or (rows is not None and given >= rows)
        self._under_way = due and given > 0
        self._changed.notify_all()
        return self._under_way

    def _pass(self, source: str) -> Barrier | None:
        if source in self._passed:
            return None
        self._passed.add(source)
        self._collected.positions[source] = self._positions[source]
        return Barrier(self._epoch)

    def _go_on(self, sink: str) -> None:
        """A sink went through the gate; the last one makes room for the next barrier."""
        self._arrived.remove(sink)
        if not self._arrived:
            if self._saved is not None and not self._left:
                self._loaded = self._saved.positions
            self._epoch += 1
            self._under_way = False
            self._passed.clear()
            self._collected = _Collected()
            self._since = self._clock()
            self._rows_before = sum(position.rows for position in self._positions.values())
            self._changed.notify_all()

    def _everybody_is_here(self) -> bool:
        return self._arrived | self._left >= self._loading

    def _open(self, counts: Mapping[str, NodeCounts] | None) -> None:
        """Save, then let the sinks commit; called by the last one, with the lock."""
        collected = self._collected
        self._saved = None
        if not collected.abandoned:
            positions = {**self._positions, **collected.positions}
            checkpoint = Checkpoint(self._epoch, positions, dict(counts or collected.counts), tuple(self._snapshots))
            try:
                self._save(checkpoint)
                self._snapshots.clear()
            except BaseException as error:  # noqa: BLE001 - whoever waits here must hear of it
                self._error = error
                self._cancelled = True
            self._saved = checkpoint
        self._opened = self._epoch
        self._changed.notify_all()
