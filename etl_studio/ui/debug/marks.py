"""Breakpoints and halts on the canvas: a dot on a card or a wire, and a frame around the node that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.pipeline.flat import outer_node
from etl_studio.ui.canvas.items.sprites import CARD_RADIUS
from etl_studio.ui.canvas.items.wire import WireItem
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.canvas.items.node import NodeItem
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.debug.breakpoints import Breakpoints
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens

DOT = 6.5
"""Radius of a dot."""


class Dot(QGraphicsItem):
    """A breakpoint: filled, or hollow where it is disabled; with a bar in it where it has a condition.

    Args:
        theme: colours.
        parent: the card or wire.
    """

    def __init__(self, theme: Theme, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Breakpoint | None = None
        self.halted = False
        self.setZValue(5)

    def show_breakpoint(self, one: Breakpoint | None, *, halted: bool) -> None:
        """Show one; ``halted``: a batch waits here."""
        self._shown, self.halted = one, halted
        if one is None:
            tip = tr("Halted here")
        elif one.condition:
            tip = tr("Breakpoint: {condition}", condition=one.condition)
        else:
            tip = tr("Breakpoint")
        self.setToolTip(tip)
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-10, -10, 20, 20)

    def shape(self) -> QPainterPath:
        return QPainterPath()  # the card or wire below it is what is pointed at

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        tokens = self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._shown is not None:
            colour = QColor(tokens.danger)
            painter.setPen(QPen(QColor(tokens.canvas), 2))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(0, 0), DOT + 1, DOT + 1)
            if not self._shown.enabled:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.raised))
                painter.drawEllipse(QPointF(0, 0), DOT - 2, DOT - 2)
            elif self._shown.condition:
                painter.setPen(QPen(QColor(tokens.raised), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawLine(QPointF(-2.6, -1.4), QPointF(2.6, -1.4))
                painter.drawLine(QPointF(-2.6, 1.6), QPointF(2.6, 1.6))
        if self.halted:
            _arrow(painter, tokens)


class Frame(QGraphicsItem):
    """Around the card of the node that a batch is about to enter.

    Args:
        theme: colours.
        parent: the card.
    """

    def __init__(self, theme: Theme, parent: NodeItem) -> None:
        super().__init__(parent)
        self._theme = theme
        self._card = parent
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemStacksBehindParent)

    def boundingRect(self) -> QRectF:
        return self._card.card().adjusted(-9, -9, 9, 9)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        colour = QColor(self._theme.tokens.warning)
        around = self._card.card().adjusted(-5, -5, 5, 5)
        painter.setPen(QPen(colour, 2.5))
        colour.setAlphaF(0.22)
        painter.setBrush(colour)
        painter.drawRoundedRect(around, CARD_RADIUS + 5, CARD_RADIUS + 5)


class CanvasMarks(QObject):
    """Keeps the marks of a scene as breakpoints and halts are.

    Args:
        scene: the canvas.
        breakpoints: of its document.
        theme: colours.
        parent: its parent.
    """

    def __init__(
        self, scene: PipelineScene, breakpoints: Breakpoints, theme: Theme, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._scene, self._breakpoints, self._theme = scene, breakpoints, theme
        self._halts: dict[str, str] = {}
        self._dots: WeakKeyDictionary[NodeItem | WireItem, Dot] = WeakKeyDictionary()
        self._frames: WeakKeyDictionary[NodeItem, Frame] = WeakKeyDictionary()
        breakpoints.changed.connect(self.draw)
        document = scene.document  # connected behind the scene, whose items are there by then
        for signal in (document.reset, document.node_added, document.node_renamed, document.wire_added):
            signal.connect(self.draw)
        theme.changed.connect(self.draw)

    def show_halts(self, halts: dict[str, str]) -> None:
        """Show where batches wait: nodes by place."""
        self._halts = halts
        self.draw()

    def draw(self) -> None:
        """Bring all marks up to date."""
        enabled = {one.place: one for one in self._breakpoints.all()}
        waiting = {outer_node(node) for node in self._halts.values()}
        for name, item in self._scene.nodes.items():
            halted = name in self._halts
            self._mark(item, enabled.get(name), QPointF(0, 0), halted=halted)
            self._frame(item, framed=name in waiting)
        for wire, item in self._scene.wires.items():
            halted = any(Breakpoint(wire=str(wire)).covers(node, place) for place, node in self._halts.items())
            self._mark(item, enabled.get(str(wire)), item.mark_place(), halted=halted)

    def _mark(self, item: NodeItem | WireItem, one: Breakpoint | None, at: QPointF, *, halted: bool) -> None:
        if one is None and not halted:
            if (gone := self._dots.pop(item, None)) is not None:
                self._scene.removeItem(gone)
                if isinstance(item, WireItem):
                    item.mark = None
            return
        if (dot := self._dots.get(item)) is None:
            dot = self._dots[item] = Dot(self._theme, item)
            if isinstance(item, WireItem):
                item.mark = dot
        dot.setPos(at)
        dot.show_breakpoint(one, halted=halted)

    def _frame(self, item: NodeItem, *, framed: bool) -> None:
        if not framed:
            if (gone := self._frames.pop(item, None)) is not None:
                self._scene.removeItem(gone)
        elif item in self._frames:
            self._frames[item].update()
        else:
            self._frames[item] = Frame(self._theme, item)


def _arrow(painter: QPainter, tokens: Tokens) -> None:
    """What waits, on its way to the right."""
    path = QPainterPath(QPointF(-4, -6))
    path.lineTo(8, 0)
    path.lineTo(-4, 6)
    path.closeSubpath()
    painter.setPen(QPen(QColor(tokens.canvas), 1.5))
    painter.setBrush(QColor(tokens.warning))
    painter.drawPath(path)
