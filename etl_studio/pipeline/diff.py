"""What changed between two versions of a pipeline, by its meaning: nodes, settings, wires; the layout apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from etl_studio.pipeline.model import Group, NodeSpec, Parameter
from etl_studio.pipeline.renames import renamed_nodes
from etl_studio.pipeline.yaml_patch import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etl_studio.pipeline.model import Note, Pipeline, Place, Wire

    Path = tuple[str, ...]
    Item = NodeSpec | Parameter | Group | Note


class Absent:
    """In the place of a value that is not there."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One setting.

    Attributes:
        path: such as ``("config", "where")``; items of a list by their number, from 0.
        before, after: its values; ``ABSENT`` where it is not there.
    """

    path: Path
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A node, parameter, group or note that is not as it was.

    Attributes:
        kind: ``renamed``: has another id, and perhaps other settings, too.
        id: its id now; for one that was removed, the one that it had.
        type: the type now; of a group or note empty.
        changes: its settings; of one that was added or removed, all that it has.
        old_id: the id that it had.
    """

    kind: Literal["added", "removed", "changed", "renamed"]
    id: str
    type: str
    changes: tuple[Change, ...] = ()
    old_id: str = ""


@dataclass(frozen=True, slots=True)
class PipelineDiff:
    """All differences, in the order of the later version, what was removed last.

    Attributes:
        pipeline: name, description, checkpoint and keys that this version does not know.
        wires_added, wires_removed: with the ids that their nodes have now; wires of a node that only got another id
            are not among them.
        wires_reordered: whether the wires are the same in another order.
        moved: places before and after by the id of the node or note now; None where it has none. No change of meaning.
        groups, notes: as ``nodes``.
        folded: groups that were collapsed or expanded. No change of meaning.
        bent: wires that have other bends. No change of meaning.
    """

    pipeline: tuple[Change, ...] = ()
    parameters: tuple[Entry, ...] = ()
    nodes: tuple[Entry, ...] = ()
    wires_added: tuple[Wire, ...] = ()
    wires_removed: tuple[Wire, ...] = ()
    wires_reordered: bool = False
    moved: Mapping[str, tuple[Place | None, Place | None]] = field(default_factory=dict)
    groups: tuple[Entry, ...] = ()
    notes: tuple[Entry, ...] = ()
    folded: tuple[str, ...] = ()
    bent: tuple[Wire, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both mean the same; they may differ in layout and comments."""
        return not (
            self.pipeline or self.parameters or self.nodes or self.wires_changed or self.groups or self.notes
        )  # fmt: skip

    @property
    def wires_changed(self) -> bool:
        """Whether there is anything to tell about wires."""
        return bool(self.wires_added or self.wires_removed or self.wires_reordered)


def diff(before: Pipeline, after: Pipeline) -> PipelineDiff:
    """Compare two versions of a pipeline.

    Args:
        before: the earlier one.
        after: the later one, read with the same registry, so that ports which a wire leaves out are the same.
    """
    renames = renamed_nodes(before, after)
    old_ids = {new: old for old, new in renames.items()}
    wires = [renamed_wire(wire, renames) for wire in before.wires]
    added, removed = Counter(after.wires) - Counter(wires), Counter(wires) - Counter(after.wires)
    layout = {renames.get(node, node): place for node, place in before.layout.items()}
    places = {node: (layout.get(node), after.layout.get(node)) for node in {**after.layout, **layout}}
    groups = {
        key: replace(group, nodes=[renames.get(node, node) for node in group.nodes])
        for key, group in before.groups.items()
    }
    bends = {renamed_wire(wire, renames): points for wire, points in before.bends.items()}
    return PipelineDiff(
        tuple(changes(_about(before), _about(after))),
        tuple(_entries(before.parameters, after.parameters, {})),
        tuple(_entries(before.nodes, after.nodes, old_ids)),
        tuple(added.elements()),
        tuple(removed.elements()),
        not added and not removed and wires != after.wires,
        {node: (old, new) for node, (old, new) in places.items() if old != new},
        tuple(_entries(groups, after.groups, {})),
        tuple(_entries(before.notes, after.notes, {})),
        tuple(key for key, group in after.groups.items() if key in groups and groups[key].collapsed != group.collapsed),
        tuple(wire for wire in after.wires if bends.get(wire) != after.bends.get(wire)),
    )


def changes(before: Any, after: Any, path: Path = ()) -> Iterator[Change]:
    """The settings that differ: mappings key by key, lists of mappings of the same length item by item."""
    if same(before, after):
        return
    if isinstance(before, dict | Absent) and isinstance(after, dict | Absent) and (before or after):
        old, new = ({} if isinstance(side, Absent) else side for side in (before, after))
        for key in {**old, **new}:
            yield from changes(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif _are_alike(before, after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(*pair, (*path, str(number)))
    else:
        yield Change(path, before, after)


def renamed_wire(wire: Wire, names: Mapping[str, str]) -> Wire:
    """A wire between the same nodes under other ids."""
    return replace(
        wire, source=names.get(wire.source, wire.source), target=names.get(wire.target, wire.target)
    )  # fmt: skip


def _are_alike(before: Any, after: Any) -> bool:
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and all(isinstance(item, dict) for item in (*before, *after))
    )


def _entries(
    before: Mapping[str, Item],
    after: Mapping[str, Item],
    old_ids: Mapping[str, str],
) -> Iterator[Entry]:
    for key, item in after.items():
        old_id = old_ids.get(key, key)
        if old_id not in before:
            yield Entry("added", key, _type(item), tuple(changes({}, _settings(item))))
            continue
        differing = tuple(changes(_facts(before[old_id]), _facts(item)))
        if old_id != key:
            yield Entry("renamed", key, _type(item), differing, old_id)
        elif differing:
            yield Entry("changed", key, _type(item), differing, old_id)
    kept = {*after, *old_ids.values()}
    for key, item in before.items():
        if key not in kept:
            yield Entry("removed", key, _type(item), tuple(changes(_settings(item), {})), key)


def _type(item: Item) -> str:
    return item.type if isinstance(item, NodeSpec | Parameter) else ""


def _facts(item: Item) -> dict[str, Any]:
    return {"type": _type(item), **_settings(item)}


def _settings(item: Item) -> dict[str, Any]:
    given: dict[str, Any]
    if isinstance(item, NodeSpec):
        given = {"title": item.title, "config": item.config, "policy": item.policy}
        given |= {"disabled": True} if item.disabled else {}
    elif isinstance(item, Parameter):
        given = {"default": item.default, "description": item.description}
    elif isinstance(item, Group):
        given = {"title": item.title, "nodes": item.nodes, "color": item.color}
    else:
        given = {"text": item.text, "color": item.color}
    return {name: value for name, value in given.items() if value not in ("", None, {})} | item.extra


def _about(pipeline: Pipeline) -> dict[str, Any]:
    given = {"name": pipeline.name, "description": pipeline.description, "checkpoint": pipeline.checkpoint}
    return {name: value for name, value in given.items() if value} | pipeline.extra
