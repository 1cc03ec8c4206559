"""Writing where the text is: the Markdown of a note, and the title of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from etl_studio.ui.theme.tokens import FONT_BODY, RADIUS
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QRectF

    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.theme.theme import Theme

LEAST = QSize(200, 96)
"""Smallest editor of a note, in pixels of the screen."""
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
KEPT_KEYS = (Qt.Key.Key_S, Qt.Key.Key_Q, Qt.Key.Key_W, Qt.Key.Key_K)
"""Keys of the window that end the writing, with Ctrl, and do there what they stand for."""


class InPlace(QObject):
    """One editor at a time, over the canvas. What was written becomes one edit when it ends.

    Args:
        canvas: the widget over which it lies.
        scene: where the texts are.
        navigation: where that is on the screen.
        theme: colours.

    Attributes:
        editor: the field, while somebody writes.
    """

    def __init__(self, canvas: QWidget, scene: PipelineScene, navigation: Navigation, theme: Theme) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._scene = scene
        self._document = scene.document
        self._navigation = navigation
        self._theme = theme
        self._name = ""
        self.editor: NoteEditor | TitleEditor | None = None
        navigation.zoomed.connect(self._place)
        for bar in (canvas.horizontalScrollBar(), canvas.verticalScrollBar()):
            bar.valueChanged.connect(self._place)
        for signal in (self._document.reset, self._document.note_removed, self._document.group_removed):
            signal.connect(self.give_up)

    def write_note(self, name: str) -> None:
        """Open the editor of a note."""
        self.finish()
        editor = NoteEditor(self._document.pipeline.notes[name].text, self._canvas.viewport())
        tokens = self._theme.tokens
        editor.setStyleSheet(
            f"QPlainTextEdit {{ background: {tokens.raised}; color: {tokens.text}; border: 2px solid {tokens.accent};"
            f" border-radius: {RADIUS}px; padding: 4px; }}"
        )
        editor.setPlaceholderText(tr("Markdown: # Title, **bold**, - list, [link](https://…)"))
        self._scene.notes.items[name].show_edited(edited=True)
        self._open(editor, name)

    def write_title(self, name: str) -> None:
        """Open the editor of the title of a group."""
        self.finish()
        editor = TitleEditor(self._document.pipeline.groups[name].title, self._canvas.viewport())
        editor.setStyleSheet("QLineEdit { padding: 0 4px; }")
        self._open(editor, name)
        editor.selectAll()

    def finish(self) -> None:
        """Take what was written into the document."""
        editor, name = self.editor, self._name
        self.give_up()
        if editor is None:
            return
        text = editor.text()
        if isinstance(editor, TitleEditor):
            if name in self._document.pipeline.groups and text.strip():
                self._document.set_group(name, title=text.strip())
        elif name in self._document.pipeline.notes:
            self._document.set_note(name, text=text)

    def give_up(self) -> None:
        """Close the editor and forget what was written."""
        editor, self.editor = self.editor, None
        if editor is None:
            return
        editor.ended.disconnect(self.finish)
        editor.given_up.disconnect(self.give_up)
        if editor.hasFocus():
            self._canvas.setFocus()
        editor.hide()
        editor.deleteLater()
        if item := self._scene.notes.items.get(self._name):
            item.show_edited(edited=False)

    def _open(self, editor: NoteEditor | TitleEditor, name: str) -> None:
        self.editor, self._name = editor, name
        editor.ended.connect(self.finish)
        editor.given_up.connect(self.give_up)
        self._place()
        editor.show()
        editor.setFocus()

    def _place(self) -> None:
        editor = self.editor
        if editor is None:
            return
        font = editor.font()
        font.setPixelSize(round(max(FONT_BODY * self._navigation.zoom, 11)))
        editor.setFont(font)
        if isinstance(editor, NoteEditor):
            item = self._scene.notes.items[self._name]
            box = self._on_screen(item.card().translated(item.pos()))
            box.setSize(box.size().expandedTo(LEAST))
        else:
            box = self._on_screen(self._scene.groups.items[self._name].title_box())
            box.setSize(box.size().expandedTo(QSize(120, editor.sizeHint().height())))
        editor.setGeometry(box)

    def _on_screen(self, area: QRectF) -> QRect:
        return QRect(self._navigation.to_pixel(area.topLeft()), self._navigation.to_pixel(area.bottomRight()))


class _Ends:
    """What both editors do with keys and when the focus goes elsewhere."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() in KEPT_KEYS:
                self.ended.emit()
                return False
            event.accept()  # the keys of the canvas mean nothing here
            return True
        return super().event(event)

    def focusOutEvent(self, event: QEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.ended.emit()


class NoteEditor(_Ends, QPlainTextEdit):
    """Plain Markdown. Escape and Ctrl+Enter end it, and so does a click elsewhere."""

    ended, given_up = Signal(), Signal()

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(tr("Text of the note"))
        self.setTabChangesFocus(True)
        self.moveCursor(self.textCursor().MoveOperation.End)

    def text(self) -> str:
        """What was written."""
        return self.toPlainText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        with_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Escape or (event.key() in ENTER and with_control):
            self.ended.emit()
        else:
            super().keyPressEvent(event)


class TitleEditor(_Ends, QLineEdit):
    """One line. Enter and a click elsewhere end it, Escape leaves the title as it was."""

    ended, given_up = Signal(), Signal()

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(tr("Title of the group"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        elif event.key() in ENTER:
            self.ended.emit()
        else:
            super().keyPressEvent(event)
