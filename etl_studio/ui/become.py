"""The command by which a document becomes another version of itself: reloaded, restored, merged."""

from __future__ import annotations

from copy import copy
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from etl_studio.pipeline.model import Pipeline
from etl_studio.ui.commands import Edit

if TYPE_CHECKING:
    from etl_studio.ui.observable import ObservablePipeline

DRAWN = ("nodes", "wires", "layout", "groups", "notes", "bends")
"""Attributes that are announced one by one."""


class Become(Edit):
    """Put another version in place of the document. Only what differs is announced, so that view and selection stay.

    Args:
        document: what changes.
        pipeline: the other version.
        text: the step in words.
    """

    def __init__(self, document: ObservablePipeline, pipeline: Pipeline, text: str) -> None:
        super().__init__(document, text)
        # The nodes themselves, not copies: earlier commands know them, and while they are out nobody changes them.
        self.before, self.after = _outline(document.pipeline), _outline(pipeline)

    def redo(self) -> None:
        """Become the other version."""
        self._become(_outline(self.after))

    def undo(self) -> None:
        """Become what it was."""
        self._become(_outline(self.before))

    def _become(self, target: Pipeline) -> None:
        now = self.document.pipeline
        before = _outline(now)
        self._take_out(now, target)
        _refill(now.nodes, target.nodes)
        _refill(now.layout, target.layout)
        _refill(now.notes, target.notes)
        now.bends = target.bends
        self._put_in(now, before, target)
        others = [field.name for field in fields(Pipeline) if field.name not in DRAWN]
        changed = [name for name in others if getattr(now, name) != getattr(target, name)]
        for name in (*others, "source"):
            setattr(now, name, getattr(target, name))
        if changed:
            self.document.pipeline_changed.emit()

    def _take_out(self, now: Pipeline, target: Pipeline) -> None:
        kept, wires = set(target.wires), list(now.wires)
        now.wires[:] = [wire for wire in wires if wire in kept]
        for wire in dict.fromkeys(wires):
            if wire not in kept:
                self.document.wire_removed.emit(wire)
        for name in [name for name in now.nodes if name not in target.nodes]:
            del now.nodes[name]
            now.layout.pop(name, None)
            self.document.node_removed.emit(name)
        for name in [name for name in now.notes if name not in target.notes]:
            del now.notes[name]
            now.layout.pop(name, None)
            self.document.note_removed.emit(name)

    def _put_in(self, now: Pipeline, before: Pipeline, target: Pipeline) -> None:
        for name, spec in target.nodes.items():
            if name not in before.nodes:
                self.document.node_added.emit(name)
            elif repr(spec) != repr(before.nodes[name]):  # by their texts: 1 instead of true is a change too
                self.document.node_changed.emit(name)
                if spec.type != before.nodes[name].type:
                    self.document.node_retyped.emit(name)
        self._move(before, target)
        self._put_notes(before, target)
        known = set(before.wires)
        now.wires[:] = target.wires
        for wire in dict.fromkeys(target.wires):
            if wire not in known:
                self.document.wire_added.emit(wire)
            elif before.bends.get(wire) != target.bends.get(wire):
                self.document.wire_bent.emit(wire)
        self.document.put_groups(target.groups)

    def _move(self, before: Pipeline, target: Pipeline) -> None:
        for name, place in target.layout.items():
            if before.layout.get(name) == place:
                continue
            if name in before.nodes and name in target.nodes:
                self.document.node_moved.emit(name)
            elif name in before.notes and name in target.notes:
                self.document.note_moved.emit(name)

    def _put_notes(self, before: Pipeline, target: Pipeline) -> None:
        for name, note in target.notes.items():
            if name not in before.notes:
                self.document.note_added.emit(name)
            elif note != before.notes[name]:
                self.document.note_changed.emit(name)


def _outline(pipeline: Pipeline) -> Pipeline:
    """The same nodes and other parts in lists and mappings of its own."""
    values = {field.name: getattr(pipeline, field.name) for field in fields(pipeline)}
    return replace(pipeline, **{name: copy(value) for name, value in values.items() if isinstance(value, dict | list)})


def _refill(mapping: dict, items: dict) -> None:
    """Give it these items in their order."""
    mapping.clear()
    mapping.update(items)
