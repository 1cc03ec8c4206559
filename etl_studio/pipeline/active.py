"""What of a pipeline runs when some of its nodes are disabled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from etl_studio.pipeline.model import Wire
from etl_studio.pipeline.wire_text import default_output, node_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.pipeline.wire_text import NodeTypes
    from etl_studio.sdk.node import Node

    End = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Active:
    """The part of a pipeline that runs.

    Attributes:
        pipeline: without the other nodes; wires lead past the disabled ones that let rows pass.
        passed: disabled nodes whose rows pass unchanged, with the node and port that these come from.
        left_out: nodes that do not run, by whether they are disabled themselves; the others are fed by such only.
    """

    pipeline: Pipeline
    passed: Mapping[str, End] = field(default_factory=dict)
    left_out: Mapping[str, bool] = field(default_factory=dict)


def active(pipeline: Pipeline, registry: NodeTypes | None) -> Active:
    """What runs of a pipeline.

    A disabled node with one wire into it and a default output lets its rows pass; another one is left out, and so is
    what only such nodes feed. A pipeline without disabled nodes comes back as it is.

    Args:
        pipeline: the document; it need not be checked.
        registry: tells which nodes have a default output; one of an unknown type has.
    """
    if not any(node.disabled for node in pipeline.nodes.values()):
        return Active(pipeline)
    return _Passing(pipeline, node_types(pipeline, registry)).active()


def fed_by_only(pipeline: Pipeline, nodes: list[str]) -> list[str]:
    """Nodes, and those that are fed by them alone; in the order of the document."""
    into = _wires_into(pipeline)
    found = set(nodes)
    for node in _in_order(pipeline):
        feeders = {wire.source for wire in into.get(node, ())}
        if feeders and feeders <= found:
            found.add(node)
    return [node for node in pipeline.nodes if node in found]


class _Passing:
    """Decides node by node, those first that feed others."""

    def __init__(self, pipeline: Pipeline, types: dict[str, type[Node] | None]) -> None:
        self._pipeline = pipeline
        self._types = types
        self._passed: dict[str, End] = {}
        self._left_out: dict[str, bool] = {}

    def active(self) -> Active:
        into = _wires_into(self._pipeline)
        for node in _in_order(self._pipeline):
            self._decide(node, into.get(node, []))
        order = self._pipeline.nodes
        nodes = {
            key: node for key, node in order.items() if key not in self._passed and key not in self._left_out
        }  # fmt: skip
        wires = []
        for wire in self._pipeline.wires:
            origin = self._origin(wire)
            if origin is not None and wire.target in nodes:
                wires.append(Wire(*origin, wire.target, wire.target_port))
        left_out = {key: self._left_out[key] for key in order if key in self._left_out}
        return Active(replace(self._pipeline, nodes=nodes, wires=wires), self._passed, left_out)

    def _decide(self, node: str, into: list[Wire]) -> None:
        origins = [self._origin(wire) for wire in into]
        if self._pipeline.nodes[node].disabled:
            passes = len(into) == 1 and default_output(self._types[node]) is not None
            if passes and origins[0] is not None:
                self._passed[node] = origins[0]
            else:
                self._left_out[node] = True
        elif into and not any(origins):
            self._left_out[node] = False

    def _origin(self, wire: Wire) -> End | None:
        """Where the rows of a wire come from; None: there are none."""
        if wire.source in self._left_out:
            return None
        if wire.source in self._passed:
            is_default = wire.source_port == default_output(self._types[wire.source])
            return self._passed[wire.source] if is_default else None
        return wire.source, wire.source_port


def _wires_into(pipeline: Pipeline) -> dict[str, list[Wire]]:
    into: dict[str, list[Wire]] = {}
    for wire in pipeline.wires:
        into.setdefault(wire.target, []).append(wire)
    return into


def _in_order(pipeline: Pipeline) -> list[str]:
    """Nodes behind those that feed them; as they stand where they feed each other, which the rules refuse."""
    feeders: dict[str, set[str]] = {node: set() for node in pipeline.nodes}
    for wire in pipeline.wires:
        if wire.source in feeders and wire.target in feeders:
            feeders[wire.target].add(wire.source)
    try:
        return list(TopologicalSorter(feeders).static_order())
    except CycleError:
        return list(pipeline.nodes)
