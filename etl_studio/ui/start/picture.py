"""A small drawing of a pipeline: its nodes as tiles with their icons, its wires as curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry
    from etl_studio.ui.theme.theme import Theme

TILE, ICON, HEIGHT = 28, 16, 76
STEP = QPointF(56, 40)
"""Pixels from tile to tile where there is room."""
COLUMN, ROW = 272, 128
"""Pixels from node to node on the canvas, as pipelines are laid out."""


class GraphPicture(QWidget):
    """Draws a pipeline as it lies on the canvas, as small as the room.

    Args:
        pipeline: what is drawn.
        registry: knows icons and colours of the nodes.
        theme: draws them.
        parent: its parent.
    """

    def __init__(self, pipeline: Pipeline, registry: Registry, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pipeline, self._registry, self._theme = pipeline, registry, theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT)

    def places(self) -> dict[str, QPointF]:
        """The middle of each tile, in pixels of the widget."""
        layout = {name: self._pipeline.layout.get(name, (0.0, 0.0)) for name in self._pipeline.nodes}
        if not layout:
            return {}
        left, top = (min(place[axis] for place in layout.values()) for axis in (0, 1))
        right, bottom = (max(place[axis] for place in layout.values()) for axis in (0, 1))
        room = QRectF(self.rect()).adjusted(TILE / 2, TILE / 2, -TILE / 2, -TILE / 2)
        across = min(STEP.x() / COLUMN, room.width() / max(right - left, 1))
        down = min(STEP.y() / ROW, room.height() / max(bottom - top, 1))
        corner = room.center() - QPointF((right - left) * across, (bottom - top) * down) / 2
        return {name: corner + QPointF((x - left) * across, (y - top) * down) for name, (x, y) in layout.items()}

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        places, tokens = self.places(), self._theme.tokens
        for wire in self._pipeline.wires:
            rejects = wire.source_port == "rejects"
            pen = QPen(QColor(tokens.danger if rejects else tokens.wire), 1.5)
            if rejects:
                pen.setDashPattern([3, 2])
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            half = QPointF(TILE / 2, 0)
            painter.drawPath(_curve(places[wire.source] + half, places[wire.target] - half))
        for name, place in places.items():
            self._paint_tile(painter, name, place)
        painter.end()

    def _paint_tile(self, painter: QPainter, name: str, place: QPointF) -> None:
        tokens = self._theme.tokens
        node_type = self._registry.get(self._pipeline.nodes[name].type)
        colour = tokens.group(node_type.group) if node_type else tokens.text_muted
        box = QRectF(0, 0, TILE, TILE)
        box.moveCenter(place)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mix(colour, tokens.surface, 0.14 if tokens.name == "light" else 0.22)))
        painter.drawRoundedRect(box, 7, 7)
        icon = self._theme.pixmap(node_type.icon if node_type else "box", colour, ICON, self.devicePixelRatioF())
        inside = QRectF(0, 0, ICON, ICON)
        inside.moveCenter(place)
        painter.drawPixmap(inside, icon, QRectF(icon.rect()))


def _curve(start: QPointF, end: QPointF) -> QPainterPath:
    path = QPainterPath(start)
    if abs(start.y() - end.y()) < 1:
        path.lineTo(end)
        return path
    bend = QPointF(max(2 * SPACE, (end.x() - start.x()) / 2), 0)
    path.cubicTo(start + bend, end - bend, end)
    return path
