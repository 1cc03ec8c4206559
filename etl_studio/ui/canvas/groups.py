"""The groups of a scene: frames that follow their members, and cards that stand for them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal

from etl_studio.ui.canvas.items.group import GroupItem, frame_around, worst_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from PySide6.QtCore import QRectF
    from PySide6.QtWidgets import QGraphicsScene

    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.items.node import NodeItem
    from etl_studio.ui.canvas.items.sprites import Sprites
    from etl_studio.ui.canvas.live import LiveRun
    from etl_studio.ui.document import PipelineDocument


class Groups(QObject):
    """Makes, moves and removes the items of groups, and hides the members of collapsed ones.

    Args:
        scene: where they are.
        document: the groups.
        sprites: fonts and colours.
        nodes: the items of nodes by id, as they are at any time.
        live: what is known of the run now.

    Attributes:
        items: by id.
    """

    gone = Signal()
    """A group is not there any more."""
    uncovered = Signal(str)
    """A node is hidden or shown now, so that its wires end elsewhere."""

    def __init__(
        self,
        scene: QGraphicsScene,
        document: PipelineDocument,
        sprites: Sprites,
        nodes: Mapping[str, NodeItem],
        live: Callable[[], LiveRun],
    ) -> None:
        super().__init__(scene)
        self._scene = scene
        self._document = document
        self._sprites = sprites
        self._nodes = nodes
        self._live = live
        self.items: dict[str, GroupItem] = {}
        self._group_of: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        document.group_added.connect(self._on_added)
        document.group_removed.connect(self._on_removed)
        document.group_changed.connect(self._on_changed)

    def renew(self) -> None:
        """The scene has other nodes: make all items."""
        self.items.clear()
        self._group_of.clear()
        self._members.clear()
        first = self._first_groups()
        for name in self._document.pipeline.groups:
            self._add(name, first)

    def repaint(self) -> None:
        """The theme has other colours."""
        for item in self.items.values():
            item.renew_face()

    def members(self, name: str) -> list[str]:
        """Members of a group that are there."""
        return [node for node in self._members.get(name, ()) if node in self._nodes]

    def hides(self, node: str) -> GroupItem | None:
        """The card that stands for a node; None where the node itself is shown."""
        item = self.items.get(self._group_of.get(node, ""))
        return item if item is not None and item.collapsed else None

    def taken_with(self, node: str) -> list[str]:
        """The node, or all members of the collapsed group that it is in."""
        item = self.hides(node)
        return self.members(item.name) if item else [node]

    def stops(self, nodes: Iterable[str] | None = None) -> list[str]:
        """Of these nodes, or all, those that are shown, and the first member of each collapsed group."""
        return [name for name in (self._nodes if nodes is None else nodes) if self.taken_with(name)[0] == name]

    def stand_ins(self) -> dict[str, str]:
        """The first member of its group by each member of a collapsed one."""
        collapsed = [self.members(name) for name, item in self.items.items() if item.collapsed]
        return {node: members[0] for members in collapsed for node in members}

    def spread(self, places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Places of nodes, when the card of a collapsed group goes to the place of one of its members."""
        layout, found = self._document.pipeline.layout, {}
        for node, place in places.items():
            item = self.hides(node)
            if item is None:
                found[node] = place
                continue
            way = QPointF(*place) - item.pos()
            for member in self.members(item.name):
                x, y = layout[member]
                found[member] = (x + way.x(), y + way.y())
        return found

    def chosen(self) -> list[str]:
        """Ids of the groups all of whose members are selected."""
        return [name for name in self.items if self._is_chosen(name)]

    def show_chosen(self) -> None:
        """Other nodes are selected."""
        chosen = set(self.chosen())
        for name, item in self.items.items():
            item.show_chosen(chosen=name in chosen)

    def follow(self, nodes: Iterable[str]) -> None:
        """These nodes have moved, or have another size, or are there or gone."""
        for name in {self._group_of[node] for node in nodes if node in self._group_of}:
            self._place(name)

    def rename(self, old: str, new: str) -> None:
        """A node has another id."""
        if old in self._group_of:
            name = self._group_of[new] = self._group_of.pop(old)
            self._members[name] = [new if node == old else node for node in self._members[name]]

    def show_states(self, nodes: Iterable[str]) -> None:
        """The run says something new about these nodes, or the rules do."""
        groups = {self._group_of[node] for node in nodes if node in self._group_of}
        collapsed = [name for name in groups if self.items[name].collapsed]
        if not collapsed:  # ten times a second, and seldom otherwise
            return
        live = self._live().nodes
        problems = Counter(problem.node for problem in self._document.problems)
        for name in collapsed:
            members = self.members(name)
            state = worst_state(live[node].state.value for node in members if node in live)
            self.items[name].show_state(state, sum(problems[node] for node in members))

    def renew_wires(self, wire: Wire) -> None:
        """A wire has come or gone: the cards at its ends have other places for wires."""
        for name in {self._group_of.get(wire.source), self._group_of.get(wire.target)}:
            if name in self.items:
                self._show_wires(name)

    def end_of(self, wire: Wire, *, is_input: bool) -> QPointF | None:
        """Where a wire meets a card in the place of its node; None: at the node."""
        item = self.hides(wire.target if is_input else wire.source)
        return item.anchor(wire, is_input=is_input) if item is not None else None

    def is_inside(self, wire: Wire) -> bool:
        """Whether one card stands for both ends of a wire."""
        item = self.hides(wire.source)
        return item is not None and item is self.hides(wire.target)

    def _frame(self, name: str) -> QRectF:
        nodes = (self._nodes[node] for node in self.members(name))
        return frame_around([node.card().translated(node.pos()) for node in nodes])

    def _on_added(self, name: str) -> None:
        self._add(name, self._first_groups())

    def _add(self, name: str, first: Mapping[str, str]) -> None:
        item = self.items[name] = GroupItem(self._sprites)
        self._scene.addItem(item)
        self._show(name, first)

    def _first_groups(self) -> dict[str, str]:
        """The group of each node. A file may have a node in two; the rules tell about it."""
        return {node: name for name, one in reversed(self._document.pipeline.groups.items()) for node in one.nodes}

    def _is_chosen(self, name: str) -> bool:
        members = self.members(name)
        return bool(members) and all(self._nodes[node].chosen for node in members)

    def _on_removed(self, name: str) -> None:
        item = self.items.pop(name)
        self._sprites.faces.forget(item)
        self._scene.removeItem(item)
        self.gone.emit()
        freed = self._members.pop(name)
        self._let_go(name, freed)
        self._show_members(freed)

    def _on_changed(self, name: str) -> None:
        self._show(name, self._first_groups())

    def _show(self, name: str, first: Mapping[str, str]) -> None:
        group = self._document.pipeline.groups[name]
        before = self._members.get(name, [])
        self._let_go(name, before)
        self._members[name] = [node for node in group.nodes if first[node] == name]
        self._group_of |= dict.fromkeys(self._members[name], name)
        item = self.items[name]
        item.show_group(group)
        self._place(name)
        self.show_states(group.nodes)
        item.show_chosen(chosen=self._is_chosen(name))
        self._show_members({*before, *group.nodes})

    def _let_go(self, name: str, nodes: Iterable[str]) -> None:
        for node in nodes:
            if self._group_of.get(node) == name:  # another group may have taken it already
                del self._group_of[node]

    def _show_members(self, nodes: Iterable[str]) -> None:
        there = [node for node in nodes if node in self._nodes]
        for node in there:
            self._nodes[node].setVisible(self.hides(node) is None)
        for node in there:
            self.uncovered.emit(node)

    def _place(self, name: str) -> None:
        item, members = self.items[name], self.members(name)
        item.setVisible(bool(members))
        if members:
            item.show_frame(self._frame(name))
        if item.collapsed:
            self._show_wires(name)

    def _show_wires(self, name: str) -> None:
        members = set(self.members(name))
        wires = [wire for wire in self._document.pipeline.wires if wire.source in members or wire.target in members]
        self.items[name].show_wires(
            [wire for wire in wires if wire.source not in members],
            [wire for wire in wires if wire.target not in members],
        )
