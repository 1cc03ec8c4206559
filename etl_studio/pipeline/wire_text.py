"""Wires as people write them: ``read -> keep``, ``keep.rejects -> bad``, ``read -> join.left``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from etl_studio.pipeline.model import Wire
from etl_studio.sdk.ports import INPUT, OUT, REJECTS

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk.node import Node

ARROW = "->"


class NodeTypes(Protocol):
    """Knows node types by name; a ``Registry`` is one."""

    def get(self, name: str) -> type[Node] | None:
        """The type of that name, or None."""
        ...


def node_types(pipeline: Pipeline, registry: NodeTypes | None) -> dict[str, type[Node] | None]:
    """The type of each node by its id; None where it is unknown."""
    return {key: registry.get(node.type) if registry else None for key, node in pipeline.nodes.items()}


def default_output(node_type: type[Node] | None) -> str | None:
    """The port that ``a -> ...`` begins at: the first output, never ``rejects``; None for a type that gives no rows."""
    if node_type is None:
        return OUT.name
    first = next(iter(node_type.outputs), None)
    return None if first is None or first.name == REJECTS.name else first.name


def default_input(node_type: type[Node] | None) -> str | None:
    """The port that ``... -> b`` ends at: the only input; None when there are none or several."""
    if node_type is None:
        return INPUT.name
    return node_type.inputs[0].name if len(node_type.inputs) == 1 else None


def read_wire(text: str, types: dict[str, type[Node] | None]) -> Wire:
    """A wire from its text; ``types`` tells each node's type (None: unknown) for the ports that are left out.

    A port that is left out where the type has no default one is called ``out`` or ``input``: the rules tell about it.

    Raises:
        ValueError: the text is no wire; the message is a sentence.
    """
    ends = [end.strip() for end in text.split(ARROW)]
    if len(ends) != 2 or not all(ends):  # noqa: PLR2004 - a beginning and an end
        raise ValueError(f'"{text}" is no wire.')
    source, source_port = _end(ends[0])
    target, target_port = _end(ends[1])
    return Wire(
        source,
        source_port or default_output(types.get(source)) or OUT.name,
        target,
        target_port or default_input(types.get(target)) or INPUT.name,
    )


def write_wire(wire: Wire, types: dict[str, type[Node] | None]) -> str:
    """The shortest text that ``read_wire`` reads as the same wire."""
    source, target = wire.source, wire.target
    if wire.source_port != (default_output(types.get(source)) or OUT.name):
        source = f"{source}.{wire.source_port}"
    if wire.target_port != (default_input(types.get(target)) or INPUT.name):
        target = f"{target}.{wire.target_port}"
    return f"{source} {ARROW} {target}"


def _end(text: str) -> tuple[str, str]:
    node, _, port = text.partition(".")
    if not node.isidentifier() or (port and not port.isidentifier()) or text.endswith("."):
        raise ValueError(f'"{text}" is no end of a wire.')
    return node, port
