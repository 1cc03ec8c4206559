"""Where the parts of the panel of tests are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from etl_studio.ui.panels.letter_layout import add_pages
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST_WIDTH = 72 * SPACE


def lay_out(  # noqa: PLR0913 - all that is seen
    panel: QFrame,
    left: Sequence[QWidget],
    buttons: Sequence[QWidget],
    notice: QWidget,
    cases: QFrame,
    said: QWidget,
    details: Sequence[QWidget],
) -> tuple[QStackedWidget, QStackedWidget, QSplitter]:
    """Put the list beside the details, or a notice in the place of both, below a bar.

    Returns:
        The pages, of which one is the notice; those of the details; the list and the details.
    """
    bar = QHBoxLayout()
    bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
    bar.setSpacing(3 * SPACE)
    for widget in left:
        bar.addWidget(widget)
    bar.addStretch(1)
    for widget in buttons:
        bar.addWidget(widget)
    right = QWidget()
    column = QVBoxLayout(right)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    shown = add_pages(column, said, *details)
    said.setContentsMargins(3 * SPACE, SPACE, 2 * SPACE, 2 * SPACE)
    parts = QSplitter(Qt.Orientation.Horizontal)
    parts.setHandleWidth(1)
    parts.setChildrenCollapsible(False)
    parts.addWidget(cases)
    parts.addWidget(right)
    parts.setStretchFactor(1, 1)
    parts.setSizes([LIST_WIDTH, 800])
    pages = QStackedWidget(panel)
    pages.addWidget(notice)
    pages.addWidget(parts)
    outside = QVBoxLayout(panel)
    outside.setContentsMargins(0, 0, 0, 0)
    outside.setSpacing(0)
    outside.addLayout(bar)
    outside.addWidget(pages, 1)
    return pages, shown, parts
