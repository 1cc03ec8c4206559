"""A strip over the canvas that tells what went wrong, calmly, and leads to the place or offers what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme


class Banner(QFrame):
    """One message at a time; hidden when there is none.

    Args:
        theme: icons.

    Attributes:
        node_wanted: the button that leads to the node was clicked; its id.
        accepted: the button of an offer was clicked.
        more_wanted: the button of a note was clicked.
    """

    node_wanted = Signal(str)
    accepted = Signal()
    more_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._node: str | None = None
        self._offers = False
        self._calm = False
        self.setProperty("role", "banner")
        self._picture = QLabel()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.go = QPushButton()
        self.go.clicked.connect(self._go)
        self.dismiss = QPushButton(tr("Dismiss"))
        self.dismiss.clicked.connect(self.hide)
        self.close_button = QToolButton()
        self.close_button.setToolTip(tr("Close this message"))
        self.close_button.setAccessibleName(self.close_button.toolTip())
        self.close_button.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self._picture)
        layout.addWidget(self._words, 1)
        layout.addWidget(self.go)
        layout.addWidget(self.dismiss)
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
        self.go.setText(tr("Show {node}", node=node) if node else "")
        self.go.setVisible(bool(node))
        self._show()

    def show_note(self, text: str, button: str = "") -> None:
        """Tell something that is no error; with a button that does more about it, see ``more_wanted``."""
        self._node = None
        self._words.setText(text)
        self.go.setText(button)
        self.go.setVisible(bool(button))
        self._show(calm=True)

    def show_offer(self, text: str, button: str) -> None:
        """Offer something: a button that accepts, and one that dismisses."""
        self._node = None
        self._words.setText(text)
        self.go.setText(button)
        self.go.setVisible(True)
        self._show(offer=True)

    def _show(self, *, offer: bool = False, calm: bool = False) -> None:
        self._offers, self._calm = offer, calm
        self.dismiss.setVisible(offer)
        self.close_button.setVisible(not offer)
        set_role(self, "note" if calm else "banner")
        self._dress()
        self.show()

    def _go(self) -> None:
        if self._calm:
            self.more_wanted.emit()
        elif self._offers:
            self.hide()
            self.accepted.emit()
        elif self._node is not None:
            self.node_wanted.emit(self._node)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        picture = ("alert-circle", tokens.danger)
        if self._calm:
            picture = ("info", tokens.info)
        elif self._offers:
            picture = ("history", tokens.warning)
        self._picture.setPixmap(self._theme.pixmap(*picture, 18))
        self.close_button.setIcon(self._theme.icon("x", tokens.text_muted))
