"""The bends of a wire: points that it goes through, and the handles by which they are moved."""

from __future__ import annotations

from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.ui.canvas.items.sprites import Sprites

HANDLE = 5.0
"""Radius of a handle."""
LEAST_PULL = 24.0
"""Least distance in pixels that a wire goes straight on from a port or bend."""


def through(start: QPointF, bends: Sequence[QPointF], end: QPointF) -> QPainterPath:
    """A smooth way from a port to the right, through all bends, into a port from the left."""
    points = [start, *bends, end]
    ways = [QPointF(1, 0), *(_unit(after - before) for before, after in zip(points, points[2:], strict=False))]
    ways.append(QPointF(1, 0))
    path = QPainterPath(start)
    for index in range(len(points) - 1):
        here, there = points[index], points[index + 1]
        pull = max(LEAST_PULL, hypot(there.x() - here.x(), there.y() - here.y()) / 3)
        path.cubicTo(here + ways[index] * pull, there - ways[index + 1] * pull, there)
    return path


def place_among(start: QPointF, bends: Sequence[QPointF], end: QPointF, point: QPointF) -> int:
    """The index that a new bend at ``point`` has: that of the leg which the point makes the least longer."""
    points = [start, *bends, end]
    detours = [
        _length(point - here) + _length(there - point) - _length(there - here) for here, there in pairwise(points)
    ]
    return detours.index(min(detours))


class Handles(QGraphicsItem):
    """The handles of a wire that is pointed at or selected.

    Args:
        wire: the item of the wire.
        sprites: shared colours.
    """

    def __init__(self, wire: QGraphicsItem, sprites: Sprites) -> None:
        super().__init__(wire)
        self._sprites = sprites
        self._points: list[QPointF] = []
        self._chosen: int | None = None
        self._bounds = QRectF()
        self.setVisible(False)

    def show_points(self, points: Sequence[QPointF]) -> None:
        """Stand at these points, in scene coordinates."""
        self.prepareGeometryChange()
        self._points = list(points)
        self._bounds = QRectF()
        for point in points:
            reach = QPointF(HANDLE + 4, HANDLE + 4)
            self._bounds = self._bounds.united(QRectF(point - reach, point + reach))

    def show_chosen(self, index: int | None) -> None:
        """Show which one the Delete key would remove."""
        if index != self._chosen:
            self._chosen = index
            self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        tokens = self._sprites.tokens
        painter.setPen(QPen(QColor(tokens.accent), 2))
        for index, point in enumerate(self._points):
            painter.setBrush(QColor(tokens.accent if index == self._chosen else tokens.raised))
            painter.drawEllipse(point, HANDLE, HANDLE)


def _length(way: QPointF) -> float:
    return hypot(way.x(), way.y())


def _unit(way: QPointF) -> QPointF:
    return way / (_length(way) or 1.0)
