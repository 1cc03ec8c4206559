"""From the document to what runs: nodes made from their settings, with their policies and wires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.pipeline.flat import nodes_of
from etl_studio.sdk import REJECTS, Operator, Policy, Sink, Source, SqlTransform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.sdk import Node, Registry


@dataclass(slots=True)
class PlannedNode:
    """One node, ready to run.

    Attributes:
        inputs: wires that end here.
        outputs: wires by the output port that they begin at.
        blocking_before: whether a blocking node is among its ancestors, so that a part of the rows is worth nothing.
    """

    id: str
    node: Node
    policy: Policy
    inputs: list[Wire] = field(default_factory=list)
    outputs: dict[str, list[Wire]] = field(default_factory=dict)
    blocking_before: bool = False

    @property
    def default_output(self) -> str | None:
        """The port that plain batches leave by; None for a sink."""
        ports = [port.name for port in self.node.outputs if port is not REJECTS]
        return ports[0] if ports else None

    @property
    def only_input(self) -> str:
        """The port that its rows come by; empty for a source, and where they come by several."""
        ports = {wire.target_port for wire in self.inputs}
        return ports.pop() if len(ports) == 1 else ""


@dataclass(slots=True)
class Plan:
    """What a run executes. Nodes stand after those that feed them."""

    pipeline: str
    nodes: dict[str, PlannedNode]

    @property
    def wires(self) -> list[Wire]:
        """All wires."""
        return [wire for node in self.nodes.values() for wire in node.inputs]


def make_plan(
    pipeline: Pipeline,
    registry: Registry,
    settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    only: Iterable[str] | None = None,
) -> Plan:
    """Build the plan of a checked pipeline.

    Args:
        pipeline: without errors by ``pipeline.rules.check``.
        registry: node types.
        settings: config and policy by node, parameters already put in.
        only: ids of the nodes to run; wires from and to others are left out.
    """
    wanted = set(pipeline.nodes if only is None else only)
    wires = [wire for wire in pipeline.wires if wire.source in wanted and wire.target in wanted]
    planned: dict[str, PlannedNode] = {}
    for node_id in _in_order(wanted, wires, list(pipeline.nodes)):
        node_type = registry.get(pipeline.nodes[node_id].type)
        if node_type is None:
            raise AssertionError(f"unknown type of {node_id}: the pipeline was not checked")
        config, policy = settings[node_id]
        node = node_type(node_type.Config.model_validate(config))
        planned[node_id] = PlannedNode(node_id, node, Policy.model_validate(policy))
    for wire in wires:
        planned[wire.source].outputs.setdefault(wire.source_port, []).append(wire)
        planned[wire.target].inputs.append(wire)
    for item in planned.values():
        before = [planned[wire.source] for wire in item.inputs]
        item.blocking_before = any(_is_blocking(feeder.node) or feeder.blocking_before for feeder in before)
    return Plan(pipeline.name, planned)


def ancestors(pipeline: Pipeline, node: str) -> list[str]:
    """A node, or all nodes of a sub-pipeline, and everything that feeds it.

    Raises:
        UsageError: there is no such node.
    """
    found = nodes_of(pipeline, node)
    if not found:
        hint = f"Nodes: {', '.join(pipeline.nodes) or 'none'}."
        raise UsageError(f'There is no node "{node}".', hint=hint)
    pending = list(found)
    while pending:
        target = pending.pop()
        for wire in pipeline.wires:
            if wire.target == target and wire.source not in found:
                found.append(wire.source)
                pending.append(wire.source)
    return found


def why_no_barriers(plan: Plan) -> str | None:
    """Why the sinks commit at the end only, for people; None: they commit again and again."""
    for item in plan.nodes.values():
        node = item.node
        if _is_blocking(node):
            return f'"{item.id}" needs all rows before it gives its first one'
        if isinstance(node, Operator) and node.holds_rows and type(node).snapshot is Operator.snapshot:
            return f'"{item.id}" remembers rows and cannot keep what it remembers'
        if isinstance(node, Sink) and not node.commits_at_barriers:
            return f'"{item.id}" can commit only once'
    sources = {item.id: item.node for item in plan.nodes.values() if isinstance(item.node, Source)}
    if not any(source.replays for source in sources.values()):
        return f'"{next(iter(sources))}" cannot go on from the middle' if sources else "there is no source"
    if not any(isinstance(item.node, Sink) for item in plan.nodes.values()):
        return "nothing is loaded"
    return None


def why_at_least_once(plan: Plan) -> str | None:
    """Why rows may be loaded again after the run broke off, for people; None: they never are.

    Where sinks commit at the end only, nothing has been loaded that could come again.
    """
    if why_no_barriers(plan) is None:
        for item in plan.nodes.values():
            if isinstance(item.node, Source) and not item.node.replays:
                return f'"{item.id}" cannot go on from the middle'
    return None


def _is_blocking(node: Node) -> bool:
    return isinstance(node, SqlTransform) and node.blocking


def _in_order(nodes: set[str], wires: list[Wire], given: list[str]) -> list[str]:
    """Kahn's algorithm; ties in the order of the file."""
    feeders = {node: {wire.source for wire in wires if wire.target == node} for node in nodes}
    order: list[str] = []
    pending = [node for node in given if node in nodes]
    done: set[str] = set()
    while pending:
        ready = [node for node in pending if feeders[node] <= done]
        if not ready:
            raise AssertionError("a cycle: the pipeline was not checked")
        order += ready
        done.update(ready)
        pending = [node for node in pending if node not in done]
    return order
