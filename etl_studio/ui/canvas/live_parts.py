"""A sub-pipeline in a run: its nodes summed up to one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etl_studio.engine.events import NodeCounts, NodeState
from etl_studio.pipeline.flat import inner_wire, outer_node
from etl_studio.ui.canvas.live import LiveNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.flat import Interface
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.live import LiveRun
    from etl_studio.ui.document import PipelineDocument


class RunParts:
    """Which nodes of a run are, or are inside, which nodes of a document.

    Args:
        document: knows its sub-pipelines.
    """

    def __init__(self, document: PipelineDocument) -> None:
        self._document = document

    def shown(self, live: LiveRun, names: Iterable[str]) -> list[str]:
        """The nodes of the document that are, or hold, these nodes of the run; sub-pipelines are summed up."""
        found = dict.fromkeys(outer_node(name) for name in names)
        for name in found:
            known = self._document.interface_of(name) if name in self._document.pipeline.nodes else None
            if known is not None and (parts := live.inside(name)):
                live.nodes[name] = summed(parts, known)
        return [name for name in found if name in live.nodes]

    def name(self, wire: Wire) -> str:
        """What a wire is called in a run, where sub-pipelines have given way to their nodes."""
        if not self._document.interfaces:  # asked for each wire, ten times a second
            return str(wire)
        source, target = self._document.interface_of(wire.source), self._document.interface_of(wire.target)
        return str(wire if source is target is None else inner_wire(wire, source, target))


WORST_FIRST = (NodeState.FAILED, NodeState.OPEN, NodeState.RETRYING, NodeState.RUNNING, NodeState.STOPPED)
LOADED = ("inserted", "updated", "unchanged", "superseded", "deleted", "stale")


def summed(parts: Mapping[str, LiveNode], interface: Interface) -> LiveNode:
    """The worst state of the nodes of a sub-pipeline, and the rows at its ports.

    Args:
        parts: its nodes by their ids in the file, those of further sub-pipelines as ``node/inner``.
        interface: of its file.
    """
    worst = _worst(parts)
    state = worst[1].state if worst else _quiet_state(parts.values())
    entering = [parts[name] for name in interface.inputs.values() if name in parts]
    leaving = [parts[name] for name in interface.outputs.values() if name in parts]
    everything = list(parts.values())
    found = LiveNode(state=state, dry=any(one.dry for one in everything))
    if worst and worst[1].detail:
        found.detail = f"{worst[0]}: {worst[1].detail}"
    found.counts = NodeCounts(
        rows_in=sum(one.counts.rows_in for one in entering),
        rows_out=sum(one.counts.rows_out for one in leaving) if interface.outputs else _loaded(everything),
        rejected=sum(one.counts.rejected for one in everything),
        dead_letters=sum(one.counts.dead_letters for one in everything),
        retries=sum(one.counts.retries for one in everything),
    )
    found.rate = sum(one.rate for one in entering or leaving)
    found.retry = max((one.retry for one in everything if one.retry), key=lambda retry: retry.at, default=None)
    found.paused = any(one.paused for one in everything)
    for name, one in parts.items():
        found.breakers |= {f"{name} {target}": replace(event, target=name) for target, event in one.breakers.items()}
    return found


def _worst(parts: Mapping[str, LiveNode]) -> tuple[str, LiveNode] | None:
    for state in WORST_FIRST:
        for name, one in parts.items():
            if one.state is state:
                return name, one
    return None


def _quiet_state(nodes: Iterable[LiveNode]) -> NodeState:
    """Nothing runs and nothing is wrong: all is done, nothing has begun, or it is between two of its nodes."""
    states = {one.state for one in nodes}
    if len(states) == 1:
        return states.pop()
    return NodeState.RUNNING if states else NodeState.WAITING


def _loaded(nodes: Iterable[LiveNode]) -> int:
    return sum(getattr(one.counts, name) for one in nodes for name in LOADED)
