"""Another type for a node that is there: which settings and wires it can keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter, ValidationError

from etl_studio.pipeline.wire_text import default_output
from etl_studio.sdk.config import editor_of
from etl_studio.sdk.ports import REJECTS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
    from etl_studio.sdk import Node, Registry


@dataclass(frozen=True, slots=True)
class Replacement:
    """A node with another type, and what that costs.

    Attributes:
        spec: the node as it will be: the same id, title and policy.
        wires: each wire of the node that is kept, and what it becomes: the same, or one at another port.
        lost_wires: wires for which the new type has no port.
        lost_settings: names of settings that it does not know, or that mean something else there.
    """

    spec: NodeSpec
    wires: dict[Wire, Wire]
    lost_wires: tuple[Wire, ...]
    lost_settings: tuple[str, ...]


def replacement(pipeline: Pipeline, node: str, new: type[Node], registry: Registry) -> Replacement:
    """What becomes of a node when it gets another type.

    A wire whose port is missing moves to the new type's first port when nothing else is there.
    """
    spec = pipeline.nodes[node]
    old = registry.get(spec.type)
    kept = {name: value for name, value in spec.config.items() if _means_the_same(name, value, old, new)}
    wires = _wires(pipeline, node, new)
    return Replacement(
        replace(spec, type=new.type, config=kept),
        {before: after for before, after in wires.items() if after is not None},
        tuple(before for before, after in wires.items() if after is None),
        tuple(name for name in spec.config if name not in kept),
    )


def _means_the_same(name: str, value: Any, old: type[Node] | None, new: type[Node]) -> bool:
    """Whether a setting has the same name, the same editor and a value that both types take.

    The editor tells what a text is for: a file to read must not become a file to write.
    """
    field, before = _field(new, name), _field(old, name)
    if field is None or (before is None and old is not None):
        return False
    if before is not None:
        if editor_of(before) != editor_of(field):
            return False
        if before.annotation == field.annotation:
            return True
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]  # a type made at run time
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _field(node_type: type[Node] | None, name: str) -> FieldInfo | None:
    fields = node_type.Config.model_fields if node_type else {}
    return next((field for key, field in fields.items() if name in (key, field.alias)), None)


def _wires(pipeline: Pipeline, node: str, new: type[Node]) -> dict[Wire, Wire | None]:
    """Each wire of the node and what becomes of it; None: it is lost."""
    wires = pipeline.wires_of(node)
    inputs = {port.name: port.many for port in new.inputs}
    outputs = {port.name for port in new.outputs}
    taken = {wire.target_port for wire in wires if wire.target == node and wire.target_port in inputs}
    result: dict[Wire, Wire | None] = {}
    for wire in wires:
        result[wire] = None
        if wire.source == node:
            port = wire.source_port
            if port not in outputs and port != REJECTS.name:
                port = default_output(new) or ""
            if port in outputs:
                result[wire] = replace(wire, source_port=port)
        elif wire.target_port in inputs or new.open_inputs:
            result[wire] = wire
        else:
            free = next((name for name, many in inputs.items() if many or name not in taken), None)
            if free is not None:
                taken.add(free)
                result[wire] = replace(wire, target_port=free)
        if result[wire] in [after for before, after in result.items() if before != wire]:
            result[wire] = None  # both wires of a join from one source would become the same wire of a union
    return result
