"""Lines in which selectors are typed, with what each finds beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from etl_studio.app.scraping.robustness import robustness
from etl_studio.ui.elided import Elided
from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.forms.text import Line
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr
from etl_studio.ui.workshop.words import judgement, level_colour, reasons

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.app.scraping.robustness import Level
    from etl_studio.app.scraping.trial import FieldTrial, SelectorProblem
    from etl_studio.ui.theme.theme import Theme

NAME = 26 * SPACE
SAMPLE = 34 * SPACE
HITS = 18 * SPACE


class Dot(QWidget):
    """A dot in the colour of a judgement; nothing while there is none.

    Args:
        theme: colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._level: Level | None = None
        self.setFixedSize(3 * SPACE, 4 * SPACE)
        theme.changed.connect(self.update)

    def show_level(self, level: Level | None) -> None:
        """Show a judgement."""
        self._level = level
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        if self._level is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(level_colour(self._level, self._theme.tokens)))
        painter.drawEllipse(QPointF(self.rect().center()) + QPointF(0.5, 0.5), 4, 4)


class SelectorLine(Line):
    """A line for a selector.

    Args:
        name: for screen readers.
        parent: its parent.

    Signals:
        entered: the cursor came here.
    """

    entered = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "code")
        self.setAccessibleName(name)

    def show_invalid(self, *, invalid: bool) -> None:
        """Show whether something is wrong with it."""
        mark_invalid(self, invalid=invalid)

    def focusInEvent(self, event: QEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()


def mark_invalid(line: Line, *, invalid: bool) -> None:
    """Give a line a red edge, or take it away."""
    if bool(line.property("invalid")) != invalid:
        line.setProperty("invalid", invalid)
        line.style().unpolish(line)
        line.style().polish(line)


def problem_text(selector: str, problem: SelectorProblem) -> str:
    """What is wrong, with the place."""
    if problem.place is None or not selector:
        return problem.message
    before = selector[: problem.place]
    return tr(
        "{message}\nHere: {before} ▸ {behind}",
        message=problem.message,
        before=before[-30:],
        behind=selector[problem.place :][:30],
    )


class FieldRow(QFrame):
    """One field: its name, its selector, a value, and how many items have it.

    Args:
        theme: colours and icons.
        parent: its parent.
        fixed_name: a name that cannot be changed, for a row that is no field; empty: a field.

    Signals:
        edited: a person typed.
        entered: the cursor came here.
        removed: the button that removes it was clicked.
    """

    edited = Signal()
    entered = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, fixed_name: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        self.is_field = not fixed_name
        self.name = Line(self)
        self.name.setAccessibleName(tr("Name"))
        self.name.setPlaceholderText(tr("name"))
        self.name.setFixedWidth(theme.px(NAME))
        self.title = QLabel(fixed_name, self)
        self.title.setFixedWidth(theme.px(NAME))
        self.name.setVisible(self.is_field)
        self.title.setVisible(not self.is_field)
        self.selector = SelectorLine(fixed_name or tr("Selector"), self)
        self.sample = Sample(self)
        self.sample.setFixedWidth(theme.px(SAMPLE))
        self.dot = Dot(theme, self)
        self.hits = QLabel(self)
        self.hits.setFixedWidth(theme.px(HITS))
        self.hits.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.remove = IconButton(theme, "x", tr("Remove"), self, size=12)
        self.problem = problem_label(self)
        if not self.is_field:
            keeps = self.remove.sizePolicy()
            keeps.setRetainSizeWhenHidden(True)
            self.remove.setSizePolicy(keeps)
            self.remove.hide()
        line = QHBoxLayout()
        line.setSpacing(1.5 * SPACE)
        for widget in (self.name, self.title):
            line.addWidget(widget)
        line.addWidget(self.selector, 1)
        for widget in (self.sample, self.dot, self.hits, self.remove):
            line.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addLayout(line)
        column.addWidget(self.problem)
        self.name.textEdited.connect(self.edited)
        self.selector.textEdited.connect(self.edited)
        self.selector.entered.connect(self.entered)
        self.remove.clicked.connect(self.removed)

    @property
    def value(self) -> tuple[str, str]:
        """Name and selector."""
        return self.name.text().strip(), self.selector.text().strip()

    def show_name_invalid(self, *, invalid: bool) -> None:
        """Show whether its name is missing, or that of another one."""
        mark_invalid(self.name, invalid=invalid)

    def show_value(self, name: str, selector: str) -> None:
        """Show others."""
        self.name.setText(name)
        self.selector.setText(selector)
        self.selector.setCursorPosition(0)

    def show_trial(self, trial: FieldTrial | None, items: int) -> None:
        """Show what it gives."""
        selector = self.selector.text().strip()
        problem = trial.problem if trial is not None else None
        self.selector.show_invalid(invalid=problem is not None)
        show_problem(self.problem, [problem_text(selector, problem)] if problem is not None else [])
        if trial is None or problem is not None or not selector:
            self.sample.show_text("")
            self.hits.setText("")
            self.dot.show_level(None)
            return
        self.sample.show_text(trial.sample or "")
        judged = robustness(selector)
        self.dot.show_level(judged.level)
        self.dot.setToolTip(f"{judgement(judged)}\n{reasons(selector)}".strip())
        if self.is_field:
            self.hits.setText(tr("{hits} of {items}", hits=count(trial.hits), items=count(items)))
            role = "success" if trial.hits == items else "warning" if trial.hits else "danger"
            self.hits.setToolTip(tr("Found in {hits} of {items} items", hits=count(trial.hits), items=count(items)))
        else:
            self.hits.setText(tr("found") if trial.hits else tr("not found"))
            role = "success" if trial.hits else "warning"
        set_role(self.hits, role)


class Sample(Elided):
    """A value in one line.

    Args:
        parent: its parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", Qt.TextElideMode.ElideRight, parent)
        self.setProperty("role", "muted")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)

    def show_text(self, text: str) -> None:
        """Show another one."""
        self._whole = text
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width()))
        self.setToolTip(text if len(text) > 16 else "")  # noqa: PLR2004 - about the width
