"""A run on some rows: sources give their first ones only, and rows that are there stand in the place of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from etl_studio.engine.plan import Plan
from etl_studio.engine.sampling import FirstRows, flowing
from etl_studio.engine.stand_ins import planned_behind
from etl_studio.errors import UsageError
from etl_studio.sdk import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run is tried on.

    Attributes:
        rows: how many each source gives at most.
        run: ids of the nodes that run.
        given: rows that stand in the place of other nodes, by their ids.
        start: the node from which everything that follows runs; None: the whole pipeline runs.
    """

    rows: int
    run: tuple[str, ...]
    given: Mapping[str, Sample] = field(default_factory=dict)
    start: str | None = None

    def facts(self) -> dict[str, Any]:
        """What the run's record says of it: numbers, never rows."""
        given = {
            node: {"rows": sum(table.num_rows for table in sample.ports.values()), "pinned": sample.pinned}
            for node, sample in self.given.items()
        }
        return {"rows": self.rows, "start": self.start, "given": given}


def trial_part(
    pipeline: Pipeline, pinned: Collection[str], starts: Collection[str] = (), ends: Collection[str] | None = None
) -> tuple[list[str], list[str]]:
    """What of a pipeline runs in a trial, and in the place of which nodes rows must be given; both in file order.

    Args:
        pipeline: a flat document.
        pinned: nodes whose rows are kept.
        starts: nodes from which everything that follows runs, and nothing before them; none: all nodes run.
        ends: nodes after which nothing runs; None: everything that follows does.

    Raises:
        UsageError: no end follows the start.
    """
    following = _reached(pipeline, starts, forwards=True)
    before = _reached(pipeline, starts, forwards=False) - set(starts)
    pinned = set(pinned) - following
    wanted = following or set(pipeline.nodes)
    if ends is not None:
        wanted &= set(ends)
        if not wanted:
            raise UsageError("The node to run to does not follow the one to run from.", hint="Choose another one.")
    else:
        wanted -= {wire.source for wire in pipeline.wires}
    feeders: dict[str, list[str]] = {}
    for wire in pipeline.wires:
        feeders.setdefault(wire.target, []).append(wire.source)
    given: set[str] = set()
    run: set[str] = set()
    pending = list(wanted)
    while pending:
        node = pending.pop()
        if node in run or node in given:
            continue
        if node in before or node in pinned:
            given.add(node)
            continue
        run.add(node)
        pending += feeders.get(node, ())
    return [node for node in pipeline.nodes if node in run], [node for node in pipeline.nodes if node in given]


def trial_plan(
    pipeline: Pipeline,
    registry: Registry,
    settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    trial: Trial,
) -> Plan:
    """Plan a trial.

    Args:
        pipeline: a flat document without errors in the nodes that run.
        registry: node types.
        settings: config and policy of these nodes, parameters already put in.
        trial: what runs, on what.
    """
    given = {node: flowing(sample, pipeline.nodes[node].policy) for node, sample in trial.given.items()}
    nodes = planned_behind(pipeline, registry, settings, trial.run, given)
    for name, item in nodes.items():
        if isinstance(item.node, Source) and name not in given:
            nodes[name] = replace(item, node=FirstRows(item.node, trial.rows))
    return Plan(pipeline.name, nodes)


def _reached(pipeline: Pipeline, starts: Collection[str], *, forwards: bool) -> set[str]:
    """Nodes, and all that follow them, or that are before them."""
    steps: dict[str, list[str]] = {}
    for wire in pipeline.wires:
        here, there = (wire.source, wire.target) if forwards else (wire.target, wire.source)
        steps.setdefault(here, []).append(there)
    found: set[str] = set()
    pending: Sequence[str] = list(starts)
    while pending:
        found.update(pending)
        pending = [there for here in pending for there in steps.get(here, ()) if there not in found]
    return found
