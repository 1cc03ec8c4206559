"""The scene: listens to the document and draws it; listens to the run and shows it. It changes neither."""

from __future__ import annotations

from dataclasses import replace
from time import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtWidgets import QGraphicsScene

from etl_studio.pipeline.flat import outer_node
from etl_studio.ui.canvas.groups import Groups
from etl_studio.ui.canvas.items.node import NodeItem
from etl_studio.ui.canvas.items.sprites import Sprites
from etl_studio.ui.canvas.items.wire import DETAIL_FROM, WireItem
from etl_studio.ui.canvas.live import LiveRun
from etl_studio.ui.canvas.live_parts import RunParts
from etl_studio.ui.canvas.notes import Notes
from etl_studio.ui.canvas.pointing import Hit, hit_at, items_in
from etl_studio.ui.canvas.ports import ports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from etl_studio.engine.events import BreakerChanged, NodeChanged, PauseChanged, RetryScheduled, Sampled
    from etl_studio.pipeline.model import Bends, Place, Wire
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

RESTS_AFTER = 120
"""Milliseconds after which a zoom that does not change is meant to stay."""
TICK = 100
"""Milliseconds between repaints of countdowns."""


class PipelineScene(QGraphicsScene):
    """Items for the nodes and wires of one document.

    Args:
        document: what is shown.
        theme: colours and icons.
        clock: seconds since the epoch, for countdowns.
        parent: the QObject that owns it.

    Attributes:
        nodes, wires: the items by node id and wire.
        notes, groups: what is around them.
        chosen_bend: the selected bend of a wire.
        live: what is known of the run.
    """

    chosen_changed = Signal()
    """Other nodes or wires are selected."""

    def __init__(
        self,
        document: PipelineDocument,
        theme: Theme,
        *,
        clock: Callable[[], float] = time,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.BspTreeIndex)
        self.document = document
        self.sprites = Sprites(theme, self)
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.live = LiveRun()
        self._parts = RunParts(document)
        self.chosen_bend: tuple[Wire, int] | None = None
        self._wires_of: dict[str, dict[WireItem, None]] = {}
        """The wires of each node, in the order in which they came."""
        self._clock = clock
        self._hover = Hit()
        self._pinned: Collection[str] = ()
        self._straight = False
        self._zoom = 1.0
        self._detailed = True
        self._countdown = QTimer(self, interval=TICK)
        self._countdown.timeout.connect(self._tick)
        self._resting = QTimer(self, singleShot=True, interval=RESTS_AFTER)
        self._resting.timeout.connect(self._on_rest)
        self.sprites.changed.connect(self._on_theme_changed)
        document.node_added.connect(self._on_node_added)
        document.node_removed.connect(self._on_node_removed)
        document.node_changed.connect(self._on_node_changed)
        document.interface_changed.connect(self._on_node_changed)
        document.node_moved.connect(self._on_node_moved)
        document.node_renamed.connect(self._on_node_renamed)
        document.wire_added.connect(self._on_wire_added)
        document.wire_removed.connect(self._on_wire_removed)
        document.wire_bent.connect(self._on_wire_bent)
        document.problems_changed.connect(self._on_problems_changed)
        document.left_out_changed.connect(self._on_left_out_changed)
        self.notes = Notes(self, document, self.sprites)
        self.notes.gone.connect(self._on_note_gone)
        self.groups = Groups(self, document, self.sprites, self.nodes, self._live_run)
        self.groups.gone.connect(self._forget_hover)
        self.groups.uncovered.connect(self._route_all)
        document.reset.connect(self._on_reset)
        self._on_reset()

    # -- selection --------------------------------------------------------------------------------------------

    def chosen_nodes(self) -> list[str]:
        """Ids of the selected nodes, in the order of the document."""
        return [name for name in self.document.pipeline.nodes if name in self.nodes and self.nodes[name].chosen]

    def chosen_wires(self) -> list[Wire]:
        """The selected wires."""
        return [wire for wire, item in self.wires.items() if item.chosen]

    def chosen_items(self) -> list[str]:
        """Ids of the selected nodes and notes."""
        return [*self.chosen_nodes(), *self.notes.chosen()]

    def choose(self, items: Iterable[str] = (), wires: Iterable[Wire] = ()) -> None:
        """Select exactly these nodes and notes, and these wires."""
        names, links = set(items), set(wires)
        self.choose_bend(None)
        if (names, links) == (set(self.chosen_items()), set(self.chosen_wires())):
            return
        for name, item in self.nodes.items():
            item.show_chosen(chosen=name in names)
        for wire, item in self.wires.items():
            item.show_chosen(chosen=wire in links)
        self.notes.choose(names)
        self.groups.show_chosen()
        self.chosen_changed.emit()

    def choose_bend(self, bend: tuple[Wire, int] | None) -> None:
        """Select a bend of a wire, too; None: none."""
        if self.chosen_bend and self.chosen_bend[0] in self.wires:
            self.wires[self.chosen_bend[0]].show_chosen_bend(None)
        self.chosen_bend = bend
        if bend:
            self.wires[bend[0]].show_chosen_bend(bend[1])

    def items_of(self, hit: Hit) -> list[str]:
        """What a press there takes: a node, a note, the members of a group."""
        if hit.group:
            return self.groups.members(hit.group)
        name = hit.node or hit.note
        return [name] if name else []

    def items_in(self, area: QRectF) -> list[str]:
        """What a rubber band takes: nodes that it touches, also those in collapsed groups, and notes that it holds."""
        names, groups = items_in(self.items(area), area)
        return [*names, *(node for group in groups for node in self.groups.members(group))]

    # -- pointing ---------------------------------------------------------------------------------------------

    def hit(self, point: QPointF, zoom: float = 1.0) -> Hit:
        """What is under a point; ports and wires are easier to hit than they look."""
        return hit_at(self, point, zoom)

    def show_hover(self, hit: Hit) -> None:
        """Show what the pointer is on."""
        if hit == self._hover:
            return
        before, self._hover = self._hover, hit
        if before.node in self.nodes and before.node != hit.node:
            self.nodes[before.node].show_hover(None, hovered=False)
        if before.wire in self.wires:
            self.wires[before.wire].show_hover(hovered=False)
        if hit.node in self.nodes:
            self.nodes[hit.node].show_hover(hit.port, hovered=True)
        if hit.wire in self.wires:
            self.wires[hit.wire].show_hover(hovered=True)

    def content_rect(self) -> QRectF:
        """The smallest rectangle around everything."""
        rect = QRectF()
        for card in self.cards([*self.nodes, *self.notes.items]).values():
            rect = rect.united(card)
        for group in self.groups.items.values():
            rect = rect.united(group.card())
        return rect

    def cards(self, names: Iterable[str] | None = None) -> dict[str, QRectF]:
        """The cards of nodes and notes, of all nodes by default, in scene coordinates.

        That of a member of a collapsed group is the card of the group.
        """
        found = {}
        for name in self.nodes if names is None else names:
            if group := self.groups.hides(name):
                found[name] = group.card()
            else:
                item = self.nodes.get(name) or self.notes.items[name]
                found[name] = item.card().translated(item.pos())
        return found

    # -- previews of gestures ---------------------------------------------------------------------------------

    def preview_positions(self, positions: Mapping[str, Place], *, straight: bool = False) -> None:
        """Show nodes and notes elsewhere while they are dragged; the document does not know yet."""
        self._straight = straight
        touched: set[WireItem] = set()
        for name, place in positions.items():
            item = self.nodes.get(name) or self.notes.items[name]
            item.setPos(place[0], place[1])
            touched |= self._wires_of.get(name, {}).keys()
        self.groups.follow(positions)
        for wire in touched:
            self._route(wire)

    def preview_bends(self, wire: Wire, bends: Bends) -> None:
        """Lead a wire elsewhere while a bend is dragged."""
        self._route(self.wires[wire], bends)

    def end_preview(self, names: Iterable[str]) -> None:
        """Put dragged nodes where the document says."""
        layout = self.document.pipeline.layout
        there = self.nodes.keys() | self.notes.items.keys()
        self.preview_positions({name: layout[name] for name in names if name in there and name in layout})

    def mark_ports(self, marks: Mapping[str, dict[tuple[bool, str], str]] | None) -> None:
        """While a wire is drawn: what each node's ports would say to it; None: no wire is drawn any more."""
        for name, item in self.nodes.items():
            item.mark_ports(None if marks is None else marks.get(name))

    def show_pins(self, nodes: Collection[str]) -> None:
        """Show which nodes have pinned rows."""
        self._pinned = nodes
        for name, item in self.nodes.items():
            item.show_pinned(pinned=name in nodes)

    # -- the run ----------------------------------------------------------------------------------------------

    def show_sample(self, event: Sampled) -> None:
        """Show counts, rates and fill, ten times a second."""
        now = self._clock()
        for name in self._parts.shown(self.live, self.live.sampled(event)):
            if name in self.nodes:
                self.nodes[name].show_live(self.live.nodes[name], now)
        self.groups.show_states({outer_node(name) for name in event.nodes})
        for wire, item in self.wires.items():
            if (sample := event.wires.get(self._parts.name(wire))) is not None:
                item.show_sample(sample)

    def show_zoom(self, zoom: float) -> None:
        """The zoom is changing: draw quickly now; sharply, and as much as can be read, when it rests."""
        self._zoom = zoom
        self.sprites.faces.hurried = True
        self._resting.start()

    def _on_rest(self) -> None:
        self.sprites.faces.hurried = False
        if (detailed := self._zoom >= DETAIL_FROM) != self._detailed:
            self._detailed = detailed
            for item in self.wires.values():
                item.show_detail(detailed=detailed)
        self.update()

    def show_state(self, event: NodeChanged) -> None:
        """Show that a node runs, waits, failed or is done."""
        self.live.node(event.node).change(event)
        self.show_live(event.node)

    def show_retry(self, event: RetryScheduled) -> None:
        """Show the countdown to the next attempt."""
        self.live.node(event.node).retry_scheduled(event)
        self.show_live(event.node)

    def show_breaker(self, event: BreakerChanged) -> None:
        """Show that a breaker opened, half opened or closed."""
        self.live.node(event.node).breaker_changed(event)
        self.show_live(event.node)

    def show_pause(self, event: PauseChanged) -> None:
        """Show that the nodes which run wait for a person."""
        self.live.paused(event)
        for name in list(self.live.nodes):
            self.show_live(name)

    def end_run(self) -> None:
        """The run is over: its numbers stay."""
        for item in self.wires.values():
            item.come_to_rest()

    def clear_run(self, *, dry: bool = False) -> None:
        """Forget the run: nodes show their settings again. ``dry``: the next one writes nothing."""
        self.live = LiveRun(dry=dry)
        self._countdown.stop()
        for item in self.nodes.values():
            item.show_live(None, 0.0)
        for item in self.wires.values():
            item.show_sample(None)
        self.groups.show_states(self.nodes)

    def show_live(self, name: str) -> None:
        """Show what is known of a node of the run."""
        for shown in self._parts.shown(self.live, [name]):
            if shown in self.nodes:
                self.nodes[shown].show_live(self.live.nodes[shown], self._clock())
                self.groups.show_states([shown])
        if not self._countdown.isActive() and self.live.counting_down(self._clock()):
            self._countdown.start()

    def _tick(self) -> None:
        now = self._clock()
        names = self.live.counting_down(now)
        if not names:
            self._countdown.stop()
        for name in names or self.live.nodes:
            if name in self.nodes:
                self.nodes[name].show_live(self.live.nodes[name], now)

    # -- the document -----------------------------------------------------------------------------------------

    def _on_reset(self) -> None:
        self.clear()
        self.sprites.faces.clear()
        self.nodes.clear()
        self.wires.clear()
        self._wires_of.clear()
        self.live = LiveRun()
        self._hover = Hit()
        self._countdown.stop()
        self.chosen_bend = None
        self.groups.items.clear()
        for wire in self.document.pipeline.wires:
            self._add_wire(wire)
        for name in self.document.pipeline.nodes:
            self._on_node_added(name)
        self.notes.renew()
        self.groups.renew()
        for item in self.wires.values():
            self._route(item)
        self.chosen_changed.emit()

    def _on_node_added(self, name: str) -> None:
        item = self.nodes[name] = NodeItem(self.sprites)
        self._show_spec(name)
        item.setPos(*self.document.pipeline.layout.get(name, (0.0, 0.0)))
        self.addItem(item)
        item.show_problems(problem for problem in self.document.problems if problem.node == name)

    def _on_node_removed(self, name: str) -> None:
        if self._hover.node == name:
            self._hover = Hit()
        self.live.nodes.pop(name, None)
        item = self.nodes.pop(name)
        self.sprites.faces.forget(item)
        self.removeItem(item)
        self.groups.follow([name])
        if item.chosen:
            self.chosen_changed.emit()

    def _on_node_changed(self, name: str) -> None:
        self._show_spec(name)
        self.groups.follow([name])
        self._route_all(name)

    def _on_node_moved(self, name: str) -> None:
        if name in self.document.pipeline.layout:
            self.preview_positions({name: self.document.pipeline.layout[name]})

    def _on_node_renamed(self, old: str, new: str) -> None:
        self.nodes[new] = self.nodes.pop(old)
        if old in self.live.nodes:
            self.live.nodes[new] = self.live.nodes.pop(old)
        self.groups.rename(old, new)
        self._wires_of[new] = self._wires_of.pop(old, {})
        self._hover = Hit()
        self.wires = dict(zip(self.document.pipeline.wires, self._in_old_order(old, new), strict=True))
        for wire, item in self.wires.items():
            item.wire = wire
        self._show_spec(new)
        self.groups.follow([new])
        self.chosen_changed.emit()

    def _in_old_order(self, old: str, new: str) -> list[WireItem]:
        """The items of the document's wires, found by the names that they had before a node was renamed."""
        return [
            self.wires[
                replace(
                    wire,
                    source=old if wire.source == new else wire.source,
                    target=old if wire.target == new else wire.target,
                )
            ]
            for wire in self.document.pipeline.wires
        ]

    def _on_wire_added(self, wire: Wire) -> None:
        if wire in self.wires:  # a file may hold a wire twice; the rules tell about it
            return
        self._add_wire(wire)
        for name in {wire.source, wire.target} & self.nodes.keys():
            self._on_node_changed(name)
        self.groups.renew_wires(wire)
        self._route(self.wires[wire])

    def _on_wire_bent(self, wire: Wire) -> None:
        if wire in self.wires:
            self._hover = Hit()
            self._route(self.wires[wire])

    def _add_wire(self, wire: Wire) -> None:
        item = self.wires[wire] = WireItem(wire, self.sprites)
        item.show_detail(detailed=self._detailed)
        self.addItem(item)
        for name in {wire.source, wire.target}:
            self._wires_of.setdefault(name, {})[item] = None

    def _on_wire_removed(self, wire: Wire) -> None:
        if self._hover.wire == wire:
            self._hover = Hit()
        item = self.wires.pop(wire, None)
        if item is None:
            return
        self.removeItem(item)
        if self.chosen_bend and self.chosen_bend[0] == wire:
            self.chosen_bend = None
        self.groups.renew_wires(wire)
        for name in (wire.source, wire.target):
            self._wires_of.get(name, {}).pop(item, None)
            if name in self.nodes and name in self.document.pipeline.nodes:
                self._on_node_changed(name)
        if item.chosen:
            self.chosen_changed.emit()

    def _on_problems_changed(self) -> None:
        for name, item in self.nodes.items():
            item.show_problems(problem for problem in self.document.problems if problem.node == name)
        self.groups.show_states(self.nodes)

    def _on_left_out_changed(self) -> None:
        for name, item in self.nodes.items():
            if item.left_out != (name in self.document.left_out):
                self._show_spec(name)

    def _on_theme_changed(self) -> None:
        for item in self.wires.values():
            item.renew_pen()
        for node in self.nodes.values():
            node.renew_face()
        self.notes.repaint()
        self.groups.repaint()
        self.update()

    def _on_note_gone(self, was_chosen: bool) -> None:  # noqa: FBT001 - a signal's
        self._forget_hover()
        if was_chosen:
            self.chosen_changed.emit()

    def _forget_hover(self) -> None:
        """What the pointer was on may be gone."""
        self._hover = Hit()

    def _live_run(self) -> LiveRun:
        return self.live

    def _show_spec(self, name: str) -> None:
        spec = self.document.pipeline.nodes[name]
        node_type = self.document.type_of(name)
        wires = [item.wire for item in self._wires_of.get(name, ())]
        left_out = name in self.document.left_out
        self.nodes[name].show_spec(spec, node_type, ports_of(spec, node_type, wires), left_out=left_out)
        self.nodes[name].show_pinned(pinned=name in self._pinned)

    def _route_all(self, name: str) -> None:
        for item in self._wires_of.get(name, ()):
            self._route(item)

    def _route(self, item: WireItem, bends: Bends | None = None) -> None:
        wire = item.wire
        source, target = self.nodes.get(wire.source), self.nodes.get(wire.target)
        item.setVisible(bool(source and target) and not self.groups.is_inside(wire))
        if source and target:
            start = self.groups.end_of(wire, is_input=False) or source.anchor(wire.source_port, is_input=False)
            end = self.groups.end_of(wire, is_input=True) or target.anchor(wire.target_port, is_input=True)
            points = self.document.pipeline.bends.get(wire, ()) if bends is None else bends
            item.route(start, end, [QPointF(x, y) for x, y in points], straight=self._straight)
            item.show_disabled(disabled=source.disabled or target.disabled)
