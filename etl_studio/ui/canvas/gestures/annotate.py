"""Gestures on what is around nodes: resize a note, fold a group, drag a bend of a wire, open a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer
from etl_studio.ui.canvas.items.note import SMALLEST

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Bends
    from etl_studio.ui.canvas.tools import Tools

LEFT = Qt.MouseButton.LeftButton
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


class OpenLink(Gesture):
    """Ctrl and a click on a link of a note opens it."""

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == LEFT and bool(press.hit.link) and bool(press.modifiers & CONTROL)

    def end(self, pointer: Pointer) -> None:
        if pointer.hit.link == self.press.hit.link:
            QDesktopServices.openUrl(QUrl(self.press.hit.link))


class FoldGroup(Gesture):
    """A click on the chevron of a group collapses or expands it."""

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == LEFT and press.hit.chevron

    def end(self, pointer: Pointer) -> None:
        if pointer.hit.chevron and pointer.hit.group == self.press.hit.group:
            self.tools.annotating.fold(self.press.hit.group)


class ResizeNote(Gesture):
    """The lower right corner of a note follows the mouse; one edit at the release."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._name = press.hit.note
        self._start = self._place = self.document.pipeline.layout[self._name]
        self.scene.choose([self._name])

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == LEFT and press.hit.corner

    def move(self, pointer: Pointer) -> None:
        left, top, width, height = self._start
        way = pointer.at - self.press.at
        right, bottom = self.tools.editing.snapped(left + width + way.x(), top + height + way.y())
        self._place = (left, top, max(right - left, SMALLEST.width()), max(bottom - top, SMALLEST.height()))
        self.scene.notes.items[self._name].show_place(self._place)

    def end(self, pointer: Pointer) -> None:
        del pointer
        self.cancel()
        self.document.move({self._name: self._place})

    def cancel(self) -> None:
        self.scene.notes.items[self._name].show_place(self._start)


class MoveBend(Gesture):
    """Drags a bend of a wire; with Alt a press anywhere on a wire makes one. One edit at the release."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._wire, self._index = press.hit.wire, press.hit.bend
        self._bends: Bends = self.document.pipeline.bends.get(self._wire, ())
        self.scene.choose(wires=[self._wire])
        self._is_new = self._index is None
        if self._index is None:
            self._index = tools.annotating.place_of_bend(self._wire, press.at)
            self._bends = self._with(press, replaced=0)
            self.scene.preview_bends(self._wire, self._bends)
        self.scene.choose_bend((self._wire, self._index))
        self._moved = False

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        hit = press.hit
        on_wire = hit.wire is not None and (hit.bend is not None or bool(press.modifiers & ALT))
        return press.button == LEFT and on_wire

    def move(self, pointer: Pointer) -> None:
        way = pointer.on_screen - self.press.on_screen
        if self._moved or way.manhattanLength() >= QApplication.startDragDistance():
            self._moved = True
            self._bends = self._with(pointer, replaced=1)
            self.scene.preview_bends(self._wire, self._bends)

    def end(self, pointer: Pointer) -> None:
        del pointer
        if self._moved or self._is_new:
            self.document.bend(self._wire, self._bends)
            self.scene.choose_bend((self._wire, self._index))

    def cancel(self) -> None:
        self.scene.choose_bend(None)
        if self._wire in self.scene.wires:
            self.scene.preview_bends(self._wire, self.document.pipeline.bends.get(self._wire, ()))

    def _with(self, pointer: Pointer, *, replaced: int) -> Bends:
        point = self.tools.editing.snapped(pointer.at.x(), pointer.at.y())
        return (*self._bends[: self._index], point, *self._bends[self._index + replaced :])
