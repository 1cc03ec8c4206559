"""An editor that steps back for a plain text when a value is none of its kind, such as ``${parameter}``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.code import JsonEditor
from etl_studio.ui.forms.editor import Complaint, Editor, FormContext
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget


class GuardedEditor(Editor):
    """Shows ``inner`` while it accepts the value, and the value as text otherwise: nothing typed or read is lost.

    Signals:
        stepped_back: True: the value is shown as text now; False: by ``inner`` again.

    Args:
        inner: the editor for values of the right kind.
        setting: what is edited.
        context: gives the theme.
        parent: its parent.
    """

    stepped_back = Signal(bool)

    def __init__(self, inner: Editor, setting: Setting, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.inner = inner
        self.fallback: JsonEditor | None = None
        self._setting, self._context = setting, context
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE)
        self._row.addWidget(inner)
        inner.edited.connect(self.edited)
        self.setFocusProxy(inner)

    def value(self) -> Any:
        return self.inner.value() if self.fallback is None else self.fallback.value()

    def set_value(self, value: Any) -> None:
        if value is UNSET or self.inner.accepts(value):
            self._use_inner()
            self.inner.set_value(value)
        else:
            self._use_text().set_value(value)

    def accepts(self, value: Any) -> bool:
        del value
        return True

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        return list(complaints) if self.fallback is not None else self.inner.complain(complaints)

    def enter(self, value: Any) -> None:
        """Take a value as if a person had typed it."""
        self.set_value(value)
        self.edited.emit(False)

    def _use_text(self) -> JsonEditor:
        if self.fallback is None:
            self.fallback = JsonEditor(replace(self._setting, editor="value"), self._context, self)
            self.fallback.edited.connect(self.edited)
            self._back = IconButton(self._context.theme, "undo", tr("Give it up and use the form again"), self)
            self._back.clicked.connect(self._give_up)
            self.inner.hide()
            self._row.addWidget(self.fallback, 1)
            self._row.addWidget(self._back, 0, Qt.AlignmentFlag.AlignTop)
            self.setFocusProxy(self.fallback)
            self.stepped_back.emit(True)
        return self.fallback

    def _use_inner(self) -> None:
        if self.fallback is not None:
            self.fallback.hide()
            self._back.hide()
            self.fallback.deleteLater()
            self._back.deleteLater()
            self.fallback = None
            self.inner.show()
            self.setFocusProxy(self.inner)
            self.stepped_back.emit(False)

    def _give_up(self) -> None:
        self.enter(UNSET)
