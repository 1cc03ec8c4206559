"""The settings of one node as a form that writes to the document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from etl_studio.app.scraping.settings import ITEM
from etl_studio.ui.forms.editors import build_editor
from etl_studio.ui.forms.models import ModelEditor
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.forms.setting import UNSET
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from etl_studio.sdk import Node
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.forms.editor import Complaint, FormContext

QUIET = 300
"""Milliseconds without a keystroke after which the text counts."""

_STEPS = re.compile(r"[.\[\]]+")


def complaints_about(document: PipelineDocument, node: str, part: str) -> list[Complaint]:
    """Problems of one part of a node (``config`` or ``policy``), addressed from there."""
    found = []
    for problem in document.problems:
        steps = [step for step in _STEPS.split(problem.field or part) if step]
        if problem.node == node and steps[0] == part and problem.field:
            text = f"{problem.message} {problem.hint}" if problem.hint else problem.message
            found.append((tuple(steps[1:]), text))
    return found


class SettingsForm(QWidget):
    """Edits the settings of one node. What a person typed is never thrown away, also when it is wrong.

    Args:
        document: receives every change.
        node: id of the node.
        node_type: its type, whose ``Config`` makes the fields.
        context: theme, columns, parameters.
        parent: its parent.
    """

    def __init__(
        self,
        document: PipelineDocument,
        node: str,
        node_type: type[Node],
        context: FormContext,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.node = document, node
        self.content = ModelEditor(node_type.Config, build_editor, context, self)
        self.notice = problem_label(self)
        self._waiting: set[str] = set()
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self.flush)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.notice)
        column.addWidget(self.content)
        if not self.content.fields:
            nothing = QLabel(tr("This node has no settings."), self)
            nothing.setProperty("role", "muted")
            column.addWidget(nothing)
        column.addStretch(1)
        if context.open_workshop is not None and ITEM in self.content.fields:
            self.content.fields[ITEM].offer(tr("Selector workshop…"), context.open_workshop)
        self.content.field_edited.connect(self._edited)
        document.node_changed.connect(self._refresh)
        document.problems_changed.connect(self._show_problems)
        self._refresh(node)
        self._show_problems()

    def flush(self) -> None:
        """Write what was typed and is not written yet."""
        self._quiet.stop()
        spec = self.document.pipeline.nodes.get(self.node)
        waiting, self._waiting = self._waiting, set()
        if spec is None:
            return
        for key in waiting:
            field = self.content.fields[key]
            written = field.setting.name if field.setting.name in spec.config else key
            value = field.editor.value()
            self.document.set_setting(self.node, written, None if value is UNSET else value)

    def focus_field(self, field: str) -> None:
        """Put the cursor into a setting given as ``config.where``."""
        steps = [step for step in _STEPS.split(field) if step]
        if len(steps) > 1 and steps[1] in self.content.fields:
            self.content.reveal(steps[1])
            self.content.fields[steps[1]].setFocus()

    def _edited(self, key: str, typing: bool) -> None:  # noqa: FBT001 - a signal's argument
        if typing:
            self._waiting.add(key)
            self._quiet.start()
        else:
            self._waiting.add(key)
            self.flush()

    def _refresh(self, node: str) -> None:
        spec = self.document.pipeline.nodes.get(self.node)
        if node != self.node or spec is None:
            return
        values = dict(spec.config)
        for key in self._waiting:
            values[key] = self.content.fields[key].editor.value()
        self.content.set_value(values)

    def _show_problems(self) -> None:
        left = self.content.complain(complaints_about(self.document, self.node, "config"))
        show_problem(self.notice, [text for _, text in left])

    def hideEvent(self, event: QHideEvent) -> None:
        self.flush()
        super().hideEvent(event)
