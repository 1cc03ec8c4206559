"""Undo commands, one small class for each thing that a person does.

A command changes the document's data and lets the document announce it; it never sees a widget or a scene.
A node and a wire come back to the very place where they were, so that undo leaves the file as it was.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QUndoCommand

from etl_studio.pipeline.clipboard import Pasted
from etl_studio.pipeline.diff import renamed_wire
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import Bends, Group, NodeSpec, Pipeline, Place, Wire
    from etl_studio.pipeline.replacing import Replacement
    from etl_studio.ui.observable import ObservablePipeline

Position = tuple[float, float]

TYPING, NUDGING = 1, 2
"""Ids of commands that merge with the one before."""

MERGE_WITHIN = 1.5
"""Seconds between two edits of the same field that count as one act of typing."""


class Edit(QUndoCommand):
    """A change of one document."""

    def __init__(self, document: ObservablePipeline, text: str) -> None:
        super().__init__(text)
        self.document = document
        self.at = monotonic()

    def follows(self, earlier: Edit) -> bool:
        """Whether this edit came so soon after ``earlier`` that both are one act."""
        return self.at - earlier.at < MERGE_WITHIN


class Paste(Edit):
    """Put what was copied into the document."""

    def __init__(self, document: ObservablePipeline, text: str, pasted: Pasted) -> None:
        super().__init__(document, text)
        self.pasted = pasted
        pipeline = document.pipeline
        self.before = (dict(pipeline.layout), pipeline.groups, pipeline.bends)

    def redo(self) -> None:
        """Add the nodes, then their wires, then what is around them."""
        document, pasted = self.document, self.pasted
        pipeline = document.pipeline
        layout, groups, bends = self.before
        pipeline.layout, pipeline.bends = {**layout, **pasted.layout}, {**bends, **pasted.bends}
        for spec in pasted.nodes:
            pipeline.nodes[spec.id] = spec
            document.node_added.emit(spec.id)
        for wire in pasted.wires:
            pipeline.wires.append(wire)
            document.wire_added.emit(wire)
        for note in pasted.notes:
            pipeline.notes[note.id] = note
            document.note_added.emit(note.id)
        document.put_groups({**groups, **{group.id: group for group in pasted.groups}})

    def undo(self) -> None:
        """Take all of it out again, in the other direction."""
        document, pasted = self.document, self.pasted
        pipeline = document.pipeline
        layout, groups, bends = self.before
        document.put_groups(groups)
        for note in reversed(pasted.notes):
            del pipeline.notes[note.id]
            document.note_removed.emit(note.id)
        for wire in reversed(pasted.wires):
            pipeline.wires.remove(wire)
            document.wire_removed.emit(wire)
        for spec in reversed(pasted.nodes):
            del pipeline.nodes[spec.id]
            document.node_removed.emit(spec.id)
        pipeline.layout, pipeline.bends = dict(layout), bends


class AddNode(Paste):
    """Add one node."""

    def __init__(self, document: ObservablePipeline, spec: NodeSpec, position: Position) -> None:
        super().__init__(document, tr("Add {node}", node=spec.id), Pasted([spec], layout={spec.id: position}))


class ConnectPorts(Edit):
    """Draw a wire."""

    def __init__(self, document: ObservablePipeline, wire: Wire) -> None:
        super().__init__(document, tr("Connect {source} to {target}", source=wire.source, target=wire.target))
        self.wire = wire

    def redo(self) -> None:
        """Add the wire."""
        self.document.pipeline.wires.append(self.wire)
        self.document.wire_added.emit(self.wire)

    def undo(self) -> None:
        """Remove the wire."""
        self.document.pipeline.wires.remove(self.wire)
        self.document.wire_removed.emit(self.wire)


class RemoveItems(Edit):
    """Remove nodes with all their wires, further wires, and notes. A group without members goes, too."""

    def __init__(
        self, document: ObservablePipeline, nodes: Iterable[str], wires: Iterable[Wire], notes: Iterable[str] = ()
    ) -> None:
        pipeline = document.pipeline
        self.nodes = [name for name in nodes if name in pipeline.nodes]
        self.notes = [name for name in notes if name in pipeline.notes]
        gone, names = set(wires), set(self.nodes)
        self.wires = [
            wire for wire in pipeline.wires if wire in gone or wire.source in names or wire.target in names
        ]  # fmt: skip
        self.before = _parts(pipeline)
        super().__init__(document, self._words())

    def _words(self) -> str:
        if self.nodes:
            return trn("Delete {count} node", "Delete {count} nodes", len(self.nodes))
        if self.notes:
            return trn("Delete {count} note", "Delete {count} notes", len(self.notes))
        return trn("Delete {count} wire", "Delete {count} wires", len(self.wires))

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be removed."""
        return not (self.nodes or self.notes or self.wires)

    def redo(self) -> None:
        """Remove the wires, then the nodes, then what is around them."""
        document, pipeline = self.document, self.document.pipeline
        gone = set(self.wires)
        pipeline.wires[:] = [wire for wire in pipeline.wires if wire not in gone]
        pipeline.bends = {wire: points for wire, points in pipeline.bends.items() if wire not in gone}
        for wire in self.wires:
            document.wire_removed.emit(wire)
        for name in self.nodes:
            del pipeline.nodes[name]
            pipeline.layout.pop(name, None)
            document.node_removed.emit(name)
        for name in self.notes:
            del pipeline.notes[name]
            pipeline.layout.pop(name, None)
            document.note_removed.emit(name)
        document.put_groups(without_nodes(pipeline.groups, self.nodes))

    def undo(self) -> None:
        """Put everything back where it was."""
        document, pipeline, before = self.document, self.document.pipeline, self.before
        pipeline.nodes, pipeline.layout = dict(before.nodes), dict(before.layout)
        pipeline.notes, pipeline.bends = dict(before.notes), dict(before.bends)
        for name in self.nodes:
            document.node_added.emit(name)
        pipeline.wires[:] = before.wires
        for wire in self.wires:
            document.wire_added.emit(wire)
        for name in self.notes:
            document.note_added.emit(name)
        document.put_groups(before.groups)


