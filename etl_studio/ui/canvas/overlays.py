"""Small widgets over the canvas: the hint of an empty one, and the reason of a refusal near the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL, FONT_TITLE, RADIUS, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme

FADES_AFTER = 4000
"""Milliseconds that a reason stays after the drop, at least."""
READING = 60
"""Milliseconds that a person takes to read a letter."""
TIP_WIDTH = 320


class Tip(QLabel):
    """Why something is refused, near the pointer.

    Args:
        theme: colours.
        parent: the canvas.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._timer = QTimer(self, singleShot=True, interval=FADES_AFTER)
        self._timer.timeout.connect(self.hide)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    def show_reason(self, text: str, at: QPoint, *, fades: bool = False) -> None:
        """Show a sentence beside a point of the canvas; ``fades``: for a few seconds."""
        self._timer.stop()
        self.setWordWrap(False)
        self.setText(text)
        self.setFixedWidth(min(self.sizeHint().width(), TIP_WIDTH))
        self.setWordWrap(True)
        self.setFixedHeight(self.heightForWidth(self.width()))
        room = self.parentWidget().rect().adjusted(SPACE, SPACE, -SPACE, -SPACE)
        left = min(at.x() + 4 * SPACE, room.right() - self.width())
        top = min(at.y() + 4 * SPACE, room.bottom() - self.height())
        self.move(max(left, room.left()), max(top, room.top()))
        self.setAccessibleName(text)
        self.show()
        self.raise_()
        if fades:
            self._timer.start(max(FADES_AFTER, READING * len(text)))

    def _dress(self) -> None:
        tokens = self._theme.tokens
        size = self._theme.px(FONT_SMALL + 1)
        self.setStyleSheet(
            f"QLabel {{ background: {tokens.raised}; color: {tokens.danger}; border: 1px solid {tokens.danger};"
            f" border-radius: {RADIUS}px; padding: {SPACE}px {2 * SPACE}px; font-size: {size}px; }}"
        )


class EmptyHint(QFrame):
    """What to do on an empty canvas. Clicks and drops go through it; only its button takes them.

    Args:
        theme: colours and icons.
        parent: the canvas.

    Attributes:
        button: opens an example.
    """

    example_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(tr("Build your first pipeline"), alignment=Qt.AlignmentFlag.AlignCenter)
        self._text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self.button = QPushButton(tr("Open an example"), parent)
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.clicked.connect(self._on_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3 * SPACE)
        for label in (self._icon, self._title, self._text):
            layout.addWidget(label)
        theme.changed.connect(self._dress)
        self._dress()

    def place(self) -> None:
        """Stand in the middle of the canvas."""
        self.adjustSize()
        self.button.adjustSize()
        room = self.parentWidget().rect()
        height = self.height() + 4 * SPACE + self.button.height()
        top = (room.height() - height) // 2
        self.move((room.width() - self.width()) // 2, top)
        self.button.move((room.width() - self.button.width()) // 2, top + height - self.button.height())

    def show_if(self, empty: bool, *, dragging: bool = False) -> None:  # noqa: FBT001 - show if empty
        """Be there on an empty canvas; the button makes way while something is dragged over it."""
        self.setVisible(empty)
        self.button.setVisible(empty and not dragging)

    def _on_clicked(self) -> None:
        self.example_requested.emit()

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._icon.setPixmap(self._theme.pixmap("layers", tokens.text_muted, 40))
        self._title.setStyleSheet(f"color: {tokens.text}; font-size: {self._theme.px(FONT_TITLE)}px; font-weight: 600;")
        self._text.setStyleSheet(f"color: {tokens.text_muted}; font-size: {self._theme.px(FONT_BODY)}px;")
        words = tr(
            "Drag a node here from the palette, or<br>double-click or press {tab} to search for one.",
            tab=f"<b style='color:{tokens.text}'>Tab</b>",
        )
        self._text.setText(f"<div style='line-height: 150%'>{words}</div>")
        self.setStyleSheet("EmptyHint { background: transparent; border: none; }")
