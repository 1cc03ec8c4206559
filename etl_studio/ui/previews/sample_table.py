"""The rows of a sample with a profile of each column above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.previews.profile_card import ProfileCard
from etl_studio.ui.previews.profile_header import ProfileHeader
from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.view import DataTable

if TYPE_CHECKING:
    import pyarrow as pa
    from PySide6.QtWidgets import QWidget

    from etl_studio.engine.profile import ColumnProfile
    from etl_studio.ui.theme.theme import Theme


class SampleModel(ArrowTableModel):
    """Rows of a sample; pale where they are those of earlier settings.

    Args:
        theme: colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self.pale = False

    def set_pale(self, pale: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Show the rows as ones that may not be true any more."""
        if pale != self.pale:
            self.pale = pale
            if self.rowCount() and self.columnCount():
                last = self.index(self.rowCount() - 1, self.columnCount() - 1)
                self.dataChanged.emit(self.index(0, 0), last, [Qt.ItemDataRole.ForegroundRole])

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
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

    def show_sample(self, table: pa.Table | None, scope: str = "") -> None:
        """Show other rows, or none."""
        self.scope = scope
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


def _profiles(table: pa.Table) -> tuple[ColumnProfile, ...]:
    from etl_studio.engine.profile import profile

    return profile(table)
