"""Nodes, wires and notes as text for copy and paste: a fragment of a pipeline file that people can read and mail."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etl_studio.pipeline.diff import renamed_wire
from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.model import Pipeline, free_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.pipeline.model import Bends, Group, NodeSpec, Note, Place, Wire
    from etl_studio.pipeline.wire_text import NodeTypes

NAME = "clipboard"


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a text adds to a pipeline, with ids that are free there.

    Attributes:
        layout: places of nodes and notes.
    """

    nodes: list[NodeSpec] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    layout: dict[str, Place] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    bends: dict[Wire, Bends] = field(default_factory=dict)


def copy_text(pipeline: Pipeline, ids: Iterable[str], registry: NodeTypes | None = None) -> str:
    """Nodes and notes, the wires between the nodes, and their places, seen from the top left one.

    A group is copied where all of its members are.

    Args:
        pipeline: the document.
        ids: what to copy; unknown ids are left out.
        registry: as for ``dumps``.
    """
    wanted = set(ids)
    fragment = Pipeline(name=NAME)
    fragment.nodes = {key: node for key, node in pipeline.nodes.items() if key in wanted}
    fragment.notes = {key: note for key, note in pipeline.notes.items() if key in wanted}
    fragment.wires = [wire for wire in pipeline.wires if {wire.source, wire.target} <= fragment.nodes.keys()]
    fragment.groups = {
        key: group
        for key, group in pipeline.groups.items()
        if (members := pipeline.nodes.keys() & group.nodes) and members <= fragment.nodes.keys()
    }
    places = {key: pipeline.layout[key] for key in (*fragment.nodes, *fragment.notes) if key in pipeline.layout}
    left = min((place[0] for place in places.values()), default=0.0)
    top = min((place[1] for place in places.values()), default=0.0)
    fragment.layout = {key: (x - left, y - top, *size) for key, (x, y, *size) in places.items()}
    drawn = set(fragment.wires)
    fragment.bends = {
        wire: tuple((x - left, y - top) for x, y in points) for wire, points in pipeline.bends.items() if wire in drawn
    }
    return dumps(fragment, registry)


def paste(pipeline: Pipeline, text: str, registry: NodeTypes | None = None) -> Pasted:
    """What a text holds, renamed so that it fits beside what the pipeline has; nothing is added to it.

    Args:
        pipeline: the document to paste into.
        text: from ``copy_text``, or any pipeline file.
        registry: as for ``loads``.

    Raises:
        PipelineError: the text is no pipeline.
    """
    fragment = loads(text, name=NAME, registry=registry)
    taken = {*pipeline.nodes, *pipeline.notes}
    names: dict[str, str] = {}
    for key in (*fragment.nodes, *fragment.notes):
        names[key] = free_name(key, taken)
        taken.add(names[key])
    groups: dict[str, Group] = {}
    for key, group in fragment.groups.items():
        new = free_name(key, {*pipeline.groups, *groups})
        members = [names[node] for node in group.nodes if node in fragment.nodes]
        groups[new] = replace(group, id=new, nodes=members, extra=deepcopy(group.extra))
    return Pasted(
        [replace(deepcopy(node), id=names[key]) for key, node in fragment.nodes.items()],
        [renamed_wire(wire, names) for wire in fragment.wires],
        {names[key]: place for key, place in fragment.layout.items() if key in names},
        list(groups.values()),
        [replace(deepcopy(note), id=names[key]) for key, note in fragment.notes.items()],
        {renamed_wire(wire, names): points for wire, points in fragment.bends.items() if wire in fragment.wires},
    )
