"""Where a run that broke off goes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from etl_studio.engine.checkpoints import Checkpoint, Position
from etl_studio.engine.context import as_of
from etl_studio.engine.events import NodeCounts
from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from etl_studio.engine.station import Station
    from etl_studio.sdk import Mark


class History(Protocol):
    """What is kept of a run that broke off; given by ``app``, done by ``storage``.

    Attributes:
        attempt: how often the run was begun, this time included.
    """

    attempt: int

    def checkpoints(self) -> Sequence[Checkpoint]:
        """Those that were saved, without their snapshots, in order."""
        ...

    def snapshots(self, node: str, epoch: int) -> Sequence[bytes]:
        """The snapshots of a node up to a checkpoint, in order."""
        ...

    def forget_after(self, epoch: int, later: Mapping[str, int], unfinished: Mapping[str, str] | None = None) -> None:
        """Remove what the resumed run will make again: checkpoints, snapshots and dead letters after an epoch.

        Args:
            epoch: for all nodes that are not in ``later``.
            later: epochs up to which the dead letters of these nodes stay.
            unfinished: what these sinks will deliver again; dead letters about it go.
        """
        ...


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where everything begins.

    Attributes:
        epoch: the last checkpoint that all sinks have committed; 0: the beginning.
        positions: of each source there.
        counts: of each node: where its count goes on.
        marks: of the sinks, those that are ahead of ``epoch`` included.
        replays: checkpoints after ``epoch`` that some sinks have committed, in order.
        finished: every sink has all its rows.
    """

    epoch: int = 0
    positions: Mapping[str, Position] = field(default_factory=dict)
    counts: Mapping[str, NodeCounts] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    replays: tuple[Checkpoint, ...] = ()
    finished: bool = False

    @property
    def newest(self) -> int:
        """The highest number that a barrier has had."""
        return max([self.epoch, *(one.epoch for one in self.replays), *(mark.epoch for mark in self.marks.values())])


def left_by(stations: Iterable[Station]) -> tuple[list[str], dict[str, Mark], dict[str, str]]:
    """The sinks among these nodes, the last mark of each, and what each was delivering when the run broke off."""
    sinks: list[str] = []
    marks: dict[str, Mark] = {}
    unfinished: dict[str, str] = {}
    for station in stations:
        sink, node = station.planned.node, station.planned.id
        if isinstance(sink, Sink):
            sinks.append(node)
            if (mark := sink.last_mark(station.context)) is not None:
                marks[node] = mark
            if (request := sink.unfinished(station.context)) is not None:
                unfinished[node] = request
    return sinks, marks, unfinished


def loaded(source: str, stations: Mapping[str, Station], run: str | None) -> Any | None:
    """The cursor up to which every sink has loaded what a source gave; None: nobody knows of any.

    Args:
        source: its id.
        stations: of all nodes.
        run: an earlier run, which may have broken off; None: this one.

    Raises:
        PermanentError: a sink has committed more of that run than it has delivered.
    """
    if run is None:
        return stations[source].checkpoints.loaded(source)
    marks: list[Mark | None] = []
    for node, station in stations.items():
        sink = station.planned.node
        if not isinstance(sink, Sink):
            continue
        earlier = as_of(station.context, run)
        if sink.unfinished(earlier) is not None:
            raise PermanentError(
                f'The last run broke off while "{node}" was delivering its rows.',
                hint="Resume it, so that these rows arrive: Runs > Resume, or run --resume.",
                node=node,
            )
        marks.append(sink.last_mark(earlier))
    known = [mark for mark in marks if mark is not None]
    if not known or len(known) < len(marks):
        return None
    place = checkpoint_of(min(known, key=lambda mark: mark.epoch)).positions.get(source)
    return place.value if place is not None else None


def resumption(sinks: Sequence[str], marks: Mapping[str, Mark], saved: Sequence[Checkpoint]) -> Resumption:
    """Find the last checkpoint that every sink holds.

    Args:
        sinks: ids of all sinks.
        marks: what each sink committed; a sink that committed nothing is not in it.
        saved: the checkpoints that were kept; the marks know those that a power cut took away.

    Raises:
        PermanentError: the place cannot be gone on from.
    """
    known = {one.epoch: one for one in saved}
    for mark in marks.values():
        known.setdefault(mark.epoch, checkpoint_of(mark))
    if sinks and all(sink in marks and marks[sink].final for sink in sinks):
        last = known[max(mark.epoch for mark in marks.values())]
        return Resumption(last.epoch, last.positions, {**last.counts, **_counts(marks)}, marks, finished=True)
    behind = [marks[sink].epoch if sink in marks else 0 for sink in sinks if sink not in marks or not marks[sink].final]
    epoch = min(behind, default=0)
    start = known.get(epoch, Checkpoint(0, {}, {}))
    for source, position in start.positions.items():
        # Without a row, it stands at its beginning.
        if position.rows and not position.ended and (not position.exact or position.value is None):
            raise PermanentError(
                f'"{source}" cannot go on from the middle, so the run cannot be resumed.',
                hint="Undo its load and run again, or run again with write_disposition: merge.",
                node=source,
            )
    ahead = {mark.epoch for mark in marks.values() if mark.epoch > epoch and not mark.final}
    replays = tuple(known[number] for number in sorted(ahead))
    counts = {**start.counts, **_counts({sink: mark for sink, mark in marks.items() if mark.epoch == epoch})}
    return Resumption(epoch, start.positions, counts, marks, replays)


def mark_facts(checkpoint: Checkpoint, counts: NodeCounts) -> dict[str, Any]:
    """What goes into a sink's mark: enough to resume even where the workspace lost the checkpoint."""
    return {
        "positions": {source: asdict(position) for source, position in checkpoint.positions.items()},
        "all": {node: asdict(other) for node, other in checkpoint.counts.items()},
        "counts": asdict(counts),
    }


def checkpoint_of(mark: Mark) -> Checkpoint:
    """The checkpoint that a mark was committed at."""
    positions = {source: Position(**facts) for source, facts in mark.facts.get("positions", {}).items()}
    counts = {node: NodeCounts(**facts) for node, facts in mark.facts.get("all", {}).items()}
    return Checkpoint(mark.epoch, positions, counts)


def counts_of(mark: Mark) -> NodeCounts:
    """The counts of a sink after the commit that wrote the mark."""
    counts = dict(mark.facts.get("counts", {}))
    loaded = Loaded(**mark.facts.get("loaded", {}))
    for name, number in asdict(loaded).items():
        counts[name] = counts.get(name, 0) + number
    counts["rows_out"] = counts.get("rows_out", 0) + loaded.rows
    return NodeCounts(**counts)


def _counts(marks: Mapping[str, Mark]) -> dict[str, NodeCounts]:
    return {sink: counts_of(mark) for sink, mark in marks.items()}