def without_nodes(groups: Mapping[str, Group], nodes: Iterable[str]) -> dict[str, Group]:
    """Groups without these members; one that loses its last member is left out."""
    gone = set(nodes)
    kept = {}
    for name, group in groups.items():
        members = [node for node in group.nodes if node not in gone]
        if len(members) == len(group.nodes):
            kept[name] = group
        elif members:
            kept[name] = replace(group, nodes=members)
    return kept


def _parts(pipeline: Pipeline) -> Pipeline:
    """A copy whose mappings and list stay as they are; what is in them is shared."""
    return replace(
        pipeline,
        nodes=dict(pipeline.nodes), wires=list(pipeline.wires), layout=dict(pipeline.layout),
        notes=dict(pipeline.notes), bends=dict(pipeline.bends), groups=dict(pipeline.groups),
    )  # fmt: skip


class MoveItems(Edit):
    """Move nodes and notes, and the bends of wires between them, or resize notes. Nudges by the arrow keys merge.

    Args:
        document: the document.
        positions: new places of nodes and notes.
        bends: all bends from now on; default: as they are.
        nudge: it may merge with another that follows soon.
    """

    def __init__(
        self,
        document: ObservablePipeline,
        positions: Mapping[str, Place],
        bends: Mapping[Wire, Bends] | None = None,
        *,
        nudge: bool = False,
    ) -> None:
        notes = sum(name in document.pipeline.notes for name in positions)
        super().__init__(document, _moving(len(positions) - notes, notes))
        self.after = dict(positions)
        self.bends = (document.pipeline.bends, document.pipeline.bends if bends is None else dict(bends))
        self.before = {name: document.pipeline.layout.get(name) for name in positions}
        self.nudge = nudge

    def id(self) -> int:
        return NUDGING if self.nudge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, MoveItems) or other.after.keys() != self.after.keys() or not other.follows(self):
            return False
        self.after, self.at, self.bends = other.after, other.at, (self.bends[0], other.bends[1])
        return True

    def redo(self) -> None:
        """Move there."""
        self._move(self.after, self.bends[1])

    def undo(self) -> None:
        """Move back."""
        self._move(self.before, self.bends[0])

    def _move(self, places: Mapping[str, Place | None], bends: Mapping[Wire, Bends]) -> None:
        document, pipeline = self.document, self.document.pipeline
        before, pipeline.bends = pipeline.bends, dict(bends)
        for name, place in places.items():
            if place is None:
                pipeline.layout.pop(name, None)
            else:
                pipeline.layout[name] = place
        for name in places:
            (document.note_moved if name in pipeline.notes else document.node_moved).emit(name)
        for wire in {**before, **bends}:
            if before.get(wire) != bends.get(wire):
                document.wire_bent.emit(wire)


