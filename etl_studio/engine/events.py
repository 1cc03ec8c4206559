"""Facts that a run tells. Frozen, made of plain values, safe to hand to another thread or process.

A listener is any callable that takes one event; it is called on the thread that met the fact and must return at once.
Times are seconds since the epoch (UTC); durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class NodeState(StrEnum):
    """What a node is doing."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    OPEN = "open"
    """Its breaker is open: nothing is called."""
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    DONE = "done"
    DONE_WITH_DEAD_LETTERS = "done_with_dead_letters"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Its process died; set when the workspace is opened again."""

    @property
    def is_done(self) -> bool:
        """Whether all that was read has been loaded, or is in the dead letters."""
        return self in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS)


class BreakerState(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    """A person opened it: nothing is called until a person closes it."""
    DISABLED = "disabled"
    """A person switched it off: everything is called, nothing is judged."""


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Counts of one node, from the one pass that moves the data.

    Attributes:
        rows_in: rows taken from its wires; for a source, rows read (given out or rejected).
        rows_out: rows given on its default port; for a sink, rows loaded.
        filtered: rows left out on purpose.
        rejected: rows sent by the rejects port.
        dead_letters: rows (or operations without a row) put into the dead letters.
        skipped: rows dropped by on_error: skip.
        inserted, updated, unchanged, superseded, deleted, stale: what a sink did (``sdk.Loaded``).
        calls: operations under the policy (requests, transactions), attempts included.
        errors: failed attempts.
        retries: attempts after the first.
        refused: calls that an open breaker refused.
        bytes_out: bytes of the batches given out.
        dropped: rows that a person took out while debugging, before they were processed.
        edited: rows that a person changed while debugging, before they were processed.
    """

    rows_in: int = 0
    rows_out: int = 0
    filtered: int = 0
    rejected: int = 0
    dead_letters: int = 0
    skipped: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    deleted: int = 0
    stale: int = 0
    calls: int = 0
    errors: int = 0
    retries: int = 0
    refused: int = 0
    bytes_out: int = 0
    dropped: int = 0
    edited: int = 0


@dataclass(frozen=True, slots=True)
class NodeSample:
    """A node at one moment.

    Attributes:
        p50, p95: seconds per call or batch over the last 256; None before the first.
        breaker: state of the breaker that changed last; None before the first call that one surrounds.
    """

    state: NodeState
    counts: NodeCounts
    p50: float | None = None
    p95: float | None = None
    breaker: BreakerState | None = None


