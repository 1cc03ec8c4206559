"""The rows that selectors give, as they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.tables.cells import cell_text, tip_text
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.app.scraping.trial import Trial
    from etl_studio.ui.theme.theme import Theme

_NOWHERE = QModelIndex()


class TupleModel(QAbstractTableModel):
    """Rows of texts.

    Args:
        theme: gives the colour of what is missing.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.names: Sequence[str] = ()
        self.rows: Sequence[Sequence[str | None]] = ()

    def show_rows(self, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """Show other rows."""
        if tuple(names) != tuple(self.names):
            self.beginResetModel()
            self.names, self.rows = tuple(names), rows
            self.endResetModel()
            return
        self.layoutAboutToBeChanged.emit()
        self.rows = rows
        self.layoutChanged.emit()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(value)
        if role == Qt.ItemDataRole.ForegroundRole and value is None:
            return QColor(self._theme.tokens.text_muted)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(value)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return str(section + 1) if orientation == Qt.Orientation.Vertical else self.names[section] or tr("name")


class RowsTable(QFrame):
    """The rows, and how many there are.

    Args:
        theme: colours.
        parent: its parent.

    Signals:
        row_chosen: number of the row that was selected, from 0.
    """

    row_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        title = QLabel(tr("Rows"), self)
        title.setProperty("role", "overline")
        self.count = QLabel(self)
        self.count.setProperty("role", "small")
        self.table = DataTable(self, numbered=True)
        self.table.setAccessibleName(tr("Rows"))
        self.table_model = TupleModel(theme, self)
        self.table.setModel(self.table_model)
        self.notice = Notice(theme, self)
        head = QHBoxLayout()
        head.setContentsMargins(4 * SPACE, 2 * SPACE, 4 * SPACE, SPACE)
        head.setSpacing(2 * SPACE)
        head.addWidget(title)
        head.addWidget(self.count, 1)
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.notice)
        self._stack.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(body, 1)
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        self.show_nothing()

    def show_nothing(self) -> None:
        """There is no page."""
        self.count.setText("")
        self.notice.tell("table", tr("No rows yet"), tr("They are shown here as soon as a selector finds something."))
        self._stack.setCurrentIndex(0)

    def show_trial(self, trial: Trial) -> None:
        """Show what selectors give."""
        if not trial.names:
            self.show_nothing()
            return
        fresh = tuple(trial.names) != tuple(self.table_model.names)
        self.table_model.show_rows(trial.names, trial.rows)
        if fresh:
            self.table.fit_columns()
        rows = trn("{count} row", "{count} rows", trial.items)
        if len(trial.rows) < trial.items:
            rows = tr("{rows}, the first {shown} are shown", rows=rows, shown=len(trial.rows))
        self.count.setText(rows)
        self._stack.setCurrentIndex(1)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid() and self.table.hasFocus():
            self.row_chosen.emit(index.row())