def _moving(nodes: int, notes: int) -> str:
    if not notes:
        return trn("Move {count} node", "Move {count} nodes", nodes)
    if not nodes:
        return trn("Move {count} note", "Move {count} notes", notes)
    return tr(
        "Move {nodes} and {notes}",
        nodes=trn("{count} node", "{count} nodes", nodes),
        notes=trn("{count} note", "{count} notes", notes),
    )


class SetSetting(Edit):
    """Change one setting of a node; typing in the same field is one edit."""

    def __init__(self, document: ObservablePipeline, node: str, name: str, value: Any) -> None:
        super().__init__(document, tr("Change {name} of {node}", name=name, node=node))
        self.node, self.name = node, name
        self.before = dict(document.pipeline.nodes[node].config)
        self.after = {**self.before, name: value}
        if value is None:
            del self.after[name]

    def id(self) -> int:
        return TYPING

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, SetSetting) or (other.node, other.name) != (self.node, self.name):
            return False
        if not other.follows(self):
            return False
        self.after, self.at = other.after, other.at
        self.setObsolete(repr(self.after) == repr(self.before))
        return True

    def redo(self) -> None:
        """Write the new settings."""
        self.document.pipeline.nodes[self.node].config = dict(self.after)
        self.document.node_changed.emit(self.node)

    def undo(self) -> None:
        """Write the old settings."""
        self.document.pipeline.nodes[self.node].config = dict(self.before)
        self.document.node_changed.emit(self.node)


class SetNodeAttribute(Edit):
    """Change one attribute of a node's specification."""

    attribute: str
    wording: str

    def __init__(self, document: ObservablePipeline, node: str, value: Any) -> None:
        super().__init__(document, tr(self.wording, node=node))
        self.node = node
        self.before = getattr(document.pipeline.nodes[node], self.attribute)
        self.after = value

    def redo(self) -> None:
        """Write the new value."""
        setattr(self.document.pipeline.nodes[self.node], self.attribute, self.after)
        self.document.node_changed.emit(self.node)

    def undo(self) -> None:
        """Write the old value."""
        setattr(self.document.pipeline.nodes[self.node], self.attribute, self.before)
        self.document.node_changed.emit(self.node)


class SetPolicy(SetNodeAttribute):
    """Change what surrounds a node's work."""

    attribute, wording = "policy", N_("Change policy of {node}")


class SetTitle(SetNodeAttribute):
    """Change the label of a node."""

    attribute, wording = "title", N_("Change title of {node}")


