"""The row of a dead letter as a table of columns and values that a person edits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate

from etl_studio.errors import UsageError
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QWidget

    from etl_studio.storage.letters import DeadLetterRecord
    from etl_studio.ui.theme.theme import Theme

NAME, TYPE, VALUE = range(3)
TITLES = (N_("Column"), N_("Type"), N_("Value"))
_NOWHERE = QModelIndex()


@dataclass(slots=True)
class Draft:
    """Values that a person has typed and not saved.

    Attributes:
        values: by column, JSON-ready.
        bad: by column, what does not fit: the text and why.
    """

    values: dict[str, Any] = field(default_factory=dict)
    bad: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values or self.bad)


def text_of(value: Any) -> str:
    """A value as a person types it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


class LetterRowModel(QAbstractTableModel):
    """Columns, types and values of one letter.

    Signals:
        changed: a value, or what does not fit.

    Args:
        theme: colours.
        parent: its parent.

    Attributes:
        draft: what was typed.
        editable: whether values may change.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._payload: dict[str, Any] = {}
        self._types: dict[str, Any] = {}
        self._words: dict[str, str] = {}
        self.names: list[str] = []
        self.draft = Draft()
        self.editable = False

    def show_letter(self, letter: DeadLetterRecord | None, draft: Draft) -> None:
        """Turn to a letter and what was typed for it; None: to none."""
        self.beginResetModel()
        holds_row = letter is not None and letter.operation is None
        self._payload = dict(letter.payload) if holds_row else {}
        self._types = _types(self._payload, letter.types) if holds_row else {}
        self._words = {name: _type_name(words) for name, words in self._types.items()}
        self.names = list(self._payload)
        self.draft = draft
        self.editable = holds_row and letter.state == "waiting"
        self.endResetModel()

    def typed(self, row: int) -> tuple[Draft, str]:
        """What was typed for one row, to be given to ``restore``."""
        name = self.names[row]
        values, bad = self.draft.values, self.draft.bad
        return Draft({name: values[name]} if name in values else {}, {name: bad[name]} if name in bad else {}), name

    def restore(self, typed: tuple[Draft, str]) -> None:
        """Take back what was typed since."""
        draft, name = typed
        if name in self.names:
            for now, before in ((self.draft.values, draft.values), (self.draft.bad, draft.bad)):
                now.pop(name, None)
                now.update(before)
            self._told(self.names.index(name))

    def empty(self, row: int) -> None:
        """Make a value NULL."""
        if self.editable:
            self._put(row, None)

    def put(self, values: dict[str, Any]) -> None:
        """Give several values, JSON-ready."""
        for name, value in values.items():
            if name in self.names:
                self._put(self.names.index(name), value)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not self.editable:
            return False
        row, text = index.row(), str(value)
        try:
            self._put(row, self._read(row, text))
        except UsageError as error:
            self.draft.bad[self.names[row]] = (text, str(error))
            self._told(row)
        return True

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.names)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        can = super().flags(index)
        return can | Qt.ItemFlag.ItemIsEditable if index.column() == VALUE and self.editable else can

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(TITLES[section])
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        name = self.names[index.row()]
        if index.column() != VALUE:
            if role == Qt.ItemDataRole.ForegroundRole and index.column() == TYPE:
                return QColor(self._theme.tokens.text_muted)
            shown = name if index.column() == NAME else self._words[name]
            return shown if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        bad, value = self.draft.bad.get(name), self._value(name)
        if role == Qt.ItemDataRole.EditRole:
            return bad[0] if bad else text_of(value)
        if role == Qt.ItemDataRole.DisplayRole:
            return bad[0] if bad else "NULL" if value is None else text_of(value)
        if role == Qt.ItemDataRole.ToolTipRole:
            return bad[1] if bad else text_of(value) or None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(name, value)
        return None

    def _colour(self, name: str, value: Any) -> QColor | None:
        tokens = self._theme.tokens
        if name in self.draft.bad:
            return QColor(tokens.danger)
        if name in self.draft.values:
            return QColor(tokens.accent)
        return QColor(tokens.text_muted) if value is None else None

    def _value(self, name: str) -> Any:
        return self.draft.values.get(name, self._payload[name])

    def _read(self, row: int, text: str) -> Any:
        from etl_studio.engine.letter_rows import read_text

        name = self.names[row]
        return read_text(name, text, self._types[name])

    def _put(self, row: int, value: Any) -> None:
        name = self.names[row]
        self.draft.bad.pop(name, None)
        if value == self._payload[name] and type(value) is type(self._payload[name]):
            self.draft.values.pop(name, None)
        else:
            self.draft.values[name] = value
        self._told(row)

    def _told(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, VALUE), self.index(row, VALUE))
        self.changed.emit()


class ValueDelegate(QStyledItemDelegate):
    """A line in which a value is typed; the model takes and checks it letter by letter."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._index = QPersistentModelIndex()
        self._before: tuple[Draft, str] = (Draft(), "")
        self.closeEditor.connect(self._close)

    def createEditor(self, parent: QWidget, option: Any, index: QModelIndex) -> QWidget:
        del option
        line = QLineEdit(parent)
        line.setStyleSheet("padding: 0 2px; min-height: 0; border-radius: 0;")  # as high as its row
        line.setAccessibleName(tr("Value of {column}", column=index.siblingAtColumn(NAME).data()))
        line.textEdited.connect(self._type)
        self._index = QPersistentModelIndex(index)
        self._before = index.model().typed(index.row())
        return line

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        if not editor.isModified():
            editor.setText(index.data(Qt.ItemDataRole.EditRole))

    def setModelData(self, editor: QWidget, model: Any, index: QModelIndex) -> None:
        """Nothing to do: what was typed is there, and what was only looked at stays as it is."""

    def _type(self, text: str) -> None:
        if self._index.isValid():
            self._index.model().setData(self._index, text)

    def _close(self, editor: QWidget, hint: QStyledItemDelegate.EndEditHint) -> None:
        del editor
        if hint == QStyledItemDelegate.EndEditHint.RevertModelCache and self._index.isValid():
            self._index.model().restore(self._before)


def _types(payload: dict[str, Any], types: dict[str, Any]) -> dict[str, Any]:
    from etl_studio.engine.letter_rows import types_of

    return types_of(payload, types)


def _type_name(words: Any) -> str:
    from etl_studio.engine.letter_rows import arrow_type
    from etl_studio.sdk import type_name

    return type_name(arrow_type(words))
