"""What is drawn over nodes and wires that are not as they were: an outline and a sign, so that no colour is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.pipeline.diff_union import SIGNS

if TYPE_CHECKING:
    from etl_studio.pipeline.diff_union import Kind
    from etl_studio.ui.canvas.items.node import NodeItem
    from etl_studio.ui.canvas.items.sprites import Sprites
    from etl_studio.ui.canvas.items.wire import WireItem
    from etl_studio.ui.theme.tokens import Tokens

ROLES = {"added": "success", "removed": "danger", "changed": "warning", "moved": "text_muted"}
"""The colour of a kind, by its name in the tokens."""
GHOST, QUIET = 0.5, 0.45
"""How much is seen of what was removed, and of what is as it was."""
BADGE = 20.0
READABLE, LARGEST = 0.7, 2.5
"""The zoom below which signs do not get smaller, and how much larger than the cards they may be then."""
ROOM = BADGE * LARGEST / 2 + 2
GAP = 5.0
"""Between a card and its outline."""


def colour(kind: Kind, tokens: Tokens) -> str:
    """The colour of a kind of difference."""
    return getattr(tokens, ROLES[kind])


class _Mark(QGraphicsItem):
    """An outline with a sign. It takes no clicks: the node or wire below does.

    Args:
        kind: what became of it.
        sprites: fonts and colours.
        parent: what it belongs to; None: it stands by itself.
    """

    def __init__(self, kind: Kind, sprites: Sprites) -> None:
        super().__init__()
        self.kind = kind
        self._sprites = sprites
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def _pen(self, width: float, scale: float) -> QPen:
        pen = QPen(QColor(colour(self.kind, self._sprites.tokens)), width * scale)
        if self.kind == "removed":
            pen.setDashPattern([4.0, 3.0])
        elif self.kind == "moved":
            pen.setDashPattern([1.0, 2.5])
        return pen

    def _paint_sign(self, painter: QPainter, at: QPointF, scale: float) -> None:
        tokens = self._sprites.tokens
        painter.translate(at)
        painter.scale(scale, scale)
        painter.setPen(QPen(QColor(tokens.canvas), 2))
        painter.setBrush(QColor(colour(self.kind, tokens)))
        box = QRectF(-BADGE / 2, -BADGE / 2, BADGE, BADGE)
        painter.drawEllipse(box)
        painter.setFont(self._sprites.title_font)
        painter.setPen(QColor(tokens.canvas))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, SIGNS[self.kind])


class NodeMark(_Mark):
    """Over a node."""

    def __init__(self, kind: Kind, node: NodeItem, sprites: Sprites) -> None:
        super().__init__(kind, sprites)
        self._box = node.card().translated(node.pos()).adjusted(-GAP, -GAP, GAP, GAP)
        self.setZValue(20)

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-ROOM, -ROOM, ROOM, ROOM)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del widget
        scale = _scale(painter, option)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._pen(1.6 if self.kind == "moved" else 2.4, scale))
        painter.drawRoundedRect(self._box, 12, 12)
        self._paint_sign(painter, self._box.topLeft() + QPointF(6, 6), scale)


class WireMark(_Mark):
    """In place of a wire's own line."""

    def __init__(self, kind: Kind, wire: WireItem, sprites: Sprites) -> None:
        super().__init__(kind, sprites)
        self._path = wire.path()
        self._middle = self._path.pointAtPercent(0.5)
        self.setZValue(5)

    def boundingRect(self) -> QRectF:
        return self._path.boundingRect().adjusted(-ROOM, -ROOM, ROOM, ROOM)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del widget
        scale = _scale(painter, option)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._pen(2.6, scale))
        painter.drawPath(self._path)
        self._paint_sign(painter, self._middle, scale)


def _scale(painter: QPainter, option: QStyleOptionGraphicsItem) -> float:
    """How much larger than the cards it is, so that it can be read from afar."""
    zoom = option.levelOfDetailFromTransform(painter.worldTransform())
    return min(max(READABLE / zoom, 1.0), LARGEST)
