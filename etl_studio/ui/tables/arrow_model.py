"""A table model over an Arrow table: nothing is copied, only the cells in view are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from etl_studio.ui.tables.cells import cell_text, tip_text

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.ui.theme.theme import Theme

_NOWHERE = QModelIndex()


class ArrowTableModel(QAbstractTableModel):
    """Rows and columns of a ``pyarrow.Table``; the header tells names and types.

    Args:
        theme: gives the colour of nulls.
        parent: its parent.

    Attributes:
        table: what is shown, or None.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.table: pa.Table | None = None
        self._columns: list[pa.ChunkedArray] = []
        self._names: list[str] = []
        self._types: list[str] = []
        self._numeric: list[bool] = []

    def show_table(self, table: pa.Table | None) -> None:
        """Show another table; None: nothing."""
        from etl_studio.sdk.types import type_name

        self.beginResetModel()
        self.table = table
        self._columns = [] if table is None else list(table.columns)
        self._names = [] if table is None else list(table.column_names)
        self._types = [] if table is None else [type_name(field.type) for field in table.schema]
        self._numeric = [name in ("integer", "number") or name.startswith("decimal") for name in self._types]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() or self.table is None else self.table.num_rows

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(self._columns[index.column()][index.row()].as_py())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self._numeric[index.column()] else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and not self._columns[index.column()][index.row()].is_valid:
            return QColor(self._theme.tokens.text_muted)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(self._columns[index.column()][index.row()].as_py())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return str(section + 1) if role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{self._names[section]}\n{self._types[section]}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self._numeric[section] else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None
