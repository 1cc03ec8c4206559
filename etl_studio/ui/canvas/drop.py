"""Drops on the canvas: node types from the palette, files from the desktop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF

from etl_studio.ui.node_mime import dragged_type

if TYPE_CHECKING:
    from etl_studio.ui.canvas.view import CanvasView

PIPELINE_SUFFIXES = (".yaml", ".yml")


class DropTarget:
    """Judges and takes drops.

    Args:
        view: the canvas.
    """

    def __init__(self, view: CanvasView) -> None:
        self._view = view

    def accepts(self, mime: QMimeData) -> bool:
        """Whether something can be made of it."""
        if node_type := dragged_type(mime):
            return node_type in self._view.document.registry
        return bool(self._files(mime))

    def hover(self, mime: QMimeData, at: QPointF) -> None:
        """Show which wire a node would be put into."""
        if dragged_type(mime):
            scene = self._view.pipeline_scene
            hit = scene.hit(at, self._view.navigation.zoom)
            scene.show_hover(hit if hit.wire else type(hit)())

    def take(self, mime: QMimeData, at: QPointF) -> None:
        """Make nodes of what was dropped; files that are pipelines are offered to the window."""
        view = self._view
        if node_type := dragged_type(mime):
            hit = view.pipeline_scene.hit(at, view.navigation.zoom)
            if hit.wire:
                view.editing.insert_on_wire(node_type, at, hit.wire)
            else:
                view.editing.add(node_type, at)
            return
        files = self._files(mime)
        for number, path in enumerate(files):
            if path.suffix.lower() in PIPELINE_SUFFIXES:
                view.file_dropped.emit(str(path))
            elif view.editing.add_file(path, at + QPointF(0, 96.0 * number)) is None:
                reason = f"No node reads {path.name}. Drop CSV, JSON or pipeline files."
                view.tip.show_reason(reason, view.mapFromScene(at), fades=True)

    @staticmethod
    def _files(mime: QMimeData) -> list[Path]:
        return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
