"""A strip over the canvas about the file: what happened to it, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from etl_studio.ui.theme.theme import Theme

    Choice = tuple[str, Callable[[], object]]


class FileBanner(QFrame):
    """One message with buttons; hidden when there is none.

    Args:
        theme: icons.
        parent: its parent.

    Attributes:
        about: what the message is about, in one word of the program; empty while it is hidden.
        buttons: those that are shown, by their text.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = ""
        self.buttons: dict[str, QPushButton] = {}
        self._theme = theme
        self._icon, self._tone = "file", "info"
        self._picture, self._words = QLabel(self), QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._close = QToolButton(self)
        self._close.setToolTip(tr("Close this message"))
        self._close.setAccessibleName(self._close.toolTip())
        self._close.clicked.connect(self.clear)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        self._row.setSpacing(2 * SPACE)
        self._row.addWidget(self._picture)
        self._row.addWidget(self._words, 1)
        self._row.addWidget(self._close)
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return self._words.text() if self.about else ""

    def ask(  # noqa: PLR0913 - what a message is made of
        self,
        about: str,
        text: str,
        choices: Sequence[Choice] = (),
        *,
        icon: str = "file",
        tone: str = "info",
        closable: bool = True,
    ) -> None:
        """Show a message in place of the one that is shown.

        Args:
            about: its subject in one word, for ``clear``.
            text: one or two sentences.
            choices: buttons with what they do; the first one is the likeliest.
            icon: file in ``resources/icons``.
            tone: ``info`` or ``warning``.
            closable: whether it may be closed without a choice.
        """
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        self.about, self._icon, self._tone = about, icon, tone
        self._words.setText(text)
        for at, (label, act) in enumerate(choices):
            button = self.buttons[label] = QPushButton(label, self)
            button.clicked.connect(act)
            self._row.insertWidget(2 + at, button)
        self._close.setVisible(closable)
        set_role(self, "caution" if tone == "warning" else "note")
        self._dress()
        self.show()

    def clear(self, about: str = "") -> None:
        """Hide the message; with ``about`` only one about that."""
        if not about or about == self.about:
            self.about = ""
            self.hide()

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._picture.setPixmap(self._theme.pixmap(self._icon, getattr(tokens, self._tone), 18))
        self._close.setIcon(self._theme.icon("x", tokens.text_muted))
