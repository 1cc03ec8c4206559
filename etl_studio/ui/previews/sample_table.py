"""The rows of a sample with a profile of each column above them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView

from etl_studio.engine.json_values import json_value
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.previews.profile_card import ProfileCard
from etl_studio.ui.previews.profile_header import ProfileHeader
from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.cells import cell_text
from etl_studio.ui.tables.view import DataTable

if TYPE_CHECKING:
    import pyarrow as pa
    from PySide6.QtWidgets import QWidget

    from etl_studio.engine.profile import ColumnProfile
    from etl_studio.ui.theme.theme import Theme


class SampleModel(ArrowTableModel):
    """Rows of a sample; pale where they are those of earlier settings.

    Signals:
        edited: row, column and new text of a value that a person has changed; the table itself stays as it is.

    Args:
        theme: colours.
        parent: its parent.

    Attributes:
        editable: whether values may be changed.
    """

    edited = Signal(int, str, str)

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self.pale = self.editable = False

    def set_pale(self, pale: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Show the rows as ones that may not be true any more."""
        if pale != self.pale:
            self.pale = pale
            if self.rowCount() and self.columnCount():
                last = self.index(self.rowCount() - 1, self.columnCount() - 1)
                self.dataChanged.emit(self.index(0, 0), last, [Qt.ItemDataRole.ForegroundRole])

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        editable = Qt.ItemFlag.ItemIsEditable if self.editable else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role == Qt.ItemDataRole.EditRole and value != index.data(Qt.ItemDataRole.EditRole):
            self.edited.emit(index.row(), self.table.column_names[index.column()], value)
        return False

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.EditRole:
            return edit_text(self.table.column(index.column())[index.row()].as_py())
        if self.pale and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._theme.tokens.text_muted)
        return super().data(index, role)


class SampleTable(DataTable):
    """Shows a table; the profile of its columns is computed in a thread and follows.

    Signals:
        profiled: the profiles are there.

    Args:
        theme: colours.
        parent: its parent.

    Attributes:
        scope: of what the profiles are, in words.
        card: what is open of a column, or None.
    """

    profiled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, numbered=True)
        self._theme = theme
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._on_profiles)
        self.scope = ""
        self.card: ProfileCard | None = None
        self.samples = SampleModel(theme, self)
        self.setModel(self.samples)
        self.profile = ProfileHeader(theme, self)
        self.setHorizontalHeader(self.profile)
        self.profile.setResizeContentsPrecision(0)
        self.profile.wanted.connect(self.open_card)
        keys = QShortcut(QKeySequence("Ctrl+I"), self, context=Qt.ShortcutContext.WidgetShortcut)
        keys.activated.connect(self._on_keys)

    def show_sample(self, table: pa.Table | None, scope: str = "", *, editable: bool = False) -> None:
        """Show other rows, or none.

        Args:
            table: the rows.
            scope: of what the profiles are, in words.
            editable: whether values may be changed by a double click.
        """
        self.scope = scope
        self.samples.editable = editable
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed if editable else triggers.NoEditTriggers)
        self.profile.show_profiles(())
        self.samples.show_table(table)
        self._fetcher.cancel()
        if table is not None and table.num_columns:
            self.fit_columns()
            self._fetcher.ask(lambda: _profiles(table))

    def open_card(self, column: int) -> None:
        """Show all that is known of a column."""
        if column < len(self.profile.profiles):
            self.card = ProfileCard(self.profile.profiles[column], self.scope, self._theme, self)
            self.card.destroyed.connect(self._on_card_gone)
            corner = QPoint(self.profile.sectionViewportPosition(column), self.profile.height())
            self.card.open_at(self.profile.viewport().mapToGlobal(corner))

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self._fetcher.close()

    def _on_profiles(self, profiles: tuple[ColumnProfile, ...]) -> None:
        self.profile.show_profiles(profiles)
        self.profiled.emit()

    def _on_card_gone(self) -> None:
        self.card = None

    def _on_keys(self) -> None:
        if self.currentIndex().isValid():
            self.open_card(self.currentIndex().column())


def edit_text(value: Any) -> str:
    """A value as it stands in a field, to be read back by ``app.pins``."""
    value = json_value(value)
    if value is None or isinstance(value, bool):
        return cell_text(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _profiles(table: pa.Table) -> tuple[ColumnProfile, ...]:
    from etl_studio.engine.profile import profile

    return profile(table)
