"""A wire drawn by keys: from the node on which they are to a port that is searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPen

from etl_studio.ui.canvas.items.wire import curve
from etl_studio.ui.canvas.ports import NEW_INPUT, CanvasPort, wire_between
from etl_studio.ui.canvas.target_search import Target, TargetSearch
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.canvas.walking import Walking
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens

MOST_JUDGED = 60
"""Ports that are judged for one list, the nearest first: the rules look at the whole pipeline for each."""


class Wiring(QObject):
    """Asks for the other end of a wire, shows it meanwhile and draws it at the end.

    Args:
        canvas: the widget over which the search opens.
        scene: the nodes.
        theme: colours.
        navigation: brings the other end into sight.
        walking: knows on which node the keys are.

    Attributes:
        popup: the search.
        start: where the wire begins; None while none is drawn.
        target: where it would end.
    """

    def __init__(
        self, canvas: QWidget, scene: PipelineScene, theme: Theme, navigation: Navigation, walking: Walking
    ) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._scene = scene
        self._document = scene.document
        self._navigation = navigation
        self._walking = walking
        self.start: CanvasPort | None = None
        self.target: Target | None = None
        self.popup = TargetSearch(theme, canvas)
        self.popup.target_pointed.connect(self._on_pointed)
        self.popup.target_chosen.connect(self._on_chosen)
        self.popup.port_wanted.connect(self._on_port_wanted)
        self.popup.closed.connect(self._on_closed)
        self._document.node_removed.connect(self.popup.hide)
        self._document.reset.connect(self.popup.hide)

    def begin(self, *, backwards: bool = False, rejects: bool = False) -> None:
        """Begin a wire at the node on which the keys are.

        Args:
            backwards: at an input, to choose what feeds the node.
            rejects: at the port of the rejected rows.
        """
        node = self._walking.node
        if node is None:
            self._walking.say(tr("No node is chosen."))
            return
        ports = self._ports(node)
        wanted = [port for port in ports if port.is_input == backwards and port.is_rejects == rejects]
        free = [port for port in wanted if not (port.is_input and port.connected)]
        start = next(iter(free or wanted or ([] if rejects else ports)), None)
        if start is None:
            self._walking.say(tr("This node rejects no rows.") if rejects else tr("This node has no ports."))
            return
        self._begin_at(start)

    def paint(self, painter: QPainter, tokens: Tokens) -> None:
        """Draw the wire that is being chosen."""
        if self.start is None or self.target is None:
            return
        ends = [self._anchor(self.start), self._anchor(self.target.port)]
        if self.start.is_input:
            ends.reverse()
        colour = tokens.danger if self.target.refusal else tokens.accent
        pen = QPen(QColor(colour), 2.2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(curve(*ends))
        painter.setBrush(QColor(colour))
        for end in ends:
            painter.drawEllipse(end, 4, 4)

    # -- inside -----------------------------------------------------------------------------------------------

    def _begin_at(self, start: CanvasPort) -> None:
        self.start, self.target = start, None
        self.popup.ask(self._question(start), self._targets)
        # in a lower corner, away from where the other end lies
        room = self._canvas.viewport().rect()
        self.popup.open_at(room.bottomRight() if start.is_input else room.bottomLeft())

    def _question(self, start: CanvasPort) -> str:
        title = self._document.titles()[start.node]
        if len(self._ports(start.node)) == 1:
            return tr("What feeds {node}?", node=title) if start.is_input else tr("Connect {node} to…", node=title)
        text = tr("What feeds {node}, {port}?") if start.is_input else tr("Connect {node}, {port}, to…")
        return text.format(node=title, port=start.title or start.name)

    def _ports(self, node: str) -> list[CanvasPort]:
        """Outputs first, in the order in which Right goes through them."""
        return sorted(self._scene.nodes[node].ports, key=lambda port: (port.is_input, port.is_rejects))

    def _targets(self, query: str) -> list[Target]:
        """The ports of the other kind whose node matches: first those that take the wire, each by nearness."""
        start = self.start
        if start is None:
            return []
        titles, words = self._document.titles(), query.casefold().split()
        here = self._anchor(start)
        ports = [
            port
            for name, item in self._scene.nodes.items()
            if name != start.node and all(word in f"{titles[name]} {name}".casefold() for word in words)
            for port in item.ports
            if port.is_input != start.is_input
        ]
        ports.sort(key=lambda port: (port.is_rejects, (self._anchor(port) - here).manhattanLength()))
        found = [self._judged(port, titles[port.node]) for port in ports[:MOST_JUDGED]]
        return sorted(found, key=lambda target: bool(target.refusal))

    def _judged(self, port: CanvasPort, title: str) -> Target:
        problem = self._document.check_wire(self._wire(port))
        same_side = [other for other in self._scene.nodes[port.node].ports if other.is_input == port.is_input]
        named = tr("new input") if port.name == NEW_INPUT else port.title or port.name
        return Target(port, f"{title} · {named}" if len(same_side) > 1 else title, problem.message if problem else "")

    def _wire(self, port: CanvasPort) -> Wire:
        output, target = (port, self.start) if self.start.is_input else (self.start, port)
        return wire_between(self._document.pipeline, output, target)

    def _anchor(self, port: CanvasPort) -> QPointF:
        return self._scene.nodes[port.node].anchor(port.name, is_input=port.is_input)

    def _on_pointed(self, target: Target) -> None:
        self.target = target
        self._navigation.reveal(target.port.node)
        self._canvas.viewport().update()

    def _on_chosen(self, target: Target) -> None:
        wire = self._wire(target.port)
        if (problem := self._document.connect_ports(wire)) is None:
            self._walking.go_to(target.port.node)
        else:
            self._walking.say(problem.message)

    def _on_port_wanted(self, step: int) -> None:
        ports = self._ports(self.start.node)
        index = next(i for i, port in enumerate(ports) if port == self.start)
        self._begin_at(ports[(index + step) % len(ports)])

    def _on_closed(self) -> None:
        self.start = self.target = None
        self._canvas.viewport().update()