@dataclass(frozen=True, slots=True)
class WireSample:
    """A wire at one moment: rows that passed, rows that wait, and how full it is (0 to 1).

    ``age``: seconds that the oldest item has waited.
    """

    passed: int
    waiting: int
    fill: float
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class MemorySample:
    """Memory at one moment, bytes.

    Attributes:
        resident: what the process holds; None where the system does not tell.
        sql: what DuckDB holds of it; None where it holds nothing, or cannot tell.
        budget: what the run may hold.
    """

    resident: int | None
    sql: int | None
    budget: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began. ``kind``: ``run``, ``replay`` of dead letters, or ``dry_run``, which writes nothing."""

    run: str
    at: float
    pipeline: str
    file: str | None
    nodes: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "run"
    resumed: bool = False
    """It broke off before and goes on under the same id."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """What must be the same for the run to be resumed, and what its report says (``engine.report``)."""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """A run that broke off goes on after a checkpoint; 0: from the beginning. ``attempt``: 2 for the first resume."""

    run: str
    at: float
    attempt: int
    epoch: int


@dataclass(frozen=True, slots=True)
class PauseChanged:
    """A person paused the run, or let it go on."""

    run: str
    at: float
    paused: bool


@dataclass(frozen=True, slots=True)
class Halted:
    """A worker waits for a person (``engine.debugger``); told again when the person changed the rows.

    Attributes:
        node: that the batch is about to enter; a source that it is about to leave.
        wire: by which it comes; empty for a source.
        batch: its number there, from 1.
        row: index of the next row to pass.
        rows: how many rows the batch has.
        edited: rows that a person changed, by index.
        problem: what is wrong with a condition; then that is why it halted.
    """

    run: str
    at: float
    node: str
    wire: str
    batch: int
    row: int
    rows: int
    edited: tuple[int, ...] = ()
    problem: str = ""

    @property
    def place(self) -> str:
        """What commands call it by."""
        return self.wire or self.node


@dataclass(frozen=True, slots=True)
class HaltEnded:
    """A worker that waited for a person goes on, or ends with the run."""

    run: str
    at: float
    node: str
    wire: str

    @property
    def place(self) -> str:
        """What commands call it by."""
        return self.wire or self.node


@dataclass(frozen=True, slots=True)
class NodeChanged:
    """A node's state changed. ``detail`` is a short text for people, such as the error or the reason to wait."""

    run: str
    at: float
    node: str
    state: NodeState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """All nodes and wires at one moment, ten times a second and once at the end.

    Wires go by their text (``a.out -> b.input``); memory is read about once a second.
    """

    run: str
    at: float
    nodes: Mapping[str, NodeSample]
    wires: Mapping[str, WireSample]
    memory: MemorySample | None = None


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """An attempt failed and another will follow after ``delay`` seconds."""

    run: str
    at: float
    node: str
    attempt: int
    attempts: int
    delay: float
    error: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """A breaker changed its state.

    Attributes:
        failure_rate, slow_call_rate: per cent of the calls that led to it; None where none were judged.
        until: when trial calls are let through, for OPEN.
        by_hand: a person asked for it.
    """

    run: str
    at: float
    node: str
    target: str
    state: BreakerState
    failure_rate: float | None = None
    until: float | None = None
    slow_call_rate: float | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A row, or an operation without one, could not be processed.

    Attributes:
        payload: the row as JSON-ready values.
        error_type: short name such as ``cast``, ``not_null``, ``http_404``.
        line: line in the source file, where known.
        attempts: how often it was tried.
        epoch: number of the barrier interval in which it arose.
        port: input port that the row came by; empty for a source.
        types: of the payload's columns, so that it becomes the same row again (``engine.letter_rows``).
        gives: types of the columns that the source gives out; None where the node is none, or gave nothing yet.
        cursor: where the source stood, JSON-ready, where known.
        row: number of the row in the source, from 1, where known.
        operation: what the source tried, where no row came of it; never holds secrets.
        letter: number of the stored letter that failed again in a replay.
    """

    run: str
    at: float
    node: str
    error_type: str
    message: str
    payload: Mapping[str, Any]
    column: str | None = None
    line: int | None = None
    attempts: int = 1
    epoch: int = 0
    port: str = ""
    types: Mapping[str, Any] = field(default_factory=dict)
    gives: Mapping[str, Any] | None = None
    cursor: Any = None
    row: int | None = None
    operation: Mapping[str, Any] | None = None
    letter: int | None = None


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """Every sink holds all rows up to here and commits them. ``rows``: read by all sources so far."""

    run: str
    at: float
    epoch: int
    rows: int


@dataclass(frozen=True, slots=True)
class LogWritten:
    """A line for the log."""

    run: str
    at: float
    level: str
    node: str | None
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended: the report.

    Attributes:
        rows_in: rows read by all sources.
        rows_out: rows loaded by all sinks.
        error: text of the error that ended it, if one did.
        error_node: the node that failed, if one did.
        peak_memory: most bytes that the process held; None where the system does not tell.
        bookmarks: where the next runs of its sources begin, by node (``sdk.Bookmark``); only when all was loaded.
    """

    run: str
    at: float
    status: RunStatus
    duration: float
    rows_in: int
    rows_out: int
    rejected: int
    dead_letters: int
    nodes: Mapping[str, NodeCounts]
    error: str | None = None
    error_node: str | None = None
    peak_memory: int | None = None
    bookmarks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Event: TypeAlias = (
    RunStarted
    | RunResumed
    | PauseChanged
    | Halted
    | HaltEnded
    | NodeChanged
    | Sampled
    | RetryScheduled
    | BreakerChanged
    | DeadLettered
    | CheckpointSaved
    | LogWritten
    | RunEnded
)

if TYPE_CHECKING:
    Listener: TypeAlias = Callable[[Event], None]
