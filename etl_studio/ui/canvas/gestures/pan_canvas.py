"""Pan: middle button, or space and the left button."""

from __future__ import annotations

from PySide6.QtCore import Qt

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer


class PanCanvas(Gesture):
    """The canvas sticks to the pointer."""

    def __init__(self, view, press: Pointer) -> None:  # noqa: ANN001 - see Gesture
        super().__init__(view, press)
        self._last = press.on_screen
        view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        left = press.button == Qt.MouseButton.LeftButton
        return press.button == Qt.MouseButton.MiddleButton or (left and press.space)

    def move(self, pointer: Pointer) -> None:
        self.view.navigation.scroll(self._last - pointer.on_screen)
        self._last = pointer.on_screen

    def end(self, pointer: Pointer) -> None:
        self.view.viewport().unsetCursor()

    def cancel(self) -> None:
        self.view.viewport().unsetCursor()
