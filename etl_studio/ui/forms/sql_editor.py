"""The editor of SQL: completion, line numbers, and what it gives for sample rows while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from etl_studio.ui.forms.code import MultilineEditor
from etl_studio.ui.forms.completion import Completion
from etl_studio.ui.forms.line_numbers import LineNumbers
from etl_studio.ui.forms.maps import MapEditor
from etl_studio.ui.forms.result_line import ResultLine
from etl_studio.ui.forms.suggestions import REFERENCE, prefix_at, suggestions
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.engine.expression_trial import Trial
    from etl_studio.ui.forms.editor import FormContext
    from etl_studio.ui.forms.setting import Setting
    from etl_studio.ui.forms.suggestions import Suggestion


class SqlEditor(MultilineEditor):
    """An SQL expression or query.

    Args:
        setting: what is edited.
        context: knows columns, parameters, sample rows.
        parent: its parent.
    """

    def __init__(self, setting: Setting, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(setting, context, parent)
        self._setting, self._context = setting, context
        self.completion = Completion(self.text, context.theme)
        self.completion.chosen.connect(self._insert)
        self.result = ResultLine(self)
        self.layout().setSpacing(SPACE)
        self.layout().addWidget(self.result)
        if setting.editor == "sql_query":
            self.numbers = LineNumbers(self.text, context.theme)
        self.text.installEventFilter(self)
        self.text.textChanged.connect(self._try)
        if context.trying is not None:
            context.trying.answered.connect(self._show_answer)

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        if not self.text.toPlainText():
            self.show_trial("")

    def show_trial(self, trial: Trial | str) -> None:
        """Show what the text gives, or underline where it is wrong."""
        self.result.show_trial(trial)
        marks = []
        if not isinstance(trial, str) and trial.start is not None and trial.end is not None:
            mark = QTextEdit.ExtraSelection()
            shape = QTextCharFormat()
            shape.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            shape.setUnderlineColor(QColor(self._context.theme.tokens.danger))
            cursor = self.text.textCursor()
            length = len(self.text.toPlainText())
            cursor.setPosition(min(trial.start, length))
            cursor.setPosition(min(trial.end, length), QTextCursor.MoveMode.KeepAnchor)
            mark.cursor, mark.format = cursor, shape  # type: ignore[attr-defined] # PySide's stubs lack them
            marks.append(mark)
        self.text.setExtraSelections(marks)

    def complete(self, *, asked: bool = False) -> None:
        """Offer what fits what stands before the cursor; ``asked``: also when nothing does."""
        prefix = prefix_at(self.text.toPlainText(), self.text.textCursor().position())
        if prefix is None or (not prefix and not asked):
            self.completion.hide()
            return
        above = [name for name, _ in self._above()] if self._setting.keys == "sets" else []
        functions = self._context.trying.functions if self._context.trying is not None else ()
        rows = suggestions(prefix, self._context, functions, above)
        if len(rows) == 1 and rows[0].insert.removesuffix("(|)") == prefix and not asked:
            rows = []
        self.completion.show(rows, self.text.cursorRect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.text and event.type() == QEvent.Type.FocusIn:
            self._try()
        elif watched is self.text and asks_for_list(event):
            self.complete(asked=True)
            return True
        return super().eventFilter(watched, event)

    def _typed(self) -> None:
        known = self._shown
        super()._typed()
        if self._shown != known and self.text.hasFocus():
            self.complete()

    def _try(self) -> None:
        trying = self._context.trying
        if trying is not None and self.text.hasFocus():
            trying.ask(self, self._setting, self.text.toPlainText(), self._above())

    def _show_answer(self, asker: object, trial: object) -> None:
        if asker is self:
            self.show_trial(trial)  # type: ignore[arg-type] # a signal carries any object

    def _above(self) -> list[tuple[str, str]]:
        """Name and text of the entries above this one, where it is the value of a map."""
        holder = self.parentWidget()
        while holder is not None and not isinstance(holder, MapEditor):
            holder = holder.parentWidget()
        return holder.above(self) if holder is not None else []

    def _insert(self, one: Suggestion) -> None:
        cursor = self.text.textCursor()
        prefix = prefix_at(self.text.toPlainText(), cursor.position()) or ""
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(prefix))
        behind = self.text.toPlainText()[self.text.textCursor().position() :]
        before, _, after = one.insert.partition("|")
        if REFERENCE.match(prefix) and behind.startswith("}"):
            before = before.removesuffix("}")
        if after and behind.startswith("("):
            before, after = before.removesuffix("("), ""
        self.completion.hide()
        cursor.insertText(before + after)
        cursor.movePosition(QTextCursor.MoveOperation.Left, n=len(after))
        self.text.setTextCursor(cursor)
        self.completion.hide()


def asks_for_list(event: QEvent) -> bool:
    """Whether Ctrl+Space was pressed."""
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.KeyPress
        and event.key() == Qt.Key.Key_Space
        and event.modifiers() == Qt.KeyboardModifier.ControlModifier
    )
