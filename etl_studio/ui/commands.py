"""Undo commands, one small class for each thing that a person does.

A command changes the document's data and lets the document announce it; it never sees a widget or a scene.
A node and a wire come back to the very place where they were, so that undo leaves the file as it was.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QUndoCommand

from etl_studio.pipeline.model import Wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import NodeSpec
    from etl_studio.pipeline.replacing import Replacement
    from etl_studio.ui.observable import ObservablePipeline

Position = tuple[float, float]

TYPING, NUDGING = 1, 2
"""Ids of commands that merge with the one before."""

MERGE_WITHIN = 1.5
"""Seconds between two edits of the same field that count as one act of typing."""


def counted(number: int, noun: str) -> str:
    """``"1 node"``, ``"3 nodes"``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
    """Put nodes and the wires between them into the document."""

    def __init__(
        self,
        document: ObservablePipeline,
        text: str,
        nodes: Iterable[NodeSpec],
        positions: Mapping[str, Position],
        wires: Iterable[Wire] = (),
    ) -> None:
        super().__init__(document, text)
        self.nodes = list(nodes)
        self.positions = dict(positions)
        self.wires = list(wires)

    def redo(self) -> None:
        """Add the nodes, then their wires."""
        document = self.document
        for spec in self.nodes:
            document.pipeline.nodes[spec.id] = spec
            document.pipeline.layout[spec.id] = self.positions[spec.id]
            document.node_added.emit(spec.id)
        for wire in self.wires:
            document.pipeline.wires.append(wire)
            document.wire_added.emit(wire)

    def undo(self) -> None:
        """Take them out again, wires first."""
        document = self.document
        for wire in reversed(self.wires):
            document.pipeline.wires.remove(wire)
            document.wire_removed.emit(wire)
        for spec in reversed(self.nodes):
            del document.pipeline.nodes[spec.id]
            del document.pipeline.layout[spec.id]
            document.node_removed.emit(spec.id)


class AddNode(Paste):
    """Add one node."""

    def __init__(self, document: ObservablePipeline, spec: NodeSpec, position: Position) -> None:
        super().__init__(document, f"Add {spec.id}", [spec], {spec.id: position})


class ConnectPorts(Edit):
    """Draw a wire."""

    def __init__(self, document: ObservablePipeline, wire: Wire) -> None:
        super().__init__(document, f"Connect {wire.source} to {wire.target}")
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
    """Remove nodes with all their wires, and further wires."""

    def __init__(self, document: ObservablePipeline, nodes: Iterable[str], wires: Iterable[Wire]) -> None:
        pipeline = document.pipeline
        self.nodes = {name: pipeline.nodes[name] for name in nodes if name in pipeline.nodes}
        gone = set(wires)
        self.wires = [
            wire for wire in pipeline.wires if wire in gone or wire.source in self.nodes or wire.target in self.nodes
        ]
        self.positions = {name: pipeline.layout[name] for name in self.nodes if name in pipeline.layout}
        self.before = (list(pipeline.nodes), list(pipeline.wires), list(pipeline.layout))
        what = counted(len(self.nodes), "node") if self.nodes else counted(len(self.wires), "wire")
        super().__init__(document, f"Delete {what}")

    def redo(self) -> None:
        """Remove the wires, then the nodes."""
        document, pipeline = self.document, self.document.pipeline
        gone = set(self.wires)
        pipeline.wires[:] = [wire for wire in pipeline.wires if wire not in gone]
        for wire in self.wires:
            document.wire_removed.emit(wire)
        for name in self.nodes:
            del pipeline.nodes[name]
            pipeline.layout.pop(name, None)
            document.node_removed.emit(name)

    def undo(self) -> None:
        """Put everything back where it was."""
        document, pipeline = self.document, self.document.pipeline
        node_order, wires, layout_order = self.before
        nodes, layout = pipeline.nodes | self.nodes, pipeline.layout | self.positions
        pipeline.nodes.clear()
        pipeline.nodes.update((name, nodes[name]) for name in node_order)
        pipeline.layout.clear()
        pipeline.layout.update((name, layout[name]) for name in layout_order)
        for name in self.nodes:
            document.node_added.emit(name)
        pipeline.wires[:] = wires
        for wire in self.wires:
            document.wire_added.emit(wire)


