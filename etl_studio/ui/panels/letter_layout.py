"""Where the parts of the panel of dead letters are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout

from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QLineEdit, QWidget

WIDTHS = (46 * SPACE, 120 * SPACE, 92 * SPACE)


def lay_out(
    panel: QFrame, left: Sequence[QWidget], search: QLineEdit, right: Sequence[QWidget], parts: Sequence[QFrame]
) -> tuple[QSplitter, QVBoxLayout]:
    """Put the bar above the parts, which stand side by side; gives the parts, and the column to add to."""
    bar = QHBoxLayout()
    bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
    bar.setSpacing(2 * SPACE)
    for widget in left:
        bar.addWidget(widget)
    search.setMinimumWidth(24 * SPACE)
    bar.addWidget(search, 1)
    for widget in right:
        bar.addWidget(widget)
    side_by_side = QSplitter(Qt.Orientation.Horizontal, panel)
    side_by_side.setHandleWidth(1)
    side_by_side.setChildrenCollapsible(False)
    for part in parts:
        part.setFrameShape(QFrame.Shape.NoFrame)
        side_by_side.addWidget(part)
    side_by_side.setSizes(list(WIDTHS))
    side_by_side.setStretchFactor(1, 1)
    column = QVBoxLayout(panel)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addLayout(bar)
    return side_by_side, column


def add_pages(column: QVBoxLayout, said: QWidget, *pages: QWidget) -> QStackedWidget:
    """Put a line of text and then pages, of which one is seen, below the bar."""
    said.setContentsMargins(3 * SPACE, 0, 2 * SPACE, 2 * SPACE)
    stack = QStackedWidget()
    for page in pages:
        stack.addWidget(page)
    column.addWidget(said)
    column.addWidget(stack, 1)
    return stack
