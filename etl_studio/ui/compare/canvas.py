"""A canvas to look at: both versions of a pipeline, with marks on what differs. Nothing can be changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from etl_studio.ui.canvas.backdrop import Backdrop
from etl_studio.ui.canvas.navigation import Navigation
from etl_studio.ui.canvas.scene import PipelineScene
from etl_studio.ui.compare.marks import GHOST, QUIET, NodeMark, WireMark
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from etl_studio.pipeline.diff_union import Difference, Union
    from etl_studio.sdk import Registry
    from etl_studio.ui.theme.theme import Theme

EDGE = 50_000


class ComparedPipeline(PipelineDocument):
    """Both versions as a document that takes no edit and has no problems: what was removed is no mistake."""

    def __init__(self, union: Union, registry: Registry, parent: QObject) -> None:
        super().__init__(registry, union.pipeline, parent)
        self.undo_stack.read_only = True

    def check_now(self) -> None:
        """Nothing is wrong with a comparison."""


class CompareCanvas(QGraphicsView):
    """Draws a union.

    Args:
        union: both versions.
        registry: the node types.
        theme: colours and icons.
        parent: its parent.

    Signals:
        chosen: id of the node that was clicked, or the wire.
    """

    chosen = Signal(object)

    def __init__(self, union: Union, registry: Registry, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.union = union
        self._theme = theme
        self.document = ComparedPipeline(union, registry, self)
        self.pipeline_scene = PipelineScene(self.document, theme, parent=self)
        self.navigation = Navigation(self, self.pipeline_scene)
        self.marks: dict[object, NodeMark | WireMark] = {}
        self._backdrop = Backdrop()
        self._drag: QPoint | None = None
        self._fitted = False
        self.setScene(self.pipeline_scene)
        self.setSceneRect(QRectF(-EDGE, -EDGE, 2 * EDGE, 2 * EDGE))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Both versions"))
        self._mark()
        self.navigation.zoomed.connect(self.pipeline_scene.show_zoom)
        theme.changed.connect(self._on_theme_changed)

    def show_difference(self, difference: Difference) -> None:
        """Select what it is about and bring it in sight."""
        wires = [difference.wire] if difference.wire else []
        self.pipeline_scene.choose([] if wires or not difference.node else [difference.node], wires)
        if wires and wires[0] in self.pipeline_scene.wires:
            self.ensureVisible(self.pipeline_scene.wires[wires[0]].sceneBoundingRect(), 40, 40)
        elif difference.node:
            self.navigation.reveal(difference.node)

    # -- mouse and keys ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton:
            hit = self.pipeline_scene.hit(self.mapToScene(self._drag), self.navigation.zoom)
            self.pipeline_scene.choose([hit.node] if hit.node else [], [hit.wire] if hit.wire else [])
            if hit.node or hit.wire:
                self.chosen.emit(hit.node or hit.wire)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._drag is not None and event.buttons():
            self.navigation.scroll(self._drag - at)
            self._drag = at
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.navigation.wheel(event)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        acts = {
            Qt.Key.Key_Plus: self.navigation.zoom_in,
            Qt.Key.Key_Minus: self.navigation.zoom_out,
            Qt.Key.Key_F: self.navigation.fit,
        }
        if act := acts.get(event.key()):
            act()
        else:
            event.ignore()

    # -- painting ---------------------------------------------------------------------------------------------

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        self._backdrop.paint(painter, rect, self.navigation.zoom, self._theme.tokens)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._fitted:
            self._fitted = True
            self.navigation.fit()

    # -- inside -----------------------------------------------------------------------------------------------

    def _mark(self) -> None:
        scene = self.pipeline_scene
        for name, item in scene.nodes.items():
            kind = self.union.nodes.get(name)
            item.setOpacity(GHOST if kind == "removed" else QUIET if kind is None else 1.0)
            if kind is not None:
                self.marks[name] = NodeMark(kind, item, scene.sprites)
        for wire, item in scene.wires.items():
            kind = self.union.wires.get(wire)
            item.setOpacity(QUIET if kind is None else 0.0)
            if kind is not None:
                self.marks[wire] = WireMark(kind, item, scene.sprites)
        for mark in self.marks.values():
            scene.addItem(mark)

    def _on_theme_changed(self) -> None:
        self.viewport().update()
