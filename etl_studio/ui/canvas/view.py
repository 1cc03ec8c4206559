"""The canvas widget: gives mouse, keys and drops to gestures and edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QMenu, QWidget

from etl_studio.ui.actions import default_keys, shown_key
from etl_studio.ui.canvas.acts import canvas_acts
from etl_studio.ui.canvas.adding import Adding
from etl_studio.ui.canvas.annotating import Annotating
from etl_studio.ui.canvas.backdrop import Backdrop
from etl_studio.ui.canvas.context_menu import context_menu
from etl_studio.ui.canvas.drop import DropTarget
from etl_studio.ui.canvas.editing import Editing
from etl_studio.ui.canvas.gestures.annotate import FoldGroup, MoveBend, OpenLink, ResizeNote
from etl_studio.ui.canvas.gestures.connect_ports import ConnectPorts
from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer
from etl_studio.ui.canvas.gestures.move_nodes import MoveNodes
from etl_studio.ui.canvas.gestures.pan_canvas import PanCanvas
from etl_studio.ui.canvas.gestures.select_area import SelectArea, SelectWire
from etl_studio.ui.canvas.guides import Guides
from etl_studio.ui.canvas.in_place import InPlace
from etl_studio.ui.canvas.items.node import BOX_BELOW
from etl_studio.ui.canvas.keyboard import Keyboard
from etl_studio.ui.canvas.minimap import Minimap
from etl_studio.ui.canvas.navigation import Navigation
from etl_studio.ui.canvas.overlays import EmptyHint, Tip
from etl_studio.ui.canvas.pointing import cursor_for
from etl_studio.ui.canvas.request_reading import RequestReading
from etl_studio.ui.canvas.scene import Hit, PipelineScene
from etl_studio.ui.canvas.tools import Tools
from etl_studio.ui.canvas.walking import Walking
from etl_studio.ui.canvas.wiring import Wiring
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

EDGE = 50_000
"""How far the canvas reaches from its middle, in pixels."""
SHIFT = Qt.KeyboardModifier.ShiftModifier


class CanvasView(QGraphicsView):
    """One document on a canvas.

    Args:
        document: what is edited.
        theme: colours and icons.
        parent: the widget around it.

    Attributes:
        pipeline_scene: the scene; give it the run's events.
        navigation: zoom, fit, reveal.
        editing: delete, copy, paste, add and the like.
        quick_add: searches for a node by name and adds it.
        tip: tells why something is refused.
        guides: lines that dragged nodes are drawn to.
        annotating: notes, groups, bends, disabled nodes.
        in_place: writes notes and titles of groups where they are.
        walking: where the keys are.
        wiring: draws wires by keys.
        acts: what actions of the window mean here, by their names.
        keys: the keys of an action, by its name.
        minimap: the map in the corner.
    """

    selection_changed = Signal(list)
    """Ids of the selected nodes."""
    node_activated = Signal(str)
    """A node was double-clicked, or Enter was pressed on it."""
    settings_wanted = Signal(str)
    """A person wants the settings of a node."""
    extract_wanted = Signal()
    """What is selected is to become a sub-pipeline."""
    inline_wanted = Signal(str)
    """The nodes of its file are to stand in the place of a sub-pipeline."""
    file_dropped = Signal(str)
    """A pipeline file was dropped: the window may open it."""
    example_requested = Signal()
    run_wanted = Signal(str)
    """A person wants a node and what feeds it to run."""
    run_from_wanted = Signal(str)
    """A person wants a node and what follows it to run."""
    breakpoint_wanted = Signal(str)
    """A person wants a breakpoint at a node or wire, or none there any more."""
    condition_wanted = Signal(str)
    """A person wants to write the condition of the breakpoint at a node or wire."""
    breaker_ordered = Signal(str, str)
    """A node of the run and the state that a person wants its breakers in (a value of ``BreakerState``)."""

    GESTURES: ClassVar[tuple[type[Gesture], ...]] = (
        PanCanvas, ConnectPorts, OpenLink, FoldGroup, ResizeNote, MoveBend, MoveNodes, SelectWire, SelectArea,
    )  # fmt: skip

    def __init__(self, document: PipelineDocument, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.keys = default_keys
        self.theme = theme
        self.pipeline_scene = PipelineScene(document, theme, parent=self)
        self._gesture: Gesture | None = None
        self._space = False
        self._backdrop = Backdrop()
        self.navigation = Navigation(self, self.pipeline_scene)
        self.minimap = Minimap(self, self.pipeline_scene, self.navigation, theme)
        self._set_up()
        self.editing = Editing(self.pipeline_scene, self.navigation)
        self.tip = Tip(theme, self)
        self.hint = EmptyHint(theme, self)
        self.hint.example_requested.connect(self.example_requested)
        self.editing.noticed.connect(self._on_noticed)
        self.quick_add = Adding(self, document.registry, theme, self.navigation, self.editing, self.tip)
        self.guides = Guides(self.pipeline_scene)
        self.in_place = InPlace(self, self.pipeline_scene, self.navigation, theme)
        self.annotating = Annotating(self.pipeline_scene, self.navigation, self.editing, self.in_place)
        self.requests = RequestReading(self, self.editing, self.navigation, theme)
        self._tools = Tools(
            self.pipeline_scene, self.viewport(), self.navigation, self.editing, self.quick_add, self.tip, self.guides,
            self.annotating, self.requests, self._key,
        )  # fmt: skip
        self._drops = DropTarget(self._tools, self)
        self._drops.pipeline_dropped.connect(self.file_dropped)
        self.walking = Walking(self, self.pipeline_scene, self.navigation)
        self.wiring = Wiring(self, self.pipeline_scene, theme, self.navigation, self.walking)
        self.navigation.covers = [self.minimap, self.wiring.popup]
        self._keyboard = Keyboard(self._tools, self.walking, self.wiring, self.node_activated.emit)
        self.acts = canvas_acts(self._tools, self.walking, self.wiring)
        self.navigation.zoomed.connect(self._on_zoomed)
        self.pipeline_scene.chosen_changed.connect(self._on_chosen_changed)
        document.node_added.connect(self._on_nodes_changed)
        document.node_removed.connect(self._on_nodes_changed)
        document.note_added.connect(self._on_nodes_changed)
        document.note_removed.connect(self._on_nodes_changed)
        document.reset.connect(self._on_reset)
        document.undo_stack.indexChanged.connect(self._cancel_gesture)
        theme.changed.connect(self._on_theme_changed)
        self.navigation.set_natural(theme.scale)
        self._on_nodes_changed()

    def pointer_position(self) -> QPointF:
        """Where the pointer is in the scene, or the middle of what is in sight."""
        return self.navigation.pointer_position()

    # -- mouse ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.quick_add.popup.hide()
        self.wiring.popup.hide()
        self.walking.hide()
        self.tip.hide()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self._gesture is None:
            press = self._pointer(event)
            gesture = next((gesture for gesture in self.GESTURES if gesture.starts(press)), None)
            self.pipeline_scene.show_hover(Hit())
            self._gesture = gesture(self._tools, press) if gesture else None
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.navigation.pointer = event.position().toPoint()
        pointer = self._pointer(event)
        if self._gesture:
            self._gesture.move(pointer)
        else:
            self.pipeline_scene.show_hover(pointer.hit)
            if not self._space:
                self.viewport().setCursor(cursor_for(pointer.hit, pointer.modifiers))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture, pointer = self._gesture, self._pointer(event)
        if gesture and event.button() == gesture.press.button:
            self._gesture = None
            gesture.end(pointer)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        pointer = self._pointer(event)
        if pointer.button != Qt.MouseButton.LeftButton:
            return
        hit = pointer.hit
        if hit.node:
            self.node_activated.emit(hit.node)
        elif hit.note:
            self.annotating.write_note(hit.note)
        elif hit.group and hit.chevron:
            self.annotating.fold(hit.group)
        elif hit.group:
            self.annotating.write_title(hit.group)
        elif hit.wire and hit.bend is not None:
            self.annotating.remove_bend(hit.wire, hit.bend)
        elif hit.wire:
            self.annotating.add_bend(hit.wire, pointer.at)
        else:
            self.quick_add.open_at(pointer.at)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.navigation.wheel(event)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._open_menu()
            return
        at = self.mapToScene(event.pos())
        self.menu_for(self.pipeline_scene.hit(at, self.navigation.zoom), at).popup(event.globalPos())

    def menu_for(self, hit: Hit, at: QPointF) -> QMenu:
        """The context menu for what is under a point of the scene."""
        return context_menu(
            self._tools,
            self.theme,
            hit,
            at,
            activate=self.node_activated.emit,
            show_settings=self.settings_wanted.emit,
            extract=self.extract_wanted.emit,
            inline=self.inline_wanted.emit,
            order_breaker=self.breaker_ordered.emit,
            run_to=self.run_wanted.emit,
            run_from=self.run_from_wanted.emit,
            breakpoint=self.breakpoint_wanted.emit,
            condition=self.condition_wanted.emit,
        )

    def leaveEvent(self, event: QEvent) -> None:
        self.navigation.pointer = None
        self.pipeline_scene.show_hover(Hit())
        super().leaveEvent(event)

    # -- keys -------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self._gesture:
            self._cancel_gesture()
        elif key == Qt.Key.Key_Escape:
            self._keyboard.escape()
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif key == Qt.Key.Key_Menu or (key == Qt.Key.Key_F10 and event.modifiers() & SHIFT):
            self._open_menu()
        elif not self._keyboard.press(event):
            super().keyPressEvent(event)
            return
        event.accept()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            if self._gesture is None:
                self.viewport().unsetCursor()
        super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.walking.show()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        super().focusOutEvent(event)

    def focusNextPrevChild(self, next_child: bool) -> bool:  # noqa: FBT001 - Qt's signature
        """Tab on the canvas searches for a node; Shift+Tab leaves the canvas."""
        if next_child and self.hasFocus():
            self.quick_add.open_here()
            return True
        return super().focusNextPrevChild(next_child)

    # -- drops ------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._judge_drop(event)
        self.hint.show_if(not self.document.pipeline.nodes, dragging=True)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._judge_drop(event)
        if event.isAccepted():
            self._drops.hover(event.mimeData(), self.mapToScene(event.position().toPoint()))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.pipeline_scene.show_hover(Hit())
        self._on_nodes_changed()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        self._on_nodes_changed()
        if not self._drops.accepts(event.mimeData()):
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._drops.take(event.mimeData(), self.mapToScene(event.position().toPoint()))

    # -- painting ---------------------------------------------------------------------------------------------

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        self._backdrop.paint(painter, rect, self.navigation.zoom, self.theme.tokens)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        del rect
        for part in (self.walking, self.wiring, self.guides):
            part.paint(painter, self.theme.tokens)

    def changeEvent(self, event: QEvent) -> None:
        """A style sheet takes the viewport for transparent and would repaint all of it at each scroll."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._make_opaque()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.minimap.place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.hint.place()
        self.minimap.place()

    # -- inside -----------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        self.setScene(self.pipeline_scene)
        self.setSceneRect(QRectF(-EDGE, -EDGE, 2 * EDGE, 2 * EDGE))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.viewport().setMouseTracking(True)
        self._make_opaque()
        self.setAccessibleName(tr("Pipeline canvas"))

    def _make_opaque(self) -> None:
        viewport = self.viewport()
        viewport.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        viewport.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, False)
        viewport.setAutoFillBackground(False)

    def _pointer(self, event: QMouseEvent) -> Pointer:
        pixel = event.position().toPoint()
        at = self.mapToScene(pixel)
        hit = self.pipeline_scene.hit(at, self.navigation.zoom)
        return Pointer(at, pixel, event.button(), event.modifiers(), hit, self._space)

    def _open_menu(self) -> None:
        """The menu of what the keys are on, beside it."""
        scene, at = self.pipeline_scene, self.navigation.pointer_position()
        nodes, wires = scene.chosen_nodes(), scene.chosen_wires()
        hit = Hit()
        if nodes:
            hit = Hit(self.walking.node if self.walking.node in nodes else nodes[0])
            at = self.editing.card(hit.node).center()
            self.navigation.reveal(hit.node)
        elif wires:
            hit, at = Hit(wire=wires[0]), scene.wires[wires[0]].path().pointAtPercent(0.5)
        self.menu_for(hit, at).popup(self.viewport().mapToGlobal(self.navigation.to_pixel(at)))

    def _key(self, action: str) -> str:
        return shown_key(self.keys(action)) if action else ""

    def _judge_drop(self, event: QDragMoveEvent) -> None:
        event.setAccepted(self._drops.accepts(event.mimeData()))
        if event.isAccepted():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def _cancel_gesture(self) -> None:
        """Escape, or an edit from elsewhere: what is in the hand may be gone."""
        gesture, self._gesture = self._gesture, None
        if gesture:
            gesture.cancel()

    def _on_noticed(self, text: str, at: QPointF) -> None:
        self.tip.show_reason(text, self.navigation.to_pixel(at), fades=True)

    def _on_zoomed(self, zoom: float) -> None:
        self.pipeline_scene.show_zoom(zoom)
        self.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= BOX_BELOW)  # half the cost of a far view

    def _on_chosen_changed(self) -> None:
        self.selection_changed.emit(self.pipeline_scene.chosen_nodes())

    def _on_nodes_changed(self) -> None:
        self.hint.show_if(not (self.document.pipeline.nodes or self.document.pipeline.notes))

    def _on_reset(self) -> None:
        self._gesture = None  # what it had drawn went with the scene
        self.tip.hide()
        self.viewport().unsetCursor()
        self._on_nodes_changed()
        self.navigation.fit()

    def _on_theme_changed(self) -> None:
        self.navigation.set_natural(self.theme.scale)
        self.viewport().update()
