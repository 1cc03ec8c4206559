"""A sub-pipeline gives way to copies of the nodes of its file, in the document itself."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.pipeline.flat import INPUT_END, OUTPUT_END
from etl_studio.pipeline.interfaces import interface_of, port_of
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire, free_name
from etl_studio.pipeline.parameters import Kept, exchange, read_value, references
from etl_studio.pipeline.setting_paths import moved
from etl_studio.pipeline.wire_text import node_types
from etl_studio.sdk.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.model import Note, Place
    from etl_studio.pipeline.wire_text import NodeTypes

    End = tuple[str, str]

UNION = "union"


@dataclass(frozen=True, slots=True)
class Inlined:
    """A document with the nodes of a file in place of a sub-pipeline.

    Attributes:
        outer: the document.
        nodes: ids of the new nodes, by their ids in the file.
    """

    outer: Pipeline
    nodes: Mapping[str, str]


def inline(pipeline: Pipeline, registry: NodeTypes, node: str, inner: Pipeline, *, way: str = "") -> Inlined:
    """Put the nodes of its file in the place of a sub-pipeline. What is given stays as it is.

    Args:
        pipeline: the document.
        registry: node types.
        node: id of the sub-pipeline.
        inner: what its file holds.
        way: the file's folder as seen from the document's, from ``setting_paths.seen_from``.

    Raises:
        UsageError: a value of a parameter does not fit, or is missing.
    """
    return _Inlining(pipeline, registry, node, inner).done(way)


class _Inlining:
    def __init__(self, pipeline: Pipeline, registry: NodeTypes, node: str, inner: Pipeline) -> None:
        self._pipeline, self._inner, self._registry = pipeline, inner, registry
        self._node, self._spec = node, pipeline.nodes[node]
        self._interface = interface_of(inner)
        self._defaults = {key: parameter.default for key, parameter in pipeline.parameters.items()}
        ends = [key for key, spec in inner.nodes.items() if spec.type in (INPUT_END, OUTPUT_END)]
        taken = {*pipeline.nodes, *pipeline.notes} - {node}
        self._names: dict[str, str] = {}
        for key in (*(key for key in inner.nodes if key not in ends), *inner.notes):
            self._names[key] = free_name(key, taken)
            taken.add(self._names[key])
        self._taken = taken
        self._unions: dict[str, NodeSpec] = {}

    def done(self, way: str) -> Inlined:
        values = self._values()
        copies = {
            self._names[key]: self._copy(key, spec, values, way)
            for key, spec in self._inner.nodes.items()
            if key in self._names
        }
        wires = self._joined(self._wires())
        nodes: dict[str, NodeSpec] = {}
        for key, spec in self._pipeline.nodes.items():
            nodes |= {**copies, **self._unions} if key == self._node else {key: spec}
        bends = self._pipeline.bends | self._shifted({self._renamed(one): at for one, at in self._inner.bends.items()})
        outer = replace(
            self._pipeline,
            nodes=nodes,
            wires=wires,
            notes=self._pipeline.notes | self._copied_notes(),
            layout=self._layout(),
            groups=self._groups(list(copies)),
            bends={wire: points for wire, points in bends.items() if wire in set(wires)},
        )
        return Inlined(outer, {key: name for key, name in self._names.items() if key in self._inner.nodes})

    # -- settings ---------------------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        """What stands in the place of each parameter of the file."""
        given = self._spec.config.get("parameters")
        given = given if isinstance(given, dict) else {}
        found: dict[str, Any] = {}
        for name, parameter in self._inner.parameters.items():
            written = given.get(name)
            if isinstance(written, str) and "${" in written:
                is_one = [f"${{{one}}}" for one in references(written)] == [written]
                found[name] = Kept(written) if is_one else written
                continue
            value = parameter.default if written is None else written
            if value is None:
                raise UsageError(
                    f'The file needs a value for its parameter "{name}".', hint="Give it first.", node=self._node
                )
            try:
                read = read_value(parameter, value)
            except ValueError as error:
                raise UsageError(f'The parameter "{name}" of the file {error}', node=self._node) from None
            found[name] = read.replace("${", "$${") if isinstance(read, str) else read
        return found

    def _copy(self, key: str, spec: NodeSpec, values: Mapping[str, Any], way: str) -> NodeSpec:
        node_type = self._registry.get(spec.type)
        models = (node_type.Config,) if node_type else ()
        config = exchange(spec.config, models, values)
        return replace(
            deepcopy(spec),
            id=self._names[key],
            config=moved(config, models, way, self._defaults),
            policy=exchange(spec.policy, (Policy,), values),
            disabled=spec.disabled or self._spec.disabled,
        )

    # -- wires ------------------------------------------------------------------------------------------------

    def _wires(self) -> list[Wire]:
        """The wires of both, where those at the ends of the file are joined with those at the ports of the node."""
        own = [self._renamed(wire) for wire in self._inner.wires if {wire.source, wire.target} <= self._names.keys()]
        found: list[Wire] = []
        placed = False
        for wire in self._pipeline.wires:
            if self._node not in (wire.source, wire.target):
                found.append(wire)
                continue
            if not placed:
                found += own
                placed = True
            if wire.source == self._node:
                found += [Wire(*feeder, wire.target, wire.target_port) for feeder in self._feeders(wire.source_port)]
            else:
                end = self._interface.inputs.get(wire.target_port)
                targets = [one for one in self._inner.wires if one.source == end and one.target in self._names]
                names = self._names
                found += [Wire(wire.source, wire.source_port, names[one.target], one.target_port) for one in targets]
        return list(dict.fromkeys(found if placed else [*found, *own]))

    def _feeders(self, port: str) -> list[End]:
        """What gives the rows of an output; an input that leads there directly gives those of its own wires."""
        end = self._interface.outputs.get(port)
        found: list[End] = []
        for wire in self._inner.wires:
            if wire.target != end:
                continue
            if wire.source in self._names:
                found.append((self._names[wire.source], wire.source_port))
            elif self._inner.nodes[wire.source].type == INPUT_END:
                through = port_of(self._inner.nodes[wire.source])
                found += [
                    (one.source, one.source_port)
                    for one in self._pipeline.wires
                    if (one.target, one.target_port) == (self._node, through)
                ]
        return found

    def _joined(self, wires: list[Wire]) -> list[Wire]:
        """A Union before each input that got several wires and takes one."""
        into: dict[End, list[Wire]] = {}
        for wire in wires:
            into.setdefault((wire.target, wire.target_port), []).append(wire)
        inside = node_types(self._inner, self._registry)
        types = node_types(self._pipeline, self._registry)
        types |= {name: inside[key] for key, name in self._names.items() if key in inside}
        changed: dict[Wire, Wire] = {}
        added: list[Wire] = []
        for (target, port), several in into.items():
            node_type = types.get(target)
            takes = next((one for one in node_type.inputs if one.name == port), None) if node_type else None
            if len(several) == 1 or takes is None or takes.many or set(several) <= set(self._pipeline.wires):
                continue
            key = free_name(UNION, self._taken)
            self._taken.add(key)
            self._unions[key] = NodeSpec(key, UNION)
            changed |= {wire: replace(wire, target=key, target_port="input") for wire in several}
            added.append(Wire(key, "out", target, port))
        return [changed.get(wire, wire) for wire in wires] + added

    def _renamed(self, wire: Wire) -> Wire:
        names = self._names
        return replace(wire, source=names.get(wire.source, ""), target=names.get(wire.target, ""))

    # -- the canvas -------------------------------------------------------------------------------------------

    def _copied_notes(self) -> dict[str, Note]:
        notes = {self._names[key]: deepcopy(note) for key, note in self._inner.notes.items()}
        return {key: replace(note, id=key) for key, note in notes.items()}

    def _layout(self) -> dict[str, Place]:
        here = self._pipeline.layout.get(self._node)
        room = self._size()[0] if here else 0.0
        found = {}
        for key, (x, y, *size) in self._pipeline.layout.items():
            if key != self._node:
                behind = here is not None and x > here[0]
                found[key] = (x + room if behind else x, y, *size)
        dx, dy = self._shift()
        for key, (x, y, *size) in self._inner.layout.items():
            if key in self._names:
                found[self._names[key]] = (x + dx, y + dy, *size)
        return found

    def _shifted(self, bends: Mapping[Wire, Any]) -> dict[Wire, Any]:
        dx, dy = self._shift()
        return {wire: tuple((x + dx, y + dy) for x, y in points) for wire, points in bends.items()}

    def _box(self) -> tuple[float, float, float, float]:
        places = [place for key, place in self._inner.layout.items() if key in self._names and key in self._inner.nodes]
        left, right = (edge((place[0] for place in places), default=0.0) for edge in (min, max))
        top, foot = (edge((place[1] for place in places), default=0.0) for edge in (min, max))
        return left, top, right, foot

    def _size(self) -> tuple[float, float]:
        left, top, right, foot = self._box()
        return right - left, foot - top

    def _shift(self) -> tuple[float, float]:
        """From a place in the file to one in the document: it begins where the node is, at its height."""
        left, top, _, foot = self._box()
        x, y, *_ = self._pipeline.layout.get(self._node, (0.0, 0.0))
        return x - left, round((y - (top + foot) / 2) / 8) * 8.0

    def _groups(self, new: list[str]) -> dict[str, Any]:
        found = {}
        for key, group in self._pipeline.groups.items():
            members = [one for member in group.nodes for one in (new if member == self._node else [member])]
            found[key] = group if members == group.nodes else replace(group, nodes=members)
        is_grouped = self._pipeline.group_of(self._node) is not None
        for key, group in ({} if is_grouped else self._inner.groups).items():
            name = free_name(key, found)
            members = [self._names[member] for member in group.nodes if member in self._names]
            found[name] = replace(deepcopy(group), id=name, nodes=members)
        return found
