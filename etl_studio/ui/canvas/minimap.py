"""A small map of the whole pipeline in the corner of the canvas: where the nodes are, and what is in sight."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from etl_studio.ui.canvas.items.sprites import mixed, translucent
from etl_studio.ui.theme.tokens import RADIUS, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent, QPaintEvent
    from PySide6.QtWidgets import QGraphicsView

    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.theme.theme import Theme

WIDTH, HEIGHT = 192, 128
MARGIN = 3 * SPACE
"""Distance from the corner of the canvas."""
INSIDE = 2 * SPACE
"""Distance of the nodes from the edge of the map."""
SOON = 40
"""Milliseconds in which changes are gathered before the map is drawn again."""
LEAST = 3.0
"""A node and the sight are at least so many pixels wide and high on the map."""


class Minimap(QWidget):
    """Cards as rectangles in the colours of their groups. A click or a drag scrolls the canvas.

    It is not there while everything is in sight. The cards are a picture that is made anew only when they change. It
    is an opaque child of the viewport, which moves with what is scrolled, and back: under any other widget Qt would
    repaint the whole viewport at each scroll.

    Args:
        view: the canvas.
        scene: the nodes.
        navigation: what is in sight.
        theme: colours.
    """

    def __init__(self, view: QGraphicsView, scene: PipelineScene, navigation: Navigation, theme: Theme) -> None:
        super().__init__(view.viewport())
        self._scene = scene
        self._navigation = navigation
        self._theme = theme
        self._on = True
        self._content = QRectF()
        self._picture: QPixmap | None = None
        self._grabbed: QPointF | None = None
        self._timer = QTimer(self, singleShot=True, interval=SOON)
        self._timer.timeout.connect(self._renew)
        self.resize(WIDTH, HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Map of the pipeline"))
        document = scene.document
        for signal in (document.node_added, document.node_removed, document.node_moved, document.node_changed):
            signal.connect(self._renew_soon)
        for signal in (document.reset, document.problems_changed, scene.chosen_changed, theme.changed):
            signal.connect(self._renew_soon)
        navigation.zoomed.connect(self.look)
        self.hide()

    @property
    def on(self) -> bool:
        """Whether it is shown while something is out of sight."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        self._renew()

    def place(self) -> None:
        """Stand in the lower right corner of the canvas."""
        room = self.parentWidget().rect()
        self.move(room.width() - WIDTH - MARGIN, room.height() - HEIGHT - MARGIN)
        self.look()

    def look(self) -> None:
        """Be there when something is out of sight, and show what is in it."""
        needed = self._on and not self._content.isEmpty() and not self._navigation.sight().contains(self._content)
        if needed != self.isVisible():
            self.setVisible(needed)
        self.update()

    def on_map(self, rect: QRectF) -> QRectF:
        """Where a part of the scene is on the map, in its pixels."""
        scale, offset = self._scale(), self._offset()
        corner = (rect.topLeft() - self._content.topLeft()) * scale + offset
        return QRectF(corner, rect.size() * scale)

    # -- Qt ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        tokens = self._theme.tokens
        if self._picture is None:
            self._picture = self._draw_cards()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._picture)
        painter.setPen(QPen(QColor(tokens.accent), 1.5))
        painter.setBrush(translucent(tokens.accent, 0.12))
        painter.drawRoundedRect(self._sight_on_map(), 2, 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        sight = self._sight_on_map()
        at = event.position()
        self._grabbed = at - sight.center() if sight.contains(at) else QPointF(0, 0)
        self._scroll_to(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._scroll_to(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        del event
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._picture = None

    # -- inside -----------------------------------------------------------------------------------------------

    def _renew_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _renew(self) -> None:
        self._content = self._scene.content_rect()
        self._picture = None
        self.look()

    def _scroll_to(self, at: QPointF) -> None:
        point = (at - self._grabbed - self._offset()) / self._scale() + self._content.topLeft()
        self._navigation.centre_on(point)

    def _scale(self) -> float:
        across = (WIDTH - 2 * INSIDE) / max(self._content.width(), 1.0)
        return min(across, (HEIGHT - 2 * INSIDE) / max(self._content.height(), 1.0))

    def _offset(self) -> QPointF:
        size = self._content.size() * self._scale()
        return QPointF((WIDTH - size.width()) / 2, (HEIGHT - size.height()) / 2)

    def _sight_on_map(self) -> QRectF:
        """The part that is in sight; at the edge, when all of it lies outside."""
        inside = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        sight = self.on_map(self._navigation.sight())
        shown = sight.intersected(inside)
        if not shown.isEmpty():
            return shown
        x = min(max(sight.center().x(), inside.left()), inside.right() - LEAST)
        y = min(max(sight.center().y(), inside.top()), inside.bottom() - LEAST)
        return QRectF(QPointF(x, y), QSizeF(LEAST, LEAST))

    def _draw_cards(self) -> QPixmap:
        tokens = self._theme.tokens
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(WIDTH * ratio), round(HEIGHT * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(tokens.canvas))
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(QRectF(0.5, 0.5, WIDTH - 1, HEIGHT - 1), RADIUS, RADIUS)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, cards in self._cards_by_colour().items():
            painter.setBrush(QColor(colour))
            painter.drawRects(cards)
        painter.end()
        return picture

    def _cards_by_colour(self) -> dict[str, list[QRectF]]:
        """Chosen nodes last, so that they lie above the others."""
        tokens, document = self._theme.tokens, self._scene.document
        chosen = set(self._scene.chosen_nodes())
        wrong = {problem.node for problem in document.problems if problem.severity == "error"}
        cards: defaultdict[str, list[QRectF]] = defaultdict(list)
        for name, card in self._scene.cards().items():
            node_type = document.registry.get(document.pipeline.nodes[name].type)
            group = mixed(tokens.raised, tokens.group(node_type.group if node_type else ""), 0.65).name()
            colour = tokens.accent if name in chosen else tokens.danger if name in wrong else group
            rect = self.on_map(card)
            cards[colour].append(QRectF(rect.topLeft(), QSizeF(max(rect.width(), LEAST), max(rect.height(), LEAST))))
        if tokens.accent in cards:
            cards[tokens.accent] = cards.pop(tokens.accent)
        return cards
