"""From the tree of a pipeline file to the model; collects everything that is wrong on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PipelineError
from etl_studio.pipeline import yaml_tree
from etl_studio.pipeline.file_version import check_version
from etl_studio.pipeline.model import Group, NodeSpec, Note, Parameter, Pipeline, Wire
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.wire_text import NodeTypes, node_types, read_wire
from etl_studio.pipeline.yaml_tree import Mapping, Scalar, Sequence, Tree, kind
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.pipeline.model import Bends, Place
    from etl_studio.sdk.node import Node

CANVAS = ("groups", "notes", "bends")
"""Keys that came later: what an older file has under them and is no mapping is kept as it is."""
FIRST_KEYS = {"groups": "title", "notes": "text"}
"""What a hint names."""
POINT, BOX = 2, 4
"""Numbers of a place: left and top; and width and height."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a pipeline was read from: the text, its tree, and where its wires stand."""

    text: str
    tree: Mapping
    wires: dict[Wire, tuple[int, int]]


def text_of(pipeline: Pipeline) -> str | None:
    """The text that a pipeline was read from, if it was."""
    return pipeline.source.text if isinstance(pipeline.source, Source) else None


class Reader:
    """Builds the model from the tree and collects what is wrong.

    Args:
        registry: knows the ports that wires leave out.
        newer: read a file of a newer version, too: what of it can be understood.
    """

    def __init__(self, registry: NodeTypes | None, *, newer: bool = False) -> None:
        self._registry = registry
        self._newer = newer
        self._problems: list[Problem] = []

    def pipeline(self, tree: Tree | None, name: str, text: str) -> Pipeline:
        """The model; ``text`` is what the tree was read from.

        Raises:
            PipelineError: it is no pipeline; carries every problem.
        """
        if tree is None:
            raise yaml_tree.refused("The file is empty.", 1, 1, "A pipeline begins with the line etl_studio: 1.")
        if not isinstance(tree, Mapping):
            message = f"The file holds {kind(tree)} where a pipeline was expected."
            raise yaml_tree.refused(message, tree.line, tree.column, "A pipeline begins with the line etl_studio: 1.")
        version = check_version(tree, newer=self._newer)
        known = {"etl_studio", "name", "description", "parameters", "nodes", "wires", "checkpoint", "layout"}
        known |= {key for key in CANVAS if key in tree.entries and _is_section(tree.entries[key].value)}
        pipeline = Pipeline(name=self._text(tree, "name") or name, description=self._text(tree, "description"))
        pipeline.parameters = {key: self._parameter(key, value) for key, value in self._entries(tree, "parameters")}
        pipeline.nodes = {key: self._node(key, value) for key, value in self._entries(tree, "nodes")}
        types = node_types(pipeline, self._registry)
        wires = self._wires(tree, types)
        pipeline.wires = [wire for wire, _ in wires]
        pipeline.checkpoint = self._checkpoint(tree)
        if "groups" in known:
            pipeline.groups = {key: self._group(key, value) for key, value in self._entries(tree, "groups")}
        if "notes" in known:
            pipeline.notes = dict(self._notes(tree, pipeline))
        pipeline.layout = dict(self._layout(tree, pipeline))
        if "bends" in known:
            pipeline.bends = dict(self._bends(tree, types))
        pipeline.extra = _extra(tree, known)
        pipeline.format = version
        if self._problems and not pipeline.is_newer:
            first = self._problems[0]
            what = first.message if len(self._problems) == 1 else f"{first.message} ({len(self._problems) - 1} more)"
            raise PipelineError(
                what, hint=first.hint or None, node=first.node, line=first.line, problems=self._problems
            )  # fmt: skip
        pipeline.source = Source(text, tree, dict(reversed(wires)))
        return pipeline

    def _refuse(
        self, tree: Tree, message: str, hint: str = "", node: str | None = None, field: str | None = None
    ) -> None:
        self._problems.append(Problem("error", message, hint, node, field, tree.line, tree.column))

    def _text(self, tree: Mapping, key: str, node: str | None = None) -> str:
        value = tree.entries[key].value if key in tree.entries else None
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return ""
        if isinstance(value, Scalar):
            return value.text
        self._refuse(value, f"{key} must be a text, not {kind(value)}.", node=node, field=key if node else None)
        return ""

    def _mapping(self, tree: Mapping, key: str, hint: str = "", node: str | None = None) -> Mapping | None:
        value = tree.entries[key].value if key in tree.entries else None
        if value is None or isinstance(value, Mapping):
            return value
        if not (isinstance(value, Scalar) and value.value is None):
            self._refuse(
                value, f"{key} must hold names with values, not {kind(value)}.", hint, node, key if node else None
            )
        return None

    def _entries(self, tree: Mapping, key: str) -> list[tuple[str, Mapping]]:
        section = self._mapping(tree, key, f"Write {key}: and below it, indented, name: ...")
        found = []
        for name, entry in section.entries.items() if section else ():
            if not name.isidentifier():
                hint = "Use letters, digits and _, and begin with a letter."
                self._refuse(entry.key, f'"{name}" is no name that {key} can have.', hint)
            elif not isinstance(entry.value, Mapping):
                hint = f"Write {name}: {{{FIRST_KEYS.get(key, 'type')}: ...}}."
                self._refuse(entry.key, f'"{name}" in {key} must hold keys with values, not {kind(entry.value)}.', hint)
            else:
                found.append((name, entry.value))
        return found

    def _parameter(self, name: str, tree: Mapping) -> Parameter:
        default = tree.entries["default"].value.plain() if "default" in tree.entries else None
        return Parameter(
            name,
            self._text(tree, "type") or "text",
            default,
            self._text(tree, "description"),
            _extra(tree, {"type", "default", "description"}),
        )

    def _node(self, name: str, tree: Mapping) -> NodeSpec:
        node_type = self._text(tree, "type", name)
        if not node_type and not self._problems_at(name):
            self._refuse(tree, f'The node "{name}" has no type.', "Write type: csv_source, for example.", name, "type")
        config, policy = (self._mapping(tree, key, node=name) for key in ("config", "policy"))
        return NodeSpec(
            name,
            node_type,
            config.plain() if config else {},
            policy.plain() if policy else {},
            self._text(tree, "title", name),
            _extra(tree, {"type", "config", "policy", "title", "disabled"}),
            self._flag(tree, "disabled", name),
        )

    def _flag(self, tree: Mapping, key: str, node: str | None = None) -> bool:
        value = tree.entries[key].value if key in tree.entries else None
        plain = value.value if isinstance(value, Scalar) else value
        if value is not None and plain is not None and not isinstance(plain, bool):
            self._refuse(value, f"{key} must be true or false.", node=node, field=key if node else None)
        return plain is True

    def _group(self, name: str, tree: Mapping) -> Group:
        section = tree.entries["nodes"].value if "nodes" in tree.entries else None
        items = section.items if isinstance(section, Sequence) else []
        nodes = [item.text for item in items if isinstance(item, Scalar)]
        if section is not None and (not isinstance(section, Sequence) or len(nodes) < len(items)):
            hint = "Write nodes: [read, keep]."
            self._refuse(section, f'The nodes of the group "{name}" must be a list of names.', hint)
        return Group(
            name,
            self._text(tree, "title"),
            nodes,
            self._text(tree, "color"),
            self._flag(tree, "collapsed"),
            _extra(tree, {"title", "nodes", "color", "collapsed"}),
        )

    def _notes(self, tree: Mapping, pipeline: Pipeline) -> Iterator[tuple[str, Note]]:
        for name, note in self._entries(tree, "notes"):
            if name in pipeline.nodes:
                self._refuse(note, f'A node and a note are called "{name}".', "Give the note another name.")
            else:
                extra = _extra(note, {"text", "color"})
                yield name, Note(name, self._text(note, "text"), self._text(note, "color"), extra)

    def _problems_at(self, node: str) -> bool:
        return any(problem.node == node and problem.field == "type" for problem in self._problems)

    def _wires(self, tree: Mapping, types: dict[str, type[Node] | None]) -> list[tuple[Wire, tuple[int, int]]]:
        section = tree.entries["wires"].value if "wires" in tree.entries else None
        if section is None or (isinstance(section, Scalar) and section.value is None):
            return []
        hint = "Write each wire on a line of its own: - read -> keep"
        if not isinstance(section, Sequence):
            self._refuse(section, f"wires must be a list, not {kind(section)}.", hint)
            return []
        found = []
        for item in section.items:
            if not isinstance(item, Scalar):
                self._refuse(item, f"A wire must be a text, not {kind(item)}.", hint)
                continue
            try:
                wire = read_wire(item.text, types)
            except ValueError as error:
                self._refuse(item, str(error), "Write node -> node, or node.port -> node.port.")
                continue
            missing = next((node for node in (wire.source, wire.target) if node not in types), None)
            if missing is None:
                found.append((wire, (item.line, item.column)))
            else:
                near = closest(missing, types)
                guess = f'Did you mean "{near}"?' if near else "Add the node, or remove the wire."
                self._refuse(item, f'The wire "{item.text}" names a node "{missing}" that is not there.', guess)
        return found

    def _checkpoint(self, tree: Mapping) -> dict[str, Any]:
        section = self._mapping(tree, "checkpoint")
        found: dict[str, Any] = {}
        for key, entry in section.entries.items() if section else ():
            value = entry.value.plain()
            number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            if key not in {"seconds", "rows"}:
                self._refuse(entry.value, f"checkpoint has no setting {key}.", "It has seconds and rows.")
            elif not (value is None or (number and (key == "seconds" or isinstance(value, int)))):
                self._refuse(entry.value, f"checkpoint.{key} must be a number above zero, or empty for none.")
            else:
                found[key] = value
        return found

    def _layout(self, tree: Mapping, pipeline: Pipeline) -> Iterator[tuple[str, Place]]:
        section = self._mapping(tree, "layout")
        for name, entry in section.entries.items() if section else ():
            numbers = _numbers(entry.value)
            if len(numbers) == BOX and name not in pipeline.nodes:
                yield name, numbers
            elif name in pipeline.notes:
                hint = "Write [x, y, width, height]."
                self._refuse(entry.value, f'The layout of the note "{name}" must be four numbers.', hint)
            elif len(numbers) == POINT:
                yield name, numbers
            else:
                self._refuse(entry.value, f'The layout of "{name}" must be two numbers.', "Write [x, y].", name)

    def _bends(self, tree: Mapping, types: dict[str, type[Node] | None]) -> Iterator[tuple[Wire, Bends]]:
        section = self._mapping(tree, "bends")
        for text, entry in section.entries.items() if section else ():
            try:
                wire = read_wire(text, types)
            except ValueError as error:
                self._refuse(entry.key, str(error), "Write the wire as it is in wires: node -> node.")
                continue
            items = entry.value.items if isinstance(entry.value, Sequence) else []
            points = tuple(_numbers(item) for item in items)
            if points and all(len(point) == POINT for point in points):
                yield wire, tuple((x, y) for x, y in points)
            else:
                self._refuse(entry.value, f'The bends of "{text}" must be a list of points.', "Write [[x, y], [x, y]].")


def _extra(tree: Mapping, known: set[str]) -> dict[str, Any]:
    return {key: entry.value.plain() for key, entry in tree.entries.items() if key not in known}


def _is_section(tree: Tree) -> bool:
    return isinstance(tree, Mapping) or (isinstance(tree, Scalar) and tree.value is None)


def _numbers(tree: Tree) -> Place:
    numbers = tree.plain() if isinstance(tree, Sequence) else []
    return tuple(map(float, numbers)) if all(map(_is_finite, numbers)) else ()


def _is_finite(number: Any) -> bool:
    try:
        return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False
