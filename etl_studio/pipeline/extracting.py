"""Nodes of a pipeline become a pipeline of their own, and one node that uses it stands in their place."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.pipeline.flat import INPUT_END, OUTPUT_END, SUB_PIPELINE
from etl_studio.pipeline.interfaces import DEFAULT_PORTS
from etl_studio.pipeline.model import Group, NodeSpec, Pipeline, Wire, free_name
from etl_studio.pipeline.parameters import references
from etl_studio.pipeline.setting_fields import map_texts
from etl_studio.pipeline.setting_paths import moved
from etl_studio.pipeline.wire_text import default_output, node_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from etl_studio.pipeline.model import Place
    from etl_studio.pipeline.wire_text import NodeTypes

    End = tuple[str, str]

APART = 320.0
"""Pixels from an end to the nodes next to it."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """Two pipelines made of one.

    Attributes:
        outer: the document with the node in place of the others.
        inner: what the file will hold.
        node: id of the node.
    """

    outer: Pipeline
    inner: Pipeline
    node: str


def why_not_extract(pipeline: Pipeline, nodes: Collection[str]) -> UsageError | None:
    """Why nodes cannot become a sub-pipeline; None: they can."""
    chosen = [name for name in pipeline.nodes if name in nodes]
    if not chosen:
        return UsageError("No node is selected.", hint="Select the nodes that belong together.")
    for name in chosen:
        if pipeline.nodes[name].type in (INPUT_END, OUTPUT_END):
            what = "input" if pipeline.nodes[name].type == INPUT_END else "output"
            return UsageError(f"{name} is an {what} of this pipeline itself.", hint="Leave it out.", node=name)
    between = _between(pipeline, set(chosen))
    if between:
        return UsageError(
            f"{between} lies between the selected nodes: rows would leave the sub-pipeline and come back.",
            hint="Select it, too.",
            node=between,
        )
    return None


def extract(  # noqa: PLR0913 - a file has a name and a place
    pipeline: Pipeline,
    registry: NodeTypes,
    nodes: Collection[str],
    *,
    name: str,
    file: str,
    way_back: str = "",
) -> Extracted:
    """Make a pipeline of some nodes of another one. What is given stays as it is.

    Args:
        pipeline: the document.
        registry: node types.
        nodes: ids of the nodes; notes among them go along, and groups all of whose members do.
        name: of the new pipeline.
        file: its file, as written in the setting of the node.
        way_back: the document's folder as seen from the new file, from ``setting_paths.seen_from``.

    Raises:
        UsageError: these nodes cannot be a sub-pipeline, with the reason.
    """
    if (error := why_not_extract(pipeline, nodes)) is not None:
        raise error
    return _Extracting(pipeline, registry, nodes).done(name, file, way_back)


class _Extracting:
    def __init__(self, pipeline: Pipeline, registry: NodeTypes, nodes: Collection[str]) -> None:
        self._pipeline, self._registry = pipeline, registry
        self._types = node_types(pipeline, registry)
        self._chosen = {key: spec for key, spec in pipeline.nodes.items() if key in nodes}
        self._notes = {key: note for key, note in pipeline.notes.items() if key in nodes}
        entering = [wire for wire in pipeline.wires if wire.target in self._chosen and wire.source not in self._chosen]
        leaving = [wire for wire in pipeline.wires if wire.source in self._chosen and wire.target not in self._chosen]
        self._inputs = self._named([(wire.source, wire.source_port) for wire in entering], INPUT_END)
        self._outputs = self._named([(wire.source, wire.source_port) for wire in leaving], OUTPUT_END)

    def done(self, name: str, file: str, way_back: str) -> Extracted:
        inner = Pipeline(name=name)
        values = {key: parameter.default for key, parameter in self._pipeline.parameters.items()}
        for key, spec in self._chosen.items():
            node_type = self._types[key]
            config = moved(spec.config, (node_type.Config,) if node_type else (), way_back, values)
            inner.nodes[key] = replace(deepcopy(spec), config=config)
        inner.notes = deepcopy(self._notes)
        inner.layout = {
            key: place for key, place in self._pipeline.layout.items() if key in inner.nodes or key in inner.notes
        }
        inner.wires = [wire for wire in self._pipeline.wires if {wire.source, wire.target} <= self._chosen.keys()]
        inner.bends = {wire: bends for wire, bends in self._pipeline.bends.items() if wire in inner.wires}
        inner.groups = {key: deepcopy(group) for key, group in self._pipeline.groups.items() if self._goes(group)}
        inner.parameters = {key: deepcopy(self._pipeline.parameters[key]) for key in self._used()}
        self._add_ends(inner)
        node = self._pipeline.new_id(_as_id(name))
        return Extracted(self._outer(node, file, inner), inner, node)

    def _named(self, ends: Iterable[End], kind: str) -> dict[End, str]:
        """A port for each place at which rows cross the border: one is called as usual, several as what gives them."""
        found: dict[End, str] = {}
        taken = {"rejects"}
        distinct = list(dict.fromkeys(ends))
        for node, port in distinct:
            plain = port == (default_output(self._types[node]) or "out")
            name = DEFAULT_PORTS[kind] if len(distinct) == 1 else node if plain else f"{node}_{port}"
            found[node, port] = free_name(name, taken)
            taken.add(found[node, port])
        return found

    def _used(self) -> list[str]:
        found: set[str] = set()

        def look(_: tuple[str, ...], text: str, editor: object) -> str:
            del editor
            found.update(references(text))
            return text

        for spec in self._chosen.values():
            map_texts({"config": spec.config, "policy": spec.policy}, (), look)
        return [name for name in self._pipeline.parameters if name in found]

    def _add_ends(self, inner: Pipeline) -> None:
        left = min((place[0] for place in inner.layout.values()), default=0.0)
        right = max((place[0] for key, place in inner.layout.items() if key in inner.nodes), default=0.0)
        for end, port in self._inputs.items():
            targets = [wire for wire in self._pipeline.wires if (wire.source, wire.source_port) == end]
            targets = [wire for wire in targets if wire.target in self._chosen]
            key = _add_end(inner, INPUT_END, port, (left - APART, _level(inner, targets[0].target)))
            inner.wires += [Wire(key, "out", wire.target, wire.target_port) for wire in targets]
        for (node, source_port), port in self._outputs.items():
            key = _add_end(inner, OUTPUT_END, port, (right + APART, _level(inner, node)))
            inner.wires.append(Wire(node, source_port, key, "input"))

    def _outer(self, node: str, file: str, inner: Pipeline) -> Pipeline:
        config: dict[str, object] = {"file": file}
        if inner.parameters:
            config["parameters"] = {key: f"${{{key}}}" for key in inner.parameters}
        nodes: dict[str, NodeSpec] = {}
        for key, spec in self._pipeline.nodes.items():
            if key not in self._chosen:
                nodes[key] = spec
            elif node not in nodes:
                nodes[node] = NodeSpec(node, SUB_PIPELINE, config)
        wires = list(dict.fromkeys(self._rewired(wire, node) for wire in self._pipeline.wires))
        gone = self._chosen.keys() | self._notes.keys()
        places = [place for key, place in self._pipeline.layout.items() if key in self._chosen]
        layout = {key: place for key, place in self._pipeline.layout.items() if key not in gone}
        if places:
            layout[node] = _middle(places)
        kept = [wire for wire in wires if wire is not None]
        return replace(
            self._pipeline,
            nodes=nodes,
            wires=kept,
            notes={key: note for key, note in self._pipeline.notes.items() if key not in self._notes},
            layout=layout,
            groups=self._regrouped(node),
            bends={wire: bends for wire, bends in self._pipeline.bends.items() if wire in kept},
        )

    def _rewired(self, wire: Wire, node: str) -> Wire | None:
        inside = wire.source in self._chosen, wire.target in self._chosen
        end = (wire.source, wire.source_port)
        if inside == (True, True):
            return None
        if inside == (False, True):
            return Wire(*end, node, self._inputs[end])
        if inside == (True, False):
            return replace(wire, source=node, source_port=self._outputs[end])
        return wire

    def _goes(self, group: Group) -> bool:
        members = [key for key in group.nodes if key in self._pipeline.nodes]
        return bool(members) and all(key in self._chosen for key in members)

    def _regrouped(self, node: str) -> dict[str, Group]:
        """Groups that stay; one that loses members has the node in their place."""
        found = {}
        placed = False
        for key, group in self._pipeline.groups.items():
            if self._goes(group):
                continue
            members = [member for member in group.nodes if member not in self._chosen]
            if len(members) < len(group.nodes) and not placed:
                members.append(node)
                placed = True
            found[key] = group if members == group.nodes else replace(group, nodes=members)
        return found


def _between(pipeline: Pipeline, chosen: set[str]) -> str | None:
    """A node on a way out of the selection and back into it."""
    following: dict[str, list[str]] = {}
    for wire in pipeline.wires:
        following.setdefault(wire.source, []).append(wire.target)
    behind: dict[str, str] = {}
    pending = [(after, after) for node in chosen for after in following.get(node, ()) if after not in chosen]
    while pending:
        node, first = pending.pop()
        if node in chosen:
            return first
        if node not in behind:
            behind[node] = first
            pending += [(after, first) for after in following.get(node, ())]
    return None


def _add_end(inner: Pipeline, kind: str, port: str, place: Place) -> str:
    key = inner.new_id(port)
    inner.nodes[key] = NodeSpec(key, kind, {} if port == DEFAULT_PORTS[kind] else {"port": port})
    taken = set(inner.layout.values())
    while place in taken:
        place = (place[0], place[1] + 96.0)
    inner.layout[key] = place
    return key


def _level(inner: Pipeline, node: str) -> float:
    return inner.layout[node][1] if node in inner.layout else 0.0


def _middle(places: Collection[Place]) -> Place:
    """A point of the grid in the middle of these."""
    sides = [(min(place[axis] for place in places) + max(place[axis] for place in places)) / 2 for axis in (0, 1)]
    return (round(sides[0] / 8) * 8.0, round(sides[1] / 8) * 8.0)


def _as_id(name: str) -> str:
    """A name as an id of a node: ``clean_orders``."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_").lower()
    return text if text.isidentifier() else f"part_{text}".rstrip("_")
