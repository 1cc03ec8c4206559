"""Edits of a document that are about notes, groups, bends and disabled nodes. Every edit is one undo command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etl_studio.pipeline.active import fed_by_only
from etl_studio.pipeline.model import Group, Note, free_name
from etl_studio.ui import canvas_commands, commands
from etl_studio.ui.observable import ObservablePipeline
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QUndoStack

    from etl_studio.pipeline.model import Bends, Place, Wire


class AnnotatedPipeline(ObservablePipeline):
    """A pipeline with what is on the canvas besides nodes and wires.

    Attributes:
        undo_stack: what was done.
    """

    undo_stack: QUndoStack

    def set_disabled(self, nodes: Iterable[str], *, disabled: bool, behind: bool = False) -> None:
        """Disable or enable nodes; ``behind``: and all that only they feed."""
        names = [name for name in nodes if name in self.pipeline.nodes]
        names = fed_by_only(self.pipeline, names) if behind else names
        others = [name for name in names if self.pipeline.nodes[name].disabled != disabled]
        if others:
            self.undo_stack.push(canvas_commands.SetDisabled(self, others, disabled=disabled))

    def bend(self, wire: Wire, bends: Bends, text: str = "") -> None:
        """Lead a wire through these points, () for none."""
        if self.pipeline.bends.get(wire, ()) != bends:
            self.undo_stack.push(canvas_commands.SetBends(self, text or tr("Bend a wire"), wire, bends))

    def remove_bend(self, wire: Wire, index: int) -> None:
        """Take one bend out of a wire."""
        bends = self.pipeline.bends.get(wire, ())
        self.bend(wire, (*bends[:index], *bends[index + 1 :]), tr("Remove a bend"))

    def add_note(self, place: Place, text: str = "", color: str = "") -> str:
        """Add a note at (left, top, width, height) and return its id."""
        note = Note(self.pipeline.new_id("note"), text, color)
        self.undo_stack.push(canvas_commands.AddNote(self, note, tuple(map(float, place))))
        return note.id

    def set_note(self, name: str, *, text: str | None = None, color: str | None = None) -> None:
        """Change the text or the colour of a note."""
        note = self.pipeline.notes[name]
        changed = replace(
            note, text=note.text if text is None else text, color=note.color if color is None else color
        )  # fmt: skip
        if changed != note:
            what = tr("Write a note") if text is not None else tr("Colour a note")
            self.undo_stack.push(canvas_commands.SetNote(self, what, changed))

    def group(self, nodes: Iterable[str], title: str = "") -> str | None:
        """Put nodes into a new group, out of those that they are in, and return its id; None without nodes."""
        members = [name for name in self.pipeline.nodes if name in set(nodes)]
        if not members:
            return None
        name = free_name("group", self.pipeline.groups)
        others = commands.without_nodes(self.pipeline.groups, members)
        name_and_nodes = {name: Group(name, title or tr("Group"), members)}
        text = trn("Group {count} node", "Group {count} nodes", len(members))
        self.undo_stack.push(canvas_commands.SetGroups(self, text, others | name_and_nodes))
        return name

    def put_into_group(self, nodes: Iterable[str], name: str | None) -> None:
        """Put nodes into a group that is there; None: take them out of theirs."""
        pipeline = self.pipeline
        inside = pipeline.groups[name].nodes if name in pipeline.groups else []
        moved = [node for node in nodes if node in pipeline.nodes and node not in inside]
        groups = commands.without_nodes(pipeline.groups, moved)
        if name in groups and moved:
            groups[name] = replace(groups[name], nodes=[*groups[name].nodes, *moved])
        if groups != pipeline.groups:
            title = pipeline.groups[name].title or name if name in pipeline.groups else ""
            text = tr("Take out of the group")
            if title:
                text = trn("Put {count} node into {group}", "Put {count} nodes into {group}", len(moved), group=title)
            self.undo_stack.push(canvas_commands.SetGroups(self, text, groups))

    def ungroup(self, groups: Iterable[str]) -> None:
        """Dissolve groups; their members stay."""
        gone = set(groups) & self.pipeline.groups.keys()
        if gone:
            kept = {name: group for name, group in self.pipeline.groups.items() if name not in gone}
            self.undo_stack.push(canvas_commands.SetGroups(self, tr("Ungroup"), kept))

    def set_group(
        self, name: str, *, title: str | None = None, color: str | None = None, collapsed: bool | None = None
    ) -> None:
        """Change the title or colour of a group, or collapse or expand it."""
        group = self.pipeline.groups[name]
        changed = replace(
            group,
            title=group.title if title is None else title,
            color=group.color if color is None else color,
            collapsed=group.collapsed if collapsed is None else collapsed,
        )
        if changed == group:
            return
        what = group.title or name
        text = tr("Change title of {what}", what=what) if title is not None else tr("Colour {what}", what=what)
        if collapsed is not None:
            text = tr("Collapse {what}", what=what) if collapsed else tr("Expand {what}", what=what)
        self.undo_stack.push(canvas_commands.SetGroups(self, text, {**self.pipeline.groups, name: changed}))
