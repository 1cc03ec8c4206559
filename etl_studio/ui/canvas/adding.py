"""Adding by name: opens the search where the pointer is and puts the chosen node there, wired as it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from etl_studio.ui.canvas.items.sprites import CARD_WIDTH
from etl_studio.ui.canvas.ports import CanvasPort, default_input, default_output
from etl_studio.ui.quick_add import QuickAdd

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.model import Wire
    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.theme.theme import Theme


class Adding(QObject):
    """Remembers where the search was opened and why.

    Args:
        canvas: the widget over which the search opens.
        registry: the node types.
        theme: colours and icons.
        navigation: where things are on the screen.
        editing: makes the edits.

    Attributes:
        popup: the search.
    """

    def __init__(
        self, canvas: QWidget, registry: Registry, theme: Theme, navigation: Navigation, editing: Editing
    ) -> None:
        super().__init__(canvas)
        self._navigation = navigation
        self._editing = editing
        self._at = QPointF()
        self._port: CanvasPort | None = None
        self._wire: Wire | None = None
        self.popup = QuickAdd(registry, theme, canvas)
        self.popup.node_chosen.connect(self._add)

    def open_at(self, at: QPointF, *, wired_from: CanvasPort | None = None, into: Wire | None = None) -> None:
        """Open the search.

        Args:
            at: where the node will be, in scene coordinates.
            wired_from: a port that the new node is wired with.
            into: a wire that the new node is put into.
        """
        self._at, self._port, self._wire = at, wired_from, into
        self.popup.open_at(self._navigation.to_pixel(at), self._fits)

    def _fits(self, node_type: type[Node]) -> bool:
        """Only what can be wired as asked is offered."""
        takes, gives = default_input("", node_type), default_output("", node_type)
        if self._wire:
            return bool(takes and gives)
        if self._port:
            return bool(gives if self._port.is_input else takes)
        return True

    def _add(self, node_type: str) -> None:
        editing = self._editing
        if self._wire:
            editing.insert_on_wire(node_type, self._at, self._wire)
        elif self._port:
            side = -CARD_WIDTH / 2 if self._port.is_input else CARD_WIDTH / 2
            editing.add_wired(node_type, self._at + QPointF(side, 0), self._port)
        else:
            editing.add_after_selection(node_type, self._at)
