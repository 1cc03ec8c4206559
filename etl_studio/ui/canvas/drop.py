"""Drops on the canvas: node types from the palette, files from the desktop, addresses from a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QPointF, Signal

from etl_studio.pipeline.request_files import is_request_file
from etl_studio.pipeline.web_drafts import is_request
from etl_studio.ui.canvas.editing import BELOW, SNIFFED
from etl_studio.ui.node_mime import dragged_type
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.canvas.tools import Tools

PIPELINE_SUFFIXES = (".yaml", ".yml")


class DropTarget(QObject):
    """Judges and takes drops.

    Args:
        tools: the parts of the canvas.
        parent: the QObject that owns it.
    """

    pipeline_dropped = Signal(str)
    """Path of a pipeline file."""

    def __init__(self, tools: Tools, parent: QObject) -> None:
        super().__init__(parent)
        self._tools = tools
        tools.requests.other_found.connect(self._take_file)
        tools.editing.files_pasted.connect(self.take_files)
        tools.editing.requests_pasted.connect(tools.requests.read)

    def accepts(self, mime: QMimeData) -> bool:
        """Whether something can be made of it."""
        if node_type := dragged_type(mime):
            return node_type in self._tools.scene.document.registry
        return bool(self._files(mime)) or self._is_request(self._text(mime))

    def hover(self, mime: QMimeData, at: QPointF) -> None:
        """Show which wire a node would be put into."""
        if dragged_type(mime):
            scene = self._tools.scene
            hit = scene.hit(at, self._tools.navigation.zoom)
            scene.show_hover(hit if hit.wire else type(hit)())

    def take(self, mime: QMimeData, at: QPointF) -> None:
        """Make nodes of what was dropped; files that are pipelines are offered to the window."""
        tools = self._tools
        if node_type := dragged_type(mime):
            hit = tools.scene.hit(at, tools.navigation.zoom)
            if hit.wire:
                tools.editing.insert_on_wire(node_type, at, hit.wire)
            else:
                tools.editing.add(node_type, at)
            return
        files = self._files(mime)
        text = self._text(mime)
        if files:
            self.take_files(files, at)
        elif is_request(text):
            tools.editing.add_request(text, at)
        else:
            tools.requests.read(text, at)

    def take_files(self, files: list[Path], at: QPointF) -> None:
        """Make nodes of files; what a file tells that may be a recording or a description is looked at first."""
        requests = self._tools.requests
        for number, path in enumerate(files):
            place = at + QPointF(0, BELOW * number)
            if requests.may_take(path):
                requests.read(path, place)
            else:
                self._take_file(path, place)

    def _take_file(self, path: Path, at: QPointF) -> None:
        tools = self._tools
        if path.suffix.lower() in PIPELINE_SUFFIXES:
            self.pipeline_dropped.emit(str(path))
        elif tools.editing.add_file(path, at) is None:
            reason = tr("No node reads {file}. Drop CSV, JSON, HAR, OpenAPI or pipeline files.", file=path.name)
            tools.tip.show_reason(reason, tools.navigation.to_pixel(at), fades=True)

    @staticmethod
    def _is_request(text: str) -> bool:
        return is_request(text) or is_request_file(text[:SNIFFED])

    @staticmethod
    def _text(mime: QMimeData) -> str:
        """An address that was dragged out of a browser, or a text."""
        addresses = [url.toString() for url in mime.urls() if url.scheme() in ("http", "https")]
        return addresses[0] if addresses else mime.text()

    @staticmethod
    def _files(mime: QMimeData) -> list[Path]:
        return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
