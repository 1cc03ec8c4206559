"""The keys of the canvas that are always the same: walking, moving, opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence

from etl_studio.ui.canvas.editing import GRID

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent

    from etl_studio.ui.canvas.tools import Tools
    from etl_studio.ui.canvas.walking import Walking
    from etl_studio.ui.canvas.wiring import Wiring

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
FAR = 5
"""Steps of the grid that an arrow key moves with Shift."""
SCROLLED = 48
"""Pixels that an arrow key scrolls when nothing is selected."""
ALT, SHIFT, CONTROL = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Keyboard:
    """What the keys do that nobody can change; those of actions are in ``ui.shortcuts``.

    Args:
        tools: the parts of the canvas.
        walking: where the keys are.
        wiring: draws wires.
        activate: opens the settings of a node.
    """

    def __init__(self, tools: Tools, walking: Walking, wiring: Wiring, activate: Callable[[str], object]) -> None:
        self._tools = tools
        self._walking = walking
        self._wiring = wiring
        self._activate = activate
        self._acts = self._fixed()

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key stands for; whether it stands for anything."""
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in ARROWS and self._arrow(*ARROWS[event.key()], keys):
            return True
        act = self._acts.get(event.keyCombination())
        if act is None:
            return False
        act()
        return True

    def escape(self) -> None:
        """From a wire back to its node; from a node to nothing."""
        if not self._walking.leave_wires():
            self._tools.scene.choose()

    def _arrow(self, dx: int, dy: int, keys: Qt.KeyboardModifier) -> bool:
        if keys in (ALT, ALT | SHIFT):
            self._walking.step(dx, dy, adds=bool(keys & SHIFT))
        elif keys == CONTROL | SHIFT and dy >= 0:
            self._wiring.begin(backwards=dx < 0, rejects=dy > 0)
        elif keys & (CONTROL | ALT):
            return False
        elif self._tools.scene.chosen_items():
            step = GRID * (FAR if keys & SHIFT else 1)
            self._tools.editing.nudge(dx * step, dy * step)
        else:
            self._tools.navigation.scroll(QPoint(dx, dy) * SCROLLED)
        return True

    def _fixed(self) -> dict[object, Callable[[], object]]:
        navigation, walking = self._tools.navigation, self._walking
        acts = {
            "+": navigation.zoom_in,
            "-": navigation.zoom_out,
            "F": navigation.fit,
            "Return": self._open,
            "Enter": self._open,
            "Home": walking.first,
            "End": walking.last,
        }
        return {QKeySequence(text)[0]: act for text, act in acts.items()}

    def _open(self) -> None:
        chosen, notes = self._tools.scene.chosen_nodes(), self._tools.scene.notes.chosen()
        if len(notes) == 1 and not chosen:
            self._tools.annotating.write_note(notes[0])
        elif self._tools.annotating.fold_chosen():
            return
        elif len(chosen) == 1:
            self._activate(chosen[0])
        elif not chosen and self._walking.node:
            self._activate(self._walking.node)
