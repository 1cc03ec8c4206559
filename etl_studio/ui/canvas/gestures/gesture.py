"""What all gestures have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint, QPointF, Qt

    from etl_studio.ui.canvas.scene import Hit
    from etl_studio.ui.canvas.tools import Tools


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse at one moment.

    Attributes:
        at: in scene coordinates.
        on_screen: in pixels of the viewport.
        hit: what is under it.
        space: the space bar is down.
    """

    at: QPointF
    on_screen: QPoint
    button: Qt.MouseButton
    modifiers: Qt.KeyboardModifier
    hit: Hit
    space: bool = False


class Gesture:
    """One thing done with the mouse from press to release. Escape cancels it and nothing has happened.

    Args:
        tools: the parts of the canvas; the document takes the result.
        press: where it began.
    """

    def __init__(self, tools: Tools, press: Pointer) -> None:
        self.tools = tools
        self.scene = tools.scene
        self.document = tools.scene.document
        self.press = press

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        """Whether a press begins this gesture."""
        raise NotImplementedError

    def move(self, pointer: Pointer) -> None:
        """The mouse moved."""

    def end(self, pointer: Pointer) -> None:
        """The button was released: make the edit."""

    def cancel(self) -> None:
        """Leave no trace."""
