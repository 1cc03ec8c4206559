"""The ports of a node as the canvas shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.pipeline.model import Wire
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.pipeline.model import NodeSpec, Pipeline
    from etl_studio.sdk import Node

NEW_INPUT = "+"
"""Name of the port that offers a further input on nodes whose inputs have free names."""


@dataclass(frozen=True, slots=True)
class CanvasPort:
    """One port of one node on the canvas.

    Attributes:
        node: id of the node.
        name: name of the port, or ``NEW_INPUT``.
        title: label for people.
        is_input: on the left side.
        connected: a wire begins or ends here.
        known: False when only a wire of the file knows it, not the node's type.
    """

    node: str
    name: str
    title: str
    is_input: bool
    connected: bool
    known: bool = True

    @property
    def is_rejects(self) -> bool:
        """Whether rejected rows leave here."""
        return not self.is_input and self.name == "rejects"


def ports_of(spec: NodeSpec, node_type: type[Node] | None, wires: Iterable[Wire]) -> tuple[CanvasPort, ...]:
    """The declared ports and those that wires name, inputs first, each in order."""
    used_inputs = list(dict.fromkeys(wire.target_port for wire in wires if wire.target == spec.id))
    used_outputs = list(dict.fromkeys(wire.source_port for wire in wires if wire.source == spec.id))
    inputs = {port.name: tr(port.title) for port in node_type.inputs} if node_type else {}
    outputs = {port.name: tr(port.title) for port in node_type.outputs} if node_type else {}
    open_inputs = bool(node_type and node_type.open_inputs)
    free = open_inputs or node_type is None
    ports = [
        CanvasPort(spec.id, name, inputs.get(name) or name, True, name in used_inputs, name in inputs or free)
        for name in dict.fromkeys([*inputs, *used_inputs])
    ]
    if open_inputs:
        ports.append(CanvasPort(spec.id, NEW_INPUT, tr("New"), True, connected=False))
    ports += [
        CanvasPort(
            spec.id, name, outputs.get(name) or name, False, name in used_outputs, name in outputs or node_type is None
        )
        for name in sorted(dict.fromkeys([*outputs, *used_outputs]), key=lambda name: name == "rejects")
    ]
    return tuple(ports)


def wire_between(pipeline: Pipeline, output: CanvasPort, target: CanvasPort) -> Wire:
    """The wire that joins two ports; a new input is named after the node that feeds it."""
    name = target.name
    if name == NEW_INPUT:
        taken = {wire.target_port for wire in pipeline.wires if wire.target == target.node}
        name, number = output.node, 2
        while name in taken:
            name, number = f"{output.node}_{number}", number + 1
    return Wire(output.node, output.name, target.node, name)


def default_output(node: str, node_type: type[Node] | None) -> CanvasPort | None:
    """The port that a wire leaves by when nobody says which; never the rejects."""
    ports = [port for port in (node_type.outputs if node_type else ()) if port.name != "rejects"]
    return CanvasPort(node, ports[0].name, tr(ports[0].title), is_input=False, connected=False) if ports else None


def default_input(node: str, node_type: type[Node] | None) -> CanvasPort | None:
    """The port that a wire reaches when nobody says which."""
    if node_type is None:
        return None
    if node_type.inputs:
        return CanvasPort(node, node_type.inputs[0].name, "", is_input=True, connected=False)
    return CanvasPort(node, NEW_INPUT, "", is_input=True, connected=False) if node_type.open_inputs else None
