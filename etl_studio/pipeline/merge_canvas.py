"""What a merge does about groups, notes and bends: ids that mean different things, and what has nothing to be on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etl_studio.pipeline.model import free_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from etl_studio.pipeline.model import Pipeline


def part_strangers(
    base: Pipeline, ours: Pipeline, theirs: Pipeline, nodes: Collection[str]
) -> tuple[Pipeline, Pipeline, Pipeline]:
    """All three with ids that go together: programs give them, so two notes called ``note`` are no conflict.

    A note whose id a node gets on one side has another one everywhere, so that it stays the same note.

    Args:
        base: what both began as.
        ours: our version.
        theirs: the other one.
        nodes: every id that a node has or will have.
    """
    every = {*base.notes, *ours.notes, *theirs.notes}
    common = _strange_notes(base, nodes, every)
    base, ours, theirs = (_with_note_names(side, common) for side in (base, ours, theirs))
    every |= set(common.values())
    ours, theirs = (_with_note_names(side, _strange_notes(side, nodes, every)) for side in (ours, theirs))
    taken = {*base.notes, *ours.notes, *theirs.notes, *nodes}
    names = {}
    for key, note in theirs.notes.items():
        if key in ours.notes and key not in base.notes and note != ours.notes[key]:
            names[key] = free_name(key, taken)
            taken.add(names[key])
    theirs = _with_note_names(theirs, names)
    taken = {*base.groups, *ours.groups, *theirs.groups}
    groups = {}
    for key, group in theirs.groups.items():
        new = key
        if key in ours.groups and key not in base.groups and group != ours.groups[key]:
            new = free_name(key, taken)
            taken.add(new)
        groups[new] = replace(group, id=new)
    return base, ours, replace(theirs, groups=groups)


def tidied(pipeline: Pipeline, ours: Pipeline, theirs: Pipeline) -> tuple[Pipeline, dict[str, tuple[str, str]]]:
    """A merged pipeline whose groups and bends are about what is still there; a node stays in the group of ours.

    Returns:
        The pipeline, and the groups of ours and theirs by the nodes that they disagree about.
    """
    mine, other = _owners(ours), _owners(theirs)
    known = {*ours.nodes, *theirs.nodes}
    merged = pipeline.groups
    wanted = {node: keys[0] for node, keys in mine.items() if keys[0] in merged and node in merged[keys[0]].nodes}
    told: dict[str, tuple[str, str]] = {}
    groups = {}
    for key, group in pipeline.groups.items():
        members = []
        for node in group.nodes:
            owner = wanted.setdefault(node, key)
            if owner != key and len(mine.get(node, ())) <= 1 and len(other.get(node, ())) <= 1:
                told[node] = (owner, key)
            elif node in pipeline.nodes or node not in known:
                members.append(node)
        groups[key] = replace(group, nodes=members)
    wires = {*ours.wires, *theirs.wires} - set(pipeline.wires)
    bends = {wire: points for wire, points in pipeline.bends.items() if wire not in wires}
    return replace(pipeline, groups=groups, bends=bends), told


def _owners(pipeline: Pipeline) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for key, group in pipeline.groups.items():
        for node in group.nodes:
            owners.setdefault(node, []).append(key)
    return owners


def _strange_notes(side: Pipeline, nodes: Collection[str], notes: Collection[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key in side.notes:
        if key in nodes:
            names[key] = free_name(key, {*nodes, *notes, *names.values()})
    return names


def _with_note_names(pipeline: Pipeline, names: Mapping[str, str]) -> Pipeline:
    return replace(
        pipeline,
        notes={names.get(key, key): replace(note, id=names.get(key, key)) for key, note in pipeline.notes.items()},
        layout={
            names[key] if key in names and key not in pipeline.nodes else key: place
            for key, place in pipeline.layout.items()
        },
    )
