"""Completion in a line of text: parameters and secrets after ``${``, or any fixed words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.ui.forms.completion import Completion
from etl_studio.ui.forms.suggestions import REFERENCE, Suggestion, fitting, references

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QLineEdit

    from etl_studio.ui.forms.editor import FormContext


class LineCompletion(QObject):
    """Offers what may stand in a line while it is typed.

    Args:
        line: the line.
        context: knows parameters and secrets.
        words: what the whole line may be, too.
    """

    def __init__(self, line: QLineEdit, context: FormContext, words: Sequence[Suggestion] = ()) -> None:
        super().__init__(line)
        self._line, self._context, self._words = line, context, words
        self.completion = Completion(line, context.theme)
        self.completion.chosen.connect(self._insert)
        line.textEdited.connect(self._offer)

    def _offer(self) -> None:
        before = self._line.text()[: self._line.cursorPosition()]
        found = REFERENCE.search(before)
        if found:
            rows = fitting(found[0][2:], references(self._context))
        else:
            rows = fitting(before, self._words) if before and before == self._line.text() else []
            rows = [] if [row.name for row in rows] == [before] else rows
        at = self._line.cursorRect() if found else self._line.rect()
        self.completion.show(rows, at)

    def _insert(self, one: Suggestion) -> None:
        position = self._line.cursorPosition()
        before, behind = self._line.text()[:position], self._line.text()[position:]
        found = REFERENCE.search(before)
        start = found.start() if found else 0
        self.completion.hide()
        self._line.setText(before[:start] + one.insert + behind.removeprefix("}" if found else ""))
        self._line.setCursorPosition(start + len(one.insert))
        self._line.textEdited.emit(self._line.text())
        self.completion.hide()
