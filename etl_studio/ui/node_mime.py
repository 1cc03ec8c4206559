"""What a drag of a node type carries from the palette to the canvas."""

from __future__ import annotations

from PySide6.QtCore import QMimeData

NODE_MIME = "application/x-etl-studio-node"
"""Holds the name of a node type as UTF-8 text."""


def node_mime(node_type: str) -> QMimeData:
    """The data of a drag of a node type."""
    mime = QMimeData()
    mime.setData(NODE_MIME, node_type.encode())
    return mime


def dragged_type(mime: QMimeData) -> str | None:
    """The name of the node type that is dragged, or None for other data."""
    if not mime.hasFormat(NODE_MIME):
        return None
    return bytes(mime.data(NODE_MIME).data()).decode(errors="replace")
