"""Rows that a person adds, removes and reorders: lists of values, maps of names to values, cards of settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from etl_studio.ui.forms.buttons import ICON, IconButton, LinkButton
from etl_studio.ui.forms.editor import Complaint, Editor, FormContext
from etl_studio.ui.forms.setting import UNSET
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent

NewItem: TypeAlias = Callable[[QWidget], Editor]
"""Makes the editor of one more element."""


class Grip(QLabel):
    """The handle by which a row is dragged up and down.

    Signals:
        dragged: the vertical position of the mouse in the coordinates of the rows' parent, in pixels.
    """

    dragged = Signal(int)

    def __init__(self, context: FormContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = context.theme
        self.setFixedWidth(ICON)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip(tr("Drag to reorder, or press Alt+Up and Alt+Down in the row"))
        self._theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.setPixmap(self._theme.pixmap("grip", self._theme.tokens.text_muted, ICON))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        rows = self.parentWidget().parentWidget()
        self.dragged.emit(rows.mapFromGlobal(event.globalPosition().toPoint()).y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        event.accept()


class Row(QFrame):
    """One element: a grip, its editor, and a button that removes it.

    Signals:
        dragged: as of the grip.
        removed: a person removed it.

    Args:
        content: edits the element.
        context: gives the theme.
        card: whether it is framed.
        parent: its parent.
    """

    dragged = Signal(int)
    removed = Signal()

    def __init__(self, content: Editor, context: FormContext, parent: QWidget, *, card: bool) -> None:
        super().__init__(parent)
        self.content = content
        grip = Grip(context, self)
        self.remove = IconButton(context.theme, "x", tr("Remove"), self, size=12)
        self.problem = problem_label(self)
        self.problem.setContentsMargins(ICON + SPACE, 0, 0, 0)
        grip.dragged.connect(self.dragged)
        self.remove.clicked.connect(self.removed)
        beside = Qt.AlignmentFlag.AlignTop if card else Qt.AlignmentFlag.AlignVCenter
        line = QHBoxLayout()
        line.setSpacing(SPACE)
        line.addWidget(grip, 0, beside)
        line.addWidget(content, 1)
        line.addWidget(self.remove, 0, beside)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE // 2)
        column.addLayout(line)
        column.addWidget(self.problem)
        inset = 2 * SPACE if card else 0
        column.setContentsMargins(inset // 2, inset, inset // 2, inset)
        grip.setMinimumHeight(self.remove.sizeHint().height())
        if card:
            self.setProperty("role", "card")


def problem_label(parent: QWidget) -> QLabel:
    """The text of a problem under what it is about; hidden while there is none."""
    label = QLabel(parent)
    label.setProperty("role", "danger")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def show_problem(label: QLabel, texts: Sequence[str]) -> None:
    """Show the texts in a problem label, or hide it."""
    label.setText("\n".join(dict.fromkeys(texts)))
    label.setVisible(bool(texts))


class RowsEditor(Editor):
    """Edits a sequence of elements.

    Args:
        new_item: makes the editor of one element.
        context: gives the theme.
        add_text: what the button says that adds one.
        card: whether each element is framed.
        parent: its parent.
    """

    def __init__(
        self,
        new_item: NewItem,
        context: FormContext,
        add_text: str,
        parent: QWidget | None = None,
        *,
        card: bool = False,
    ) -> None:
        super().__init__(parent)
        self._new_item, self._context, self._card = new_item, context, card
        self.rows: list[Row] = []
        self.add = LinkButton(f"+ {add_text}", self)
        self.add.clicked.connect(self._add)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2 * SPACE if card else SPACE)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self.setFocusProxy(self.add)

    def elements(self) -> list[Any]:
        """The elements that are not blank."""
        return [row.content.value() for row in self._filled()]

    def show_elements(self, elements: Sequence[Any]) -> None:
        """Show these elements; rows that show theirs already are left alone."""
        while len(self.rows) > len(elements):
            self._drop(self.rows[-1])
        for index, element in enumerate(elements):
            row = self.rows[index] if index < len(self.rows) else self._append()
            row.content.set_value(element)

    def value(self) -> Any:
        return self.elements() or UNSET

    def set_value(self, value: Any) -> None:
        wanted = [] if value is UNSET or value is None else list(value)
        if wanted != self.elements():
            self.show_elements(wanted)

    def accepts(self, value: Any) -> bool:
        return value is None or isinstance(value, list)

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        filled = self._filled()
        mine: dict[int, list[Complaint]] = {}
        rest = []
        for address, text in complaints:
            index = self._index(address[0], filled) if address else None
            if index is None:
                rest.append((address, text))
            else:
                mine.setdefault(index, []).append((address[1:], text))
        for row in self.rows:
            index = filled.index(row) if row in filled else -1
            left = row.content.complain(mine.get(index, []))
            show_problem(row.problem, [text for _, text in left] + self._own_problems(row))
        return rest

    def _index(self, part: str, filled: list[Row]) -> int | None:
        return int(part) if part.isdecimal() and int(part) < len(filled) else None

    def _own_problems(self, row: Row) -> list[str]:
        del row
        return []

    def _filled(self) -> list[Row]:
        return [row for row in self.rows if not self._is_blank(row.content.value())]

    def _is_blank(self, element: Any) -> bool:
        return element is UNSET or element == {}

    def _append(self) -> Row:
        row = Row(self._new_item(self), self._context, self, card=self._card)
        row.content.setParent(row)
        row.content.edited.connect(self.edited)
        row.dragged.connect(self._dragged)
        row.removed.connect(self._removed)
        self._column.insertWidget(len(self.rows), row)
        self.rows.append(row)
        row.show()
        return row

    def _add(self) -> None:
        self._append().content.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop(self, row: Row) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _removed(self) -> None:
        row = self.sender()
        if isinstance(row, Row) and row in self.rows:
            self._drop(row)
            self.edited.emit(False)

    def _dragged(self, y: int) -> None:
        row = self.sender()
        if isinstance(row, Row) and row in self.rows:
            index = self.rows.index(row)
            if index > 0 and y < self.rows[index - 1].geometry().center().y():
                self._move(index, index - 1)
            elif index < len(self.rows) - 1 and y > self.rows[index + 1].geometry().center().y():
                self._move(index, index + 1)

    def _move(self, index: int, to: int) -> None:
        row = self.rows.pop(index)
        self.rows.insert(to, row)
        self._column.removeWidget(row)
        self._column.insertWidget(to, row)
        self._column.activate()
        self.edited.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focused = next((row for row in self.rows if row.isAncestorOf(self.window().focusWidget())), None)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and focused is not None:
            self._add()
            return
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and focused is not None:
            index = self.rows.index(focused)
            to = index + {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key(), 0)
            if to != index and 0 <= to < len(self.rows):
                self._move(index, to)
                return
        super().keyPressEvent(event)
