"""The policy of a node: retry, breaker, rate limit, timeout, error budget and what becomes of rows that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from etl_studio.sdk.policy import Breaker, ErrorBudget, Policy, RateLimit, Retry
from etl_studio.ui.forms.breaker_picture import BreakerPicture
from etl_studio.ui.forms.buttons import LinkButton
from etl_studio.ui.forms.editors import build_editor
from etl_studio.ui.forms.form import QUIET, complaints_about
from etl_studio.ui.forms.models import ModelEditor, OptionalEditor
from etl_studio.ui.forms.retry_timeline import RetryTimeline, breaker_sentence, budget_sentence, retry_sentence
from etl_studio.ui.forms.setting import UNSET, settings_of
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QHideEvent

    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.forms.editor import Editor, FormContext


def minimal(values: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The values that differ from the defaults of the model; parts that are models themselves likewise."""
    settings = {setting.key: setting for setting in settings_of(model)}
    result = {}
    for key, value in values.items():
        setting = settings.get(key)
        default = UNSET if setting is None else setting.default
        if isinstance(default, BaseModel) and isinstance(value, dict):
            inner = minimal(value, type(default))
            if inner:
                result[key] = inner
        elif value != default:
            result[key] = value
    return result


class Section(QFrame):
    """A card with a title.

    Args:
        title: what it is about.
        parent: its parent.
    """

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        self.column.setSpacing(2 * SPACE)
        if title:
            label = QLabel(title, self)
            label.setProperty("role", "title")
            self.column.addWidget(label)


def _sentence(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label


class PolicyCard(QWidget):
    """Edits the policy of one node; only what differs from the defaults is written.

    Args:
        document: receives every change.
        node: id of the node.
        context: gives the theme.
        parent: its parent.
    """

    def __init__(
        self, document: PipelineDocument, node: str, context: FormContext, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.document, self.node = document, node
        self._typing = False
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self.flush)
        self.retry = ModelEditor(Retry, build_editor, context, self, columns=2)
        self.breaker = ModelEditor(Breaker, build_editor, context, self, columns=2)
        optional = {setting.name: setting for setting in settings_of(Policy)}
        limits = ModelEditor(RateLimit, build_editor, context, self, columns=2)
        self.rate_limit = OptionalEditor(optional["rate_limit"], limits, self, inset=False)
        allowed = ModelEditor(ErrorBudget, build_editor, context, self, columns=2)
        self.budget = OptionalEditor(optional["budget"], allowed, self, inset=False)
        self.rest = ModelEditor(
            Policy, build_editor, context, self, without=("retry", "breaker", "rate_limit", "budget"), columns=2
        )
        self.timeline = RetryTimeline(context.theme, self)
        self.picture = BreakerPicture(context.theme, self)
        self.retry_words, self.breaker_words, self.budget_words = (_sentence(self) for _ in range(3))
        self.reset = LinkButton(tr("Reset to the defaults"), self)
        self.reset.clicked.connect(self._reset)
        self._lay_out()
        self._parts: dict[str, Editor] = {
            "retry": self.retry,
            "breaker": self.breaker,
            "rate_limit": self.rate_limit,
            "budget": self.budget,
        }
        for part in (*self._parts.values(), self.rest):
            part.edited.connect(self._edited)
        document.node_changed.connect(self._refresh)
        document.problems_changed.connect(self._show_problems)
        self._refresh(node)
        self._show_problems()

    def flush(self) -> None:
        """Write what was typed and is not written yet."""
        self._quiet.stop()
        if self._typing and self.node in self.document.pipeline.nodes:
            self._typing = False
            self.document.set_policy(self.node, self._values())

    def _lay_out(self) -> None:
        retry = Section(tr("Retry"), self)
        for widget in (self.timeline, self.retry_words, self.retry):
            retry.column.addWidget(widget)
        breaker = Section(tr("Circuit breaker"), self)
        for widget in (self.picture, self.breaker_words, self.breaker):
            breaker.column.addWidget(widget)
        limit = Section(tr("Rate limit"), self)
        limit.column.addWidget(self.rate_limit)
        budget = Section(tr("Error budget"), self)
        for widget in (self.budget_words, self.budget):
            budget.column.addWidget(widget)
        rest = Section("", self)
        rest.column.addWidget(self.rest)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        for section in (rest, budget, retry, breaker, limit):
            column.addWidget(section)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.reset)
        column.addLayout(foot)
        column.addStretch(1)

    def _values(self) -> dict[str, Any]:
        values = {name: part.value() for name, part in self._parts.items()}
        values.update(self.rest.value())
        return minimal({name: value for name, value in values.items() if value is not UNSET}, Policy)

    def _edited(self, typing: bool) -> None:  # noqa: FBT001 - a signal's argument
        self._typing = True
        self._describe(self._values())
        if typing:
            self._quiet.start()
        else:
            self.flush()

    def _refresh(self, node: str) -> None:
        spec = self.document.pipeline.nodes.get(self.node)
        if node != self.node or spec is None or self._typing:
            return
        for name, part in self._parts.items():
            value = spec.policy.get(name, UNSET)
            if part.accepts(value) or value is UNSET:
                part.set_value(value)
        self.rest.set_value({key: value for key, value in spec.policy.items() if key not in self._parts})
        self._describe(spec.policy)

    def _describe(self, values: Mapping[str, Any]) -> None:
        self.reset.setVisible(bool(values))
        try:
            policy = Policy.model_validate(values)
        except ValidationError:
            self.retry_words.setText(tr("This will be drawn when every value is a number that fits."))
            return
        web = self._reads_web()
        self.timeline.show_policy(policy, web=web)
        self.retry_words.setText(retry_sentence(policy, web=web))
        self.picture.show_breaker(policy.breaker)
        self.breaker_words.setText(breaker_sentence(policy.breaker))
        self.budget_words.setText(budget_sentence(policy.budget))
        for key, field in self.breaker.fields.items():
            field.setEnabled(policy.breaker.enabled or key == "enabled")
        self.rest.fields["keep_order"].setEnabled(policy.workers != 1 and not policy.partition_by)

    def _reads_web(self) -> bool:
        spec = self.document.pipeline.nodes.get(self.node)
        node_type = self.document.registry.get(spec.type) if spec is not None else None
        return getattr(node_type, "reads_web", False)

    def _reset(self) -> None:
        self._typing = False
        self._quiet.stop()
        self.document.set_policy(self.node, {})

    def _show_problems(self) -> None:
        complaints = complaints_about(self.document, self.node, "policy")
        for name, part in self._parts.items():
            part.complain([(address[1:], text) for address, text in complaints if address[:1] == (name,)])
        self.rest.complain([one for one in complaints if one[0][:1] and one[0][0] not in self._parts])

    def hideEvent(self, event: QHideEvent) -> None:
        self.flush()
        super().hideEvent(event)
