"""Every key of the window, to look up and to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.actions import ACTIONS, MENUS, plain
from etl_studio.ui.bench_actions import ON_CANVAS
from etl_studio.ui.help_dialogs import fixed_keys
from etl_studio.ui.shortcuts import refusal
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.shortcuts import Shortcuts

ACTION = Qt.ItemDataRole.UserRole


class ShortcutsDialog(QDialog):
    """Lists the keys by menu; those of an action can be changed, and hold at once.

    Args:
        shortcuts: the keys.
        parent: the window.

    Attributes:
        field, list: search, and the keys.
        editor: takes the keys of the chosen action as they are pressed.
        add, replace, clear, reset, reset_all: buttons.
        said: what happened, or what keeps a key from being taken.
    """

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._items: dict[str, QTreeWidgetItem] = {}
        self._titles = {spec.id: plain(tr(spec.text)) for spec in ACTIONS}
        self.setWindowTitle(tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 640)
        self.field = QLineEdit(placeholderText=tr("Search by name or key"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.setClearButtonEnabled(True)
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderLabels([tr("Action"), tr("Keys")])
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(2 * SPACE)
        self.list.setAccessibleName(tr("Keys"))
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.editor = QKeySequenceEdit()
        self.editor.setMaximumSequenceLength(1)
        self.editor.setClearButtonEnabled(True)
        self.editor.setAccessibleName(tr("Press the new keys"))
        self.replace, self.add = QPushButton(tr("Set")), QPushButton(tr("Add"))
        self.clear, self.reset = QPushButton(tr("Remove")), QPushButton(tr("Reset"))
        self.replace.setToolTip(tr("These keys instead of the ones that it has"))
        self.add.setToolTip(tr("These keys beside the ones that it has"))
        self.clear.setToolTip(tr("No keys"))
        self.reset.setToolTip(tr("The keys that came with the program"))
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(2 * self.said.fontMetrics().height())
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.reset_all = self.buttons.addButton(tr("Reset all"), QDialogButtonBox.ButtonRole.ResetRole)
        for button in (self.replace, self.add, self.clear, self.reset, *self.buttons.buttons()):
            button.setAutoDefault(False)
        self._lay_out()
        self._connect()
        self._fill()
        self._show_action()
        self.field.setFocus()

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        card = QFrame()
        card.setProperty("role", "card")
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self.editor, 1)
        for button in (self.replace, self.add, self.clear, self.reset):
            row.addWidget(button)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        inside.setSpacing(2 * SPACE)
        inside.addWidget(self.title)
        inside.addLayout(row)
        inside.addWidget(self.said)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addWidget(card)
        column.addWidget(self.buttons)

    def _connect(self) -> None:
        self.field.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(self._show_action)
        self.list.itemActivated.connect(self._begin)
        self.editor.keySequenceChanged.connect(self._judge)
        self.replace.clicked.connect(self._set)
        self.add.clicked.connect(self._add)
        self.clear.clicked.connect(self._clear)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._shortcuts.reset_all)
        self.buttons.rejected.connect(self.reject)
        self._shortcuts.changed.connect(self._show_keys)

    def _fill(self) -> None:
        for menu in MENUS:
            specs = [
                spec
                for spec in ACTIONS
                if spec.menu == menu and spec.id not in ("open_recent", "open_example", "text_size")
            ]
            head = self._head(plain(tr(menu)))
            for spec in specs:
                item = self._items[spec.id] = QTreeWidgetItem(head, [self._titles[spec.id], ""])
                item.setData(0, ACTION, spec.id)
        for title, keys in fixed_keys():
            head = self._head(title)
            for key, text in keys:
                QTreeWidgetItem(head, [text, key])
        self._show_keys()
        self.list.expandAll()

    def _head(self, text: str) -> QTreeWidgetItem:
        head = QTreeWidgetItem(self.list, [text])
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        head.setFont(0, bold)
        return head

    def _show_keys(self) -> None:
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        for name, item in self._items.items():
            own = self._shortcuts.is_own(name)
            item.setText(1, _words(self._shortcuts.keys(name)) or (tr("none") if own else ""))
            item.setFont(1, bold if own else self.font())
            item.setToolTip(1, tr("Changed by you") if own else "")
        self._enable()

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for top in range(self.list.topLevelItemCount()):
            head = self.list.topLevelItem(top)
            for number in range(head.childCount()):
                child = head.child(number)
                said = f"{head.text(0)} {child.text(0)} {child.text(1)}".casefold()
                child.setHidden(not all(word in said for word in words))
            head.setHidden(all(head.child(number).isHidden() for number in range(head.childCount())))

    def _action(self) -> str:
        item = self.list.currentItem()
        return (item.data(0, ACTION) or "") if item is not None else ""

    def _show_action(self) -> None:
        name = self._action()
        fixed = self.list.currentItem() is not None and not name
        otherwise = tr("These keys are fixed") if fixed else tr("Choose an action to change its keys")
        self.title.setText(self._titles.get(name, otherwise))
        self.editor.clear()
        self._tell("")
        self._enable()

    def _begin(self) -> None:
        if self._action():
            self.editor.setFocus()

    def _enable(self) -> None:
        name, key = self._action(), self.editor.keySequence()
        usable = bool(name) and not key.isEmpty() and not refusal(key, on_canvas=name in ON_CANVAS)
        self.editor.setEnabled(bool(name))
        self.replace.setEnabled(usable)
        self.add.setEnabled(usable and bool(self._shortcuts.keys(name)) and key not in self._shortcuts.keys(name))
        self.clear.setEnabled(bool(name) and bool(self._shortcuts.keys(name)))
        self.reset.setEnabled(bool(name) and self._shortcuts.is_own(name))

    def _judge(self, key: QKeySequence) -> None:
        """Tell at once what taking a key would do."""
        owner = self._shortcuts.owner(key, self._action())
        if problem := refusal(key, on_canvas=self._action() in ON_CANVAS):
            self._tell(problem, "danger")
        elif owner:
            action, keys = self._titles[owner], _words([key])
            self._tell(
                tr("{key} is the key of “{action}”. Set takes it from there.", key=keys, action=action), "warning"
            )
        else:
            self._tell("")
        self._enable()

    def _set(self) -> None:
        self._give([self.editor.keySequence()])

    def _add(self) -> None:
        self._give([*self._shortcuts.keys(self._action()), self.editor.keySequence()])

    def _clear(self) -> None:
        self._give([])

    def _reset(self) -> None:
        self._shortcuts.reset(self._action())
        self._tell(self._now(self._action()))

    def _give(self, keys: list[QKeySequence]) -> None:
        name = self._action()
        taken = {owner for key in keys if (owner := self._shortcuts.owner(key, name))}
        self._shortcuts.set_keys(name, keys)
        self.editor.clear()
        self._tell(" ".join((self._now(name), *(self._now(other) for other in sorted(taken)))))

    def _now(self, name: str) -> str:
        keys = _words(self._shortcuts.keys(name))
        action = self._titles[name]
        if not keys:
            return tr("“{action}” has no keys now.", action=action)
        return tr("“{action}” has {keys} now.", action=action, keys=keys)

    def _tell(self, text: str, role: str = "muted") -> None:
        self.said.setText(text)
        set_role(self.said, role)


def _words(keys: list[QKeySequence]) -> str:
    return ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys)
