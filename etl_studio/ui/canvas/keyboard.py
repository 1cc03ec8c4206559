"""The keys of the canvas: everything that the mouse does, without it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence

from etl_studio.ui.canvas.alignment import ALIGN, DISTRIBUTE
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
    """What each key does. A window whose actions have the same keys takes them first.

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
        self._acts = self._shortcuts()

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

    def _shortcuts(self) -> dict[object, Callable[[], object]]:
        editing, navigation, walking = self._tools.editing, self._tools.navigation, self._walking
        undo, annotating = editing.document.undo_stack, self._tools.annotating
        standard = QKeySequence.StandardKey
        named = {
            standard.SelectAll: editing.select_all,
            standard.Copy: editing.copy,
            standard.Cut: editing.cut,
            standard.Paste: editing.paste,
            standard.Undo: undo.undo,
            standard.Redo: undo.redo,
            standard.ZoomIn: navigation.zoom_in,
            standard.ZoomOut: navigation.zoom_out,
        }
        written = {
            "Del": editing.delete,
            "Backspace": editing.delete,
            "Ctrl+Del": editing.delete_and_join,
            "Ctrl+Backspace": editing.delete_and_join,
            "Ctrl+D": editing.duplicate,
            "Ctrl+Shift+Z": undo.redo,
            "Ctrl+L": editing.arrange,
            "+": navigation.zoom_in,
            "-": navigation.zoom_out,
            "Ctrl+=": navigation.zoom_in,
            "Ctrl+0": navigation.fit,
            "F": navigation.fit,
            "Ctrl+1": navigation.zoom_reset,
            ".": navigation.fit_selection,
            "Return": self._open,
            "Enter": self._open,
            "Home": walking.first,
            "End": walking.last,
            "N": annotating.add_note,
            "Ctrl+G": annotating.group,
            "Ctrl+Shift+G": annotating.ungroup,
            "D": annotating.disable,
            "Ctrl+/": annotating.disable,
            "W": walking.next_wire,
            "Shift+W": self._wire_before,
            "C": self._wiring.begin,
            "Shift+C": self._wire_backwards,
        }
        keys = {sequence[0]: act for name, act in named.items() for sequence in QKeySequence.keyBindings(name)}
        keys |= {QKeySequence(text)[0]: act for text, act in written.items()}
        keys |= {QKeySequence(text)[0]: partial(editing.align, edge) for edge, _, text in ALIGN}
        return keys | {QKeySequence(text)[0]: partial(editing.distribute, axis) for axis, _, text in DISTRIBUTE}

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

    def _wire_before(self) -> None:
        self._walking.next_wire(back=True)

    def _wire_backwards(self) -> None:
        self._wiring.begin(backwards=True)
