"""A part of a form that is folded away until somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from etl_studio.ui.theme.tokens import FONT_BODY, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.forms.editor import FormContext


class Fold(QWidget):
    """A title that unfolds what is under it.

    Args:
        title: what is inside.
        context: gives the theme.
        parent: its parent.
    """

    def __init__(self, title: str, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._theme = title, context.theme
        self.button = QToolButton(self)
        self.button.setAutoRaise(True)
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setText(title)
        self.button.clicked.connect(self._turn)
        self._content = QWidget(self)
        self._inside = QVBoxLayout(self._content)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(3 * SPACE)
        self._content.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._content)
        self._theme.changed.connect(self._dress)
        self._dress()

    def add(self, widget: QWidget) -> None:
        """Put one more widget inside."""
        self._inside.addWidget(widget)

    def unfold(self) -> None:
        """Show what is inside."""
        self._show_content(True)

    def show_count(self, count: int) -> None:
        """Say how many of the settings inside are set."""
        self.button.setText(tr("{title} ({count} set)", title=self._title, count=count) if count else self._title)

    @property
    def is_open(self) -> bool:
        """Whether what is inside shows."""
        return not self._content.isHidden()

    def _turn(self) -> None:
        self._show_content(not self.is_open)

    def _show_content(self, shown: bool) -> None:  # noqa: FBT001 - private
        self._content.setVisible(shown)
        self._dress()

    def _dress(self) -> None:
        name = "chevron-down" if self.is_open else "chevron-right"
        self.button.setIcon(self._theme.icon(name, self._theme.tokens.text_muted, FONT_BODY))