class ReplaceNode(Edit):
    """Give a node another type; its place in the file, its id and most of its wires stay."""

    def __init__(self, document: ObservablePipeline, made: Replacement, text: str) -> None:
        super().__init__(document, text)
        pipeline, self.node = document.pipeline, made.spec.id
        self.specs = (pipeline.nodes[self.node], made.spec)
        lost = set(made.lost_wires)
        kept = [made.wires.get(wire, wire) for wire in pipeline.wires if wire not in lost]
        self.wires = (list(pipeline.wires), kept)
        bends = {made.wires.get(wire, wire): points for wire, points in pipeline.bends.items() if wire not in lost}
        self.bends = (pipeline.bends, bends)

    def redo(self) -> None:
        """Take the new type."""
        self._change(self.specs[1], *self.wires, self.bends[1])

    def undo(self) -> None:
        """Take the old type."""
        self._change(self.specs[0], *reversed(self.wires), self.bends[0])

    def _change(self, spec: NodeSpec, before: list[Wire], after: list[Wire], bends: Mapping[Wire, Bends]) -> None:
        document = self.document
        document.pipeline.bends = dict(bends)
        stay = set(before) & set(after)
        document.pipeline.wires[:] = after
        for wire in before:
            if wire not in stay:
                document.wire_removed.emit(wire)
        document.pipeline.nodes[self.node] = spec
        document.node_changed.emit(self.node)
        document.node_retyped.emit(self.node)
        for wire in after:
            if wire not in stay:
                document.wire_added.emit(wire)


class RenameNode(Edit):
    """Change the id of a node, in its wires, bends, group and layout too."""

    def __init__(self, document: ObservablePipeline, old: str, new: str) -> None:
        super().__init__(document, tr("Rename {old} to {new}", old=old, new=new))
        self.old, self.new = old, new
        self.before = _parts(document.pipeline)

    def redo(self) -> None:
        """Take the new id."""
        before, names = self.before, {self.old: self.new}
        renamed = replace(
            before,
            nodes={names.get(name, name): spec for name, spec in before.nodes.items()},
            layout={names.get(name, name): place for name, place in before.layout.items() if name != self.new},
            wires=[renamed_wire(wire, names) for wire in before.wires],
            bends={renamed_wire(wire, names): points for wire, points in before.bends.items()},
            groups={
                name: replace(group, nodes=[names.get(node, node) for node in group.nodes])
                for name, group in before.groups.items()
            },
        )
        self._take(renamed, self.old, self.new)

    def undo(self) -> None:
        """Take the old id."""
        self._take(self.before, self.new, self.old)

    def _take(self, parts: Pipeline, old: str, new: str) -> None:
        pipeline = self.document.pipeline
        pipeline.nodes, pipeline.layout = dict(parts.nodes), dict(parts.layout)
        pipeline.nodes[new].id = new
        pipeline.wires[:] = parts.wires
        pipeline.bends, pipeline.groups = dict(parts.bends), dict(parts.groups)
        self.document.node_renamed.emit(old, new)


ATTRIBUTES = {
    "name": N_("Change name of the pipeline"),
    "description": N_("Change description of the pipeline"),
    "parameters": N_("Change parameters of the pipeline"),
    "checkpoint": N_("Change checkpoint of the pipeline"),
}
"""The steps by what they change."""


class SetPipelineAttribute(Edit):
    """Change the name, the description, the parameters or the checkpoint of the pipeline; typing is one edit."""

    def __init__(self, document: ObservablePipeline, attribute: str, value: Any) -> None:
        super().__init__(document, tr(ATTRIBUTES[attribute]))
        self.attribute = attribute
        self.before, self.after = getattr(document.pipeline, attribute), value

    def id(self) -> int:
        return TYPING

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, SetPipelineAttribute) or other.attribute != self.attribute:
            return False
        if not other.follows(self):
            return False
        self.after, self.at = other.after, other.at
        self.setObsolete(self.after == self.before)
        return True

    def redo(self) -> None:
        """Write the new value."""
        setattr(self.document.pipeline, self.attribute, self.after)
        self.document.pipeline_changed.emit()

    def undo(self) -> None:
        """Write the old value."""
        setattr(self.document.pipeline, self.attribute, self.before)
        self.document.pipeline_changed.emit()
