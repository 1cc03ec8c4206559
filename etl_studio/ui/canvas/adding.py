"""Adding by name: opens the search where it is asked for and puts the chosen node there, wired as it was asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from etl_studio.ui.canvas.items.sprites import CARD_WIDTH
from etl_studio.ui.canvas.ports import CanvasPort, default_input, default_output
from etl_studio.ui.follow_ups import following, preceding
from etl_studio.ui.listing import listed
from etl_studio.ui.quick_add import SEARCH, QuickAdd, alike, anything
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.model import Wire
    from etl_studio.pipeline.replacing import Replacement
    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.overlays import Tip
    from etl_studio.ui.theme.theme import Theme


class Adding(QObject):
    """Remembers what the search was opened for.

    Args:
        canvas: the widget over which the search opens.
        registry: the node types.
        theme: colours and icons.
        navigation: where things are on the screen.
        editing: makes the edits.
        tip: tells what a replacement could not keep.

    Attributes:
        popup: the search.
    """

    def __init__(  # noqa: PLR0913 - the parts of a canvas that take part
        self, canvas: QWidget, registry: Registry, theme: Theme, navigation: Navigation, editing: Editing, tip: Tip
    ) -> None:
        super().__init__(canvas)
        self._registry = registry
        self._navigation = navigation
        self._editing = editing
        self._tip = tip
        self._take: Callable[[str], object] = editing.add_after_selection
        self.popup = QuickAdd(registry, theme, canvas)
        self.popup.node_chosen.connect(self._on_chosen)

    def open_here(self) -> None:
        """Search for what comes behind the selected node, or for a node where the pointer is."""
        output = self._editing.selected_output()
        if output is None:
            self.open_at(self._navigation.pointer_position())
            return
        self._navigation.reveal(output.node)
        card = self._editing.card(output.node)
        self._take = self._editing.add_after_selection
        self._ask(card.topRight() + QPointF(16, 0), rank=self._behind(output.node), prompt=tr("What comes next?"))

    def open_at(self, at: QPointF, *, wired_from: CanvasPort | None = None, into: Wire | None = None) -> None:
        """Search for a node that will be at a point.

        Args:
            at: where the node will be, in scene coordinates.
            wired_from: a port that the new node is wired with.
            into: a wire that the new node is put into.
        """
        editing = self._editing
        if into is not None:
            self._take = partial(editing.insert_on_wire, middle=at, wire=into)
            self._ask(at, fits=_passes_rows, rank=self._behind(into.source), prompt=tr("What comes between?"))
        elif wired_from is not None:
            side = QPointF(-CARD_WIDTH / 2 if wired_from.is_input else CARD_WIDTH / 2, 0)
            self._take = partial(editing.add_wired, middle=at + side, port=wired_from)
            if wired_from.is_input:
                self._ask(at, fits=_gives_rows, rank=self._before(wired_from.node), prompt=tr("What comes before?"))
            else:
                self._ask(at, fits=_takes_rows, rank=self._behind(wired_from.node), prompt=tr("What comes next?"))
        elif (output := editing.selected_output()) is not None:
            self._take = partial(self._add_at, middle=at, output=output)
            self._ask(at, rank=self._behind(output.node))
        else:
            self._take = partial(editing.add, middle=at)
            self._ask(at)

    def open_instead_of(self, node: str) -> None:
        """Search for a type that a node gets instead of its own; those that keep its wires come first."""
        document = self._editing.document
        spec = document.pipeline.nodes[node]
        old = self._registry.get(spec.type)

        def cost(new: type[Node]) -> int:
            made = document.preview_replacement(node, new)
            moved = sum(before != after for before, after in made.wires.items())
            return 4 * len(made.lost_wires) + 2 * moved + (old is not None and new.group != old.group)

        self._take = partial(self._replace, node)
        self._ask(
            self._editing.card(node).bottomLeft() + QPointF(0, 8),
            fits=lambda new: new.type != spec.type,
            rank=cost,
            prompt=tr("Replace {node} by…", node=document.titles()[node]),
        )

    # -- inside -----------------------------------------------------------------------------------------------

    def _ask(
        self,
        at: QPointF,
        *,
        fits: Callable[[type[Node]], bool] = anything,
        rank: Callable[[type[Node]], int] = alike,
        prompt: str = SEARCH,
    ) -> None:
        self.popup.ask(self._navigation.to_pixel(at), fits=fits, rank=rank, prompt=prompt)

    def _on_chosen(self, node_type: str) -> None:
        self._take(node_type)

    def _add_at(self, node_type: str, *, middle: QPointF, output: CanvasPort) -> None:
        if default_input("", self._registry.get(node_type)):
            self._editing.add_wired(node_type, middle, output)
        else:
            self._editing.add(node_type, middle)

    def _replace(self, node: str, node_type: str) -> None:
        declared = self._registry.get(node_type)
        if declared is None or node not in self._editing.document.pipeline.nodes:
            return
        made = self._editing.document.replace_node(node, declared)
        replaced = self._editing.document.pipeline.nodes[node].type == node_type  # not while it is only looked at
        if replaced and (text := what_was_lost(made)):
            place = self._navigation.to_pixel(self._editing.card(node).bottomLeft())
            self._tip.show_reason(text, place, fades=True)

    def _behind(self, node: str) -> Callable[[type[Node]], int]:
        pipeline = self._editing.document.pipeline
        declared = self._editing.document.type_of(node)
        return following(declared, pipeline) if declared else alike

    def _before(self, node: str) -> Callable[[type[Node]], int]:
        pipeline = self._editing.document.pipeline
        declared = self._editing.document.type_of(node)
        return preceding(declared, pipeline) if declared else alike


def what_was_lost(made: Replacement) -> str:
    """A sentence about the settings and wires that a node with another type could not keep; empty: it kept all."""
    wires = [tr("the wire {wire}", wire=wire) for wire in made.lost_wires]
    lost = [*made.lost_settings, *wires]
    if not lost:
        return ""
    return tr("Not kept: {what}. Undo brings it back.", what=listed(lost))


def _takes_rows(node_type: type[Node]) -> bool:
    return default_input("", node_type) is not None


def _gives_rows(node_type: type[Node]) -> bool:
    return default_output("", node_type) is not None


def _passes_rows(node_type: type[Node]) -> bool:
    return _takes_rows(node_type) and _gives_rows(node_type)
