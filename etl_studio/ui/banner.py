"""A strip over the canvas that tells what went wrong, calmly, and leads to the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme


class Banner(QFrame):
    """One message at a time; hidden when there is none.

    Args:
        theme: icons.

    Attributes:
        node_wanted: the button that leads to the node was clicked; its id.
    """

    node_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._node: str | None = None
        self.setProperty("role", "banner")
        self._picture = QLabel()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.go = QPushButton()
        self.go.clicked.connect(self._ask_for_node)
        self.close_button = QToolButton()
        self.close_button.setToolTip("Close this message")
        self.close_button.setAccessibleName("Close this message")
        self.close_button.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self._picture)
        layout.addWidget(self._words, 1)
        layout.addWidget(self.go)
        layout.addWidget(self.close_button)
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def show_error(self, text: str, node: str | None = None) -> None:
        """Tell an error; with a node there is a button that leads to it."""
        self._node = node
        self._words.setText(text)
        self.go.setText(f"Show {node}" if node else "")
        self.go.setVisible(bool(node))
        self.show()

    def _ask_for_node(self) -> None:
        if self._node is not None:
            self.node_wanted.emit(self._node)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._picture.setPixmap(self._theme.pixmap("alert-circle", tokens.danger, 18))
        self.close_button.setIcon(self._theme.icon("x", tokens.text_muted))
