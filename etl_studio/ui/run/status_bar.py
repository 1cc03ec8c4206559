"""The line at the foot of the window: how the run stands, in words and numbers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from etl_studio.engine.events import (
    Halted,
    HaltEnded,
    NodeState,
    PauseChanged,
    RunEnded,
    RunStarted,
    RunStatus,
    Sampled,
)
from etl_studio.ui.quantities import count, duration, rate
from etl_studio.ui.run.trial_words import trial_words
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.ui.theme.theme import Theme

ENDINGS = {
    RunStatus.DONE: (N_("Done"), N_("Dry run done"), "success"),
    RunStatus.DONE_WITH_DEAD_LETTERS: (
        N_("Done, with dead letters"), N_("Dry run done, with dead letters"), "warning",
    ),
    RunStatus.FAILED: (N_("Failed"), N_("Dry run failed"), "danger"),
    RunStatus.STOPPED: (N_("Stopped"), N_("Dry run stopped"), "text_muted"),
    RunStatus.INTERRUPTED: (N_("Interrupted"), N_("Dry run interrupted"), "warning"),
}  # fmt: skip
"""What is said of a run and of a dry run that ended so, and in which colour."""
TICK = 100


class RunStatusBar(QStatusBar):
    """State, rows, rate, elapsed time and errors of the run.

    Args:
        theme: colours.
        titles: what the nodes are called, by id.
    """

    def __init__(
        self, theme: Theme, titles: Callable[[], Mapping[str, str]] = dict, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._titles = theme, titles
        self._color = "text_muted"
        self._state, self._numbers, self._clock = QLabel(), QLabel(), QLabel()
        self._dry = False
        self._trial = ""
        self._began: float | None = None
        self._sources: frozenset[str] = frozenset()
        self._before: tuple[float, int] | None = None
        self._rate = 0.0
        self._timer = QTimer(self, interval=TICK)
        self._timer.timeout.connect(self._show_clock)
        self.setSizeGripEnabled(False)
        for label in (self._state, self._numbers, self._clock):
            self.addWidget(label)
        self._numbers.setMinimumWidth(1)  # long words must not make the window wider
        theme.changed.connect(self._dress)
        self.show_idle()

    @property
    def text(self) -> str:
        """Everything it says about the run."""
        return " · ".join(label.text() for label in (self._state, self._numbers, self._clock) if label.text())

    def show_idle(self, text: str = "") -> None:
        """No run."""
        self._say(text or tr("Ready"), "text_muted")
        self._numbers.clear()
        self._clock.clear()

    def show_preparing(self) -> None:
        """A run is being made ready."""
        self._say(tr("Preparing…"), "accent")
        self._numbers.clear()
        self._clock.clear()

    def show_stopping(self) -> None:
        """A stop was asked for."""
        self._say(tr("Stopping…"), "warning")

    def take(self, event: object) -> None:
        """Take the events of a run."""
        if isinstance(event, RunStarted):
            self._began = time.monotonic()
            self._before, self._rate = None, 0.0
            self._dry = event.kind == "dry_run"
            self._trial = self._tried_on(event.document.get("trial"))
            self._say(self._going, "accent")
            self._timer.start()
        elif isinstance(event, PauseChanged):
            self._say(*((tr("Paused"), "warning") if event.paused else (self._going, "accent")))
        elif isinstance(event, Halted):
            self._say(tr("Halted: waiting for you"), "warning")
        elif isinstance(event, HaltEnded):
            self._say(self._going, "accent")
        elif isinstance(event, Sampled):
            self._show_sample(event)
        elif isinstance(event, RunEnded):
            self._show_end(event)

    @property
    def _going(self) -> str:
        return tr("Dry run") if self._dry else tr("Trial run") if self._trial else tr("Running")

    def _tried_on(self, facts: Mapping[str, Any] | None) -> str:
        titles = self._titles()
        return "" if facts is None else trial_words(facts, lambda node: titles.get(node, node))

    def _show_sample(self, event: Sampled) -> None:
        targets = {text.partition(" -> ")[2].rpartition(".")[0] for text in event.wires}
        read = sum(node.counts.rows_in for name, node in event.nodes.items() if name not in targets)
        errors = sum(node.counts.errors for node in event.nodes.values())
        if self._before is not None and event.at > self._before[0]:
            now = (read - self._before[1]) / (event.at - self._before[0])
            self._rate += 0.3 * (now - self._rate)
        self._before = (event.at, read)
        parts = [trn("{count} row read", "{count} rows read", read), rate(max(self._rate, 0.0))]
        waiting = sum(node.state in (NodeState.RETRYING, NodeState.OPEN) for node in event.nodes.values())
        if errors:
            parts.append(trn("{count} failed attempt", "{count} failed attempts", errors))
        if waiting:
            parts.append(tr("{count} waiting to try again", count=waiting))
        self._numbers.setText("  ·  ".join(parts))

    def _show_end(self, event: RunEnded) -> None:
        self._timer.stop()
        text, dry_text, color = ENDINGS[event.status]
        self._say(tr(dry_text if self._dry else text), color)
        out = count(event.rows_out)
        parts = [
            trn("{count} row read", "{count} rows read", event.rows_in),
            tr("{count} to load", count=out) if self._dry else tr("{count} loaded", count=out),
        ]
        if event.rejected:
            parts.append(tr("{count} rejected", count=count(event.rejected)))
        if event.dead_letters:
            parts.append(trn("{count} dead letter", "{count} dead letters", event.dead_letters))
        if self._dry:
            parts.append(tr("nothing was written"))
        if self._trial:
            parts.append(self._trial)
        self._numbers.setText("  ·  ".join(parts))
        self._numbers.setToolTip(self._numbers.text())
        self._clock.setText(duration(event.duration))

    def _show_clock(self) -> None:
        if self._began is not None:
            self._clock.setText(duration(time.monotonic() - self._began))

    def _say(self, text: str, color: str) -> None:
        self._color = color
        self._state.setText(text)
        self._dress()

    def _dress(self) -> None:
        color = getattr(self._theme.tokens, self._color)
        self._state.setStyleSheet(f"color: {color}; font-weight: 600;")
