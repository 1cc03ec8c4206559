"""The look that all tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from etl_studio.ui.theme.tokens import FONT_BODY, SPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

ROW_HEIGHT = 6 * SPACE
WIDEST_COLUMN = 80 * SPACE


class DataTable(QTableView):
    """A read-only table with rows of one height.

    Args:
        parent: its parent.
        numbered: whether rows show their numbers.
    """

    def __init__(self, parent: QWidget | None = None, *, numbered: bool = False) -> None:
        super().__init__(parent)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(numbered)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._widths: dict[int, int] = {}
        self._fit_rows()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setResizeContentsPrecision(0)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_rows()
            self._fit_widths()

    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(max(ROW_HEIGHT, self.fontMetrics().height() + 2 * SPACE))

    def set_widths(self, widths: Mapping[int, int]) -> None:
        """Make columns as wide as the design has them, and wider for larger texts and for heads that need more room.

        Args:
            widths: pixels by column, for texts of the size of the design.
        """
        self._widths = dict(widths)
        self._fit_widths()

    def _fit_widths(self) -> None:
        scale = max(1.0, QFontInfo(self.font()).pixelSize() / FONT_BODY)
        header = self.horizontalHeader()
        for section, width in self._widths.items():
            header.resizeSection(section, max(round(width * scale), header.sectionSizeHint(section)))

    def fit_columns(self) -> None:
        """Make each column as wide as what is seen of it, within reason."""
        self.resizeColumnsToContents()
        header = self.horizontalHeader()
        for section in range(header.count()):
            header.resizeSection(section, min(header.sectionSize(section) + 2 * SPACE, WIDEST_COLUMN))
