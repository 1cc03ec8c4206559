"""What a panel shows when there is nothing to show: why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme

PICTURE = 7 * SPACE


class Notice(QWidget):
    """A picture, a headline and a sentence, in the middle.

    Args:
        theme: draws the picture.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon, self._bad = "info", False
        self._picture = QLabel(self)
        self.headline, self.text = QLabel(self), QLabel(self)
        self.text.setProperty("role", "muted")
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(6 * SPACE, 4 * SPACE, 6 * SPACE, 4 * SPACE)
        column.setSpacing(SPACE)
        column.addStretch(1)
        for label in (self._picture, self.headline, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self._picture)
        column.addSpacing(SPACE)
        column.addWidget(self.headline)
        column.addWidget(self.text)
        column.addStretch(1)
        theme.changed.connect(self._dress)

    def tell(self, icon: str, headline: str, text: str = "", *, bad: bool = False) -> None:
        """Say something; ``bad``: it is an error."""
        self._icon, self._bad = icon, bad
        self.headline.setText(headline)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        set_role(self.headline, "danger" if bad else "title")
        self._dress()

    def _dress(self) -> None:
        tokens = self._theme.tokens
        colour = tokens.danger if self._bad else tokens.text_muted
        self._picture.setPixmap(self._theme.pixmap(self._icon, colour, PICTURE))