class MoveNodes(Edit):
    """Move nodes to new positions. Nudges by the arrow keys merge into one."""

    def __init__(self, document: ObservablePipeline, positions: Mapping[str, Position], *, nudge: bool = False) -> None:
        super().__init__(document, f"Move {counted(len(positions), 'node')}")
        self.after = dict(positions)
        self.before = {name: document.pipeline.layout.get(name) for name in positions}
        self.nudge = nudge

    def id(self) -> int:
        return NUDGING if self.nudge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, MoveNodes) or other.after.keys() != self.after.keys() or not other.follows(self):
            return False
        self.after, self.at = other.after, other.at
        return True

    def redo(self) -> None:
        """Move there."""
        for name, position in self.after.items():
            self.document.pipeline.layout[name] = position
            self.document.node_moved.emit(name)

    def undo(self) -> None:
        """Move back."""
        for name, position in self.before.items():
            if position is None:
                self.document.pipeline.layout.pop(name, None)
            else:
                self.document.pipeline.layout[name] = position
            self.document.node_moved.emit(name)


class SetSetting(Edit):
    """Change one setting of a node; typing in the same field is one edit."""

    def __init__(self, document: ObservablePipeline, node: str, name: str, value: Any) -> None:
        super().__init__(document, f"Change {name} of {node}")
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
    verb: str

    def __init__(self, document: ObservablePipeline, node: str, value: Any) -> None:
        super().__init__(document, f"{self.verb} of {node}")
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

    attribute, verb = "policy", "Change policy"


class SetTitle(SetNodeAttribute):
    """Change the label of a node."""

    attribute, verb = "title", "Change title"


class ReplaceNode(Edit):
    """Give a node another type; its place in the file, its id and most of its wires stay."""

    def __init__(self, document: ObservablePipeline, made: Replacement, text: str) -> None:
        super().__init__(document, text)
        pipeline, self.node = document.pipeline, made.spec.id
        self.specs = (pipeline.nodes[self.node], made.spec)
        lost = set(made.lost_wires)
        kept = [made.wires.get(wire, wire) for wire in pipeline.wires if wire not in lost]
        self.wires = (list(pipeline.wires), kept)

    def redo(self) -> None:
        """Take the new type."""
        self._change(self.specs[1], *self.wires)

    def undo(self) -> None:
        """Take the old type."""
        self._change(self.specs[0], *reversed(self.wires))

    def _change(self, spec: NodeSpec, before: list[Wire], after: list[Wire]) -> None:
        document = self.document
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
    """Change the id of a node, in its wires and layout too."""

    def __init__(self, document: ObservablePipeline, old: str, new: str) -> None:
        super().__init__(document, f"Rename {old} to {new}")
        self.old, self.new = old, new

    def redo(self) -> None:
        """Take the new id."""
        self._rename(self.old, self.new)

    def undo(self) -> None:
        """Take the old id."""
        self._rename(self.new, self.old)

    def _rename(self, old: str, new: str) -> None:
        pipeline = self.document.pipeline
        pipeline.nodes[old].id = new
        for mapping in (pipeline.nodes, pipeline.layout):
            renamed = {new if name == old else name: value for name, value in mapping.items()}
            mapping.clear()
            mapping.update(renamed)
        pipeline.wires[:] = [
            Wire(
                new if wire.source == old else wire.source,
                wire.source_port,
                new if wire.target == old else wire.target,
                wire.target_port,
            )
            for wire in pipeline.wires
        ]
        self.document.node_renamed.emit(old, new)


class SetPipelineAttribute(Edit):
    """Change the name, the description or the parameters of the pipeline; typing is one edit."""

    def __init__(self, document: ObservablePipeline, attribute: str, value: Any) -> None:
        super().__init__(document, f"Change {attribute} of the pipeline")
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
