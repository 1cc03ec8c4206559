"""What keys and menus do to the selection: delete, clipboard, duplicate, nudge, add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF
from PySide6.QtGui import QGuiApplication

from etl_studio.ui.arrange import arranged
from etl_studio.ui.canvas.items.sprites import CARD_HEIGHT, CARD_WIDTH
from etl_studio.ui.canvas.ports import CanvasPort, default_input, default_output, wire_between

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene

GRID = 8.0
"""Nodes snap to multiples of this."""
PASTE_STEP = 32.0
"""Each further paste of the same text lies so much lower and more to the right."""
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
        snaps: whether nodes are put on the grid.
    """

    def __init__(self, scene: PipelineScene, navigation: Navigation) -> None:
        super().__init__(navigation)
        self._scene = scene
        self._document = scene.document
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
        self._scene.choose(self._document.pipeline.nodes, self._document.pipeline.wires)

    def delete(self) -> None:
        """Delete what is selected."""
        self._document.remove(self._scene.chosen_nodes(), self._scene.chosen_wires())

    def copy(self) -> None:
        """Copy the selected nodes as text."""
        if names := self._scene.chosen_nodes():
            self._pasted = ("", 0)
            QGuiApplication.clipboard().setText(self._document.copy(names))

    def cut(self) -> None:
        """Copy and delete the selected nodes."""
        if names := self._scene.chosen_nodes():
            self._pasted = ("", 0)
            QGuiApplication.clipboard().setText(self._document.cut(names))

    def paste(self, at: QPointF | None = None) -> None:
        """Add the nodes of the clipboard, at a point or where the pointer is, and select them."""
        text = QGuiApplication.clipboard().text()
        times = self._pasted[1] if self._pasted[0] == text else 0
        corner = at or self._navigation.pointer_position()
        x, y = self.snapped(corner.x() + times * PASTE_STEP, corner.y() + times * PASTE_STEP)
        if names := self._document.paste(text, x, y):
            self._pasted = (text, times + 1)
            self._scene.choose(names)

    def duplicate(self) -> None:
        """Add copies of the selected nodes and select them."""
        if names := self._document.duplicate(self._scene.chosen_nodes()):
            self._scene.choose(names)

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected nodes a little."""
        layout = self._document.pipeline.layout
        names = [name for name in self._scene.chosen_nodes() if name in layout]
        self._document.move({name: (layout[name][0] + dx, layout[name][1] + dy) for name in names}, nudge=True)

    def arrange(self) -> None:
        """Put all nodes in columns as the rows flow."""
        self._document.move(arranged(self._document.pipeline))
        self._navigation.fit()

    # -- adding -----------------------------------------------------------------------------------------------

    def add(self, node_type: str, middle: QPointF, config: Mapping[str, Any] | None = None) -> str:
        """Add a node with its middle at a point, or a little beside another there; select it and return its id."""
        x, y = self.snapped(middle.x() - CARD_WIDTH / 2, middle.y() - CARD_HEIGHT / 2)
        taken = set(self._document.pipeline.layout.values())
        while (x, y) in taken:  # two cards on the same spot look like one
            x, y = x + PASTE_STEP, y + PASTE_STEP
        name = self._document.add_node(node_type, x, y, config)
        self._scene.choose([name])
        return name

    def add_wired(self, node_type: str, middle: QPointF, port: CanvasPort) -> str:
        """Add a node and wire it with a port, if one of its own fits: one edit."""
        declared = self._document.registry.get(node_type)
        with self._document.macro(f"Add {declared.title if declared else node_type}"):
            name = self.add(node_type, middle)
            other = default_output(name, declared) if port.is_input else default_input(name, declared)
            if other:
                output, target = (other, port) if port.is_input else (port, other)
                self._document.connect_ports(wire_between(self._document.pipeline, output, target))
        return name

    def add_after_selection(self, node_type: str, middle: QPointF) -> str:
        """Add a node; it is wired from the selected one when exactly one is selected and both fit."""
        chosen = self._scene.chosen_nodes()
        if len(chosen) == 1:
            spec = self._document.pipeline.nodes[chosen[0]]
            output = default_output(spec.id, self._document.registry.get(spec.type))
            if output and default_input("", self._document.registry.get(node_type)):
                return self.add_wired(node_type, middle, output)
        return self.add(node_type, middle)

    def insert_on_wire(self, node_type: str, middle: QPointF, wire: Wire) -> str:
        """Add a node into a wire, if it has both an input and an output: one edit."""
        declared = self._document.registry.get(node_type)
        if not (default_input("", declared) and default_output("", declared)):
            return self.add(node_type, middle)
        with self._document.macro(f"Insert {declared.title}"):
            name = self.add(node_type, middle)
            self._document.remove(wires=[wire])
            source = CanvasPort(wire.source, wire.source_port, "", is_input=False, connected=False)
            target = CanvasPort(wire.target, wire.target_port, "", is_input=True, connected=False)
            pipeline = self._document.pipeline
            self._document.connect_ports(wire_between(pipeline, source, default_input(name, declared)))
            self._document.connect_ports(wire_between(pipeline, default_output(name, declared), target))
        return name

    def add_file(self, path: Path, middle: QPointF) -> str | None:
        """Add the source that reads a file, with its path set; None when no node type reads it."""
        node_type = FILE_SOURCES.get(path.suffix.lower())
        if node_type is None or node_type not in self._document.registry:
            return None
        folder = self._document.path.parent if self._document.path else None
        inside = folder is not None and path.is_relative_to(folder)
        return self.add(node_type, middle, {"path": (path.relative_to(folder) if inside else path).as_posix()})
