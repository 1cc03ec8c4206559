"""What keys and menus do to notes, groups and bends, and which nodes are disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from etl_studio.ui.arrange import NOTE_HEIGHT, NOTE_WIDTH
from etl_studio.ui.canvas.items.bends import place_among
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.in_place import InPlace
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene


class Annotating(QObject):
    """Edits of what is around nodes, from what is selected on one canvas.

    Args:
        scene: what is selected, and the document.
        navigation: where the pointer is.
        editing: snaps to the grid.
        in_place: writes texts where they are.
    """

    def __init__(self, scene: PipelineScene, navigation: Navigation, editing: Editing, in_place: InPlace) -> None:
        super().__init__(navigation)
        self._scene = scene
        self._document = scene.document
        self._navigation = navigation
        self._editing = editing
        self._in_place = in_place

    # -- notes ------------------------------------------------------------------------------------------------

    def add_note(self, at: QPointF | None = None) -> None:
        """Add a note with its corner at a point, or where the pointer is, and write in it."""
        corner = at or self._navigation.pointer_position()
        name = self._document.add_note((*self._editing.snapped(corner.x(), corner.y()), NOTE_WIDTH, NOTE_HEIGHT))
        if name in self._scene.notes.items:
            self._scene.choose([name])
            self._in_place.write_note(name)

    def write_note(self, name: str) -> None:
        """Write in a note."""
        self._scene.choose([name])
        self._in_place.write_note(name)

    def colour(self, color: str) -> None:
        """Give the selected notes and groups a colour: one edit."""
        notes, groups = self._scene.notes.chosen(), self._scene.groups.chosen()
        if notes or groups:
            with self._document.macro(tr("Colour")):
                for name in notes:
                    self._document.set_note(name, color=color)
                for name in groups:
                    self._document.set_group(name, color=color)

    # -- groups -----------------------------------------------------------------------------------------------

    def group(self) -> None:
        """Put the selected nodes into a group and write its title."""
        name = self._document.group(self._scene.chosen_nodes())
        if name in self._scene.groups.items:
            self._scene.groups.show_chosen()
            self._in_place.write_title(name)

    def ungroup(self) -> None:
        """Dissolve the groups of the selected nodes."""
        nodes = self._scene.chosen_nodes()
        groups = (self._document.pipeline.group_of(node) for node in nodes)
        self._document.ungroup([group.id for group in groups if group is not None])

    @property
    def is_grouped(self) -> bool:
        """Whether a selected node is in a group."""
        group_of = self._document.pipeline.group_of
        return any(group_of(node) for node in self._scene.chosen_nodes())

    def other_groups(self) -> dict[str, str]:
        """Titles of the groups that not all selected nodes are in, by id."""
        chosen, groups = set(self._scene.chosen_nodes()), self._document.pipeline.groups
        return {name: group.title or name for name, group in groups.items() if not chosen <= set(group.nodes)}

    def put_into_group(self, group: str | None) -> None:
        """Put the selected nodes into a group; None: take them out of theirs."""
        self._document.put_into_group(self._scene.chosen_nodes(), group)

    def write_title(self, group: str) -> None:
        """Write the title of a group."""
        self._in_place.write_title(group)

    def fold(self, group: str) -> None:
        """Collapse a group, or expand it."""
        self._document.set_group(group, collapsed=not self._document.pipeline.groups[group].collapsed)

    def fold_chosen(self) -> bool:
        """Fold the group that is selected; whether one is. A single node that is shown is meant itself."""
        nodes, groups = self._scene.chosen_nodes(), self._scene.groups.chosen()
        if len(groups) != 1 or set(self._scene.groups.members(groups[0])) != set(nodes):
            return False
        if len(nodes) == 1 and not self._scene.groups.items[groups[0]].collapsed:
            return False
        self.fold(groups[0])
        return True

    # -- bends ------------------------------------------------------------------------------------------------

    def place_of_bend(self, wire: Wire, at: QPointF) -> int:
        """The index that a new bend of a wire has at a point."""
        path = self._scene.wires[wire].path()
        bends = [QPointF(x, y) for x, y in self._document.pipeline.bends.get(wire, ())]
        return place_among(path.pointAtPercent(0), bends, path.pointAtPercent(1), at)

    def add_bend(self, wire: Wire, at: QPointF) -> None:
        """Lead a wire through a point."""
        bends = list(self._document.pipeline.bends.get(wire, ()))
        index = self.place_of_bend(wire, at)
        bends.insert(index, self._editing.snapped(at.x(), at.y()))
        self._document.bend(wire, tuple(bends))
        self._scene.choose(wires=[wire])
        self._scene.choose_bend((wire, index))

    def remove_bend(self, wire: Wire, index: int) -> None:
        """Take one bend out of a wire."""
        self._document.remove_bend(wire, index)
        self._scene.choose_bend(None)

    def straighten(self, wire: Wire) -> None:
        """Take all bends out of a wire."""
        self._document.bend(wire, (), tr("Remove the bends"))
        self._scene.choose_bend(None)

    # -- disabled nodes ---------------------------------------------------------------------------------------

    def disable(self) -> None:
        """Disable the selected nodes, or enable them when all are disabled."""
        self._disable(behind=False)

    def disable_branch(self) -> None:
        """The same with all that only these nodes feed."""
        self._disable(behind=True)

    @property
    def would_enable(self) -> bool:
        """Whether ``disable`` would enable the selected nodes."""
        nodes = self._document.pipeline.nodes
        chosen = self._scene.chosen_nodes()
        return bool(chosen) and all(nodes[name].disabled for name in chosen)

    def _disable(self, *, behind: bool) -> None:
        self._document.set_disabled(self._scene.chosen_nodes(), disabled=not self.would_enable, behind=behind)
