"""A bubble that points at a part of the window, and a ring around that part. The window can be used meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent

    from etl_studio.ui.theme.theme import Theme

Side = Literal["left", "right", "above", "below", "inside"]
"""Where the bubble stands: beside the part, or in its middle."""

WIDTH, TIP, GAP, EDGE, RADIUS = 340, 10, 3, 2 * SPACE, 8
"""Pixels: of the bubble, its tip, between tip and part, to the window's edge, of the corners."""


class Ring(QWidget):
    """A frame around a part of the window; clicks go through it.

    Args:
        theme: colours.
        parent: the window.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        painter.end()


class Bubble(QFrame):
    """Title, text, and the ways on: Back, Next, Skip. Arrow keys go from button to button, Return clicks, Escape skips.

    Signals:
        next_wanted, back_wanted, skip_wanted: a button was clicked.

    Args:
        theme: colours.
        parent: the window.
    """

    next_wanted = Signal()
    back_wanted = Signal()
    skip_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._side: Side = "inside"
        self._tip = QPoint()
        self.title, self.text, self.place = QLabel(self), QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.place.setProperty("role", "small")
        self.skip, self.back, self.next = (QPushButton(text, self) for text in (tr("Skip"), tr("Back"), tr("Next")))
        self.skip.setProperty("role", "flat")
        self.next.setProperty("role", "primary")
        for button, signal in (
            (self.skip, self.skip_wanted), (self.back, self.back_wanted), (self.next, self.next_wanted),
        ):  # fmt: skip
            button.clicked.connect(signal)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self.place, 1)
        for button in (self.skip, self.back, self.next):
            row.addWidget(button)
        column = QVBoxLayout(self)
        inset = TIP + 4 * SPACE
        column.setContentsMargins(inset, inset, inset, TIP + 3 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addSpacing(SPACE)
        column.addLayout(row)
        theme.changed.connect(self.update)
        self.hide()

    def say(self, title: str, text: str, number: int, of: int, *, forward: str) -> None:
        """Show a step; ``forward`` is what the button that leads on is called."""
        self.title.setText(title)
        self.text.setText(text)
        self.place.setText(tr("{number} of {total}", number=number, total=of))
        self.back.setVisible(number > 1)
        self.skip.setVisible(number < of)
        self.next.setText(forward)
        self.setAccessibleName(tr("Tour, step {number} of {total}: {title}", number=number, total=of, title=title))
        self.setAccessibleDescription(text)
        self.next.setAccessibleDescription(f"{title}. {text}")

    def point_at(self, part: QRect, side: Side) -> None:
        """Stand beside a part of the window, within its edges, with the tip at the part's middle."""
        self._side = side
        width = self._theme.px(WIDTH) + 2 * TIP
        size = QSize(width, max(self.heightForWidth(width), self.minimumSizeHint().height()))
        middle = part.center()
        corner = {
            "left": QPoint(part.left() - GAP - size.width(), middle.y() - size.height() // 2),
            "right": QPoint(part.right() + GAP, middle.y() - size.height() // 2),
            "above": QPoint(middle.x() - size.width() // 2, part.top() - GAP - size.height()),
            "below": QPoint(middle.x() - size.width() // 2, part.bottom() + GAP),
            "inside": QPoint(middle.x() - size.width() // 2, part.bottom() - size.height() - 4 * SPACE),
        }[side]
        room = self.parentWidget().rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        corner.setX(max(room.left(), min(corner.x(), room.right() - size.width())))
        corner.setY(max(room.top(), min(corner.y(), room.bottom() - size.height())))
        self.setGeometry(QRect(corner, size))
        self._tip = middle - corner
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.skip_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            (focused if isinstance(focused, QPushButton) else self.next).click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.accent), 1.5))
        painter.setBrush(QColor(tokens.raised))
        painter.drawPath(self._outline())
        painter.end()

    def _outline(self) -> QPainterPath:
        box = QRectF(self.rect()).adjusted(TIP, TIP, -TIP, -TIP)
        body = QPainterPath()
        body.addRoundedRect(box, RADIUS, RADIUS)
        if self._side == "inside":
            return body
        low, high = RADIUS + TIP, RADIUS + TIP
        x = max(box.left() + low, min(self._tip.x(), box.right() - high))
        y = max(box.top() + low, min(self._tip.y(), box.bottom() - high))
        points = {
            "right": ((box.left() + 2, y - TIP), (box.left() - TIP + 1, y), (box.left() + 2, y + TIP)),
            "left": ((box.right() - 2, y - TIP), (box.right() + TIP - 1, y), (box.right() - 2, y + TIP)),
            "below": ((x - TIP, box.top() + 2), (x, box.top() - TIP + 1), (x + TIP, box.top() + 2)),
            "above": ((x - TIP, box.bottom() - 2), (x, box.bottom() + TIP - 1), (x + TIP, box.bottom() - 2)),
        }[self._side]
        tip = QPainterPath()
        tip.addPolygon(QPolygonF([QPointF(*point) for point in points]))
        tip.closeSubpath()
        return body.united(tip)
