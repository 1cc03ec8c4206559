"""What the log shows of a run's events: its lines, and what a node waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.engine.events import BreakerChanged, BreakerState, LogWritten, RetryScheduled

if TYPE_CHECKING:
    from etl_studio.engine.events import Event


def log_line(event: Event) -> LogWritten | None:
    """The line that tells of an event, or None."""
    if isinstance(event, LogWritten):
        return event
    if isinstance(event, RetryScheduled):
        what = event.error.rstrip(".")
        text = (
            f"Attempt {event.attempt} of {event.attempts} failed: {what}. The next one follows in {event.delay:.1f} s."
        )
        return LogWritten(event.run, event.at, "warning", event.node, text)
    if isinstance(event, BreakerChanged):
        wait = ""
        if event.state is BreakerState.OPEN and event.until is not None:
            wait = f"; trial calls follow in {max(event.until - event.at, 0):.1f} s"
        by_hand = " by hand" if event.by_hand else ""
        level = "info" if event.state is BreakerState.CLOSED else "warning"
        text = f"The breaker of {event.target or event.node} is {event.state.replace('_', ' ')}{by_hand}{wait}."
        return LogWritten(event.run, event.at, level, event.node, text)
    return None
