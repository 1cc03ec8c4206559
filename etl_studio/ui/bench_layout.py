"""Where the parts of a workbench are: three splitters with the canvas in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

PALETTE_WIDTH, INSPECTOR_WIDTH, PANELS_HEIGHT = 232, 344, 272

Splitters = tuple[QSplitter, QSplitter, QSplitter]


def stacked(*widgets: QWidget) -> QWidget:
    """Strips above each other, and the last widget below, which gets the room."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget)
    column.setStretchFactor(widgets[-1], 1)
    return whole


def splitters(side: QWidget, middle: QWidget, panels: QWidget, inspector: QWidget) -> Splitters:
    """The splitters from the innermost to the one that is shown."""
    upper = _splitter(Qt.Orientation.Horizontal, (side, middle), (PALETTE_WIDTH, 900), stretched=1)
    left = _splitter(Qt.Orientation.Vertical, (upper, panels), (600, PANELS_HEIGHT), stretched=0)
    return upper, left, _splitter(Qt.Orientation.Horizontal, (left, inspector), (1100, INSPECTOR_WIDTH), stretched=0)


def _splitter(way: Qt.Orientation, widgets: Sequence[QWidget], sizes: Sequence[int], *, stretched: int) -> QSplitter:
    splitter = QSplitter(way)
    for widget in widgets:
        splitter.addWidget(widget)
    splitter.setSizes(list(sizes))
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    splitter.setStretchFactor(stretched, 1)
    return splitter
