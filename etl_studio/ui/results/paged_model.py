"""A table of any size: pages are fetched as they scroll into view and forgotten when they are far away."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.cells import cell_text, tip_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from etl_studio.ui.theme.theme import Theme

    Page = Sequence[Sequence[Any]]
    FetchPage = Callable[[int, int], Page]

PAGE_ROWS = 256
PAGES_KEPT = 64
WISHES_KEPT = 4
"""Pages that are waited for; as a person scrolls on, the oldest wish is forgotten."""

LOADING = "…"


class PagedTableModel(QAbstractTableModel):
    """Rows of one table.

    Args:
        theme: colours.
        parent: its parent.

    Attributes:
        failed: a page could not be read; the text says why.
    """

    failed = Signal(str)

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._take)
        self._fetcher.failed.connect(self._give_up)
        self._theme = theme
        self._columns: list[str] = []
        self._numeric: list[bool] = []
        self._row_count = 0
        self._fetch: FetchPage | None = None
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._wishes: list[int] = []
        self._awaited: int | None = None

    def show_table(
        self, columns: Sequence[str], row_count: int, fetch: FetchPage, numeric: Collection[str] = ()
    ) -> None:
        """Show other rows.

        Args:
            columns: their names.
            row_count: how many there are.
            fetch: gives the rows of (offset, limit); called in another thread.
            numeric: columns that hold numbers: aligned to the right.
        """
        self._fetcher.cancel()
        self.beginResetModel()
        self._columns = list(columns)
        self._numeric = [column in numeric for column in columns]
        self._row_count = row_count
        self._fetch = fetch
        self._pages.clear()
        self._wishes.clear()
        self._awaited = None
        self.endResetModel()

    def clear(self) -> None:
        """Show nothing."""
        self.show_table([], 0, lambda _offset, _limit: [])

    def close_threads(self) -> None:
        """Wait until nothing is fetched."""
        self._fetcher.close()

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._columns

    @property
    def is_loading(self) -> bool:
        """Whether a page is on its way."""
        return self._awaited is not None

    # -- Qt ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._row_count

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section] if orientation == Qt.Orientation.Horizontal else count(section + 1)
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            return self._alignment(section)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            page = self._page(index.row())
            return LOADING if page is None else self._text(page, index)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Qt.ItemDataRole.ForegroundRole and self._value(index) is None:
            return QColor(self._theme.tokens.text_muted)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(self._value(index))
        return None

    # -- inside -----------------------------------------------------------------------------------------------

    def _alignment(self, column: int) -> int:
        side = Qt.AlignmentFlag.AlignRight if self._numeric[column] else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)

    def _text(self, page: Page, index: QModelIndex) -> str:
        offset = index.row() % PAGE_ROWS
        # The table may have shrunk since its rows were counted.
        return cell_text(page[offset][index.column()]) if offset < len(page) else ""

    def _value(self, index: QModelIndex) -> Any:
        page = self._pages.get(index.row() // PAGE_ROWS)
        offset = index.row() % PAGE_ROWS
        return page[offset][index.column()] if page is not None and offset < len(page) else ""

    def _page(self, row: int) -> Page | None:
        number = row // PAGE_ROWS
        page = self._pages.get(number)
        if page is not None:
            self._pages.move_to_end(number)
        elif number != self._awaited:
            self._wish(number)
        return page

    def _wish(self, number: int) -> None:
        if number in self._wishes:
            self._wishes.remove(number)
        self._wishes.append(number)
        del self._wishes[:-WISHES_KEPT]
        self._order_next()

    def _order_next(self) -> None:
        fetch = self._fetch
        if self._awaited is not None or not self._wishes or fetch is None:
            return
        number = self._awaited = self._wishes.pop()
        self._fetcher.ask(lambda: (number, fetch(number * PAGE_ROWS, PAGE_ROWS)))

    def _take(self, answer: tuple[int, Page]) -> None:
        number, page = answer
        self._awaited = None
        self._pages[number] = page
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        last = min((number + 1) * PAGE_ROWS, self._row_count) - 1
        self.dataChanged.emit(self.index(number * PAGE_ROWS, 0), self.index(last, len(self._columns) - 1))
        self._order_next()

    def _give_up(self, message: str) -> None:
        self._awaited = None
        self._wishes.clear()
        self.failed.emit(message)
