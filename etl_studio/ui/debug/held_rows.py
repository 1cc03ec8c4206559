"""The rows of a halted batch as a table: those that have passed are grey, the next one is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.style_sheet import mix

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.engine.events import Halted
    from etl_studio.ui.theme.theme import Theme

Index = QModelIndex | QPersistentModelIndex


class HeldRowsModel(ArrowTableModel):
    """One batch. What a person types is not kept here: it is told, and comes back with the batch.

    Attributes:
        typed: row, column and text of a cell that a person wrote into.
    """

    typed = Signal(int, str, str)

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._halt: Halted | None = None

    def show_batch(self, halt: Halted | None, table: pa.Table | None) -> None:
        """Show a batch; without a halt nothing can be edited."""
        self._halt = halt
        if halt is not None and table is not None and self.table is not None and _alike(self.table, table):
            self.table = table
            self._columns = list(table.columns)
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self.rowCount() - 1)
        else:
            self.show_table(table)

    def may_edit(self, row: int) -> bool:
        """Whether a row has not passed yet."""
        return self._halt is not None and row >= self._halt.row

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self.may_edit(index.row()) else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not self.may_edit(index.row()):
            return False
        self.typed.emit(index.row(), self._names[index.column()], str(value))
        return False  # it is shown when the run has taken it

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        tokens = self._theme.tokens
        row = index.row()
        if role == Qt.ItemDataRole.EditRole:
            value = self._columns[index.column()][row].as_py()
            return "" if value is None else super().data(index, Qt.ItemDataRole.DisplayRole)
        if self._halt is not None:
            if role == Qt.ItemDataRole.BackgroundRole and row == self._halt.row:
                return QColor(mix(tokens.warning, tokens.surface, 0.18))
            if role == Qt.ItemDataRole.ForegroundRole and row < self._halt.row:
                return QColor(tokens.text_disabled)
            if role == Qt.ItemDataRole.FontRole and row in self._halt.edited:
                font = QFont()
                font.setBold(True)
                return font
        return super().data(index, role)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical and role == Qt.ItemDataRole.DisplayRole and self._halt is not None:
            mark = "▶ " if section == self._halt.row else "✎ " if section in self._halt.edited else ""
            return f"{mark}{section + 1}"
        return super().headerData(section, orientation, role)


class HeldRowsTable(DataTable):
    """A table whose cells are edited by Return or a key; Delete makes them NULL, Ctrl+Delete drops rows.

    Signals:
        nulls_wanted: cells that should become NULL, as pairs of row and column number.
        drop_wanted: numbers of the rows that should go.
    """

    nulls_wanted = Signal(list)
    drop_wanted = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, numbered=True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.AnyKeyPressed)
        self.setItemDelegate(_Line(theme, self))

    def chosen_rows(self) -> list[int]:
        """Rows with a selected cell."""
        return sorted({index.row() for index in self.selectionModel().selectedIndexes()})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Delete and control:
            self.drop_wanted.emit(self.chosen_rows())
        elif event.key() == Qt.Key.Key_Delete:
            self.nulls_wanted.emit([(index.row(), index.column()) for index in self.selectionModel().selectedIndexes()])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.edit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class _Line(QStyledItemDelegate):
    """A plain line for every type: the run says whether what was typed fits."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        del option, index
        return QLineEdit(parent)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if editor.text() != str(index.data(Qt.ItemDataRole.EditRole)):
            model.setData(index, editor.text())


def _alike(one: pa.Table, other: pa.Table) -> bool:
    return bool(one.schema.equals(other.schema) and one.num_rows == other.num_rows)
