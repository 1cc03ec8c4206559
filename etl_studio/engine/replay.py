"""Which nodes a replay of dead letters runs: the one that failed and everything behind it.

The rows of the letters come into the node where they failed, by the port by which they came. With ``whole`` they come
out of the source instead and pass every node between, which has a meaning only where those nodes give rows on with the
columns with which they came. What a source could not read at all (a page, a line) is tried again by the source itself.

Nodes behind a join's other input run as well, since the rows need partners from there; what they refuse has been told
in the run before. A node that must see all rows at once, such as a sum, cannot be replayed through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from etl_studio.engine.plan import Plan, PlannedNode, make_plan
from etl_studio.engine.replay_nodes import LetterSource, ReplaySink, SourceAgain
from etl_studio.errors import UsageError
from etl_studio.pipeline.model import Wire
from etl_studio.sdk import OUT, REJECTS, Node, Policy, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from etl_studio.engine.replay_nodes import Delivery
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry

LETTERS = "dead_letters"
"""The node that gives the rows."""
AGAIN = "Run the pipeline again; then discard these dead letters."


@dataclass(frozen=True, slots=True)
class Entry:
    """Where letters enter, and what they bring.

    Attributes:
        node, port: where the rows failed; no port where that is a source.
        rows: the rows with their types; None where the source tries again.
        tried: what the source tries again: operations, or rows that it could not read.
        gives: columns that the source gave out.
        whole: rows come out of the source, whichever node refused them.
    """

    node: str
    port: str
    rows: pa.RecordBatch | None = None
    tried: Sequence[Mapping[str, Any]] = ()
    gives: pa.Schema | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The part of a pipeline that a replay runs.

    Attributes:
        start: the node that the rows enter, or the source that gives them.
        path: nodes that the rows may reach.
        beside: nodes that give them partners.
        wires: between all of these.
    """

    start: str
    path: frozenset[str]
    beside: frozenset[str]
    wires: tuple[Wire, ...]

    @property
    def nodes(self) -> frozenset[str]:
        """All nodes that run."""
        return self.path | self.beside


def route(pipeline: Pipeline, registry: Registry, node: str, port: str, *, whole: bool = False) -> Route:
    """Find the way of the rows.

    Raises:
        UsageError: the pipeline has changed, or the rows have no meaning there.
    """
    if node not in pipeline.nodes:
        raise UsageError(f'The pipeline has no node "{node}" any more.', hint="Discard its dead letters.")
    start = _source_of(pipeline, registry, node) if whole else node
    path = _behind(pipeline, start)
    along = [wire for wire in pipeline.wires if wire.source in path]
    fed = {(wire.target, wire.target_port) for wire in along} | {(start, port)}
    # Other rows into a port that the replayed ones come by have arrived in the run before.
    partners = [
        wire
        for wire in pipeline.wires
        if wire.target in path and wire.source not in path and (wire.target, wire.target_port) not in fed
    ]
    beside = frozenset().union(*(_before(pipeline, wire.source) for wire in partners))
    between = [wire for wire in pipeline.wires if wire.source in beside and wire.target in beside]
    return Route(start, path, beside, (*along, *partners, *between))


