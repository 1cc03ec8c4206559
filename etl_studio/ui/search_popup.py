"""A popup over the canvas with a field and the rows that match: type, go up and down, press Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from etl_studio.ui.announcing import announce
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

WIDTH, MOST_ROWS, LEAST_ROW = 320, 7, 40
CHROME = 60
"""Height without the rows."""
ROW_ROLE = Qt.ItemDataRole.UserRole
"""Holds what a row stands for."""


class SearchPopup(QFrame):
    """The field keeps the focus; the rows follow what is typed.

    Args:
        name: what is searched for, such as ``"Search for a node"``.
        parent: the widget over which it opens.

    Attributes:
        search, results: the field and the list.
        most_rows: rows that are shown without scrolling.
    """

    closed = Signal()
    """It went away, whether something was chosen or not."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.most_rows = MOST_ROWS
        self.setProperty("role", "card")
        self.setAutoFillBackground(True)
        self.setFixedWidth(WIDTH)
        self.search = QLineEdit(self, placeholderText=name)
        self.search.setAccessibleName(name)
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self.fill)
        self.results = QListWidget(self)
        self.results.setAccessibleName(tr("Matches"))
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setFrameShape(QFrame.Shape.NoFrame)
        self.results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.results.itemClicked.connect(self._choose_item)
        self.results.currentItemChanged.connect(self._point_at)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self.search)
        layout.addWidget(self.results)
        self.hide()

    # -- for the kinds of search ------------------------------------------------------------------------------

    def fill(self, query: str) -> None:
        """Show the rows that match; calls ``show_rows``."""
        raise NotImplementedError

    def choose(self, row: Any) -> None:
        """Take a row; calls ``close_popup`` when it can be taken."""
        raise NotImplementedError

    def point_at(self, row: Any) -> None:
        """The arrow keys are on a row now."""

    def show_rows(self, rows: list[tuple[str, object]]) -> None:
        """Fill the list with texts for a screen reader and what they stand for."""
        self.results.clear()
        for text, row in rows:
            item = QListWidgetItem(text, self.results)
            item.setData(ROW_ROLE, row)
        self.results.setCurrentRow(0)
        height = max(self.results.sizeHintForRow(0), LEAST_ROW)
        self.setFixedHeight(CHROME + min(max(1, len(rows)), self.most_rows) * height)

    # -- opening and closing ----------------------------------------------------------------------------------

    def open_at(self, pixel: QPoint) -> None:
        """Open beside a point, in pixels of the parent, as far as it has room for it."""
        self.search.clear()
        self.fill("")
        room: QRect = self.parentWidget().rect().adjusted(SPACE, SPACE, -SPACE, -SPACE)
        left = max(room.left(), min(pixel.x(), room.right() - WIDTH))
        top = max(room.top(), min(pixel.y(), room.bottom() - self.height()))
        self.move(left, top)
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_popup(self) -> None:
        """Go away, and give the focus back."""
        self.parentWidget().setFocus()
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and self.handle_key(event):
            return True
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Take the keys that are not for the field; whether it was one of them."""
        key, row = event.key(), self.results.currentRow()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
            self.results.setCurrentRow(min(row + 1, self.results.count() - 1))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Backtab):
            self.results.setCurrentRow(max(row - 1, 0))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if item := self.results.currentItem():
                self._choose_item(item)
        elif key == Qt.Key.Key_Escape:
            self.close_popup()
        else:
            return False
        return True

    def _choose_item(self, item: QListWidgetItem) -> None:
        self.choose(item.data(ROW_ROLE))

    def _point_at(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            announce(self.search, item.text())
            self.point_at(item.data(ROW_ROLE))
