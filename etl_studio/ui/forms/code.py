"""Editors of several lines: plain text, SQL, selectors, JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from etl_studio.ui.forms.editor import Editor, FormContext
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.forms.text import is_undo, placeholder

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QShowEvent

    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens

MOST_LINES = 14

_SQL = re.compile(
    r"(?P<comment>--.*$)|(?P<string>'(?:[^']|'')*'?)|(?P<parameter>\$\{[^}]*\}?)|(?P<number>\b\d+(?:\.\d+)?\b)|"
    r"\b(?P<keyword>select|from|where|group|by|order|having|limit|offset|join|left|right|inner|outer|full|cross|on|using|"
    r"and|or|not|in|is|null|like|ilike|between|exists|case|when|then|else|end|as|distinct|union|all|except|intersect|"
    r"with|over|partition|rows|range|qualify|cast|try_cast|interval|true|false|asc|desc|nulls|first|last|filter|"
    r"varchar|bigint|integer|double|boolean|date|time|timestamp|decimal)\b",
    re.IGNORECASE,
)


def code_colours(tokens: Tokens) -> dict[str, str]:
    """The colour of each kind of word in SQL."""
    return {
        "comment": tokens.text_muted,
        "string": tokens.success,
        "parameter": tokens.warning,
        "number": tokens.extract,
        "keyword": tokens.accent,
    }


class SqlHighlighter(QSyntaxHighlighter):
    """Colours SQL by one expression a line.

    Args:
        editor: whose document is coloured.
        theme: gives the colours.
    """

    def __init__(self, editor: QPlainTextEdit, theme: Theme) -> None:
        super().__init__(editor.document())
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        for name, colour in code_colours(self._theme.tokens).items():
            shape = QTextCharFormat()
            shape.setForeground(QColor(colour))
            if name == "keyword":
                shape.setFontWeight(QFont.Weight.DemiBold)
            self._formats[name] = shape
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for match in _SQL.finditer(text):
            self.setFormat(match.start(), match.end() - match.start(), self._formats[match.lastgroup or "comment"])


class GrowingText(QPlainTextEdit):
    """A text field that is as high as its text, within limits. Undo and redo are the document's.

    Signals:
        left: the focus went elsewhere, or undo was asked for.

    Args:
        lines: least height, in lines.
        parent: its parent.
    """

    left = Signal()

    def __init__(self, lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least = lines
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def _fit(self) -> None:
        lines = max(self._least, int(self.document().size().height()))
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines > MOST_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        around = self.contentsMargins().top() + self.contentsMargins().bottom()
        inside = 2 * self.document().documentMargin()
        around = max(around, self.height() - self.viewport().height())
        height = round(min(lines, MOST_LINES) * self.fontMetrics().lineSpacing() + inside + around)
        if height != self.maximumHeight():
            self.setFixedHeight(height)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and is_undo(event):
            self.left.emit()
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_undo(event):
            event.ignore()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()


class MultilineEditor(Editor):
    """A text of several lines.

    Args:
        setting: what is edited; its ``editor`` chooses the font, the height and the colours.
        context: gives the theme.
        parent: its parent.
    """

    lines = 3

    def __init__(self, setting: Setting, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._emptied: Any = UNSET
        self.text = GrowingText({"sql": 1, "sql_query": 4, "value": 1}.get(setting.editor or "", self.lines), self)
        self.text.setAccessibleName(setting.title)
        self.text.setPlaceholderText(placeholder(setting))
        if setting.editor != "multiline":
            self.text.setProperty("role", "code")
        if setting.editor in ("sql", "sql_query"):
            self._colours = SqlHighlighter(self.text, context.theme)
        self.text.textChanged.connect(self._typed)
        self.text.left.connect(self._finished)
        self.setFocusProxy(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        self._shown = ""

    def value(self) -> Any:
        text = self.text.toPlainText()
        return self._parse(text) if text else self._emptied

    def set_value(self, value: Any) -> None:
        if value is UNSET or value is None or value == "":
            self._emptied, text = value, ""
        else:
            current = self.text.toPlainText()
            if current and self._parse(current) == value:
                return
            text = self._text(value)
        if text != self.text.toPlainText():
            position = self.text.textCursor().position()
            self._shown = text
            self.text.setPlainText(text)
            cursor = self.text.textCursor()
            cursor.setPosition(min(position, len(text)))
            self.text.setTextCursor(cursor)

    def accepts(self, value: Any) -> bool:
        return value is None or isinstance(value, str | int | float)

    def _parse(self, text: str) -> Any:
        return text

    def _text(self, value: Any) -> str:
        return str(value)

    def _typed(self) -> None:
        # textChanged also tells of highlighting and of what set_value wrote: only a text that nobody showed was typed
        text = self.text.toPlainText()
        if text != self._shown:
            self._shown = text
            self._emptied = UNSET
            self.edited.emit(True)

    def _finished(self) -> None:
        self.edited.emit(False)


class JsonEditor(MultilineEditor):
    """Any value, written as JSON. A text that is no JSON is kept as the text that it is."""

    lines = 2

    def accepts(self, value: Any) -> bool:
        del value
        return True

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    def _text(self, value: Any) -> str:
        if isinstance(value, str) and self._parse(value) == value:
            return value
        return json.dumps(value, ensure_ascii=False, indent=None if isinstance(value, str | int | float) else 2)
