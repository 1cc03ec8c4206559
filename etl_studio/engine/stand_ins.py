"""A part of a pipeline for its tests: given rows in the place of nodes, and what comes out is collected, not loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.engine.plan import Plan, PlannedNode, make_plan
from etl_studio.engine.preview import Collector
from etl_studio.pipeline.model import Wire
from etl_studio.sdk import REJECTS, Output, Policy, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import Any

    import pyarrow as pa

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Node, Port, Registry, RunContext

    Place = tuple[str, str]

MOST_ROWS = 1_000_000
"""Rows that are collected at one place."""


class StandIn(Source):
    """Gives rows in the place of a node.

    Args:
        outputs: ports of the node.
        rows: by output port.
    """

    type = "given_source"
    title = "Given rows"
    icon = "inbox"
    group = "extract"

    def __init__(self, outputs: tuple[Port, ...], rows: Mapping[str, pa.RecordBatch]) -> None:
        super().__init__(None)
        self.outputs = outputs  # type: ignore[misc] # of this one
        self._rows = rows

    def read(self, context: RunContext) -> Iterator[pa.RecordBatch | Output]:
        """Yield them."""
        del context
        default = default_port(self)
        for port, batch in self._rows.items():
            yield batch if port == default else Output(port, batch)


def default_port(node: Node | type[Node]) -> str:
    """The port that rows leave by when none is named; ``input`` for a sink, whose rows are looked at as they come."""
    return next((port.name for port in node.outputs if port is not REJECTS), "input")


def nodes_between(pipeline: Pipeline, given: Collection[str], wanted: Collection[str]) -> list[str]:
    """The nodes that must run so that rows come to ``wanted``, when those of ``given`` are there; in file order."""
    found: set[str] = set()
    pending = [node for node in wanted if node not in given]
    while pending:
        node = pending.pop()
        if node in found or node in given:
            continue
        found.add(node)
        pending += [wire.source for wire in pipeline.wires if wire.target == node]
    return [node for node in pipeline.nodes if node in found]


def stand_in_plan(  # noqa: PLR0913 - a part of a pipeline has two ends
    pipeline: Pipeline,
    registry: Registry,
    settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    given: Mapping[str, Mapping[str, pa.RecordBatch]],
    wanted: Sequence[Place],
    most: int = MOST_ROWS,
    enough: Callable[[], None] = lambda: None,
) -> tuple[Plan, dict[Place, Collector]]:
    """Plan what lies between given rows and the places where rows are wanted.

    Args:
        pipeline: the document.
        registry: node types.
        settings: config and policy of the nodes that run (``nodes_between``), parameters already put in.
        given: rows by node and output port.
        wanted: nodes and output ports; at a sink the port means nothing.
        most: rows that are collected at each place.
        enough: called when they are there.

    Returns:
        The plan, and what keeps the rows of each place.
    """
    run = nodes_between(pipeline, given, [node for node, _ in wanted])
    nodes = planned_behind(pipeline, registry, settings, run, given)
    collectors: dict[Place, Collector] = {}
    for number, (node, port) in enumerate(wanted):
        name = f"expected_{number}_"
        is_sink = isinstance(nodes[node].node, Sink)
        feeders = [(wire.source, wire.source_port) for wire in nodes[node].inputs] if is_sink else [(node, port)]
        wires = [Wire(source, source_port, name, "input") for source, source_port in feeders]
        for wire in wires:
            nodes[wire.source].outputs.setdefault(wire.source_port, []).append(wire)
        collectors[node, port] = Collector(most, enough)
        nodes[name] = PlannedNode(name, collectors[node, port], Policy(), wires)
    return Plan(pipeline.name, _without_sinks(nodes, set(run))), collectors


def planned_behind(
    pipeline: Pipeline,
    registry: Registry,
    settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    run: Sequence[str],
    given: Mapping[str, Mapping[str, pa.RecordBatch]],
) -> dict[str, PlannedNode]:
    """Plan some nodes, with rows in the place of others; nodes stand after those that feed them."""
    inner = make_plan(pipeline, registry, settings, run)
    nodes: dict[str, PlannedNode] = {}
    for node_id, rows in given.items():
        node_type = registry.get(pipeline.nodes[node_id].type)
        assert node_type is not None  # noqa: S101 - the pipeline was checked
        nodes[node_id] = PlannedNode(node_id, StandIn(node_type.outputs, rows), Policy())
    nodes |= inner.nodes
    for node in run:
        nodes[node].inputs = [wire for wire in pipeline.wires if wire.target == node and wire.source in nodes]
        for wire in nodes[node].inputs:
            if wire.source in given:
                nodes[wire.source].outputs.setdefault(wire.source_port, []).append(wire)
    return nodes


def _without_sinks(nodes: dict[str, PlannedNode], run: set[str]) -> dict[str, PlannedNode]:
    """No sink of the pipeline is opened, let alone written."""
    sinks = {node for node in run if isinstance(nodes[node].node, Sink)}
    kept = {key: item for key, item in nodes.items() if key not in sinks}
    for item in kept.values():
        item.outputs = {
            port: [wire for wire in wires if wire.target not in sinks] for port, wires in item.outputs.items()
        }
    return kept
