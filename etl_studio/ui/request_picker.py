"""What to read of a recording or of the description of an API: a list with a search field; several are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.action_search import TRAVEL
from etl_studio.ui.quantities import size as size_words
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.pipeline.request_files import RequestChoice
    from etl_studio.ui.theme.theme import Theme

SIZE = (210 * SPACE, 130 * SPACE)
CHOICE = Qt.ItemDataRole.UserRole
METHOD, ADDRESS, ABOUT, ANSWER = range(4)
WIDTH_OF_METHOD = 24 * SPACE
MOST_NODES = 50
"""Nodes that are made at once."""


class RequestList(QTreeWidget):
    """Requests, each with a box to tick.

    Args:
        choices: what there is.
        theme: colours and the fixed-width font.
        parent: its parent.
    """

    def __init__(self, choices: Sequence[RequestChoice], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(tr("Requests"))
        self.setColumnCount(4)
        self.setHeaderLabels([tr("Method"), tr("Request"), tr("About"), tr("Answer")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        for choice in choices:
            self._add(choice)
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(METHOD, QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(ADDRESS, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(ABOUT, QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(ANSWER, QHeaderView.ResizeMode.ResizeToContents)
        head.resizeSection(METHOD, theme.px(WIDTH_OF_METHOD))
        head.resizeSection(ABOUT, min(max(self.sizeHintForColumn(ABOUT) + 4 * SPACE, 30 * SPACE), 62 * SPACE))
        self.setCurrentItem(self.topLevelItem(0))

    def items(self) -> list[QTreeWidgetItem]:
        """All, also those that a search hides."""
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]

    def ticked(self) -> list[RequestChoice]:
        """Those that are ticked, also where a search hides them."""
        return [item.data(METHOD, CHOICE) for item in self.items() if item.checkState(METHOD) == Qt.CheckState.Checked]

    def wanted(self) -> list[RequestChoice]:
        """Those that are ticked, or else the current one."""
        current = self.currentItem()
        return self.ticked() or ([] if current is None else [current.data(METHOD, CHOICE)])

    def search(self, text: str) -> bool:
        """Show those that have all of some words; whether there are any."""
        words = text.casefold().split()
        first = None
        for item in self.items():
            told = " ".join(item.text(number) for number in (METHOD, ADDRESS, ABOUT)).casefold()
            item.setHidden(not all(word in told for word in words))
            first = first or (None if item.isHidden() else item)
        self.setCurrentItem(first)
        return first is not None

    def step(self, by: int) -> None:
        """Go so many of those that are shown down, or up."""
        shown = [item for item in self.items() if not item.isHidden()]
        at = shown.index(self.currentItem()) if self.currentItem() in shown else -1
        if shown:
            self.setCurrentItem(shown[max(0, min(at + by, len(shown) - 1))])

    def _add(self, choice: RequestChoice) -> None:
        times = trn("{count} time", "{count} times", choice.times) if choice.times > 1 else ""
        about = " · ".join(filter(None, (choice.words, times)))
        item = QTreeWidgetItem(self, [choice.method, choice.address, about, _answer(choice)])
        item.setData(METHOD, CHOICE, choice)
        item.setCheckState(METHOD, Qt.CheckState.Unchecked)
        tokens = self._theme.tokens
        item.setForeground(METHOD, QColor(tokens.extract if choice.method == "GET" else tokens.transform))
        font = item.font(METHOD)
        font.setBold(True)
        item.setFont(METHOD, font)
        mono = item.font(ADDRESS)
        mono.setFamily(self._theme.mono)
        item.setFont(ADDRESS, mono)
        for number in (ABOUT, ANSWER):
            item.setForeground(number, QColor(tokens.text_muted))
        item.setToolTip(ADDRESS, choice.address)
        item.setToolTip(ABOUT, about)
        words = ", ".join(filter(None, (choice.method, choice.address, about, _answer(choice))))
        item.setData(METHOD, Qt.ItemDataRole.AccessibleTextRole, words)


class RequestPicker(QDialog):
    """Lists requests; those that are ticked, or the current one, become nodes.

    Args:
        title: name of the file.
        choices: what it tells of.
        theme: colours and the fixed-width font.
        parent: its parent.

    Signals:
        picked: the ``RequestChoice`` objects that were taken.
    """

    picked = Signal(list)

    def __init__(
        self, title: str, choices: Sequence[RequestChoice], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Add from {file}", file=title))
        self.resize(*SIZE)
        heading = QLabel(self._summary(choices))
        heading.setProperty("role", "muted")
        self.field = QLineEdit(placeholderText=tr("Search for an address, a method or a word"))
        self.field.setAccessibleName(tr("Search in the requests"))
        self.field.setClearButtonEnabled(True)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._search)
        self.list = RequestList(choices, theme)
        self.list.itemChanged.connect(self._count)
        self.list.currentItemChanged.connect(self._count)
        self.list.itemDoubleClicked.connect(self._take)
        self.nothing = QLabel(tr("Nothing here has all of these words."))
        self.nothing.setProperty("role", "muted")
        self.nothing.hide()
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.add, cancel = QPushButton(), QPushButton(tr("Cancel"))
        self.add.setProperty("role", "primary")
        self.add.setDefault(True)
        self.add.clicked.connect(self._take)
        cancel.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(2 * SPACE)
        foot.addWidget(self.count, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(heading)
        column.addWidget(self.field)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        column.addSpacing(SPACE)
        column.addLayout(foot)
        self.field.setFocus()
        self._count()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys of the field go through the list."""
        if event.type() == QEvent.Type.KeyPress and event.key() in TRAVEL:
            self.list.step(TRAVEL[event.key()])
            return True
        return super().eventFilter(watched, event)

    @staticmethod
    def _summary(choices: Sequence[RequestChoice]) -> str:
        if any(choice.size is not None for choice in choices):
            return trn(
                "{count} request was answered with JSON. Secrets become references: none is kept.",
                "{count} requests were answered with JSON. Secrets become references: none is kept.",
                len(choices),
            )
        return trn(
            "{count} operation can be read. Each becomes a node with its address, pages and sign-in filled in.",
            "{count} operations can be read. Each becomes a node with its address, pages and sign-in filled in.",
            len(choices),
        )

    def _search(self, text: str) -> None:
        self.nothing.setVisible(not self.list.search(text))
        self._count()

    def _count(self) -> None:
        ticked, wanted = len(self.list.ticked()), len(self.list.wanted())
        if ticked > MOST_NODES:
            words = tr("At most {count} at once.", count=MOST_NODES)
        else:
            words = trn("{count} ticked", "{count} ticked", ticked) if ticked else tr("Tick several to add them all.")
        self.count.setText(words)
        self.add.setText(trn("Add {count} node", "Add {count} nodes", max(wanted, 1)))
        self.add.setEnabled(0 < wanted <= MOST_NODES)

    def _take(self) -> None:
        wanted = self.list.wanted()
        if 0 < len(wanted) <= MOST_NODES:
            self.picked.emit(wanted)
            self.accept()


def _answer(choice: RequestChoice) -> str:
    if choice.size is None:
        return tr("List") if choice.lists else tr("One object")
    items = "" if choice.items is None else trn("{count} item", "{count} items", choice.items)
    return " · ".join(filter(None, (items, size_words(choice.size) if choice.size else "")))
