"""Two versions of a pipeline as one, to be drawn: what is there now, and what was removed where it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from etl_studio.pipeline.diff import diff
from etl_studio.pipeline.diff_words import dotted, setting_lines
from etl_studio.pipeline.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from etl_studio.pipeline.diff import Entry, PipelineDiff
    from etl_studio.pipeline.model import Pipeline, Wire

    Line = tuple[str, str]

Kind = Literal["added", "removed", "changed", "moved"]
SIGNS: Mapping[Kind, str] = {"added": "+", "removed": "−", "changed": "~", "moved": "↔"}  # noqa: RUF001 - as wide as +


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        title: such as ``filter`` or ``read → keep``.
        what: such as ``node`` or ``wire``.
        node: id of a node or of one that the wire ends at; empty where it is about the pipeline.
        lines: its settings before and after as (sign, line).
    """

    kind: Kind
    what: str
    title: str
    node: str = ""
    wire: Wire | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Union:
    """Both versions.

    Attributes:
        pipeline: the later one with what was removed; never to be written or run.
        found: what differs.
        differences: the same one by one, in the order in which they are told.
        nodes, wires: what became of those that are not as they were.
    """

    pipeline: Pipeline
    found: PipelineDiff
    differences: tuple[Difference, ...] = ()
    nodes: Mapping[str, Kind] = field(default_factory=dict)
    wires: Mapping[Wire, Kind] = field(default_factory=dict)


def union(before: Pipeline, after: Pipeline) -> Union:
    """Put two versions into one.

    Args:
        before: the earlier one.
        after: the later one, read with the same registry.
    """
    found = diff(before, after)
    both = snapshot(after)
    for entry in found.nodes:
        if entry.kind == "removed":  # its id is free: one that another node has now would be of a changed node
            both.nodes[entry.id] = before.nodes[entry.id]
            if entry.id in before.layout:
                both.layout[entry.id] = before.layout[entry.id]
    removed = list(dict.fromkeys(found.wires_removed))
    known = set(both.wires)
    both.wires += [wire for wire in removed if wire not in known]
    # Whatever differs is to be seen.
    both.groups = {name: replace(group, collapsed=False) for name, group in both.groups.items()}
    nodes: dict[str, Kind] = {entry.id: "changed" if entry.kind == "renamed" else entry.kind for entry in found.nodes}
    moved: list[str] = [name for name in found.moved if name in both.nodes and name not in nodes]
    nodes |= dict.fromkeys(moved, "moved")
    wires: dict[Wire, Kind] = dict.fromkeys(removed, "removed")
    wires |= dict.fromkeys(found.wires_added, "added")
    return Union(both, found, tuple(_differences(found, nodes)), nodes, wires)


def _differences(found: PipelineDiff, nodes: Mapping[str, Kind]) -> Iterator[Difference]:
    for change in found.pipeline:
        yield Difference("changed", "pipeline", dotted(change.path), lines=tuple(setting_lines([change])))
    yield from _around("parameter", found.parameters)
    for entry in found.nodes:
        title = f"{entry.old_id} → {entry.id}" if entry.kind == "renamed" else entry.id
        lines = tuple(setting_lines(entry.changes))
        if entry.kind == "renamed":
            lines = (("", f"id: {entry.old_id} -> {entry.id}"), *lines)
        yield Difference(nodes[entry.id], "node", title, entry.id, lines=lines)
    for wire in found.wires_added:
        yield Difference("added", "wire", f"{wire.source} → {wire.target}", wire.source, wire)
    for wire in found.wires_removed:
        yield Difference("removed", "wire", f"{wire.source} → {wire.target}", wire.source, wire)
    yield from _around("group", found.groups)
    yield from _around("note", found.notes)
    for name, (old, new) in found.moved.items():
        if nodes.get(name) == "moved" and old is not None and new is not None:
            yield Difference("moved", "node", name, name, lines=(("", f"{_place(old)} -> {_place(new)}"),))


def _around(what: str, entries: Iterable[Entry]) -> Iterator[Difference]:
    for entry in entries:
        kind: Kind = "changed" if entry.kind == "renamed" else entry.kind
        yield Difference(kind, what, entry.id, lines=tuple(setting_lines(entry.changes)))


def _place(place: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in place)
