"""The pipeline's own settings: name, description, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from etl_studio.engine.checkpoints import Interval
from etl_studio.pipeline.model import Parameter
from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.choice import Combo
from etl_studio.ui.forms.code import MultilineEditor
from etl_studio.ui.forms.editor import Editor, FormContext
from etl_studio.ui.forms.field import Field
from etl_studio.ui.forms.rows import RowsEditor
from etl_studio.ui.forms.setting import UNSET, Setting
from etl_studio.ui.forms.text import Line, LineEditor, NumberEditor
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from etl_studio.ui.document import PipelineDocument

QUIET = 300
TYPES = ("text", "integer", "number", "boolean")


class ParameterEditor(Editor):
    """One parameter: its name, type, default and description.

    Signals:
        rename_wanted: the parameter of this name should get another one wherever it is used.

    Args:
        context: gives the theme.
        parent: its parent.
    """

    rename_wanted = Signal(str)

    def __init__(self, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rename = IconButton(context.theme, "edit", tr("Rename it in all settings…"), self)
        self.rename.clicked.connect(self._ask_rename)
        self._parameter = Parameter("")
        self.name, self.default, self.description = Line(self), Line(self), Line(self)
        self.kind = Combo(self)
        self.kind.addItems(TYPES)
        self.kind.setAccessibleName(tr("Type"))
        texts = {
            self.name: tr("name"),
            self.default: tr("default (none: asked for)"),
            self.description: tr("description"),
        }
        for line, text in texts.items():
            line.setPlaceholderText(text)
            line.setAccessibleName(text)
            line.textEdited.connect(self._typed)
            line.editingFinished.connect(self._finished)
        self.kind.activated.connect(self._finished)
        self.setFocusProxy(self.name)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, widgets in ((first, (self.name, self.kind)), (second, (self.default,))):
            row.setSpacing(SPACE)
            for widget in widgets:
                row.addWidget(widget, 1)
        first.insertWidget(1, self.rename)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.description)

    def value(self) -> Any:
        name, default, text = self.name.text(), self.default.text(), self.description.text()
        if not (name or default or text):
            return UNSET
        kept = self._parameter
        shown = "" if kept.default is None else _text(kept.default)
        value = (
            kept.default if default == shown else (_typed_value(default, self.kind.currentText()) if default else None)
        )
        return Parameter(name, self.kind.currentText(), value, text, kept.extra)

    def set_value(self, value: Any) -> None:
        if value == self.value():
            return
        self._parameter = value
        if self.kind.findText(value.type) < 0:
            self.kind.addItem(value.type)
        self.kind.setCurrentText(value.type)
        default = "" if value.default is None else _text(value.default)
        for line, text in ((self.name, value.name), (self.default, default), (self.description, value.description)):
            if line.text() != text:
                line.setText(text)
                if not line.hasFocus():
                    line.setCursorPosition(0)  # a long text shows its beginning

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Parameter)

    def _ask_rename(self) -> None:
        if self.name.text():
            self.rename_wanted.emit(self.name.text())

    def _typed(self) -> None:
        self.edited.emit(True)

    def _finished(self) -> None:
        self.edited.emit(False)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed_value(text: str, kind: str) -> Any:
    """The default as its type writes it; a text that does not fit is kept for the rules to complain about."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    convert = {"integer": int, "number": float}.get(kind, str)
    try:
        return convert(text)
    except ValueError:
        return text


class PipelinePage(QWidget):
    """Edits what belongs to the pipeline and to no node.

    Signals:
        parameter_rename_wanted: the parameter of this name should get another one wherever it is used.

    Args:
        document: receives every change.
        context: gives the theme.
        parent: its parent.
    """

    parameter_rename_wanted = Signal(str)

    def __init__(self, document: PipelineDocument, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document, self._context = document, context
        name = Setting("name", "name", tr("Name"), str, description=tr("Shown in titles, in runs and in messages."))
        about = Setting("description", "description", tr("Description"), str, default="", editor="multiline")
        values = Setting(
            "parameters",
            "parameters",
            tr("Parameters"),
            list,
            default=[],
            description=tr("Values given at the start of a run. Write ${name} in any setting."),
        )
        interval = Setting(
            "seconds",
            "seconds",
            tr("Checkpoint every (seconds)"),
            float,
            description=tr("Rows are committed so often, and a run that breaks off goes on from there."),
            default=Interval().seconds,
        )
        self.name = LineEditor(name, self)
        self.interval = NumberEditor(interval, self)
        self.description = MultilineEditor(about, context, self)
        self.parameters = RowsEditor(self._new_parameter, context, tr("Add parameter"), self, card=True)
        heading = QLabel(tr("Pipeline"), self)
        heading.setProperty("role", "title")
        hint = QLabel(tr("Select a node on the canvas to see its settings."), self)
        hint.setProperty("role", "muted")
        hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(heading)
        column.addWidget(hint)
        editors = (
            (name, self.name),
            (about, self.description),
            (values, self.parameters),
            (interval, self.interval),
        )
        for setting, editor in editors:
            column.addWidget(Field(setting, editor, FormContext(context.theme), self))
            editor.edited.connect(self._edited)
        column.addStretch(1)
        self._waiting = False
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self.flush)
        document.pipeline_changed.connect(self.refresh)
        document.reset.connect(self._forget)
        self.refresh()

    def flush(self) -> None:
        """Write what was typed and is not written yet."""
        self._quiet.stop()
        if not self._waiting:
            return
        self._waiting = False
        name, text = self.name.value(), self.description.value()
        parameters = {parameter.name: parameter for parameter in reversed(self.parameters.elements()) if parameter.name}
        if name is not UNSET:
            self.document.set_name(name)
        self.document.set_description("" if text is UNSET else text)
        self.document.set_parameters(dict(reversed(parameters.items())))
        seconds = self.interval.value()
        if seconds is UNSET or (isinstance(seconds, int | float) and seconds > 0):
            rest = {name: value for name, value in self.document.pipeline.checkpoint.items() if name != "seconds"}
            self.document.set_checkpoint(rest if seconds is UNSET else {"seconds": seconds, **rest})

    def refresh(self) -> None:
        """Show what the document says."""
        if self._waiting:
            return
        pipeline = self.document.pipeline
        self.name.set_value(pipeline.name)
        self.description.set_value(pipeline.description)
        self.interval.set_value(pipeline.checkpoint.get("seconds", UNSET))
        wanted = list(pipeline.parameters.values())
        if wanted != [parameter for parameter in self.parameters.elements() if parameter.name]:
            self.parameters.show_elements(wanted)

    def _new_parameter(self, owner: QWidget) -> Editor:
        editor = ParameterEditor(self._context, owner)
        editor.rename_wanted.connect(self.parameter_rename_wanted)
        return editor

    def _forget(self) -> None:
        self._waiting = False
        self.refresh()

    def _edited(self, typing: bool) -> None:  # noqa: FBT001 - a signal's argument
        self._waiting = True
        if typing:
            self._quiet.start()
        else:
            self.flush()

    def hideEvent(self, event: QHideEvent) -> None:
        self.flush()
        super().hideEvent(event)
