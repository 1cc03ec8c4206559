"""What keys and menus do to the selection: delete, clipboard, duplicate, nudge, arrange, add."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal
from PySide6.QtGui import QGuiApplication

from etl_studio.errors import UsageError
from etl_studio.pipeline.request_files import is_request_file
from etl_studio.pipeline.web_drafts import draft_of, is_request, notice
from etl_studio.ui.arrange import COLUMN, ROW, arranged, contracted
from etl_studio.ui.canvas.alignment import aligned, bounds, distributed, free_place
from etl_studio.ui.canvas.items.sprites import CARD_HEIGHT, CARD_WIDTH
from etl_studio.ui.canvas.ports import CanvasPort, default_input, default_output, wire_between
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from etl_studio.pipeline.model import Wire
    from etl_studio.pipeline.web_drafts import WebDraft
    from etl_studio.sdk import Node
    from etl_studio.ui.canvas.alignment import Axis, Edge
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene

GRID = 8.0
"""Nodes snap to multiples of this."""
PASTE_STEP = 32.0
"""Each further paste of the same text lies so much lower and more to the right."""
BELOW = 96.0
"""Pixels from one node to the next one, where several are added."""
SNIFFED = 200_000
"""Letters of a text of the clipboard that tell what it is."""
FILE_SOURCES = {
    ".csv": "csv_source",
    ".tsv": "csv_source",
    ".json": "json_source",
    ".jsonl": "json_source",
    ".ndjson": "json_source",
}
"""The source that reads a file dropped on the canvas, by its ending."""


class Editing(QObject):
    """Edits of the document, from what is selected on one canvas.

    Args:
        scene: what is selected, and the document.
        navigation: where the pointer is.

    Attributes:
        document: what is edited.
        snaps: whether nodes are put on the grid.
    """

    noticed = Signal(str, QPointF)
    """Something that a person should know about the edit at a point of the scene."""
    files_pasted = Signal(list, QPointF)
    """Files (``Path``) of the clipboard, and where the pointer was."""
    requests_pasted = Signal(str, QPointF)
    """A recording or the description of an API as text, and where the pointer was."""

    def __init__(self, scene: PipelineScene, navigation: Navigation) -> None:
        super().__init__(navigation)
        self._scene = scene
        self.document = scene.document
        self._navigation = navigation
        self._pasted = ("", 0)
        self.snaps = True

    def snapped(self, x: float, y: float) -> tuple[float, float]:
        """The nearest point of the grid, when snapping is on."""
        grid = GRID if self.snaps else 1.0
        return round(x / grid) * grid, round(y / grid) * grid

    # -- selection --------------------------------------------------------------------------------------------

    def select_all(self) -> None:
        """Select everything."""
        pipeline = self.document.pipeline
        self._scene.choose([*pipeline.nodes, *pipeline.notes], pipeline.wires)

    def delete(self) -> None:
        """Delete what is selected: a bend of a wire alone, else everything."""
        scene = self._scene
        if scene.chosen_bend:
            self.document.remove_bend(*scene.chosen_bend)
            scene.choose_bend(None)
            return
        self.document.remove(scene.chosen_nodes(), scene.chosen_wires(), scene.notes.chosen())

    def delete_and_join(self) -> None:
        """Delete the selected nodes and join what was before them with what was behind them."""
        self.document.remove_and_join(self._scene.chosen_nodes())

    def copy(self) -> None:
        """Copy the selected nodes and notes as text."""
        if names := self._scene.chosen_items():
            self._pasted = ("", 0)
            QGuiApplication.clipboard().setText(self.document.copy(names))

    def cut(self) -> None:
        """Copy and delete the selected nodes and notes."""
        if names := self._scene.chosen_items():
            self._pasted = ("", 0)
            QGuiApplication.clipboard().setText(self.document.cut(names))

    def paste(self, at: QPointF | None = None) -> None:
        """Add the nodes of the clipboard, at a point or where the pointer is, and select them."""
        mime = QGuiApplication.clipboard().mimeData()
        if mime is None:
            return
        if paths := [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]:
            self.files_pasted.emit(paths, at or self._navigation.pointer_position())
            return
        text = mime.text()
        if is_request_file(text[:SNIFFED]):
            self.requests_pasted.emit(text, at or self._navigation.pointer_position())
            return
        times = self._pasted[1] if self._pasted[0] == text else 0
        corner = at or self._navigation.pointer_position()
        x, y = self.snapped(corner.x() + times * PASTE_STEP, corner.y() + times * PASTE_STEP)
        if names := self.document.paste(text, x, y):
            self._pasted = (text, times + 1)
            self._scene.choose(names)
        elif is_request(text):
            self.add_request(text, corner)

    def duplicate(self) -> None:
        """Add copies of the selected nodes and notes and select them."""
        if names := self.document.duplicate(self._scene.chosen_items()):
            self._scene.choose(names)

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected nodes and notes a little."""
        layout = self.document.pipeline.layout
        names = [name for name in self._scene.chosen_items() if name in layout]
        self.document.move({name: (layout[name][0] + dx, layout[name][1] + dy) for name in names}, nudge=True)

    # -- order ------------------------------------------------------------------------------------------------

    def arrange(self) -> None:
        """Put the selected nodes in columns as the rows flow, where they are; all, when fewer than two are selected."""
        groups, chosen = self._scene.groups, self._chosen_cards()
        pipeline = contracted(self.document.pipeline, groups.stand_ins())
        heights = {name: card.height() for name, card in self._scene.cards().items()}
        if len(chosen) > 1:
            corner = bounds(chosen.values()).topLeft()
            places = arranged(pipeline, list(chosen), heights)
            moved = {name: (corner.x() + x, corner.y() + y) for name, (x, y) in places.items()}
            self.document.move(groups.spread(moved), straighten=True)
        else:
            self.document.move(groups.spread(arranged(pipeline, heights=heights)), straighten=True)
            self._navigation.fit()

    def align(self, edge: Edge) -> None:
        """Bring one edge of the selected nodes into a line."""
        self.document.move(self._scene.groups.spread(aligned(self._chosen_cards(), edge)))

    def distribute(self, axis: Axis) -> None:
        """Make the gaps between the selected nodes equal."""
        self.document.move(self._scene.groups.spread(distributed(self._chosen_cards(), axis)))

    def _chosen_cards(self) -> dict[str, QRectF]:
        """Those of the selected nodes; a collapsed group has one, by its first member."""
        return self._scene.cards(self._scene.groups.stops(self._scene.chosen_nodes()))

    # -- adding -----------------------------------------------------------------------------------------------

    def add(self, node_type: str, middle: QPointF, config: Mapping[str, Any] | None = None) -> str:
        """Add a node with its middle at a point, or a little beside another there; select it and return its id."""
        x, y = self.snapped(middle.x() - CARD_WIDTH / 2, middle.y() - CARD_HEIGHT / 2)
        taken = set(self.document.pipeline.layout.values())
        while (x, y) in taken:  # two cards on the same spot look like one
            x, y = x + PASTE_STEP, y + PASTE_STEP
        name = self.document.add_node(node_type, x, y, config)
        self._scene.choose([name])
        return name

    def add_wired(self, node_type: str, middle: QPointF, port: CanvasPort) -> str:
        """Add a node and wire it with a port, if one of its own fits: one edit."""
        declared = self.document.registry.get(node_type)
        with self.document.macro(tr("Add {node}", node=tr(declared.title) if declared else node_type)):
            name = self.add(node_type, middle)
            other = default_output(name, declared) if port.is_input else default_input(name, declared)
            if other:
                output, target = (other, port) if port.is_input else (port, other)
                self.document.connect_ports(wire_between(self.document.pipeline, output, target))
        return name

    def add_after_selection(self, node_type: str) -> str:
        """Add a node behind the selected one, in free room to the right of it, and wire it from there.

        Without a single selected node that gives rows it goes into the middle of what is in sight.
        """
        output = self.selected_output()
        if output is None:
            return self.add(node_type, self._navigation.sight().center())
        wish = QRectF(self.card(output.node).topLeft() + QPointF(COLUMN, 0), QSizeF(CARD_WIDTH, CARD_HEIGHT))
        place = free_place(wish, self._scene.cards().values(), ROW)
        at = QRectF(place, wish.size()).center()
        takes = default_input("", self.document.registry.get(node_type))
        name = self.add_wired(node_type, at, output) if takes else self.add(node_type, at)
        self._navigation.reveal(name)
        return name

    def insert_on_wire(self, node_type: str, middle: QPointF, wire: Wire) -> str:
        """Add a node into a wire, if it has both an input and an output: one edit."""
        declared = self.document.registry.get(node_type)
        if not _passes_rows(declared):
            return self.add(node_type, middle)
        with self.document.macro(tr("Insert {node}", node=tr(declared.title))):
            name = self.add(node_type, middle)
            self._splice(name, wire)
        return name

    def fits_into_wires(self, node: str) -> bool:
        """Whether a node that is there can be put into a wire: it takes and gives rows, and has no wires yet."""
        return _passes_rows(self.document.type_of(node)) and not self.document.pipeline.wires_of(node)

    def put_into(self, node: str, at: tuple[float, float], wire: Wire) -> None:
        """Move a node to a place and put it into a wire: one edit."""
        with self.document.macro(tr("Insert {node}", node=self.document.titles()[node])):
            self.document.move({node: at})
            self._splice(node, wire)

    def _splice(self, node: str, wire: Wire) -> None:
        document = self.document
        if node not in document.pipeline.nodes:  # the document is only looked at
            return
        declared = document.type_of(node)
        document.remove(wires=[wire])
        source = CanvasPort(wire.source, wire.source_port, "", is_input=False, connected=False)
        target = CanvasPort(wire.target, wire.target_port, "", is_input=True, connected=False)
        document.connect_ports(wire_between(document.pipeline, source, default_input(node, declared)))
        document.connect_ports(wire_between(document.pipeline, default_output(node, declared), target))

    def selected_output(self) -> CanvasPort | None:
        """The output that a node behind the selected one is wired from; None unless one node that gives rows is."""
        chosen = self._scene.chosen_nodes()
        if len(chosen) != 1:
            return None
        return default_output(chosen[0], self.document.type_of(chosen[0]))

    def card(self, node: str) -> QRectF:
        """The card of a node, in scene coordinates."""
        return self._scene.cards([node])[node]

    def add_request(self, text: str, middle: QPointF) -> None:
        """Add the source that reads an address or does what a cURL command asks for; tell what it could not keep."""
        try:
            draft = draft_of(text)
        except UsageError as error:
            self.noticed.emit(str(error), middle)
            return
        self.add_drafts([draft], middle)

    def add_drafts(self, drafts: Sequence[WebDraft], middle: QPointF) -> None:
        """Add nodes below each other, and the parameters that they refer to; tell what they could not keep."""
        document = self.document
        drafts = [draft for draft in drafts if draft.node_type in document.registry]
        if not drafts:
            return
        parameters = {name: one for draft in drafts for name, one in draft.parameters.items()}
        names = []
        single = len(drafts) == 1 and not parameters and not drafts[0].title
        step = nullcontext() if single else document.macro(trn("Add {count} node", "Add {count} nodes", len(drafts)))
        with step:
            if parameters:
                document.set_parameters({**parameters, **document.pipeline.parameters})
            for number, draft in enumerate(drafts):
                names.append(self.add(draft.node_type, middle + QPointF(0, number * BELOW), draft.config))
                if draft.title and names[-1] in document.pipeline.nodes:  # else the document is only looked at
                    document.set_title(names[-1], draft.title)
        self._scene.choose(names)
        if words := notice(drafts):
            self.noticed.emit(words, middle + QPointF(0, CARD_HEIGHT))

    def add_file(self, path: Path, middle: QPointF) -> str | None:
        """Add the source that reads a file, with its path set; None when no node type reads it."""
        node_type = FILE_SOURCES.get(path.suffix.lower())
        if node_type is None or node_type not in self.document.registry:
            return None
        folder = self.document.path.parent if self.document.path else None
        inside = folder is not None and path.is_relative_to(folder)
        return self.add(node_type, middle, {"path": (path.relative_to(folder) if inside else path).as_posix()})


def _passes_rows(node_type: type[Node] | None) -> bool:
    return default_input("", node_type) is not None and default_output("", node_type) is not None
