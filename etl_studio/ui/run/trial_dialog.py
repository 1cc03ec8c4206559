"""Asks what a trial is to be: how many rows, whether they are loaded, and whether it halts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QSettings

KEY = "trial"
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class TrialWish:
    """What a person wants of a trial.

    Attributes:
        rows: how many each source gives at most.
        load: whether they are loaded; else it is a dry run.
        halts: whether it halts at breakpoints.
    """

    rows: int = 200
    load: bool = False
    halts: bool = False

    @classmethod
    def read(cls, settings: QSettings) -> Self:
        """That of the last trial."""
        first = cls()
        return cls(
            min(max(int(settings.value(f"{KEY}/rows", first.rows)), 1), MOST),
            settings.value(f"{KEY}/load", first.load, bool),
            settings.value(f"{KEY}/halts", first.halts, bool),
        )

    def keep(self, settings: QSettings) -> None:
        """Remember it for the next one."""
        settings.setValue(f"{KEY}/rows", self.rows)
        settings.setValue(f"{KEY}/load", self.load)
        settings.setValue(f"{KEY}/halts", self.halts)


@dataclass(frozen=True, slots=True)
class TrialScope:
    """What a trial touches; nodes by what they are called.

    Attributes:
        start: the node from which it runs; empty: the whole pipeline runs.
        pinned: nodes in whose place pinned rows stand.
        sampled: nodes of which a sample is taken.
        sinks: those that would load.
    """

    start: str = ""
    pinned: Sequence[str] = ()
    sampled: Sequence[str] = ()
    sinks: Sequence[str] = ()


class TrialDialog(QDialog):
    """Asks for a ``TrialWish``.

    Args:
        scope: what the trial touches.
        before: the last trial.
    """

    def __init__(self, scope: TrialScope, before: TrialWish, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Run from {node}", node=scope.start) if scope.start else tr("Trial run"))
        self.setFixedWidth(130 * SPACE)
        self._sinks = scope.sinks
        self.words = _text(self, *_explained(scope))
        self.rows = QSpinBox(self, minimum=1, maximum=MOST, value=before.rows, accessibleName=tr("Rows of each source"))
        self.rows.setGroupSeparatorShown(True)
        self.rows.lineEdit().setTextMargins(2 * SPACE, 0, 0, 0)
        self.rows.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.dry = QRadioButton(tr("Dry run: show what would change, write nothing"), self)
        self.load = QRadioButton(tr("Load them into the tables and files of the pipeline"), self)
        self._choice = QButtonGroup(self)
        self._choice.addButton(self.dry)
        self._choice.addButton(self.load)
        (self.load if before.load else self.dry).setChecked(True)
        self.halts = QCheckBox(tr("Halt at breakpoints"), self, checked=before.halts)
        self.warning = _text(self)
        self.warning.setProperty("role", "warning")
        form = QFormLayout()
        form.setVerticalSpacing(2 * SPACE)
        form.addRow(tr("Rows of each source"), self.rows)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.run_button = self.buttons.addButton(tr("Run"), QDialogButtonBox.ButtonRole.AcceptRole)
        set_role(self.run_button, "primary")
        self.run_button.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.load.toggled.connect(self._warn)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.words)
        column.addLayout(form)
        for widget in (self.dry, self.load, self.warning, self.halts, self.buttons):
            column.addWidget(widget)
        self._warn()

    @property
    def wish(self) -> TrialWish:
        """What was chosen."""
        return TrialWish(self.rows.value(), self.load.isChecked(), self.halts.isChecked())

    def _warn(self) -> None:
        self.load.setEnabled(bool(self._sinks))
        self.warning.setVisible(self.load.isChecked() and bool(self._sinks))
        self.warning.setText(
            tr(
                "These rows go to {sinks}. A table or file that each load replaces holds nothing else afterwards.",
                sinks=", ".join(self._sinks),
            )
        )
        self.adjustSize()


def _explained(scope: TrialScope) -> list[str]:
    whole = tr("Runs the pipeline on the first rows of each source.")
    lines = [tr("Runs this node and what follows it.") if scope.start else whole]
    if scope.pinned:
        lines.append(tr("Pinned rows stand in the place of: {nodes}.", nodes=", ".join(scope.pinned)))
    if scope.sampled:
        lines.append(tr("A sample stands in the place of: {nodes}.", nodes=", ".join(scope.sampled)))
    return lines


def _text(parent: QWidget, *lines: str) -> QLabel:
    label = QLabel("\n".join(lines), parent)
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label
