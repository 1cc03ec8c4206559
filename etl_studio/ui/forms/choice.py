"""Editors of a choice and of yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout

from etl_studio.ui.forms.editor import Editor
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QWidget

LEAST_LETTERS = 4
"""Letters that show however narrow the form is."""

_LABELS = {
    ",": N_("comma  ,"),
    ";": N_("semicolon  ;"),
    "\t": N_("tab"),
    "|": N_("bar  |"),
    " ": N_("space"),
}


def choice_label(value: Any) -> str:
    """A choice as people read it."""
    text = str(value)
    return tr(_LABELS.get(text, "")) or text.replace("_", " ") or tr("none")


class Combo(QComboBox):
    """A combo box that the mouse wheel changes only when it has the focus, so that a form can be scrolled over it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(LEAST_LETTERS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(Editor):
    """One of several values. The default is not written.

    Args:
        setting: what is edited.
        choices: the values.
        parent: its parent.
    """

    def __init__(self, setting: Setting, choices: Sequence[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default = setting.default
        self._choices: list[Any] = list(choices)
        self.combo = Combo(self)
        self.combo.setAccessibleName(setting.title)
        if setting.optional:
            self._choices.insert(0, None)
        self.combo.addItems(["—" if choice is None else choice_label(choice) for choice in self._choices])
        self.combo.setPlaceholderText(tr("Choose…"))
        self.combo.activated.connect(self._chosen)
        self.setFocusProxy(self.combo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo)
        self.set_value(UNSET)

    def value(self) -> Any:
        index = self.combo.currentIndex()
        chosen = UNSET if index < 0 else self._choices[index]
        return UNSET if chosen == self._default else chosen

    def set_value(self, value: Any) -> None:
        wanted = self._default if value is UNSET else value
        self.combo.setCurrentIndex(self._choices.index(wanted) if wanted in self._choices else -1)

    def accepts(self, value: Any) -> bool:
        return value in self._choices

    def _chosen(self) -> None:
        self.edited.emit(False)


class SwitchEditor(Editor):
    """Yes or no, as a check box that carries the title. The default is not written.

    Args:
        setting: what is edited.
        parent: its parent.
    """

    shows_title = True

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default = False if setting.default is UNSET else setting.default
        self._required = setting.required
        self.box = QCheckBox(setting.title, self)
        self.box.setAccessibleName(setting.title)
        self.box.clicked.connect(self._clicked)
        self.setFocusProxy(self.box)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.set_value(UNSET)

    def value(self) -> Any:
        checked = self.box.isChecked()
        return UNSET if checked == self._default and not self._required else checked

    def set_value(self, value: Any) -> None:
        self.box.setChecked(bool(self._default if value is UNSET else value))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)

    def _clicked(self) -> None:
        self.edited.emit(False)
