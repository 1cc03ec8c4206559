"""Find in the pipeline: type some words, go to the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QHeaderView, QLabel, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from etl_studio.ui.action_search import TRAVEL
from etl_studio.ui.pipeline_search import Found, search_pipeline
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.document import PipelineDocument

FOUND = Qt.ItemDataRole.UserRole
MOST = 500
"""Places that are listed."""


class FindPopup(QDialog):
    """A field and the places that hold its words; Return goes to the one that is chosen.

    Signals:
        place_wanted: a ``Found``.

    Args:
        document: what is searched.
        columns: names of the columns that are known at a node.
        parent: over whose upper part it opens.
    """

    place_wanted = Signal(object)

    def __init__(
        self, document: PipelineDocument, columns: Callable[[str], Sequence[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("find")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._document, self._columns = document, columns
        self.field = QLineEdit(placeholderText=tr("Find nodes, settings, columns, parameters"))
        self.field.setAccessibleName(tr("Find in the pipeline"))
        self.results = QTreeWidget()
        self.results.setColumnCount(3)
        self.results.setHeaderHidden(True)
        self.results.setRootIsDecorated(False)
        self.results.setUniformRowHeights(True)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setAccessibleName(tr("Places that were found"))
        head = self.results.header()
        head.setStretchLastSection(True)
        for column in (0, 1):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.count = QLabel()
        self.count.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.addWidget(self.field)
        layout.addWidget(self.results, 1)
        layout.addWidget(self.count)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._go)
        self.field.installEventFilter(self)
        self.results.itemClicked.connect(self._go)
        self.setFixedSize(620, 380)
        if parent is not None:
            middle, top = parent.mapToGlobal(parent.rect().center()), parent.mapToGlobal(parent.rect().topLeft())
            self.move(middle.x() - self.width() // 2, top.y() + 96)
        self._fill("")
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() in TRAVEL:
            row = self.results.indexOfTopLevelItem(self.results.currentItem()) + TRAVEL[event.key()]
            self._choose(max(0, min(row, self.results.topLevelItemCount() - 1)))
            return True
        return super().eventFilter(watched, event)

    def _fill(self, text: str) -> None:
        self.results.clear()
        places = search_pipeline(text, self._document.pipeline, self._document.registry, self._columns)
        titles, whole = self._document.titles(), tr("Pipeline")
        for found in places[:MOST]:
            item = QTreeWidgetItem(self.results, [titles.get(found.node, whole), found.where, found.text])
            item.setData(0, FOUND, found)
            item.setToolTip(2, found.text)
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, ", ".join(item.text(column) for column in range(3)))
        self.count.setText(self._words(text, len(places)))
        self._choose(0)

    def _words(self, text: str, number: int) -> str:
        if not text.strip():
            return tr("Type a word: a title, a part of a setting, a column.")
        if not number:
            words = text.strip()
            return tr("“{words}” occurs nowhere. Columns are known once a node was previewed.", words=words)
        if number > MOST:
            return tr("{places} places, the first {listed} listed", places=count(number), listed=MOST)
        return trn("{count} place", "{count} places", number)

    def _choose(self, row: int) -> None:
        self.results.setCurrentItem(self.results.topLevelItem(row))

    def _go(self) -> None:
        item = self.results.currentItem()
        if item is None:
            return
        found: Found = item.data(0, FOUND)
        self.close()
        self.place_wanted.emit(found)
