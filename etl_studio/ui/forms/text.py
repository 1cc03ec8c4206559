"""Editors of one line: a text, a secret, a file, a column, a number, any scalar."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QStringListModel, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QCompleter, QFileDialog, QHBoxLayout, QLineEdit, QSizePolicy

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.editor import Editor, FormContext
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

NUMBER_WIDTH = 160


def is_undo(event: QEvent) -> bool:
    """Whether a key event asks for undo or redo."""
    return isinstance(event, QKeyEvent) and (
        event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)
    )


def placeholder(setting: Setting) -> str:
    """The grey text of an empty field: the default, else an example."""
    if setting.default is not UNSET and setting.default not in (None, "", [], {}):
        return plain(setting.default)
    if setting.example is None:
        return tr("none") if setting.optional and setting.annotation in (int, float) else ""
    return tr("e.g. {example}", example=plain(setting.example))


def plain(value: Any) -> str:
    """A value as people write it: 30 and not 30.0."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


class Line(QLineEdit):
    """A line that leaves undo and redo to the document, which is the one truth."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and is_undo(event):
            self.editingFinished.emit()
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_undo(event):
            event.ignore()
            return
        super().keyPressEvent(event)


class LineEditor(Editor):
    """A text in one line. Emptied, it is unset.

    Args:
        setting: what is edited.
        parent: its parent.
    """

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._emptied: Any = None if setting.optional and setting.default not in (None, UNSET) else UNSET
        self._empty: Any = self._emptied
        self._unset_text = "" if self._emptied is UNSET else plain(setting.default)
        self.line = Line(self)
        if setting.editor == "selector":
            self.line.setProperty("role", "code")
        self.line.setAccessibleName(setting.title)
        self.line.setPlaceholderText(placeholder(setting) if self._emptied is UNSET else tr("none"))
        self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(self._finished)
        self.setFocusProxy(self.line)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(SPACE)
        self.row.addWidget(self.line)

    def value(self) -> Any:
        text = self.line.text()
        return self._parse(text) if text else self._empty

    def set_value(self, value: Any) -> None:
        if value is UNSET or value is None or value == "":
            self._empty = value
            text = self._unset_text if value is UNSET else ""
        else:
            text = self._text(value)
            if self.line.text() and self._parse(self.line.text()) == value:
                return
        if text != self.line.text():
            cursor = self.line.cursorPosition()
            self.line.setText(text)
            self.line.setCursorPosition(min(cursor, len(text)) if self.line.hasFocus() else 0)

    def accepts(self, value: Any) -> bool:
        return value is None or (isinstance(value, str | int | float) and "\n" not in str(value))

    def _parse(self, text: str) -> Any:
        return text

    def _text(self, value: Any) -> str:
        return str(value)

    def _typed(self) -> None:
        self._empty = self._emptied
        self.edited.emit(True)

    def _finished(self) -> None:
        self.edited.emit(False)


class SecretEditor(LineEditor):
    """A text that is not shown."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.line.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)


class NumberEditor(LineEditor):
    """A number. What is no number, such as ``${limit}``, is kept as the text that it is.

    Args:
        setting: what is edited; its annotation is ``int`` or ``float``.
        parent: its parent.
    """

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        self._type = setting.annotation
        super().__init__(setting, parent)
        self.line.setMaximumWidth(NUMBER_WIDTH)
        self.row.addStretch(1)

    def _parse(self, text: str) -> Any:
        try:
            number = self._type(text.strip())
        except ValueError:
            return text
        return number if math.isfinite(number) else text

    def _text(self, value: Any) -> str:
        return plain(value)


class ScalarEditor(LineEditor):
    """A text, a number, or true or false, each read as JSON reads it; a text that looks like one stands in quotes."""

    def _parse(self, text: str) -> Any:
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, str | int | float) else text

    def _text(self, value: Any) -> str:
        if isinstance(value, str) and self._parse(value) == value:
            return value
        return json.dumps(value, ensure_ascii=False)


class ColumnEditor(LineEditor):
    """The name of a column, completed with those that arrive.

    Args:
        setting: what is edited.
        context: knows the columns.
        parent: its parent.
    """

    def __init__(self, setting: Setting, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self._completion = ColumnCompleter(context, self)
        self.line.setCompleter(self._completion)
        self._completion.activated.connect(self._finished)
        self.line.textEdited.connect(self._completion.refresh)


class ColumnCompleter(QCompleter):
    """Completes the names of the columns that arrive at the node.

    Args:
        context: knows the columns.
        parent: its parent.
    """

    def __init__(self, context: FormContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._names = QStringListModel(self)
        self.setModel(self._names)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterMode(Qt.MatchFlag.MatchContains)

    def refresh(self) -> None:
        """Ask for the columns again."""
        names = list(self._context.columns())
        if names != self._names.stringList():
            self._names.setStringList(names)


class FileEditor(LineEditor):
    """A path, with a button that opens the file dialog. A file beside the pipeline is written as a relative path.

    Args:
        setting: what is edited; its editor is ``file`` or ``save_file``.
        context: knows the folder of the pipeline.
        parent: its parent.
    """

    def __init__(self, setting: Setting, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self._saves = setting.editor == "save_file"
        self._context = context
        self._title = setting.title
        self.browse = IconButton(context.theme, "folder", tr("Choose a file"), self)
        self.browse.clicked.connect(self._choose)
        self.row.addWidget(self.browse)
        self.line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _choose(self) -> None:
        folder = self._context.folder()
        start = str((folder or Path.home()) / self.line.text())
        ask = QFileDialog.getSaveFileName if self._saves else QFileDialog.getOpenFileName
        chosen, _ = ask(self, self._title, start)
        if chosen:
            self.line.setText(_near(Path(chosen), folder))
            self.edited.emit(False)


def _near(path: Path, folder: Path | None) -> str:
    """The path as written from the folder, when it is inside."""
    if folder is not None and path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return os.fspath(path)
