"""Moving about the canvas: zoom, scroll, fit.

As in Figma, the wheel alone scrolls, with Shift sideways, with Ctrl it zooms where the pointer is; a touchpad scrolls
with two fingers both ways. So a long pipeline is read like a page, and nobody loses their place by a turn of the wheel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, Qt, Signal

from etl_studio.ui.canvas.alignment import bounds

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QGraphicsView, QWidget

    from etl_studio.ui.canvas.scene import PipelineScene

SMALLEST, LARGEST = 0.1, 2.5
STEP = 1.2
"""Factor of one press of + or one notch of the wheel."""
NOTCH = 120
FIT_MARGIN = 48
"""Pixels around everything after a fit."""
COVER_MARGIN = 12
"""Pixels between a node and a widget that lies over the canvas."""


class Navigation(QObject):
    """The part of the scene that is in sight.

    Args:
        view: the widget that shows the scene.
        scene: the scene.

    Attributes:
        zoom: pixels on the screen for each pixel of the scene.
        natural: the zoom at which texts have the size of those around the canvas.
        pointer: where the mouse is, in pixels of the viewport; None when it is elsewhere.
        covers: widgets in the lower corners of the canvas.
    """

    zoomed = Signal(float)

    def __init__(self, view: QGraphicsView, scene: PipelineScene) -> None:
        super().__init__(view)
        self._view = view
        self._scene = scene
        self.pointer: QPoint | None = None
        self.zoom = self.natural = 1.0
        self.covers: list[QWidget] = []

    def set_natural(self, zoom: float) -> None:
        """Make everything larger or smaller, as the texts of the window have become."""
        change, self.natural = zoom / self.natural, zoom
        if change != 1.0:
            self.zoom_to(self.zoom * change)

    def pointer_position(self) -> QPointF:
        """Where the pointer is in the scene, or the middle of what is in sight."""
        return self.to_scene(self.pointer if self.pointer is not None else self._view.viewport().rect().center())

    def to_scene(self, pixel: QPoint) -> QPointF:
        """The point of the scene under a pixel of the viewport."""
        return self._view.mapToScene(pixel)

    def to_pixel(self, point: QPointF) -> QPoint:
        """The pixel of the viewport over a point of the scene."""
        return self._view.mapFromScene(point)

    def sight(self) -> QRectF:
        """What is in sight, in scene coordinates."""
        return self._view.mapToScene(self._view.viewport().rect()).boundingRect()

    def zoom_in(self) -> None:
        """One step nearer."""
        self.zoom_to(self.zoom * STEP)

    def zoom_out(self) -> None:
        """One step farther."""
        self.zoom_to(self.zoom / STEP)

    def zoom_reset(self) -> None:
        """To the size that things have."""
        self.zoom_to(self.natural)

    def zoom_to(self, zoom: float, around: QPoint | None = None) -> None:
        """Zoom so that what is at ``around`` (pixels of the viewport; its middle by default) stays there."""
        zoom = min(max(zoom, SMALLEST), LARGEST)
        view = self._view
        pixel = around if around is not None else view.viewport().rect().center()
        before = view.mapToScene(pixel)
        self._set(zoom)
        self.scroll(view.mapFromScene(before) - pixel)

    def fit(self) -> None:
        """Show the whole pipeline, no larger than it is."""
        self._fit(self._scene.content_rect())

    def fit_selection(self) -> None:
        """Show what is selected, no larger than it is; everything, when nothing is."""
        chosen = bounds(self._scene.cards(self._scene.chosen_items()).values())
        self._fit(chosen if not chosen.isEmpty() else self._scene.content_rect())

    def centre_on(self, point: QPointF) -> None:
        """Bring a point of the scene into the middle of the sight."""
        self._view.centerOn(point)

    def reveal(self, node: str) -> None:
        """Scroll until a node or a note is in sight, and under none of the widgets that lie over the canvas.

        For a member of a collapsed group that is the card of the group.
        """
        if node not in self._scene.nodes and node not in self._scene.notes.items:
            return
        card = self._scene.cards([node])[node]
        self._view.ensureVisible(card, FIT_MARGIN, FIT_MARGIN)
        for widget in self.covers:
            shown = self._view.mapFromScene(card).boundingRect()
            if widget.isVisible() and widget.geometry().intersects(shown):
                self.scroll(QPoint(0, shown.bottom() - widget.y() + COVER_MARGIN))

    def scroll(self, way: QPoint) -> None:
        """Move the sight by pixels of the screen."""
        across, down = self._view.horizontalScrollBar(), self._view.verticalScrollBar()
        across.setValue(across.value() + way.x())
        down.setValue(down.value() + way.y())

    def wheel(self, event: QWheelEvent) -> None:
        """Scroll or zoom, see the module."""
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_to(self.zoom * STEP ** (turn.y() / NOTCH), event.position().toPoint())
            return
        way = event.pixelDelta()
        if way.isNull():
            way = QPoint(round(turn.x() * 0.5), round(turn.y() * 0.5))
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and way.x() == 0:
            way = QPoint(way.y(), 0)
        self.scroll(-way)

    def _fit(self, content: QRectF) -> None:
        if content.isEmpty():
            self._set(self.natural)
            self._view.centerOn(QPointF(0, 0))
            return
        room = self._view.viewport().size()
        across = (room.width() - 2 * FIT_MARGIN) / content.width()
        down = (room.height() - 2 * FIT_MARGIN) / content.height()
        self._set(min(max(min(across, down), SMALLEST), self.natural))
        self._view.centerOn(content.center())

    def _set(self, zoom: float) -> None:
        self._view.resetTransform()
        self._view.scale(zoom, zoom)
        if zoom != self.zoom:
            self.zoom = zoom
            self.zoomed.emit(zoom)
