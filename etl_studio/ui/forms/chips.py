"""The editor of short lists, such as names of columns: chips and a line to add one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QLayoutItem, QSizePolicy, QVBoxLayout

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.editor import Editor, FormContext
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.forms.text import ColumnCompleter, Line
from etl_studio.ui.theme.tokens import RADIUS, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent
    from PySide6.QtWidgets import QWidget


class FlowLayout(QLayout):
    """Widgets side by side, in as many lines as they need."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setSpacing(SPACE)
        self.setContentsMargins(0, 0, 0, 0)

    def move(self, index: int, to: int) -> None:
        """Put an item elsewhere."""
        self._items.insert(to, self._items.pop(index))
        self.invalidate()

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), apply=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, apply=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, apply: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint().boundedTo(QSize(max(rect.width(), 1), item.sizeHint().height()))
            if x > rect.x() and x + hint.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self.spacing(), 0
            if apply:
                item.setGeometry(QRect(QPoint(x, y), hint))
            x += hint.width() + self.spacing()
            line = max(line, hint.height())
        return y + line - rect.y()


class Chip(QFrame):
    """One element of a short list.

    Signals:
        removed: a person removed it.
    """

    removed = Signal()

    def __init__(self, element: Any, context: FormContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.element = element
        self._theme = context.theme
        self.remove = IconButton(context.theme, "x", tr("Remove {what}", what=element), self, size=10)
        self.remove.clicked.connect(self.removed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 0, 0, 0)
        layout.setSpacing(0)
        label = QLabel(str(element), self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(label)
        layout.addWidget(self.remove)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(self._theme.tokens.border))
        painter.setBrush(QColor(self._theme.tokens.hover))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, RADIUS, RADIUS)
        painter.end()


class AddLine(Line):
    """The line that adds elements.

    Signals:
        added: Return, or a comma, ended the name of one.
        taken_back: Backspace in the empty line takes the last element back.
    """

    added = Signal()
    taken_back = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Comma) and self.text().strip():
            self.added.emit()
        elif event.key() == Qt.Key.Key_Backspace and not self.text():
            self.taken_back.emit()
        else:
            super().keyPressEvent(event)


class ChipsEditor(Editor):
    """Edits a short list of texts or numbers.

    Args:
        setting: what is edited.
        item_type: ``str`` or ``int``.
        context: knows the columns and the theme.
        parent: its parent.
    """

    def __init__(self, setting: Setting, item_type: type, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._type, self._context = item_type, context
        self._default = setting.default if isinstance(setting.default, list) else []
        self.chips: list[Chip] = []
        self._flow_box = QFrame(self)
        self._flow = FlowLayout(self._flow_box)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._flow_box.setSizePolicy(policy)
        self.line = AddLine(self)
        self.line.setAccessibleName(setting.title)
        example = setting.example[0] if isinstance(setting.example, list) and setting.example else None
        self.line.setPlaceholderText(
            tr("Add…") if example is None or self._default else tr("Add, e.g. {example}", example=example)
        )
        self.line.added.connect(self._add)
        self.line.taken_back.connect(self._take_back)
        self.line.editingFinished.connect(self._add)
        if setting.editor in ("column", "columns"):
            self._completion = ColumnCompleter(context, self)
            self.line.setCompleter(self._completion)
            self.line.textEdited.connect(self._completion.refresh)
            self._completion.activated.connect(self._add, Qt.ConnectionType.QueuedConnection)
        self.setFocusProxy(self.line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._flow_box)
        column.addWidget(self.line)
        self.set_value(UNSET)

    def value(self) -> Any:
        elements = self._elements()
        return UNSET if elements == self._default else elements

    def set_value(self, value: Any) -> None:
        wanted = self._default if value is UNSET else (value or [])
        if wanted == self._elements():
            self._flow_box.setVisible(bool(self.chips))
            return
        while self.chips:
            self._drop(self.chips[-1])
        for element in wanted:
            self._append(element)
        self._changed()

    def accepts(self, value: Any) -> bool:
        return value is None or (isinstance(value, list) and all(isinstance(item, str | int) for item in value))

    def _elements(self) -> list[Any]:
        return [chip.element for chip in self.chips]

    def _append(self, element: Any) -> None:
        chip = Chip(element, self._context, self._flow_box)
        chip.removed.connect(self._removed)
        self._flow.addWidget(chip)
        self.chips.append(chip)
        chip.show()

    def _drop(self, chip: Chip) -> None:
        self.chips.remove(chip)
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()

    def _changed(self) -> None:
        self._flow_box.setVisible(bool(self.chips))
        self._flow.invalidate()
        self._flow_box.updateGeometry()

    def _add(self) -> None:
        text = self.line.text().strip()
        if not text:
            return
        self.line.clear()
        self._append(int(text) if self._type is int and text.lstrip("-").isdecimal() else text)
        self._changed()
        self.edited.emit(False)

    def _take_back(self) -> None:
        if self.chips:
            chip = self.chips[-1]
            self._drop(chip)
            self._changed()
            self.line.setText(str(chip.element))
            self.edited.emit(False)

    def _removed(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip) and chip in self.chips:
            self._drop(chip)
            self._changed()
            self.edited.emit(False)
