"""Rubber band: drag over the empty canvas selects what it touches; a click there selects nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer
from etl_studio.ui.canvas.items.sprites import translucent

if TYPE_CHECKING:
    from etl_studio.ui.canvas.tools import Tools


class SelectArea(Gesture):
    """With Ctrl or Shift what was selected stays so."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        adds = bool(press.modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        self._before = (self.scene.chosen_items(), self.scene.chosen_wires())
        self._kept = self._before if adds else ([], [])
        accent = self.scene.sprites.tokens.accent
        pen = QPen(QColor(accent), 1)
        pen.setCosmetic(True)
        self._band = QGraphicsRectItem()
        self._band.setPen(pen)
        self._band.setBrush(translucent(accent, 0.1))
        self._band.setZValue(100)
        self.scene.addItem(self._band)

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == Qt.MouseButton.LeftButton and press.hit.is_empty

    def move(self, pointer: Pointer) -> None:
        area = QRectF(self.press.at, pointer.at).normalized()
        self._band.setRect(area)
        touched = self.scene.items_in(area)
        nodes = {*self._kept[0], *touched}
        inside = (
            [wire for wire in self.document.pipeline.wires if wire.source in nodes and wire.target in nodes]
            if touched
            else []
        )
        self.scene.choose(nodes, [*self._kept[1], *inside])

    def end(self, pointer: Pointer) -> None:
        self.scene.removeItem(self._band)
        if (pointer.on_screen - self.press.on_screen).isNull():
            self.scene.choose(*self._kept)

    def cancel(self) -> None:
        self.scene.removeItem(self._band)
        self.scene.choose(*self._before)


class SelectWire(Gesture):
    """A click on a wire selects it."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        adds = bool(press.modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        wires = self.scene.chosen_wires()
        if not adds:
            self.scene.choose(wires=[press.hit.wire])
        else:
            wires = (
                [wire for wire in wires if wire != press.hit.wire]
                if press.hit.wire in wires
                else [*wires, press.hit.wire]
            )
            self.scene.choose(self.scene.chosen_items(), wires)

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == Qt.MouseButton.LeftButton and press.hit.node is None and press.hit.wire is not None
