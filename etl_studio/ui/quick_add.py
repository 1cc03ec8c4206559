"""Quick add: a popup that searches for a node type; whoever opened it is told which one was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from etl_studio.ui.node_row import ROW_HEIGHT, TYPE_ROLE, NodeRow
from etl_studio.ui.node_search import search
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent

    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.theme.theme import Theme

WIDTH, HEIGHT = 320, 340
CHROME = 60
"""Height without the rows."""


class QuickAdd(QFrame):
    """Type a name, press Enter.

    Args:
        registry: the node types.
        theme: colours and icons.
        parent: the widget over which it opens.

    Attributes:
        search, results: the field and the list.
    """

    node_chosen = Signal(str)
    """Name of the chosen type."""

    def __init__(self, registry: Registry, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._registry = registry
        self._fits: Callable[[type[Node]], bool] | None = None
        self.setProperty("role", "card")
        self.setAutoFillBackground(True)
        self.setFixedWidth(WIDTH)
        self.search = QLineEdit(self, placeholderText="Search for a node")
        self.search.setAccessibleName("Search for a node")
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self._fill)
        self.results = QListWidget(self)
        self.results.setAccessibleName("Matching nodes")
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setFrameShape(QFrame.Shape.NoFrame)
        self.results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.results.setItemDelegate(NodeRow(theme, self.results))
        self.results.itemClicked.connect(self._choose_item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self.search)
        layout.addWidget(self.results)
        self.hide()

    def open_at(self, pixel: QPoint, fits: Callable[[type[Node]], bool] | None = None) -> None:
        """Open beside a point.

        Args:
            pixel: the point, in pixels of the parent.
            fits: which types are offered; all by default.
        """
        self._fits = fits
        room = self.parentWidget().rect().adjusted(SPACE, SPACE, -SPACE, -SPACE)
        left = max(room.left(), min(pixel.x(), room.right() - WIDTH))
        top = max(room.top(), min(pixel.y(), room.bottom() - HEIGHT))
        self.move(left, top)
        self.search.clear()
        self._fill("")
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and self._handle_key(event):
            return True
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def _handle_key(self, event: QKeyEvent) -> bool:
        key, row = event.key(), self.results.currentRow()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
            self.results.setCurrentRow(min(row + 1, self.results.count() - 1))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Backtab):
            self.results.setCurrentRow(max(row - 1, 0))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if item := self.results.currentItem():
                self._choose_item(item)
        elif key == Qt.Key.Key_Escape:
            self.parentWidget().setFocus()
            self.hide()
        else:
            return False
        return True

    def _fill(self, query: str) -> None:
        self.results.clear()
        for node_type in search(query, filter(self._fits, self._registry)):
            item = QListWidgetItem(node_type.title, self.results)
            item.setData(TYPE_ROLE, node_type)
        self.results.setCurrentRow(0)
        self.setFixedHeight(min(HEIGHT, CHROME + max(1, self.results.count()) * ROW_HEIGHT))

    def _choose_item(self, item: QListWidgetItem) -> None:
        self.parentWidget().setFocus()
        self.hide()
        self.node_chosen.emit(item.data(TYPE_ROLE).type)
