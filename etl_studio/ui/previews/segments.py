"""A choice between a few short words, all of them in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QKeyEvent

STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class Segments(QWidget):
    """One of several buttons is down. The arrow keys move between them.

    Signals:
        chosen: key of the one that a person chose.

    Args:
        name: what is chosen, for people who do not see it.
        parent: its parent.
    """

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._keys: list[str] = []
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._on_clicked)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(1)

    @property
    def key(self) -> str:
        """The one that is down; empty where there are none."""
        number = self._group.checkedId()
        return self._keys[number] if 0 <= number < len(self._keys) else ""

    def offer(self, choices: Mapping[str, str], key: str = "") -> None:
        """Show these words by key, with one of them down; the first one where ``key`` is none of them."""
        if list(choices) != self._keys:
            self._replace(list(choices))
        for number, text in enumerate(choices.values()):
            self._group.button(number).setText(text)
        if self._keys:
            self._group.button(self._keys.index(key) if key in self._keys else 0).setChecked(True)

    def button(self, key: str) -> QToolButton:
        """The button of a choice."""
        return self._group.button(self._keys.index(key))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            step = STEPS.get(_key_of(event))
            number = self._group.id(watched) + step if step else -1
            if (other := self._group.button(number)) is not None and number >= 0:
                other.setFocus()
                other.click()
                return True
        return super().eventFilter(watched, event)

    def _replace(self, keys: list[str]) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._keys = keys
        for number in range(len(keys)):
            button = QToolButton(self)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(self)
            self._group.addButton(button, number)
            self._row.addWidget(button)

    def _on_clicked(self, number: int) -> None:
        self.chosen.emit(self._keys[number])


def _key_of(event: QEvent) -> Qt.Key:
    press: QKeyEvent = event  # type: ignore[assignment] # asked for by its type
    return Qt.Key(press.key())
