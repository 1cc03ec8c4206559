"""The background of the canvas: dots that show distance and motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

if TYPE_CHECKING:
    from etl_studio.ui.theme.tokens import Tokens

STEP = 24.0
"""Distance of the dots at zoom 1, in pixels."""
FAR = 0.6
"""Below this zoom only each fourth dot is drawn: closer ones would be noise."""
BUNCH = 8
"""Patterns are kept for multiples of this number of dots."""
MOST_KEPT = 64


class Backdrop:
    """Draws the background; keeps patterns of dots, since making thousands of points costs more than drawing them."""

    def __init__(self) -> None:
        self._patterns: dict[tuple[float, int, int], QPolygonF] = {}

    def paint(self, painter: QPainter, rect: QRectF, zoom: float, tokens: Tokens) -> None:
        """Fill a part of the scene."""
        painter.fillRect(rect, QColor(tokens.canvas))
        step = STEP if zoom >= FAR else STEP * 4
        pen = QPen(QColor(tokens.border), 2 if zoom >= 1 else 1)
        pen.setCosmetic(True)
        painter.setPen(pen)
        smooth = painter.testRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        left, top = rect.left() // step * step, rect.top() // step * step
        painter.translate(left, top)
        painter.drawPoints(self._pattern(step, rect))
        painter.translate(-left, -top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)

    def _pattern(self, step: float, rect: QRectF) -> QPolygonF:
        across, down = (BUNCH * (int((size + step) / step) // BUNCH + 1) for size in (rect.width(), rect.height()))
        key = (step, across, down)
        if key not in self._patterns:
            if len(self._patterns) >= MOST_KEPT:
                self._patterns.clear()
            points = [QPointF(x * step, y * step) for x in range(across) for y in range(down)]
            self._patterns[key] = QPolygonF(points)
        return self._patterns[key]
