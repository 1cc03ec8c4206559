"""Pan: middle button, or space and the left button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer

if TYPE_CHECKING:
    from etl_studio.ui.canvas.tools import Tools


class PanCanvas(Gesture):
    """The canvas sticks to the pointer."""

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._last = press.on_screen
        tools.viewport.setCursor(Qt.CursorShape.ClosedHandCursor)

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        left = press.button == Qt.MouseButton.LeftButton
        return press.button == Qt.MouseButton.MiddleButton or (left and press.space)

    def move(self, pointer: Pointer) -> None:
        self.tools.navigation.scroll(self._last - pointer.on_screen)
        self._last = pointer.on_screen

    def end(self, pointer: Pointer) -> None:
        del pointer
        self.tools.viewport.unsetCursor()

    def cancel(self) -> None:
        self.tools.viewport.unsetCursor()
