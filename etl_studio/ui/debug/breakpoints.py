"""The breakpoints of the open pipeline: kept for each file in the window's settings, never in the pipeline's file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal

from etl_studio.engine.breakpoints import ARROW, Breakpoint

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.ui.document import PipelineDocument


def place_of(place: str) -> Breakpoint:
    """A breakpoint without a condition at a node or a wire."""
    return Breakpoint(wire=place) if ARROW in place else Breakpoint(node=place)


def shown_place(place: str) -> str:
    """A place for people."""
    return place.replace(ARROW, " → ")


class Breakpoints(QObject):
    """At most one at each place. Those of a node or wire that is deleted come back with it.

    Args:
        document: the pipeline.
        settings: where they are kept.
        parent: its parent.

    Attributes:
        changed: there are others, or one of them is another.
    """

    changed = Signal()

    def __init__(self, document: PipelineDocument, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._settings = settings
        self._by_place: dict[str, Breakpoint] = {}
        document.reset.connect(self._read)
        document.path_changed.connect(self._write)
        document.node_renamed.connect(self._rename)
        for signal in (document.node_added, document.node_removed, document.wire_added, document.wire_removed):
            signal.connect(self.changed)

    def all(self) -> tuple[Breakpoint, ...]:
        """Those whose place is in the pipeline, in the order in which they were set."""
        pipeline = self._document.pipeline
        places = {*pipeline.nodes, *map(str, pipeline.wires)}
        return tuple(one for place, one in self._by_place.items() if place in places)

    def at(self, place: str) -> Breakpoint | None:
        """The one at a node or a wire."""
        return self._by_place.get(place)

    def toggle(self, place: str) -> None:
        """Set one, or remove it."""
        if self._by_place.pop(place, None) is None:
            self._by_place[place] = place_of(place)
        self._tell()

    def put(self, one: Breakpoint) -> None:
        """Set one, in place of the one that is there."""
        self._by_place[one.place] = one
        self._tell()

    def remove(self, place: str) -> None:
        """Remove one."""
        if self._by_place.pop(place, None) is not None:
            self._tell()

    def clear(self) -> None:
        """Remove all."""
        self._by_place.clear()
        self._tell()

    def _tell(self) -> None:
        self._write()
        self.changed.emit()

    def _rename(self, old: str, new: str) -> None:
        self._by_place = {
            one.place: one for one in (_renamed(found, old, new) for found in self._by_place.values())
        }  # fmt: skip
        self._tell()

    def _read(self) -> None:
        path = self._document.path
        text = self._settings.value(_key(path), "", str) if path is not None else ""
        try:
            kept = [Breakpoint(**facts) for facts in json.loads(text)] if text else []
        except (ValueError, TypeError):
            kept = []  # written by another version: a person sets them anew
        self._by_place = {one.place: one for one in kept}
        self.changed.emit()

    def _write(self) -> None:
        path = self._document.path
        if path is None:
            return
        if self._by_place:
            self._settings.setValue(_key(path), json.dumps([asdict(one) for one in self._by_place.values()]))
        else:
            self._settings.remove(_key(path))


def _renamed(one: Breakpoint, old: str, new: str) -> Breakpoint:
    if not one.wire:
        return replace(one, node=new) if one.node == old else one
    ends = []
    for end in one.wire.split(ARROW):
        node, _, port = end.rpartition(".")
        ends.append(f"{new if node == old else node}.{port}")
    return replace(one, wire=ARROW.join(ends))


def _key(path: Path) -> str:
    return "breakpoints/" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
