"""The line under SQL: what it gives for sample rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from etl_studio.ui.quantities import count, rows
from etl_studio.ui.tables.cells import cell_text
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from etl_studio.engine.expression_trial import Trial

LONGEST = 24
"""Characters of a value that are shown."""


class ResultLine(QLabel):
    """Says what a trial gave; hidden while there is nothing to say.

    Args:
        parent: its parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAccessibleName(tr("Result on sample rows"))
        self.hide()

    def show_trial(self, trial: Trial | str) -> None:
        """Show an answer, or the sentence that says why there is none."""
        if isinstance(trial, str):
            self._say(trial, "small")
        elif trial.error:
            # what the parser says stands under the field already
            self._say("" if trial.is_syntax else trial.error, "danger")
        else:
            self._say(told(trial), "warning" if trial.failed else "small")

    def _say(self, text: str, role: str) -> None:
        self.setText(text)
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setVisible(bool(text))


def told(trial: Trial) -> str:
    """What a trial gave, in words."""
    if len(trial.columns) > 1 or (trial.columns and trial.rows and len(trial.rows[0]) > 1):
        names = ", ".join(f"{name} ({kind})" for name, kind in trial.columns)
        first = "\n" + tr("First: {values}", values=_values(trial.rows[0])) if trial.rows else ""
        return f"{rows(trial.total)}: {names}{first}"
    kind = trial.columns[0][1] if trial.columns else ""
    if not trial.total:
        if kind[:1] in "aeiou":
            return tr("Gives an {type}. No sample rows are known to compute it on.", type=kind)
        return tr("Gives a {type}. No sample rows are known to compute it on.", type=kind)
    lines = []
    if trial.true is not None:
        lines.append(
            trn(
                "True for {number} of {count} sample row.",
                "True for {number} of {count} sample rows.",
                trial.total,
                number=count(trial.true),
            )
        )
    else:
        more = " …" if trial.total > len(trial.rows) else ""
        lines.append(f"{kind}: {_values([row[0] for row in trial.rows])}{more}")
    if trial.failed:
        lines.append(
            trn(
                "Fails for {number} of {count} sample row: {why}",
                "Fails for {number} of {count} sample rows: {why}",
                trial.total,
                number=count(trial.failed),
                why=trial.why,
            )
        )
    return "\n".join(lines)


def _values(values: Any) -> str:
    texts = [cell_text(value) for value in values]
    return "  ·  ".join(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in texts)
