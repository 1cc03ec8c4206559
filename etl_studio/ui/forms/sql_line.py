"""Completion in a line of SQL: columns and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect

from etl_studio.ui.forms.completion import Completion
from etl_studio.ui.forms.sql_editor import asks_for_list
from etl_studio.ui.forms.suggestions import Suggestion, prefix_at, suggestions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QLineEdit

    from etl_studio.engine.sql_functions import SqlFunction
    from etl_studio.ui.forms.editor import FormContext


class SqlLineCompletion(QObject):
    """Offers what may stand in an expression while it is typed; Ctrl+Space asks for it.

    Args:
        line: the line.
        context: knows the columns and their types.

    Attributes:
        functions: what may be called, as soon as it is known.
    """

    def __init__(self, line: QLineEdit, context: FormContext) -> None:
        super().__init__(line)
        self._line, self._context = line, context
        self.functions: Sequence[SqlFunction] = ()
        self.completion = Completion(line, context.theme)
        self.completion.chosen.connect(self._insert)
        line.textEdited.connect(self._offer)
        line.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._line and asks_for_list(event):
            self._offer(asked=True)
            return True
        return super().eventFilter(watched, event)

    def _offer(self, _: str = "", *, asked: bool = False) -> None:
        prefix = prefix_at(self._line.text(), self._line.cursorPosition())
        if prefix is None or (not prefix and not asked):
            self.completion.hide()
            return
        rows = suggestions(prefix, self._context, self.functions)
        if len(rows) == 1 and rows[0].insert.removesuffix("(|)") == prefix and not asked:
            rows = []
        self.completion.show(rows, QRect(self._line.cursorRect()))

    def _insert(self, one: Suggestion) -> None:
        text, position = self._line.text(), self._line.cursorPosition()
        start, behind = position - len(prefix_at(text, position) or ""), text[position:]
        before, _, after = one.insert.partition("|")
        if after and behind.startswith("("):
            before, after = before.removesuffix("("), ""
        self.completion.hide()
        self._line.setText(text[:start] + before + after + behind)
        self._line.setCursorPosition(start + len(before))
        self._line.textEdited.emit(self._line.text())
        self.completion.hide()
