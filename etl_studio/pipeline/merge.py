"""Merges two versions of a pipeline that began as the same one: by node and setting, not by line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PipelineError
from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.diff import ABSENT, renamed_wire
from etl_studio.pipeline.file_format import UNTITLED, loads
from etl_studio.pipeline.file_reader import Source
from etl_studio.pipeline.file_values import file_values
from etl_studio.pipeline.merge_canvas import part_strangers, tidied
from etl_studio.pipeline.model import Pipeline
from etl_studio.pipeline.renames import is_one_node, renamed_nodes
from etl_studio.pipeline.sequence_merge import merge_sequence
from etl_studio.pipeline.yaml_patch import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import Wire
    from etl_studio.pipeline.wire_text import NodeTypes

    Path = tuple[str, ...]
    Values = dict[str, Any]

NODE_PATH = 2
"""Parts of the path of a whole node."""
SECTIONS = ("parameters", "nodes", "checkpoint", "layout")
ON_CANVAS = ("groups", "notes", "bends")
"""Sections, too, but for files in which something else has that name."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What both sides changed, each in its own way. Ours is kept.

    Attributes:
        path: where it is in the file, such as ``("nodes", "keep", "config", "where")``; ends in ``id`` where the two
            sides call a node differently, or different nodes alike.
        base, ours, theirs: the values; ``ABSENT`` where it is not there. Of a node that one side removed, ``base`` and
            the other side are all that the file says about it.
    """

    path: Path
    base: Any
    ours: Any
    theirs: Any

    @property
    def place(self) -> str:
        """``keep, config.where`` or ``wires``: for people."""
        section, *rest = self.path
        if section == "nodes" and rest:
            return ", ".join(filter(None, (rest[0], ".".join(rest[1:]))))
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Merged:
    """The result: a pipeline that can be written, and what a person must decide."""

    pipeline: Pipeline
    conflicts: tuple[Conflict, ...]


def merge(base: Pipeline, ours: Pipeline, theirs: Pipeline, registry: NodeTypes | None = None) -> Merged:
    """Merge what ``theirs`` changed into ``ours``.

    Lists and texts of several lines are merged where the two sides changed different parts of them. Where both moved a
    node, it stays where ours has it. Comments of both sides are kept where their lines can be merged; elsewhere ours.

    Args:
        base: what both began as.
        ours: our version.
        theirs: the other one.
        registry: the one that all three were read with.
    """
    return _Merge(base, ours, theirs, registry).merged()


class _Merge:
    """One merge. Inside, each node has the id that it had in ``base``."""

    def __init__(self, base: Pipeline, ours: Pipeline, theirs: Pipeline, registry: NodeTypes | None) -> None:
        self._registry = registry
        self._source = _source(_text(base), _text(ours), _text(theirs), registry)
        self._our_names, self._their_names = renamed_nodes(base, ours), renamed_nodes(base, theirs)
        self._base = base
        self._ours = with_names(ours, {new: old for old, new in self._our_names.items()})
        self._theirs = with_names(theirs, {new: old for old, new in self._their_names.items()})
        self._conflicts: list[Conflict] = []
        self._part_strangers()

    def merged(self) -> Merged:
        base, ours, theirs = (self._values(side) for side in (self._base, self._ours, self._theirs))
        values = self._mapping(base, ours, theirs, ())
        for section in ("layout", "bends"):
            if all(isinstance(side.get(section), dict) for side in (base, ours, theirs)):
                values[section] = _places(base[section], ours[section], theirs[section])
        wires = self._wires(values["nodes"])
        pipeline = loads(yaml_text.block(values), name=UNTITLED, registry=self._registry)
        pipeline.wires = wires
        pipeline, torn = tidied(pipeline, self._ours, self._theirs)
        for node, (mine, other) in torn.items():
            before = self._base.group_of(node)
            self._conflicts.append(Conflict(("nodes", node, "group"), before.id if before else ABSENT, mine, other))
        pipeline = with_names(pipeline, self._names(pipeline))
        pipeline.source = self._source
        return Merged(pipeline, tuple(self._conflicts))

    def _part_strangers(self) -> None:
        """Different nodes that both sides have added under one id: that of theirs gets another one."""
        ours, theirs = self._ours, self._theirs
        room = Pipeline(nodes={**self._base.nodes, **ours.nodes, **theirs.nodes})
        names = {}
        for key in theirs.nodes:
            if key in ours.nodes and key not in self._base.nodes and not is_one_node(ours, key, theirs, key):
                names[key] = room.new_id(key)
                room.nodes[names[key]] = theirs.nodes[key]
                self._conflicts.append(Conflict(("nodes", names[key], "id"), ABSENT, key, key))
        ids = {*room.nodes, *self._our_names.values(), *self._their_names.values()}
        self._base, self._ours, self._theirs = part_strangers(self._base, ours, with_names(theirs, names), ids)

    def _values(self, side: Pipeline) -> Values:
        """What the file says, with every section, so that an empty one is not a removed one."""
        values = file_values(side, self._registry)
        values.pop("wires", None)
        sections = [*SECTIONS, *(section for section in ON_CANVAS if section not in side.extra)]
        values |= {section: dict(values.get(section, {})) for section in sections}
        values["nodes"] = {
            key: {**node, "config": node.get("config", {}), "policy": node.get("policy", {})}
            for key, node in values["nodes"].items()
        }
        return values

    def _mapping(self, base: Values, ours: Values, theirs: Values, path: Path) -> Values:
        merged = {}
        for key in _keys_in_order(ours, theirs):
            value = self._value(
                base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT), (*path, key)
            )  # fmt: skip
            if value is not ABSENT:
                merged[key] = value
        return merged

    def _value(self, base: Any, ours: Any, theirs: Any, path: Path) -> Any:
        if same(ours, theirs) or same(base, theirs) or path in (("layout",), ("bends",)):
            return ours
        if same(base, ours):
            return theirs
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return self._mapping(base if isinstance(base, dict) else {}, ours, theirs, path)
        if isinstance(base, list) and isinstance(ours, list) and isinstance(theirs, list):
            items, clashes = merge_sequence(base, ours, theirs)
            if not clashes:
                return items
        elif all(isinstance(text, str) and "\n" in text for text in (base, ours, theirs)):
            lines, clashes = merge_sequence(*(text.split("\n") for text in (base, ours, theirs)))
            if not clashes:
                return "\n".join(lines)
        self._conflicts.append(Conflict(path, base, ours, theirs))
        return ours

    def _wires(self, nodes: Mapping[str, Any]) -> list[Wire]:
        base, ours, theirs = self._base.wires, self._ours.wires, self._theirs.wires
        # Nodes that theirs removed and ours changed stay, with their wires.
        contested = {one.path[1] for one in self._conflicts if len(one.path) == NODE_PATH and one.theirs is ABSENT}
        if theirs in (ours, base):
            merged = list(ours)
        elif base == ours and not contested:
            merged = list(theirs)
        else:
            before, other, mine = set(base), set(theirs), set(ours)
            merged = [wire for wire in ours if wire in other or wire not in before or contested & _ends(wire)]
            merged += [wire for wire in theirs if wire not in mine and wire not in before]
            merged = list(dict.fromkeys(merged))
        kept = []
        for wire in merged:
            if wire.source in nodes and wire.target in nodes:
                kept.append(wire)
            else:
                # One side has removed a node that the other one has wired.
                sides = [str(wire) if wire in side else ABSENT for side in (base, ours, theirs)]
                self._conflicts.append(Conflict(("wires",), *sides))
        return kept

    def _names(self, pipeline: Pipeline) -> dict[str, str]:
        """The new ids of nodes. Where theirs gives one to another node than ours does, that one gets a free one."""
        names: dict[str, str] = {}
        for old in pipeline.nodes:
            mine, other = self._our_names.get(old, old), self._their_names.get(old, old)
            names[old] = other if mine == old else mine
            if old not in (mine, other) and mine != other:
                self._conflicts.append(Conflict(("nodes", mine, "id"), old, mine, other))
        room = Pipeline(notes=pipeline.notes)
        for old in sorted(
            names, key=lambda old: old not in self._ours.nodes or names[old] != self._our_names.get(old, old)
        ):
            wanted = names[old]
            if wanted in room.nodes:
                names[old] = room.new_id(wanted)
                self._conflicts.append(Conflict(("nodes", names[old], "id"), old, ABSENT, wanted))
            room.nodes[names[old]] = pipeline.nodes[old]
        return {old: new for old, new in names.items() if old != new}


def with_names(pipeline: Pipeline, names: Mapping[str, str]) -> Pipeline:
    """A copy in which nodes have other ids, where they stand."""
    return replace(
        pipeline,
        nodes={names.get(key, key): replace(node, id=names.get(key, key)) for key, node in pipeline.nodes.items()},
        wires=[renamed_wire(wire, names) for wire in pipeline.wires],
        layout={
            names.get(key, key): place
            for key, place in pipeline.layout.items()
            if key in pipeline.nodes or key in pipeline.notes
        },
        groups={
            key: replace(group, nodes=[names.get(node, node) for node in group.nodes])
            for key, group in pipeline.groups.items()
        },
        bends={renamed_wire(wire, names): points for wire, points in pipeline.bends.items()},
    )


def _places(base: Values, ours: Values, theirs: Values) -> Values:
    """Ours, where theirs has not moved the node alone."""
    merged = {}
    for node in _keys_in_order(ours, theirs):
        before, mine, other = (side.get(node) for side in (base, ours, theirs))
        place = other if mine == before else mine
        if place is not None and (other is not None or before is None or mine != before):
            merged[node] = place
    return merged


def _keys_in_order(ours: Iterable[str], theirs: Iterable[str]) -> list[str]:
    """The keys of both: those of ours as they stand, others behind the one that they follow in theirs."""
    keys = list(ours)
    known = set(keys)
    last = None
    for key in theirs:
        if key not in known:
            keys.insert(0 if last is None else keys.index(last) + 1, key)
            known.add(key)
        last = key
    return keys


def _ends(wire: Wire) -> set[str]:
    return {wire.source, wire.target}


def _text(side: Pipeline) -> str:
    return side.source.text if isinstance(side.source, Source) else ""


def _source(base: str, ours: str, theirs: str, registry: NodeTypes | None) -> Source | None:
    """The text that the result is written into: the lines of both sides, so that comments of both are in it.

    It need not say what the merged pipeline says, for the writer mends that. Where it can be no pipeline, it is ours.
    """
    texts = ["".join(merge_sequence(*(text.splitlines(keepends=True) for text in (base, ours, theirs)))[0]), ours]
    for text in texts if ours else [theirs]:
        try:
            source = loads(text, name=UNTITLED, registry=registry).source
        except PipelineError:
            continue
        return source if isinstance(source, Source) else None
    return None
