"""Small buttons whose icons follow the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme

ICON = 16


class IconButton(QToolButton):
    """A flat button that shows one icon.

    Args:
        theme: draws the icon.
        icon: its name.
        tip: what the button does; also its accessible name.
        parent: its parent.
        size: of the icon, in pixels.
    """

    def __init__(self, theme: Theme, icon: str, tip: str, parent: QWidget | None = None, *, size: int = ICON) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, icon
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setAutoRaise(True)
        self.setIconSize(QSize(size, size))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._dress)
        self._dress()

    def show_icon(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self._dress()

    def _dress(self) -> None:
        self.setIcon(self._theme.icon(self._name, self._theme.tokens.text_muted, self.iconSize().width()))


class LinkButton(QPushButton):
    """A text that acts as a button.

    Args:
        text: what it does.
        parent: its parent.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("role", "link")
        self.setFlat(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
