"""The editor of maps: names and values in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from etl_studio.ui.forms.editor import Complaint, Editor, FormContext
from etl_studio.ui.forms.rows import NewItem, Row, RowsEditor
from etl_studio.ui.forms.setting import UNSET
from etl_studio.ui.forms.text import ColumnCompleter, Line
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget


class PairEditor(Editor):
    """One name and its value.

    Args:
        value_editor: edits the value.
        example: placeholder of the name.
        columns: where the name is that of a column: knows those.
        stacked: the value stands under the name, for long values such as SQL.
        parent: its parent.

    Attributes:
        names_columns: the name is that of a column that arrives.
    """

    def __init__(
        self,
        value_editor: Editor,
        example: str,
        columns: FormContext | None = None,
        parent: QWidget | None = None,
        *,
        stacked: bool,
    ) -> None:
        super().__init__(parent)
        self.key: QLineEdit = Line(self)
        self.names_columns = columns is not None
        if columns is not None:
            completion = ColumnCompleter(columns, self)
            self.key.setCompleter(completion)
            self.key.textEdited.connect(completion.refresh)
            completion.activated.connect(self._finished)
        self.key.setPlaceholderText(example)
        self.key.setAccessibleName(tr("Name"))
        self.content = value_editor
        self.key.textEdited.connect(self._typed)
        self.key.editingFinished.connect(self._finished)
        value_editor.edited.connect(self.edited)
        self.setFocusProxy(self.key)
        layout = QVBoxLayout(self) if stacked else QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self.key, 0 if stacked else 2)
        layout.addWidget(value_editor, 0 if stacked else 3)
        if stacked:
            self.setTabOrder(self.key, value_editor)

    def value(self) -> Any:
        key, value = self.key.text(), self.content.value()
        if not key and value is UNSET:
            return UNSET
        return key, "" if value is UNSET else value

    def set_value(self, value: Any) -> None:
        key, content = value
        if key != self.key.text():
            cursor = self.key.cursorPosition()
            self.key.setText(key)
            self.key.setCursorPosition(min(cursor, len(key)) if self.key.hasFocus() else 0)
        if self.content.value() != content:
            self.content.set_value(content)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        return self.content.complain(complaints)

    def _typed(self) -> None:
        self.edited.emit(True)

    def _finished(self) -> None:
        self.edited.emit(False)


class MapEditor(RowsEditor):
    """Edits a map. Two rows with the same name stay visible; only the first counts, and the other says so.

    Args:
        new_value: makes the editor of one value.
        context: gives the theme.
        add_text: what the button says that adds a row.
        example: placeholder of a name.
        names_columns: whether the names are those of columns that arrive.
        stacked: values stand under their names.
        parent: its parent.
    """

    def __init__(  # noqa: PLR0913 - each is a fact about the rows
        self,
        new_value: NewItem,
        context: FormContext,
        add_text: str,
        example: str,
        parent: QWidget | None = None,
        *,
        names_columns: bool = False,
        stacked: bool,
    ) -> None:
        def new_pair(owner: QWidget) -> Editor:
            columns = context if names_columns else None
            pair = PairEditor(new_value(owner), example, columns, owner, stacked=stacked)
            pair.content.setParent(pair)
            return pair

        super().__init__(new_pair, context, add_text, parent, card=stacked)

    def value(self) -> Any:
        result: dict[str, Any] = {}
        for key, value in self.elements():
            result.setdefault(key, value)
        return result or UNSET

    def set_value(self, value: Any) -> None:
        wanted = {} if value is UNSET or value is None else dict(value)
        current = self.value()
        if wanted != ({} if current is UNSET else current) or list(wanted) != list(current or ()):
            self.show_elements(list(wanted.items()))

    def above(self, value_editor: QWidget) -> list[tuple[str, str]]:
        """Name and value of each entry above the one that an editor is in, as texts."""
        found: list[tuple[str, str]] = []
        for row in self.rows:
            if row.isAncestorOf(value_editor):
                return found
            pair = row.content.value()
            if pair is not UNSET:
                found.append((pair[0], str(pair[1])))
        return []

    def accepts(self, value: Any) -> bool:
        return value is None or (isinstance(value, dict) and all(isinstance(key, str) for key in value))

    def _index(self, part: str, filled: list[Row]) -> int | None:
        return next((index for index, row in enumerate(filled) if row.content.value()[0] == part), None)

    def _own_problems(self, row: Row) -> list[str]:
        pair = row.content.value()
        if pair is UNSET:
            return []
        first = next(other for other in self._filled() if other.content.value()[0] == pair[0])
        return [] if first is row else [tr("This name is there twice; only the first one counts.")]