def replay_plan(  # noqa: PLR0913 - the document, what it means now, and what enters
    pipeline: Pipeline,
    registry: Registry,
    settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    way: Route,
    entry: Entry,
    delivery: Delivery,
) -> Plan:
    """The plan of a replay.

    Args:
        pipeline: as it is now.
        registry: node types.
        settings: config and policy by node, parameters already put in.
        way: from ``route``.
        entry: what enters.
        delivery: is asked before sinks commit.

    Raises:
        UsageError: a node behind needs all rows at once, or cannot take them there.
        PermanentError: a sink can only replace what is there.
    """
    part = replace(pipeline, wires=list(way.wires))
    plan = make_plan(part, registry, settings, only=way.nodes)
    _refuse_partial(plan, way, entry)
    for node_id in way.beside:
        plan.nodes[node_id].policy = plan.nodes[node_id].policy.model_copy(update={"on_error": "skip"})
    for node_id in way.path:
        node = plan.nodes[node_id].node
        if isinstance(node, Sink):
            plan.nodes[node_id].node = ReplaySink(node.adding(), node_id, delivery)
    first = plan.nodes[way.start]
    # What stood in for the whole of its rows does not stand in for a few.
    first.policy = first.policy.model_copy(update={"fallback": "stop"})
    if isinstance(first.node, Source):
        first.node = _giving(first.node, entry)
        return plan
    if entry.rows is None:
        raise UsageError(f'What failed in "{entry.node}" is no row.', hint=AGAIN)
    if entry.port not in {port.name for port in first.node.inputs} and not first.node.open_inputs:
        raise UsageError(f'The node "{entry.node}" has no input "{entry.port}" any more.', hint=AGAIN)
    name = pipeline.new_id(LETTERS)
    wire = Wire(name, OUT.name, entry.node, entry.port)
    first.inputs.append(wire)
    letters = PlannedNode(name, LetterSource(entry.rows), Policy(), outputs={OUT.name: [wire]})
    return Plan(plan.pipeline, {name: letters, **plan.nodes})


def tries_again(node_type: type[Node]) -> bool:
    """Whether these are sources that themselves try again what they could not read."""
    return issubclass(node_type, Source) and node_type.read_again is not Source.read_again


def _giving(source: Source, entry: Entry) -> Source:
    if entry.rows is not None:
        return LetterSource(entry.rows)
    if not tries_again(type(source)):
        raise UsageError(f'"{source.title}" cannot try again what it could not read.', hint=AGAIN)
    return SourceAgain(source, entry.tried, entry.gives)


def _refuse_partial(plan: Plan, way: Route, entry: Entry) -> None:
    for node_id in way.path:
        planned = plan.nodes[node_id]
        ports = {wire.target_port for wire in planned.inputs if wire.source in way.path}
        if node_id == way.start and entry.port:
            ports.add(entry.port)
        for port in ports:
            if not planned.node.takes_part(port):
                raise UsageError(
                    f'"{node_id}" ({planned.node.title}) needs all rows at once, '
                    f'so those that failed in "{entry.node}" cannot come later.',
                    hint=AGAIN,
                    node=node_id,
                )
    for node_id in way.beside:
        if isinstance(plan.nodes[node_id].node, Sink):
            raise UsageError(f'"{node_id}" would load its rows a second time.', hint=AGAIN, node=node_id)


def _source_of(pipeline: Pipeline, registry: Registry, node: str) -> str:
    """The one source that the rows of a node come from, through nodes that keep their columns."""
    hint = "Replay them into the node where they failed (without --whole)."
    while True:
        feeders = {wire.source for wire in pipeline.wires if wire.target == node and wire.source_port != REJECTS.name}
        if not any(wire.target == node for wire in pipeline.wires):
            return node
        if len(feeders) != 1:
            raise UsageError(f'The rows of "{node}" come from several nodes, or from rejects.', hint=hint, node=node)
        node = feeders.pop()
        node_type = registry.get(pipeline.nodes[node].type)
        if node_type is None or not (node_type.keeps_columns or issubclass(node_type, Source)):
            raise UsageError(
                f'"{node}" makes other columns, so the rows cannot be what the source gave.', hint=hint, node=node
            )


def _behind(pipeline: Pipeline, start: str) -> frozenset[str]:
    found, pending = {start}, [start]
    while pending:
        node = pending.pop()
        new = {wire.target for wire in pipeline.wires if wire.source == node} - found
        found |= new
        pending += new
    return frozenset(found)


def _before(pipeline: Pipeline, end: str) -> set[str]:
    found, pending = {end}, [end]
    while pending:
        node = pending.pop()
        new = {wire.source for wire in pipeline.wires if wire.target == node} - found
        found |= new
        pending += new
    return found
