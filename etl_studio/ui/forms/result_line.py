"""The line under SQL: what it gives for sample rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from etl_studio.ui.tables.cells import cell_text

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
        self.setAccessibleName("Result on sample rows")
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
        first = f"\nFirst: {_values(trial.rows[0])}" if trial.rows else ""
        return f"{_rows(trial.total)}: {names}{first}"
    kind = trial.columns[0][1] if trial.columns else ""
    if not trial.total:
        return f"Gives {_article(kind)}. No sample rows are known to compute it on."
    lines = []
    if trial.true is not None:
        lines.append(f"True for {trial.true:,} of {_rows(trial.total, 'sample row')}.")
    else:
        more = " …" if trial.total > len(trial.rows) else ""
        lines.append(f"{kind}: {_values([row[0] for row in trial.rows])}{more}")
    if trial.failed:
        lines.append(f"Fails for {trial.failed:,} of {_rows(trial.total, 'sample row')}: {trial.why}")
    return "\n".join(lines)


def _values(values: Any) -> str:
    texts = [cell_text(value) for value in values]
    return "  ·  ".join(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in texts)


def _rows(number: int, what: str = "row") -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"
