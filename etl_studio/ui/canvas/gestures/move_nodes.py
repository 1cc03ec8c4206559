"""Move: a press on a node, note or title of a group selects it, dragging takes the whole selection along.

A wire takes a node without wires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QApplication

from etl_studio.ui.canvas.alignment import bounds
from etl_studio.ui.canvas.gestures.gesture import Gesture, Pointer
from etl_studio.ui.canvas.items.wire import WireItem
from etl_studio.ui.canvas.scene import Hit

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.tools import Tools


STRAIGHT_FROM = 50
"""Curves of more nodes than this are too slow to follow the mouse: their wires are straight meanwhile."""
CATCHES = 20.0
"""A wire within so many pixels of the middle of a dragged card takes it."""


class MoveNodes(Gesture):
    """One edit at the release, whatever the way. Ctrl or Shift with a click adds to or takes from the selection.

    The nodes are drawn to the edges and middles of those in sight, else to the grid; Alt lets them go anywhere.
    """

    def __init__(self, tools: Tools, press: Pointer) -> None:
        super().__init__(tools, press)
        self._adds = bool(press.modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        self._pressed = self.scene.items_of(press.hit)
        self._was_chosen = set(self._pressed) <= set(self.scene.chosen_items())
        if self._adds and not self._was_chosen:
            self.scene.choose([*self.scene.chosen_items(), *self._pressed], self.scene.chosen_wires())
        elif not self._was_chosen:
            self.scene.choose(self._pressed)
        names = self.scene.chosen_items()
        self._start = {name: self.document.pipeline.layout[name][:2] for name in names}
        self._around = bounds(self.scene.cards(names).values())
        self._positions: dict[str, tuple[float, float]] = {}
        self._wire: Wire | None = None

    @classmethod
    def starts(cls, press: Pointer) -> bool:
        hit = press.hit
        is_item = bool(hit.node or hit.note or hit.group)
        return press.button == Qt.MouseButton.LeftButton and is_item and hit.port is None

    def move(self, pointer: Pointer) -> None:
        way = pointer.on_screen - self.press.on_screen
        if not self._positions:
            if way.manhattanLength() < QApplication.startDragDistance():
                return
            self._look_around()
        offset = self._drawn(
            pointer.at - self.press.at, freely=bool(pointer.modifiers & Qt.KeyboardModifier.AltModifier)
        )
        self._positions = {name: (x + offset.x(), y + offset.y()) for name, (x, y) in self._start.items()}
        self.scene.preview_positions(self._positions, straight=len(self._positions) > STRAIGHT_FROM)
        self._wire = self._wire_below()
        self.scene.show_hover(Hit(wire=self._wire))

    def end(self, pointer: Pointer) -> None:
        del pointer
        self.tools.guides.clear()
        self.scene.show_hover(Hit())
        if self._positions:
            positions = self._positions
            self.scene.end_preview(positions)
            if self._wire:
                node = self.press.hit.node
                self.tools.editing.put_into(node, positions[node], self._wire)
            else:
                self.document.move(positions)
        elif self._adds and self._was_chosen:
            rest = [name for name in self.scene.chosen_items() if name not in self._pressed]
            self.scene.choose(rest, self.scene.chosen_wires())
        elif not self._adds:
            self.scene.choose(self._pressed)

    def cancel(self) -> None:
        self.tools.guides.clear()
        self.scene.show_hover(Hit())
        self.scene.end_preview(self._positions)

    def _look_around(self) -> None:
        sight = self.tools.navigation.sight()
        shown = [name for name, item in self.scene.nodes.items() if name not in self._start and item.isVisible()]
        others = self.scene.cards(shown).values()
        self.tools.guides.begin(card for card in others if card.intersects(sight))

    def _drawn(self, offset: QPointF, *, freely: bool) -> QPointF:
        """The way of the nodes: as far as the mouse, and on to a line or a point of the grid that is near."""
        guides = self.tools.guides
        if freely:
            guides.show(QRectF())
            return offset
        x, y = self._start[self._pressed[0]]
        on_grid = QPointF(*self.tools.editing.snapped(x + offset.x(), y + offset.y())) - QPointF(x, y)
        across, down = guides.pull(self._around.translated(offset), self.tools.navigation.zoom)
        drawn = QPointF(
            on_grid.x() if across is None else offset.x() + across, on_grid.y() if down is None else offset.y() + down
        )
        guides.show(self._around.translated(drawn))
        return drawn

    def _wire_below(self) -> Wire | None:
        """The wire that would take the node."""
        node = self.press.hit.node
        if node is None or len(self._positions) != 1 or not self.tools.editing.fits_into_wires(node):
            return None
        middle = self.scene.cards([node])[node].center()
        around = QRectF(middle - QPointF(CATCHES, CATCHES), middle + QPointF(CATCHES, CATCHES))
        return next((item.wire for item in self.scene.items(around) if isinstance(item, WireItem)), None)
