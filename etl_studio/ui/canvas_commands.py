"""Undo commands for notes, groups, bends and disabled nodes. The rules of ``commands`` hold here, too.

``Group`` and ``Note`` are never changed in their place: a command puts other ones there, so that undo has the old ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.commands import Edit
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from PySide6.QtGui import QUndoCommand

    from etl_studio.pipeline.model import Bends, Group, Note, Place, Wire
    from etl_studio.ui.observable import ObservablePipeline


class SetGroups(Edit):
    """Change groups: make one, dissolve one, give it another title or colour, collapse it."""

    def __init__(self, document: ObservablePipeline, text: str, groups: Mapping[str, Group]) -> None:
        super().__init__(document, text)
        self.before, self.after = document.pipeline.groups, dict(groups)

    def redo(self) -> None:
        """Put the new groups there."""
        self.document.put_groups(self.after)

    def undo(self) -> None:
        """Put the old groups there."""
        self.document.put_groups(self.before)


WRITING = 5
"""Id of commands on notes that may merge."""


class AddNote(Edit):
    """Put a note on the canvas. The first text of an empty one belongs to it."""

    def __init__(self, document: ObservablePipeline, note: Note, place: Place) -> None:
        super().__init__(document, tr("Add a note"))
        self.note, self.place = note, place

    def id(self) -> int:
        return WRITING

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, SetNote) or other.after.id != self.note.id or self.note.text:
            return False
        self.note = other.after
        return True

    def redo(self) -> None:
        """Add it."""
        self.document.pipeline.notes[self.note.id] = self.note
        self.document.pipeline.layout[self.note.id] = self.place
        self.document.note_added.emit(self.note.id)

    def undo(self) -> None:
        """Take it away."""
        del self.document.pipeline.notes[self.note.id]
        del self.document.pipeline.layout[self.note.id]
        self.document.note_removed.emit(self.note.id)


class SetNote(Edit):
    """Change the text or the colour of a note."""

    def __init__(self, document: ObservablePipeline, text: str, note: Note) -> None:
        super().__init__(document, text)
        self.before, self.after = document.pipeline.notes[note.id], note

    def id(self) -> int:
        return WRITING

    def mergeWith(self, other: QUndoCommand) -> bool:
        del other
        return False

    def redo(self) -> None:
        """Show the new one."""
        self._show(self.after)

    def undo(self) -> None:
        """Show the old one."""
        self._show(self.before)

    def _show(self, note: Note) -> None:
        self.document.pipeline.notes[note.id] = note
        self.document.note_changed.emit(note.id)


class SetBends(Edit):
    """Change the points that a wire goes through; () is none."""

    def __init__(self, document: ObservablePipeline, text: str, wire: Wire, bends: Bends) -> None:
        super().__init__(document, text)
        self.wire = wire
        self.before = document.pipeline.bends
        self.after = {**self.before, wire: bends}
        if not bends:
            del self.after[wire]

    def redo(self) -> None:
        """Lead it another way."""
        self._show(self.after)

    def undo(self) -> None:
        """Lead it as before."""
        self._show(self.before)

    def _show(self, bends: Mapping[Wire, Bends]) -> None:
        self.document.pipeline.bends = dict(bends)
        self.document.wire_bent.emit(self.wire)


class SetDisabled(Edit):
    """Disable or enable nodes."""

    def __init__(self, document: ObservablePipeline, nodes: Iterable[str], *, disabled: bool) -> None:
        self.nodes, self.disabled = list(nodes), disabled
        count = len(self.nodes)
        text = trn("Enable {count} node", "Enable {count} nodes", count)
        if disabled:
            text = trn("Disable {count} node", "Disable {count} nodes", count)
        super().__init__(document, text)

    def redo(self) -> None:
        """Switch them."""
        self._switch(disabled=self.disabled)

    def undo(self) -> None:
        """Switch them back; all of them were otherwise."""
        self._switch(disabled=not self.disabled)

    def _switch(self, *, disabled: bool) -> None:
        for name in self.nodes:
            self.document.pipeline.nodes[name].disabled = disabled
        for name in self.nodes:
            self.document.node_changed.emit(name)
