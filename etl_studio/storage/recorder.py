"""Writes what a run tells into ``workspace.db``, on a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from etl_studio.engine.events import (
    BreakerChanged,
    DeadLettered,
    LogWritten,
    NodeChanged,
    NodeState,
    RetryScheduled,
    RunEnded,
    RunStarted,
    RunStatus,
    Sampled,
)
from etl_studio.storage.failures import translated
from etl_studio.storage.processes import this_process

if TYPE_CHECKING:
    from etl_studio.engine.events import Event
    from etl_studio.errors import EtlError
    from etl_studio.storage.workspace import Workspace

WRITE_SECONDS = 0.25
MOST_EVENTS = 20_000
"""Events that may wait: whoever rejects rows faster than the disk takes them waits, so that no letter is lost."""


class Recorder:
    """A listener of one run's events. Call it with events, ``flush`` before the report, ``close`` at the end.

    Args:
        workspace: where to.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._events: queue.Queue[Event | threading.Event | None] = queue.Queue(MOST_EVENTS)
        self._error: EtlError | None = None
        self._last_sample = 0.0
        self._thread = threading.Thread(target=self._write_all, name="recorder")
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event; samples are thinned to one a second."""
        if isinstance(event, Sampled):
            if event.at - self._last_sample < 1:
                return
            self._last_sample = event.at
        if self._error is None:
            self._events.put(event)

    def flush(self) -> EtlError | None:
        """Wait until everything taken so far is on disk; the error, if that failed."""
        done = threading.Event()
        if self._thread.is_alive():
            self._events.put(done)
            done.wait()
        return self._error

    def close(self) -> None:
        """Write the rest and end the thread. May be called twice."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join()

    def _write_all(self) -> None:
        going = True
        while going:
            going = self._write(self._next())
        self._workspace.release()

    def _next(self) -> list[Event | threading.Event | None]:
        """What has come, after a moment, so that many facts make one transaction."""
        taken = [self._events.get()]
        until = time.monotonic() + WRITE_SECONDS
        while taken[-1] is not None and not isinstance(taken[-1], threading.Event):
            try:
                taken.append(self._events.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        return taken

    def _write(self, taken: list[Event | threading.Event | None]) -> bool:
        events = [item for item in taken if item is not None and not isinstance(item, threading.Event)]
        if events and self._error is None:
            try:
                with self._workspace.file.peewee.atomic("IMMEDIATE"):
                    self._store(events)
            except Exception as error:  # noqa: BLE001 - kept for the report: a listener must never end the run
                self._error = translated(error, self._workspace.file.path)
        for item in taken:
            if isinstance(item, threading.Event):
                item.set()
        return None not in taken

    def _store(self, events: list[Event]) -> None:
        models = self._workspace.models
        lines: list[dict[str, Any]] = []
        letters: list[dict[str, Any]] = []
        for event in events:
            match event:
                case RunStarted():
                    self._begin(event)
                case Sampled():
                    models.metric.replace(run=event.run, at=event.at, sample=_sample(event)).execute()
                case DeadLettered():
                    letters.append(_letter(event))
                case RunEnded():
                    self._end(event)
                case _:
                    lines += _lines(event)
        for start in range(0, len(letters), 1_000):
            models.dead_letter.insert_many(letters[start : start + 1_000]).execute()
        for start in range(0, len(lines), 1_000):
            models.log_line.insert_many(lines[start : start + 1_000]).execute()

    def _begin(self, event: RunStarted) -> None:
        process, started = this_process()
        self._workspace.models.run.create(
            id=event.run,
            pipeline=event.pipeline,
            file=event.file,
            parameters=dict(event.parameters),
            status=RunStatus.RUNNING,
            started=event.at,
            process=process,
            process_started=started,
        )

    def _end(self, event: RunEnded) -> None:
        models = self._workspace.models
        models.run.update(
            status=event.status,
            duration=event.duration,
            rows_in=event.rows_in,
            rows_out=event.rows_out,
            rejected=event.rejected,
            dead_letters=event.dead_letters,
            error=event.error,
            error_node=event.error_node,
        ).where(models.run.id == event.run).execute()
        rows = [{"run": event.run, "node": node, "counts": asdict(counts)} for node, counts in event.nodes.items()]
        if rows:
            models.node_count.insert_many(rows).execute()


def _sample(event: Sampled) -> dict[str, Any]:
    return {
        "nodes": {node: asdict(sample) for node, sample in event.nodes.items()},
        "wires": {wire: asdict(sample) for wire, sample in event.wires.items()},
    }


def _letter(event: DeadLettered) -> dict[str, Any]:
    names = ("run", "node", "error_type", "message", "payload", "column", "line", "attempts", "at")
    return {name: getattr(event, name) for name in names}


def _lines(event: Event) -> list[dict[str, Any]]:
    """The log lines of an event: what a person would want to read later."""
    line: dict[str, Any] = {"run": event.run, "at": event.at, "node": getattr(event, "node", None), "facts": {}}
    match event:
        case LogWritten():
            return [line | {"level": event.level, "message": event.message, "facts": dict(event.facts)}]
        case NodeChanged(state=NodeState.OPEN | NodeState.FAILED | NodeState.STOPPED):
            return [line | {"level": "warning", "message": f"{event.state}: {event.detail}".rstrip(": ")}]
        case RetryScheduled():
            message = f"Attempt {event.attempt} of {event.attempts} failed, next in {event.delay:.2f} s: {event.error}"
            return [line | {"level": "warning", "message": message, "facts": {"target": event.target}}]
        case BreakerChanged():
            message = f"The breaker of {event.target or event.node} is {event.state.replace('_', ' ')}."
            return [line | {"level": "warning", "message": message, "facts": {"target": event.target}}]
        case _:
            return []
