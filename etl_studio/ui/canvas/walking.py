"""Walking over the canvas by keys, from node to node along wires and by nearness, and through the wires of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QApplication

from etl_studio.ui.announcing import announce
from etl_studio.ui.canvas.spoken import spoken_group, spoken_node, spoken_wire
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.theme.tokens import Tokens

RING = 7.0
"""Distance of the ring from the card."""
ASIDE = 2.0
"""A node aside counts as so many times farther than one straight ahead."""
HELP = N_(
    "Tab searches for a node to add. Alt with the arrow keys walks from node to node, the arrow keys alone move what "
    "is selected. C draws a wire, W goes through the wires, Enter opens the settings."
)


class Walking(QObject):
    """Where the keys are. That is a node of its own: what is selected may be several, or none.

    Args:
        canvas: the widget that has the keys; it is described by where they are.
        scene: the nodes.
        navigation: brings the node into sight.

    Attributes:
        node: the node on which the keys are; None: on none yet.
        shown: whether the ring is drawn, since the last hand was on the keys.
    """

    def __init__(self, canvas: QWidget, scene: PipelineScene, navigation: Navigation) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._scene = scene
        self._navigation = navigation
        self._last = QPointF()
        self.node: str | None = None
        self.shown = False
        document = self._document = scene.document
        scene.chosen_changed.connect(self._on_chosen)
        document.node_removed.connect(self._on_removed)
        document.node_renamed.connect(self._on_renamed)
        document.reset.connect(self._on_reset)
        canvas.setAccessibleDescription(tr(HELP))

    # -- steps ------------------------------------------------------------------------------------------------

    def step(self, dx: int, dy: int, *, adds: bool = False) -> None:
        """Go to the next node in a direction: along a wire, else to the nearest there.

        Args:
            dx: 1 to the right, -1 to the left, else 0.
            dy: 1 down, -1 up, else 0.
            adds: what is selected stays selected.
        """
        chosen = self._scene.chosen_wires()
        if dx and len(chosen) == 1 and not self._scene.chosen_nodes():
            self.go_to(chosen[0].target if dx > 0 else chosen[0].source)
        elif self.node is None:
            self.go_to(self._nearest(self._scene.groups.stops(), self._navigation.sight().center()))
        else:
            self.go_to(self._along_wires(dx) or self._ahead(dx, dy), adds=adds)

    def first(self) -> None:
        """Go to the leftmost node."""
        self.go_to(next(iter(self._in_order()), None))

    def last(self) -> None:
        """Go to the rightmost node."""
        self.go_to(next(iter(self._in_order()[::-1]), None))

    def go_to(self, node: str | None, *, adds: bool = False) -> None:
        """Stand on a node, select it, bring it into sight and say it."""
        if node is None or node not in self._scene.nodes:
            return
        kept = self._scene.chosen_nodes() if adds else []
        taken = self._scene.groups.taken_with(node)
        self.node, self.shown = taken[0], True
        self._scene.choose([*kept, *taken])
        self._navigation.reveal(node)
        self._redraw()
        group = self._scene.groups.hides(node)
        said = (
            spoken_group(self._document, group.name) if group else spoken_node(self._document, self._scene.live, node)
        )
        self.say(said)

    def next_wire(self, *, back: bool = False) -> None:
        """Select the next wire of the node, or the one before."""
        wires = self._document.pipeline.wires_of(self.node) if self.node else []
        if not wires:
            self.say(tr("This node has no wires.") if self.node else tr("No node is chosen."))
            return
        wires.sort(key=lambda wire: wire.source == self.node)
        chosen = [wire for wire in self._scene.chosen_wires() if wire in wires]
        index = (wires.index(chosen[0]) + (-1 if back else 1)) % len(wires) if chosen else -1 if back else 0
        self._scene.choose(wires=[wires[index]])
        self.show()
        said = spoken_wire(self._document, wires[index])
        if len(wires) > 1:
            said = tr("{wire} {number} of {total}.", wire=said, number=index % len(wires) + 1, total=len(wires))
        self.say(said)

    def leave_wires(self) -> bool:
        """From a wire back to its node; whether a wire was selected alone."""
        if self.node and self._scene.chosen_wires() and not self._scene.chosen_nodes():
            self.go_to(self.node)
            return True
        return False

    # -- ring -------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """The hand is on the keys."""
        self.shown = True
        self._redraw()

    def hide(self) -> None:
        """The hand is on the mouse."""
        if self.shown:
            self.shown = False
            self._redraw()

    def paint(self, painter: QPainter, tokens: Tokens) -> None:
        """Draw the ring around the node."""
        focused = QApplication.focusWidget()
        here = focused is self._canvas or self._canvas.isAncestorOf(focused)
        if self.shown and self.node in self._scene.nodes and here:
            pen = QPen(QColor(tokens.text), 2)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._ring(), 12, 12)

    def say(self, text: str) -> None:
        """Tell a person who hears the canvas."""
        announce(self._canvas, text)

    # -- inside -----------------------------------------------------------------------------------------------

    def _ring(self) -> QRectF:
        return self._scene.cards([self.node])[self.node].adjusted(-RING, -RING, RING, RING)

    def _redraw(self) -> None:
        self._canvas.viewport().update()

    def _in_order(self) -> list[str]:
        layout = self._document.pipeline.layout
        return sorted(self._scene.groups.stops(), key=lambda name: layout.get(name, (0.0, 0.0)))

    def _along_wires(self, dx: int) -> str | None:
        """The node at the other end of a wire that lies at the most similar height."""
        wires, here = self._document.pipeline.wires, self._scene.groups.taken_with(self.node)
        if dx > 0:
            ends = [wire.target for wire in wires if wire.source in here and wire.target not in here]
        elif dx < 0:
            ends = [wire.source for wire in wires if wire.target in here and wire.source not in here]
        else:
            return None
        height = self._middle(self.node).y()
        there = [name for name in ends if name in self._scene.nodes]
        return min(there, key=lambda name: abs(self._middle(name).y() - height), default=None)

    def _ahead(self, dx: int, dy: int) -> str | None:
        here, best, least = self._middle(self.node), None, 0.0
        for name in self._scene.groups.stops():
            way = self._middle(name) - here
            ahead, aside = (way.x() * dx, abs(way.y())) if dx else (way.y() * dy, abs(way.x()))
            far = ahead + ASIDE * aside
            if ahead > 0 and (best is None or far < least):
                best, least = name, far
        return best

    def _nearest(self, names: Iterable[str], point: QPointF) -> str | None:
        return min(names, key=lambda name: (self._middle(name) - point).manhattanLength(), default=None)

    def _middle(self, node: str) -> QPointF:
        return self._scene.cards([node])[node].center()

    def _on_chosen(self) -> None:
        """The mouse or an edit chose another node: the keys go on from there."""
        chosen = self._scene.chosen_nodes()
        if chosen and self.node not in chosen:
            self.node = chosen[-1]
            self._redraw()
        if self.node in self._scene.nodes:
            self._last = self._middle(self.node)

    def _on_removed(self, node: str) -> None:
        """The keys stay near the place where the node was, so that nobody must begin at the beginning again."""
        if node == self.node:
            self.node = self._nearest((name for name in self._scene.nodes if name != node), self._last)
            self._redraw()

    def _on_renamed(self, old: str, new: str) -> None:
        if self.node == old:
            self.node = new

    def _on_reset(self) -> None:
        self.node, self.shown = None, False
        self._canvas.setAccessibleDescription(tr(HELP))
