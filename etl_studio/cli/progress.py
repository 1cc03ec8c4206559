"""Tells on stderr how a run goes: a live line on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from etl_studio.cli.output import say
from etl_studio.cli.report import node_lines
from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    LogWritten,
    NodeChanged,
    NodeState,
    PauseChanged,
    RetryScheduled,
    RunEnded,
    RunResumed,
    RunStarted,
    RunStatus,
    Sampled,
)
from etl_studio.engine.report import attempt_text, notes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from etl_studio.engine.events import Event

SUMMARY_SECONDS = 2.0
SPOKEN_STATES = (NodeState.OPEN, NodeState.FAILED, NodeState.STOPPED, NodeState.DONE)


class Progress:
    """A listener of one run. Use it as a context manager around the run.

    Args:
        live: show a line that changes; needs a terminal.
        write: takes each line.
        clock: seconds, monotonic.
    """

    def __init__(
        self, *, live: bool, write: Callable[[str], None] = say, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._last = clock()
        self._document: Mapping[str, Any] = {}
        self._resumed: tuple[int, int] = (1, 0)
        self._line: Any = _live_line() if live else None

    def __enter__(self) -> Self:
        if self._line is not None:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.stop()

    def __call__(self, event: Event) -> None:
        """Take an event; from any thread."""
        with self._lock:
            if isinstance(event, RunStarted):
                self._document = event.document
            elif isinstance(event, RunResumed):
                self._resumed = (event.attempt, event.epoch)
            if isinstance(event, Sampled):
                self._sampled(event)
            elif isinstance(event, RunEnded):
                self._say(report(event, notes(self._document, *self._resumed)))
            elif text := line_for(event):
                self._say(text)

    def _sampled(self, event: Sampled) -> None:
        if self._line is not None:
            self._line.update(summary(event))
        elif self._clock() - self._last >= SUMMARY_SECONDS:
            self._last = self._clock()
            self._say(summary(event))

    def _say(self, text: str) -> None:
        if self._line is None:
            self._write(text)
        else:
            self._line.console.print(text, markup=False, highlight=False, soft_wrap=True)


def line_for(event: Event) -> str:
    """The line that tells an event; empty for those that are not told."""
    if isinstance(event, RunStarted):
        return f"run {event.run} of {event.pipeline}: {len(event.nodes)} nodes"
    if isinstance(event, RunResumed):
        return attempt_text(event.attempt, event.epoch)
    if isinstance(event, PauseChanged):
        return "paused" if event.paused else "going on"
    if isinstance(event, NodeChanged) and event.state in SPOKEN_STATES:
        return f"{event.node}: {event.state}" + (f" - {event.detail}" if event.detail else "")
    if isinstance(event, RetryScheduled):
        return (
            f"{event.node}: attempt {event.attempt} of {event.attempts} failed, "
            f"next in {event.delay:.1f} s - {event.error}"
        )
    if isinstance(event, BreakerChanged):
        state = str(event.state).replace("_", " ") + (" by hand" if event.by_hand else "")
        wait = ""
        if event.state is BreakerState.OPEN and event.until is not None:
            wait = f", trial calls in {max(event.until - event.at, 0):.1f} s"
        return f"{event.node}: breaker of {event.target or 'the node'} is {state}{wait}"
    if isinstance(event, LogWritten) and event.level != "debug" and event.node is None:
        return event.message if event.level == "info" else f"{event.level}: {event.message}"
    if isinstance(event, LogWritten) and event.level == "warning":
        return f"{event.node}: warning - {event.message}"
    return ""


def summary(event: Sampled) -> str:
    """One line: rows of each node that has begun, and what waits."""
    parts = []
    for name, sample in event.nodes.items():
        counts = sample.counts
        if counts.rows_in or counts.rows_out or sample.state is not NodeState.WAITING:
            state = "" if sample.state in (NodeState.RUNNING, NodeState.DONE) else f" ({sample.state})"
            lost = counts.rejected + counts.dead_letters
            parts.append(f"{name} {max(counts.rows_in, counts.rows_out):,}{f' -{lost:,}' if lost else ''}{state}")
    return "rows: " + (", ".join(parts) or "none yet")


def report(ended: RunEnded, said: Sequence[str] = ()) -> str:
    """The lines at the end of a run: where the rows of each node went, what else is to be said, and the total."""
    status = str(ended.status).replace("_", " ")
    total = f"{status} in {ended.duration:.1f} s: {ended.rows_in:,} rows read, {ended.rows_out:,} loaded"
    if ended.peak_memory is not None:
        total += f", at most {ended.peak_memory / 2**20:,.0f} MB of memory"
    lines = [*node_lines({name: asdict(counts) for name, counts in ended.nodes.items()}), *said, total]
    if ended.status is RunStatus.FAILED and ended.error:
        lines.append(f"etl-studio: {ended.error}")
    return "\n".join(lines)


def _live_line() -> Any:
    """A line with a spinner; the terminal's library is imported only where there is one."""
    from rich.console import Console

    return Console(file=sys.stderr).status("starting", spinner="line")
