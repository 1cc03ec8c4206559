"""The keys of the actions: those that came with the program, and what a person has made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

from etl_studio.ui.actions import ACTIONS, BETWEEN, keys_of
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QSettings

KEY = "shortcuts"
ALONE = {
    *(Qt.Key(Qt.Key.Key_F1.value + number) for number in range(35)),
    *(Qt.Key.Key_Delete, Qt.Key.Key_Insert, Qt.Key.Key_Pause, Qt.Key.Key_Print, Qt.Key.Key_Help),
}
"""Keys that need no other one beside them, since they type nothing."""
_TYPES = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class Shortcuts(QObject):
    """Keys by the name of the action; all windows share one.

    Signals:
        changed: some keys are others now.

    Args:
        settings: where those that differ from the program's are kept.
        parent: its parent.
    """

    changed = Signal()

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._defaults = {spec.id: keys_of(spec) for spec in ACTIONS}
        self._own = self._read()

    def keys(self, action: str) -> list[QKeySequence]:
        """The keys that are in force."""
        return list(self._own.get(action, self._defaults[action]))

    def is_own(self, action: str) -> bool:
        """Whether a person has changed them."""
        return action in self._own

    def set_keys(self, action: str, keys: Sequence[QKeySequence]) -> None:
        """Give an action these keys, and take them from whatever had them."""
        wanted = [one for number, one in enumerate(keys) if not one.isEmpty() and one not in keys[:number]]
        for other in self._defaults:
            taken = [one for one in self.keys(other) if one in wanted]
            if other != action and taken:
                self._put(other, [one for one in self.keys(other) if one not in taken])
        self._put(action, wanted)
        self._keep()

    def reset(self, action: str) -> None:
        """Give an action the keys that came with the program."""
        self.set_keys(action, self._defaults[action])

    def reset_all(self) -> None:
        """Give every action the keys that came with the program."""
        self._own = {}
        self._keep()

    def owner(self, key: QKeySequence, beside: str = "") -> str:
        """The action that has a key, other than ``beside``; empty when it is free."""
        return next((name for name in self._defaults if name != beside and key in self.keys(name)), "")

    # -- inside -----------------------------------------------------------------------------------------------

    def _put(self, action: str, keys: list[QKeySequence]) -> None:
        if keys == self._defaults[action]:
            self._own.pop(action, None)
        else:
            self._own[action] = keys

    def _keep(self) -> None:
        texts = {name: BETWEEN.join(one.toString() for one in keys) for name, keys in self._own.items()}
        self._settings.setValue(KEY, json.dumps(texts)) if texts else self._settings.remove(KEY)
        self.changed.emit()

    def _read(self) -> dict[str, list[QKeySequence]]:
        try:
            kept = json.loads(self._settings.value(KEY) or "{}")
        except (ValueError, TypeError):  # somebody has written into the settings by hand
            return {}
        known = kept.items() if isinstance(kept, dict) else ()
        return {name: _sequences(text) for name, text in known if name in self._defaults and isinstance(text, str)}


def refusal(key: QKeySequence, *, on_canvas: bool = False) -> str:
    """Why a key can be no shortcut, or an empty text: without Ctrl or Alt it would be missed in every field.

    Args:
        key: what was pressed.
        on_canvas: it works only where the canvas has the focus; there a letter types nothing.
    """
    if key.isEmpty():
        return ""
    combination = key[0]
    if on_canvas and Qt.Key.Key_A <= combination.key() <= Qt.Key.Key_Z:
        return ""
    if combination.key() in ALONE or combination.keyboardModifiers() & ~_TYPES:
        return ""
    name = key.toString(QKeySequence.SequenceFormat.NativeText)
    return tr(
        "{key} alone is needed for typing and moving. Hold Ctrl or Alt with it, or take a function key.", key=name
    )


def _sequences(text: str) -> list[QKeySequence]:
    return [QKeySequence(one) for one in text.split(BETWEEN) if one]
