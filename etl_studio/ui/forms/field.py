"""One setting of a form: its label, its help, its editor and its problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from etl_studio.ui.elided import Elided
from etl_studio.ui.forms.buttons import LinkButton
from etl_studio.ui.forms.guarded import GuardedEditor
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.forms.text import plain
from etl_studio.ui.theme.tokens import FONT_BODY, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QContextMenuEvent

    from etl_studio.ui.forms.editor import Complaint, Editor, FormContext


class InfoIcon(QLabel):
    """A small sign that shows a help text when the mouse rests on it.

    Args:
        text: the help.
        context: gives the theme.
        parent: its parent.
    """

    def __init__(self, text: str, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = context.theme
        self.setToolTip(text)
        self._theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.setPixmap(self._theme.pixmap("info", self._theme.tokens.text_muted, FONT_BODY))


class Field(QWidget):
    """A labelled editor.

    Signals:
        edited: as of the editor.

    Args:
        setting: what is edited.
        editor: edits it.
        context: theme, parameters.
        parent: its parent.
        labelled: False in a row of its own, where the placeholder says the title.
    """

    edited = Signal(bool)

    def __init__(
        self,
        setting: Setting,
        editor: Editor,
        context: FormContext,
        parent: QWidget | None = None,
        *,
        labelled: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setting, self.editor = setting, editor
        self._context = context
        self.problem = problem_label(self)
        inner = editor.inner if isinstance(editor, GuardedEditor) else editor
        titled = inner.shows_title
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        if labelled and not titled:
            column.addLayout(self._heading(editor))
            column.addWidget(editor)
        else:
            title = QLabel(setting.title, self)
            title.hide()
            line = QHBoxLayout()
            line.setSpacing(SPACE)
            line.addWidget(editor)
            if titled and setting.description and labelled:
                icon = InfoIcon(_help(setting), context, self)
                icon.setMinimumHeight(5 * SPACE)
                line.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
                if not inner.fills:
                    line.addStretch(1)
            column.addWidget(title)
            column.addLayout(line)
            if titled and isinstance(editor, GuardedEditor):
                editor.stepped_back.connect(title.setVisible)
        column.addWidget(self.problem)
        proxy = inner.focusProxy()
        if proxy is not None:
            proxy.setAccessibleDescription(setting.description)
        editor.edited.connect(self.edited)
        self.setFocusProxy(editor)

    def complain(self, complaints: Sequence[Complaint]) -> None:
        """Show problems of this setting and of what is inside it."""
        left = self.editor.complain(complaints)
        if left and self.setting.required and self.editor.value() is UNSET:
            # The sentence for the terminal calls the setting by its key; its title and an example are in sight here.
            show_problem(self.problem, [tr("Fill this in.")])
        else:
            show_problem(self.problem, [_with_address(address, text) for address, text in left])
        inner = self.editor.inner if isinstance(self.editor, GuardedEditor) else self.editor
        edge = inner.focusProxy()
        if edge is not None and edge.property("invalid") != bool(left):
            edge.setProperty("invalid", bool(left))
            edge.style().unpolish(edge)
            edge.style().polish(edge)

    def offer(self, text: str, act: Callable[[], None]) -> None:
        """Add a button to the label that does something for this setting."""
        self.offered = LinkButton(text, self)
        self.offered.clicked.connect(act)
        self._line.addWidget(self.offered)

    def _heading(self, editor: Editor) -> QHBoxLayout:
        self.label = Elided(self.setting.title, Qt.TextElideMode.ElideRight, self)
        self.label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.label.setBuddy(editor)
        line = self._line = QHBoxLayout()
        line.setSpacing(SPACE)
        line.addWidget(self.label)
        if self.setting.description:
            line.addWidget(InfoIcon(_help(self.setting), self._context, self))
        line.addStretch(1)
        if self.setting.required:
            needed = QLabel(tr("required"), self)
            needed.setProperty("role", "muted")
            line.addWidget(needed)
        return line

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        if menu.isEmpty():
            event.ignore()
        else:
            menu.exec(event.globalPos())
        menu.deleteLater()

    def menu(self) -> QMenu:
        """What else can be done with the setting: take a parameter, go back to the default."""
        menu = QMenu(self)
        names = self._context.parameters()
        if names:
            choose = menu.addMenu(tr("Use a parameter"))
            for name in names:
                action = QAction(f"${{{name}}}", choose)
                action.setData(f"${{{name}}}")
                choose.addAction(action)
            choose.triggered.connect(self._take)
        if not self.setting.required and self.editor.value() is not UNSET:
            menu.addAction(tr("Reset to the default")).triggered.connect(self._reset)
        return menu

    def _take(self, action: QAction) -> None:
        self._enter(action.data())

    def _reset(self) -> None:
        self._enter(UNSET)

    def _enter(self, value: Any) -> None:
        self.editor.set_value(value)
        self.edited.emit(False)


def _help(setting: Setting) -> str:
    """What a setting means, with an example where there is one."""
    if setting.example in (None, "", [], {}):
        return setting.description
    example = setting.example
    if isinstance(example, dict):
        example = ", ".join(f"{key}: {plain(value)}" for key, value in example.items())
    elif isinstance(example, list):
        example = ", ".join(plain(item) for item in example if not isinstance(item, dict))
    if not example:
        return setting.description
    return setting.description + "\n" + tr("Example: {example}", example=plain(example))


def _with_address(address: Sequence[str], text: str) -> str:
    place = " > ".join(str(int(part) + 1) if part.isdecimal() else part for part in address)
    return f"{place}: {text}" if place else text
