"""Writes what a run tells into ``workspace.db``, on a thread of its own."""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_studio.engine.events import (
    BreakerChanged,
    CheckpointSaved,
    DeadLettered,
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
from etl_studio.engine.report import attempt_text
from etl_studio.errors import EtlError, PermanentError, TransientError
from etl_studio.storage.checkpoints import save_checkpoint
from etl_studio.storage.failures import UNCHANGED
from etl_studio.storage.processes import this_process

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.engine.checkpoints import Checkpoint
    from etl_studio.engine.events import Event
    from etl_studio.storage.workspace import Workspace

WRITE_SECONDS = 0.25
SAMPLE_SECONDS = 1.0
ALIVE_SECONDS = 1.0
"""Between two looks whether the thread is still there."""
LOOK_SECONDS = 0.5
"""How often the workspace is asked what other processes want of the run."""
ATTEMPTS = 3
"""How often a locked workspace is tried, each time for as long as its timeout."""
MOST_EVENTS = 20_000
"""Events that may wait: whoever rejects rows faster than the disk takes them waits, so that no letter is lost."""

LETTER_COLUMNS = (
    "run_id", "node", "error_type", "message", "payload", "column", "line", "attempts", "at", "port", "types", "gives",
    "operation", "first_at", "epoch", "cursor", "row_number", "size",
)  # fmt: skip
FAILED_AGAIN = (
    "UPDATE dead_letter SET error_type = ?, message = ?, column = ?, at = ?, attempts = attempts + ?, "
    "state = 'waiting', replay_run = NULL WHERE id = ? AND replay_run = ?"
)
LINE_COLUMNS = ("run_id", "at", "level", "node", "message", "facts")


@dataclass(frozen=True, slots=True)
class _Reached:
    """A checkpoint, in the order of the events."""

    run: str
    checkpoint: Checkpoint


class Recorder:
    """A listener of one run's events. Call it with events, ``flush`` before the report, ``close`` at the end.

    Args:
        workspace: where to.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._events: queue.Queue[Event | _Reached | threading.Event | None] = queue.Queue(MOST_EVENTS)
        self._error: EtlError | None = None
        self._lost_letters = 0
        self._last_sample = -SAMPLE_SECONDS
        self._left_out: Sampled | None = None
        self._run: str | None = None
        self._looked = 0.0
        self._commands: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="recorder")
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event; samples are thinned to one a second, and the last one stays."""
        if isinstance(event, Sampled):
            # The clock may be set back.
            if 0 <= event.at - self._last_sample < SAMPLE_SECONDS:
                self._left_out = event
                return
            self._last_sample = event.at
            self._left_out = None
        elif isinstance(event, RunEnded) and self._left_out is not None:
            self._put(self._left_out)
            self._left_out = None
        if isinstance(event, RunStarted):
            self._run = event.run
        self._put(event)

    @property
    def error(self) -> EtlError | None:
        """Why something could not be kept, if so; tells how many dead letters are lost."""
        if self._error is None or not self._lost_letters:
            return self._error
        return PermanentError(
            f"{self._lost_letters:,} dead letters could not be kept. {self._error.what}", hint=self._error.hint
        )

    def flush(self) -> EtlError | None:
        """Wait until everything taken so far is on disk; the error, if that failed."""
        done = threading.Event()
        self._put(done)
        while not done.wait(ALIVE_SECONDS) and self._thread.is_alive():
            pass
        return self.error

    def save(self, run: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint and everything taken before it.

        Raises:
            EtlError: that failed.
        """
        self._put(_Reached(run, checkpoint))
        error = self.flush()
        if error is not None:
            raise error

    def command(self) -> str | None:
        """What another process asks of the run, once; returns at once."""
        try:
            return self._commands.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Write the rest and end the thread. May be called twice."""
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()

    def _put(self, item: Event | _Reached | threading.Event | None) -> None:
        """Hand on to the thread. Where it has ended, for want of memory, what comes is lost, and the report says so."""
        while self._thread.is_alive():
            try:
                self._events.put(item, timeout=ALIVE_SECONDS)
            except queue.Full:
                continue
            return
        if isinstance(item, threading.Event):
            item.set()
        elif item is not None:
            self._fail([item], MemoryError("its thread has ended"))

    def _write_all(self) -> None:
        going = True
        while going:
            taken: list[Event | _Reached | threading.Event | None] = []
            try:
                self._take(taken)
                self._write(taken)
            except Exception as error:  # noqa: BLE001 - without this thread all that comes would be lost
                self._fail(_events(taken), error)
            for item in taken:
                if isinstance(item, threading.Event):
                    item.set()
            going = None not in taken
        self._workspace.file.release()

    def _take(self, taken: list[Event | _Reached | threading.Event | None]) -> None:
        """Add what has come, after a moment, so that many facts make one transaction."""
        taken.append(self._first())
        until = time.monotonic() + WRITE_SECONDS
        # The start is written at once: a run that is killed right after it must be found as interrupted.
        while not (
            taken[-1] is None or isinstance(taken[-1], threading.Event | RunStarted) or len(taken) >= MOST_EVENTS
        ):
            try:
                taken.append(self._events.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break

    def _first(self) -> Event | _Reached | threading.Event | None:
        """The next that comes; meanwhile, and between two writes, commands are looked for."""
        while True:
            self._look_for_command()
            try:
                return self._events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue

    def _look_for_command(self) -> None:
        now = time.monotonic()
        if self._run is None or now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        # A workspace that cannot be read now can be the next time; one that is broken is met by the next write.
        with suppress(EtlError):
            command = self._workspace.take_command(self._run)
            if command is not None:
                self._commands.put(command)

    def _write(self, taken: list[Event | _Reached | threading.Event | None]) -> None:
        events = _events(taken)
        if self._error is not None:
            # The run has failed by now; only that it ended is still worth a try.
            self._lose(event for event in events if not isinstance(event, RunEnded))
            events = [event for event in events if isinstance(event, RunEnded)]
            taken[:] = [item for item in taken if not isinstance(item, DeadLettered)]  # not to be counted twice
        if events:
            self._store_patiently(events)

    def _fail(self, events: Iterable[Event | _Reached], error: Exception) -> None:
        """Keep the error for the report: a listener must never end the run."""
        if isinstance(error, EtlError):
            error.what = error.what.removesuffix(UNCHANGED)  # those that the run loads may be in by now
        else:
            error = PermanentError(f"The run could not be recorded: {str(error) or type(error).__name__}.")
        self._error = self._error or error
        self._lose(events)

    def _lose(self, events: Iterable[Event | _Reached]) -> None:
        self._lost_letters += sum(isinstance(event, DeadLettered) for event in events)

    def _store_patiently(self, events: list[Event | _Reached]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._workspace.file.translated(), self._workspace.file.database.atomic():
                    self._store(events)
            except TransientError:
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _store(self, events: list[Event | _Reached]) -> None:
        models = self._workspace.models
        lines: list[tuple[Any, ...]] = []
        letters: list[tuple[Any, ...]] = []
        again: list[tuple[Any, ...]] = []
        for event in events:
            match event:
                case RunStarted():
                    self._begin(event)
                case RunResumed() | PauseChanged():
                    self._change(event)
                    lines += _lines(event)
                case Sampled():
                    models.metric.replace(run=event.run, at=event.at, sample=_sample(event)).execute()
                case DeadLettered(letter=None):
                    letters.append(_letter(event))
                case DeadLettered():
                    again.append(_again(event))
                case RunEnded():
                    self._end(event)
                case _Reached():
                    save_checkpoint(self._workspace.models, event.run, event.checkpoint)
                case _:
                    lines += _lines(event)
        self._insert("dead_letter", LETTER_COLUMNS, letters)
        self._workspace.file.connection().executemany(FAILED_AGAIN, again)
        self._insert("log_line", LINE_COLUMNS, lines)

    def _insert(self, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        """Many rows in one call: a hundred times cheaper than Peewee's ``insert_many``."""
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
        self._workspace.file.connection().executemany(sql, rows)

    def _change(self, event: RunResumed | PauseChanged) -> None:
        changed = {"resumed_after": event.epoch} if isinstance(event, RunResumed) else {"paused": event.paused}
        run = self._workspace.models.run
        run.update(**changed).where(run.id == event.run).execute()

    def _begin(self, event: RunStarted) -> None:
        if event.resumed:
            return  # claimed before (``RunHistory.claim``)
        process, started = this_process()
        self._workspace.models.run.create(
            id=event.run,
            pipeline=event.pipeline,
            file=event.file,
            parameters=dict(event.parameters),
            kind=event.kind,
            status=RunStatus.RUNNING,
            started=event.at,
            process=process,
            process_started=started,
            document=json.dumps(dict(event.document), default=str),
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
            paused=False,
            command=None,
        ).where(models.run.id == event.run).execute()
        if event.bookmarks:
            self._keep_bookmarks(event)
        rows = [{"run": event.run, "node": node, "counts": asdict(counts)} for node, counts in event.nodes.items()]
        if rows:
            models.node_count.replace_many(rows).execute()

    def _keep_bookmarks(self, event: RunEnded) -> None:
        record = self._workspace.run(event.run)
        # A part of a pipeline has not loaded everything that its sources read; a cassette holds what was read before.
        left_out = {"part", "replayed"}
        if record and record.file and record.kind == "run" and left_out.isdisjoint(record.document):
            self._workspace.bookmarks.keep(Path(record.file), event.run, event.bookmarks)


def _events(taken: list[Event | _Reached | threading.Event | None]) -> list[Event | _Reached]:
    return [item for item in taken if item is not None and not isinstance(item, threading.Event)]


def _sample(event: Sampled) -> dict[str, Any]:
    return {
        "nodes": {node: asdict(sample) for node, sample in event.nodes.items()},
        "wires": {wire: asdict(sample) for wire, sample in event.wires.items()},
        **({"memory": asdict(event.memory)} if event.memory is not None else {}),
    }


def _letter(event: DeadLettered) -> tuple[Any, ...]:
    payload = _json(event.payload) or ""
    return (
        event.run, event.node, event.error_type, _text(event.message), payload, event.column, event.line,
        event.attempts, event.at, event.port, _json(event.types), _json(event.gives), _json(event.operation), event.at,
        event.epoch, _json(event.cursor), event.row, len(payload),
    )  # fmt: skip


def _again(event: DeadLettered) -> tuple[Any, ...]:
    return (
        event.error_type, _text(event.message), event.column, event.at, event.attempts, event.letter, event.run,
    )  # fmt: skip


def _lines(event: Event | _Reached) -> list[tuple[Any, ...]]:
    """The log lines of an event: what a person would want to read later."""
    match event:
        case LogWritten():
            return [(event.run, event.at, event.level, event.node, _text(event.message), _json(event.facts))]
        case RunResumed():
            text = attempt_text(event.attempt, event.epoch)
            return [(event.run, event.at, "info", None, text[0].upper() + text[1:] + ".", "{}")]
        case PauseChanged():
            return [(event.run, event.at, "info", None, "Paused." if event.paused else "Going on.", "{}")]
        case NodeChanged(state=NodeState.OPEN | NodeState.FAILED | NodeState.STOPPED):
            return [_warning(event, f"{event.state}: {event.detail}".rstrip(": "))]
        case RetryScheduled():
            text = f"Attempt {event.attempt} of {event.attempts} failed, next in {event.delay:.2f} s: {event.error}"
            return [_warning(event, text, target=event.target)]
        case CheckpointSaved():
            text = f"Checkpoint {event.epoch}: {event.rows:,} rows read."
            return [(event.run, event.at, "debug", None, text, "{}")]
        case BreakerChanged():
            text = f"The breaker of {event.target or event.node} is {event.state.replace('_', ' ')}."
            return [_warning(event, text, target=event.target)]
        case _:
            return []


def _warning(event: NodeChanged | RetryScheduled | BreakerChanged, message: str, **facts: Any) -> tuple[Any, ...]:
    return event.run, event.at, "warning", event.node, _text(message), _json(facts)


def _json(value: Any) -> str | None:
    return None if value is None else _text(json.dumps(value, ensure_ascii=False, default=str))


def _text(text: str) -> str:
    """Half a surrogate pair, as broken web pages hold, must not cost the row that tells of it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
