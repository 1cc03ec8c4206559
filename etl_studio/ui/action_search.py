"""Find any action by typing some of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from etl_studio.ui.actions import plain
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QAction

TRAVEL = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ActionSearch(QDialog):
    """A field and the actions that match; Return does the one that is chosen.

    Args:
        actions: what can be found; those that cannot be done now are left out.
    """

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("action_search")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions = [action for action in actions if action.isEnabled() and action.menu() is None]
        self.field = QLineEdit(placeholderText=tr("Find an action"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.results = QTreeWidget()
        self.results.setColumnCount(2)
        self.results.setHeaderHidden(True)
        self.results.setRootIsDecorated(False)
        self.results.setUniformRowHeights(True)
        self.results.header().setStretchLastSection(False)
        self.results.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.results.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.addWidget(self.field)
        layout.addWidget(self.results)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._do)
        self.field.installEventFilter(self)
        self.results.itemClicked.connect(self._do)
        self.setFixedSize(420, 320)
        if parent is not None:
            middle = parent.mapToGlobal(parent.rect().center())
            self.move(middle.x() - self.width() // 2, parent.mapToGlobal(parent.rect().topLeft()).y() + 96)
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
        words = text.lower().split()
        for action in self._actions:
            name = plain(action.text())
            if all(word in name.lower() for word in words):
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                item = QTreeWidgetItem(self.results, [name, keys])
                item.setData(0, Qt.ItemDataRole.UserRole, action)
        self._choose(0)

    def _choose(self, row: int) -> None:
        self.results.setCurrentItem(self.results.topLevelItem(row))

    def _do(self) -> None:
        item = self.results.currentItem()
        if item is None:
            return
        action = item.data(0, Qt.ItemDataRole.UserRole)
        self.close()
        QTimer.singleShot(0, action.trigger)  # it may open a dialog: this popup is gone by then
