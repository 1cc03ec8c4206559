"""Move: press on a node selects it, dragging takes the whole selection along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer

if TYPE_CHECKING:
    from etl_studio.ui.canvas.tools import Tools


STRAIGHT_FROM = 50
"""Curves of more nodes than this are too slow to follow the mouse: their wires are straight meanwhile."""


class MoveNodes(Gesture):
    """One edit at the release, whatever the way. Ctrl or Shift with a click adds to or takes from the selection."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._adds = bool(press.modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        self._was_chosen = press.hit.node in self.scene.chosen_nodes()
        if self._adds and not self._was_chosen:
            self.scene.choose([*self.scene.chosen_nodes(), press.hit.node], self.scene.chosen_wires())
        elif not self._was_chosen:
            self.scene.choose([press.hit.node])
        self._start = {name: self.document.pipeline.layout[name] for name in self.scene.chosen_nodes()}
        self._positions: dict[str, tuple[float, float]] = {}

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == Qt.MouseButton.LeftButton and press.hit.node is not None and press.hit.port is None

    def move(self, pointer: Pointer) -> None:
        way = pointer.on_screen - self.press.on_screen
        if not self._positions and way.manhattanLength() < QApplication.startDragDistance():
            return
        offset = pointer.at - self.press.at
        x, y = self._start[self.press.hit.node]
        snapped = self.tools.editing.snapped(x + offset.x(), y + offset.y())
        dx, dy = snapped[0] - x, snapped[1] - y
        self._positions = {name: (left + dx, top + dy) for name, (left, top) in self._start.items()}
        self.scene.preview_positions(self._positions, straight=len(self._positions) > STRAIGHT_FROM)

    def end(self, pointer: Pointer) -> None:
        del pointer
        if self._positions:
            positions = self._positions
            self.scene.end_preview(positions)
            self.document.move(positions)
        elif self._adds and self._was_chosen:
            rest = [name for name in self.scene.chosen_nodes() if name != self.press.hit.node]
            self.scene.choose(rest, self.scene.chosen_wires())
        elif not self._adds:
            self.scene.choose([self.press.hit.node])

    def cancel(self) -> None:
        self.scene.end_preview(self._positions)
