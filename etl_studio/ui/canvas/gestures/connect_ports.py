"""Wire: drag from a port to a port. Ports that take the wire light up, others fade; a refusal says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem

from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer
from etl_studio.ui.canvas.items.wire import curve
from etl_studio.ui.canvas.ports import CanvasPort, wire_between
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.pipeline.problems import Problem
    from etl_studio.ui.canvas.tools import Tools

MOST_MARKED = 200
"""Nodes whose ports are judged beforehand; with more in sight only the one under the pointer is."""
SNAP = 28.0
"""Distance in pixels from which the wire jumps to a port."""


class ConnectPorts(Gesture):
    """Draws a wire from an output to an input, or the other way round.

    A drop on a node takes its first port that fits. A drop on nothing asks for a node to put there.
    """

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._from: CanvasPort = press.hit.port
        self._verdicts: dict[CanvasPort, Problem | None] = {}
        self._marks: dict[str, dict[tuple[bool, str], str]] = {}
        self._pointed: CanvasPort | None = None
        self._line = QGraphicsPathItem()
        self._line.setZValue(50)
        self.scene.addItem(self._line)
        self._mark_visible()

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        return press.button == Qt.MouseButton.LeftButton and press.hit.port is not None

    def move(self, pointer: Pointer) -> None:
        port = self._target(pointer)
        problem = self._verdict(port) if port else None
        end = self.scene.nodes[port.node].anchor(port.name, is_input=port.is_input) if port else pointer.at
        start = self.scene.nodes[self._from.node].anchor(self._from.name, is_input=self._from.is_input)
        self._line.setPath(curve(end, start) if self._from.is_input else curve(start, end))
        self._point_out(port, refused=problem is not None)
        tokens = self.scene.sprites.tokens
        pen = QPen(QColor(tokens.danger if problem else tokens.accent), 2.2, Qt.PenStyle.SolidLine)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if port is None:
            pen.setDashPattern([3.0, 3.0])
        self._line.setPen(pen)
        if problem:
            self.tools.tip.show_reason(problem.message, pointer.on_screen)
        else:
            self.tools.tip.hide()
        self.tools.viewport.setCursor(Qt.CursorShape.ForbiddenCursor if problem else Qt.CursorShape.CrossCursor)

    def end(self, pointer: Pointer) -> None:
        self._clear()
        if (pointer.on_screen - self.press.on_screen).manhattanLength() < QApplication.startDragDistance():
            self.scene.choose([self._from.node])
            return
        port = self._target(pointer)
        if port is None:
            group = self.scene.groups.items.get(pointer.hit.group)
            if group and group.collapsed:
                reason = tr("Expand the group to reach the ports of its nodes.")
                self.tools.tip.show_reason(reason, pointer.on_screen, fades=True)
            elif pointer.hit.node is None:
                self.tools.quick_add.open_at(pointer.at, wired_from=self._from)
            return
        problem = self.document.connect_ports(self._wire(port))
        if problem is None:
            self.tools.tip.hide()
        else:
            self.tools.tip.show_reason(f"{problem.message} {problem.hint}".strip(), pointer.on_screen, fades=True)

    def cancel(self) -> None:
        self.tools.tip.hide()
        self._clear()

    def _clear(self) -> None:
        self.scene.removeItem(self._line)
        self.scene.mark_ports(None)
        self.tools.viewport.unsetCursor()

    def _wire(self, port: CanvasPort) -> Wire:
        output, target = (port, self._from) if self._from.is_input else (self._from, port)
        return wire_between(self.document.pipeline, output, target)

    def _verdict(self, port: CanvasPort) -> Problem | None:
        if port not in self._verdicts:
            self._verdicts[port] = self.document.check_wire(self._wire(port))
        return self._verdicts[port]

    def _target(self, pointer: Pointer) -> CanvasPort | None:
        """The port meant by the pointer: the nearest of the other kind; on a card the first that fits."""
        reach = SNAP / max(self.tools.navigation.zoom, 0.5)
        near = self.scene.hit(pointer.at, self.tools.navigation.zoom)
        if near.port and near.port.is_input != self._from.is_input:
            return near.port
        if near.node is None:
            around = QRectF(pointer.at - QPointF(reach, reach), pointer.at + QPointF(reach, reach))
            for name, item in self.scene.nodes.items():
                if item.isVisible() and item.sceneBoundingRect().intersects(around):
                    port = item.port_at(pointer.at, reach)
                    if port and port.is_input != self._from.is_input and name != self._from.node:
                        return port
            return None
        ports = [port for port in self.scene.nodes[near.node].ports if port.is_input != self._from.is_input]
        ports.sort(key=lambda port: port.is_rejects)
        if near.node == self._from.node and near.port is None:
            return None
        return next((port for port in ports if self._verdict(port) is None), ports[0] if ports else None)

    def _mark_visible(self) -> None:
        sight = self.tools.navigation.sight()
        shown = (item for item in self.scene.nodes.values() if item.isVisible())
        visible = [item for item in shown if item.sceneBoundingRect().intersects(sight)]
        if len(visible) > MOST_MARKED:
            return
        for item in visible:
            self._marks[item.name] = {
                (port.is_input, port.name): "refused" if self._verdict(port) else "valid"
                for port in item.ports
                if port.is_input != self._from.is_input
            } or {(self._from.is_input, ""): "refused"}
        self._marks[self._from.node] = {(self._from.is_input, self._from.name): "valid"}
        self.scene.mark_ports(self._marks)

    def _point_out(self, port: CanvasPort | None, *, refused: bool) -> None:
        """Mark the port that a release would take."""
        if port == self._pointed:
            return
        if self._pointed:
            item = self.scene.nodes[self._pointed.node]
            item.mark_ports(self._marks.get(item.name, {}))
        self._pointed = port
        if port:
            mark = {(port.is_input, port.name): "denied" if refused else "hover"}
            self.scene.nodes[port.node].mark_ports(self._marks.get(port.node, {}) | mark)
