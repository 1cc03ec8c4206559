"""A column that a person points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from etl_studio.ui.forms.chips import ChipsEditor
from etl_studio.ui.forms.maps import PairEditor
from etl_studio.ui.forms.sql_editor import SqlEditor
from etl_studio.ui.forms.text import ColumnEditor

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class ColumnPlace:
    """A column at a node.

    Attributes:
        port: the output by which it leaves; None: the first one.
        arriving: it is a name with which it arrives at the node.
    """

    node: str
    column: str
    port: str | None = None
    arriving: bool = False


def column_in_form(node: str, focused: QWidget | None) -> ColumnPlace | None:
    """The column on which the cursor is in the form of a node."""
    if isinstance(focused, QPlainTextEdit) and _holder(focused, SqlEditor) is not None:
        word = _word(focused)
        return ColumnPlace(node, word, arriving=True) if word else None
    if not isinstance(focused, QLineEdit):
        return None
    pair = _holder(focused, PairEditor)
    if isinstance(pair, PairEditor) and pair.key is focused and focused.text():
        return ColumnPlace(node, focused.text(), arriving=pair.names_columns)
    chips = _holder(focused, ChipsEditor)
    if isinstance(chips, ChipsEditor) and chips.chips:
        return ColumnPlace(node, str(chips.chips[-1].element), arriving=True)
    if _holder(focused, ColumnEditor) is not None and focused.text():
        return ColumnPlace(node, focused.text(), arriving=True)
    return None


def _holder(widget: QWidget, kind: type[QWidget]) -> QWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, kind):
        parent = parent.parentWidget()
    return parent


def _word(field: QPlainTextEdit) -> str:
    """The identifier under the cursor."""
    from etl_studio.pipeline.sql_words import words

    position = field.textCursor().position()
    for word in words(field.toPlainText()):
        if word.is_name and word.start <= position <= word.end:
            return word.name
    return ""
