"""Halts a run at breakpoints, and obeys the person who looks at the rows there.

What is halted is one worker, between two batches: it waits for a person, the others go on until their wires are full
or empty. Clocks of timeouts stand still meanwhile. Rows before the current one have passed; it and those behind it
have not.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from etl_studio.engine.events import Halted, HaltEnded, LogWritten
from etl_studio.engine.halt import HeldBatch
from etl_studio.engine.row_condition import RowCondition, check_condition
from etl_studio.errors import Cancelled, EtlError, UsageError
from etl_studio.sdk import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from etl_studio.engine.breakpoints import Breakpoint
    from etl_studio.engine.events import Listener
    from etl_studio.engine.meter import Meter

ANYWHERE = ""
"""In place of a place: whatever batch comes next in the pipeline."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on to the next breakpoint. ``place``: of the halt, as in ``Halted``."""

    place: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """Let the current row pass, and halt before the next one."""

    place: str


@dataclass(frozen=True, slots=True)
class StepBatch:
    """Let the rest of the batch pass, and halt before the next one: here, or ``anywhere``."""

    place: str
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class EditRows:
    """Give rows other values before they pass: JSON-ready, by index of the row and column."""

    place: str
    changes: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DropRows:
    """Take rows out before they pass, by index."""

    place: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetBreakpoints:
    """These breakpoints count from now on, and no others."""

    breakpoints: tuple[Breakpoint, ...]


@dataclass(frozen=True, slots=True)
class HaltNext:
    """Halt before the next batch, wherever it comes."""


@dataclass(frozen=True, slots=True)
class RunToEnd:
    """Halt no more."""


Command: TypeAlias = Continue | StepRow | StepBatch | EditRows | DropRows | SetBreakpoints | HaltNext | RunToEnd


@dataclass(slots=True)
class _Halt:
    """A worker at a place with a batch; guarded by the debugger's condition."""

    node: str
    wire: str
    number: int
    held: HeldBatch
    problem: str = ""
    command: Continue | StepRow | StepBatch | None = None
    hits: list[int] = field(default_factory=list)
    looked: tuple[pa.RecordBatch, list[Breakpoint]] | None = None

    @property
    def place(self) -> str:
        return self.wire or self.node


class Debugger:
    """Given to one run. ``obey`` may be called from any thread.

    Args:
        breakpoints: where to halt.
        halt_first: halt before the first batch, wherever it comes.

    Raises:
        UsageError: a condition is wrong.
    """

    def __init__(self, breakpoints: Iterable[Breakpoint] = (), *, halt_first: bool = False) -> None:
        self._changed = threading.Condition()
        self._breakpoints: tuple[Breakpoint, ...] = ()
        self._steps: set[str] = {ANYWHERE} if halt_first else set()
        self._halts: dict[str, _Halt] = {}
        self._schemas: dict[tuple[str, str], pa.Schema] = {}
        self._given: dict[str, dict[str, pa.RecordBatch]] = {}
        self._numbers: Counter[str] = Counter()
        self._conditions: dict[tuple[str, str], RowCondition] = {}
        self._failed: set[tuple[str, str]] = set()
        self._checked: set[tuple[str, str]] = set()
        self._root: Any = None
        self._run = ""
        self._emit: Listener = lambda _: None
        self._over = False
        self._cancelled = False
        self._stood = 0.0
        self._since = 0.0
        self._set(tuple(breakpoints))

    def begin(self, run: str, emit: Callable[[Any], None]) -> None:
        """Called by the run: its id, and who takes the events."""
        self._run, self._emit = run, emit

    def clock(self) -> float:
        """Monotonic seconds that stand still while a worker waits for a person."""
        with self._changed:
            now = self._since if self._halts else time.monotonic()
            return now - self._stood

    @property
    def halted(self) -> tuple[Halted, ...]:
        """Where workers wait for a person now, those that wait longest first."""
        with self._changed:
            return tuple(self._told(halt) for halt in self._halts.values())

    @property
    def waits(self) -> bool:
        """Whether a worker waits for a person."""
        return bool(self._halts)

    def rows(self, place: str) -> pa.RecordBatch:
        """The batch that is held at a place, as it is now.

        Raises:
            UsageError: nothing is held there.
        """
        with self._changed:
            return self._halt(place).held.batch

    def saw(self, node: str, port: str, batch: pa.RecordBatch) -> None:
        """Called by the run: a batch leaves a node."""
        if batch.num_rows:
            self._given.setdefault(node, {})[port] = batch

    def given(self, node: str) -> dict[str, pa.RecordBatch]:
        """The batch that a node gave out last, by port."""
        return dict(self._given.get(node, {}))

    def columns(self, one: Breakpoint) -> pa.Schema | None:
        """The columns where a breakpoint stands, if a batch has come there already."""
        return next((schema for place, schema in list(self._schemas.items()) if one.covers(*place)), None)

    def trust(self, one: Breakpoint) -> None:
        """The condition of a breakpoint was checked before: ``obey`` need not do it, and returns at once."""
        self._checked.add((one.place, one.condition))

    def obey(self, command: Command) -> None:
        """Do what a person asks.

        Raises:
            UsageError: it cannot be done: a value does not fit, a row has passed, a condition is wrong, or nothing is
                held there.
        """
        with self._changed:
            match command:
                case SetBreakpoints(breakpoints):
                    self._set(breakpoints)
                case HaltNext():
                    self._steps.add(ANYWHERE)
                case RunToEnd():
                    self.release()
                case EditRows(place, changes):
                    self._edit(self._halt(place), changes)
                case DropRows(place, rows):
                    self._drop(self._halt(place), frozenset(rows))
                case _:
                    self._halt(command.place).command = command
            self._changed.notify_all()

    def release(self) -> None:
        """Nobody halts any more; whoever waits goes on with the rows as they are."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """The run is over: whoever waits gets ``Cancelled``."""
        with self._changed:
            self._over = self._cancelled = True
            for condition in self._conditions.values():
                condition.interrupt()
            self._changed.notify_all()

    def close(self) -> None:
        """The run has ended: free what the conditions hold."""
        for condition in self._conditions.values():
            condition.close()
        self._conditions.clear()
        if self._root is not None:
            self._root.close()
            self._root = None

    def let_in(self, node: str, wire: str, batch: pa.RecordBatch, meter: Meter) -> Iterator[pa.RecordBatch]:
        """Give a batch on in the parts that a person lets pass, and wait where it halts; whole where nothing halts.

        Args:
            node: id of the node that it is about to enter; of the source that it is about to leave.
            wire: by which it comes; empty for a source.
            batch: of at least one row.
            meter: of the node; counts rows that a person dropped or edited.

        Raises:
            Cancelled: the run is over.
        """
        place = wire or node
        self._numbers[place] += 1
        self._schemas[node, wire] = batch.schema
        if self._over or not (self._steps or self._here(node, wire)):
            yield batch
            return
        halt = _Halt(node, wire, self._numbers[place], HeldBatch(batch))
        held = halt.held
        row = 0 if self._steps_here(place) else self._next_hit(halt, -1)
        while row is not None:
            if row > held.row:
                yield self._pass(held, row, meter)
            row = self._wait(halt)
            meter.rows_in += held.dropped
            meter.dropped += held.dropped
            held.dropped = 0
        if held.row < held.rows or not held.rows:  # where all were taken out, the columns are still told
            yield self._pass(held, held.rows, meter)

    def _pass(self, held: HeldBatch, row: int, meter: Meter) -> pa.RecordBatch:
        passed, edited = held.pass_to(row)
        meter.edited += edited
        return passed

    def _wait(self, halt: _Halt) -> int | None:
        """Wait for a person; the row to halt at next in this batch, if there is one."""
        command = self._hold(halt)
        following = halt.held.row + 1
        match command:
            case StepRow() if following < halt.held.rows:
                return following
            case StepRow():
                self._steps.add(halt.place)
            case StepBatch(anywhere=anywhere):
                self._steps.add(ANYWHERE if anywhere else halt.place)
            case Continue():
                return self._next_hit(halt, halt.held.row)
        return None

    def _hold(self, halt: _Halt) -> Continue | StepRow | StepBatch | None:
        """What a person says; None: halt no more."""
        with self._changed:
            halt.command = None
            if not self._halts:
                self._since = time.monotonic()
            if not self._over:
                self._halts[halt.place] = halt
                self._emit(self._told(halt))
                while halt.command is None and not self._over:
                    self._changed.wait()
                del self._halts[halt.place]
                self._emit(HaltEnded(self._run, time.time(), halt.node, halt.wire))
                if not self._halts:
                    self._stood += time.monotonic() - self._since
            if self._cancelled:
                raise Cancelled("The run was stopped.")
            halt.problem = ""
            return None if self._over else halt.command

    def _here(self, node: str, wire: str) -> list[Breakpoint]:
        return [one for one in self._breakpoints if one.covers(node, wire)]

    def _steps_here(self, place: str) -> bool:
        with self._changed:
            found = {place, ANYWHERE} & self._steps
            self._steps -= found
            return bool(found)

    def _next_hit(self, halt: _Halt, after: int) -> int | None:
        """The first row behind ``after`` that a breakpoint halts at: one without a condition halts once for a batch."""
        here = self._here(halt.node, halt.wire)
        if not here:
            return None
        if after < 0 and not all(one.condition for one in here):
            return 0
        if halt.looked is None or halt.looked[0] is not halt.held.batch or halt.looked[1] != here:
            met = {row for one in here if one.condition for row in self._met(halt, one.condition)}
            halt.hits, halt.looked = sorted(met), (halt.held.batch, here)
        place = bisect_right(halt.hits, after)
        return halt.hits[place] if place < len(halt.hits) else None

    def _met(self, halt: _Halt, text: str) -> list[int]:
        key = halt.place, text
        if key in self._failed:
            return []
        with self._changed:
            if key not in self._conditions:
                if self._root is None:
                    self._root = sandbox(threads=1)
                self._conditions[key] = RowCondition(self._root.cursor(), text)
        try:
            return self._conditions[key].rows(halt.held.batch)
        except Cancelled:
            raise
        except EtlError as error:
            # Known to be good only now that the columns are known: a person mends it, and the run goes on.
            self._failed.add(key)
            halt.problem = f"The condition {text} cannot be evaluated: {error.what}"
            return [halt.held.row]

    def _set(self, breakpoints: tuple[Breakpoint, ...]) -> None:
        for one in breakpoints:
            key = one.place, one.condition
            if one.condition and key not in self._checked:
                try:
                    check_condition(one.condition, self.columns(one))
                except UsageError as error:
                    raise UsageError(f"The condition at {one.place}: {error.what}", hint=error.hint) from None
                self._checked.add(key)
        self._breakpoints = tuple(one for one in breakpoints if one.enabled)
        self._failed.clear()

    def _edit(self, halt: _Halt, changes: Mapping[int, Mapping[str, Any]]) -> None:
        for row, column, before, after in halt.held.edit(changes):
            text = (
                f'Edited by hand in row {row + 1:,} of batch {halt.number:,}: "{column}" is {after!r}, was {before!r}.'
            )
            self._log(halt, text, row=row, column=column, before=before, after=after)
        self._emit(self._told(halt))

    def _drop(self, halt: _Halt, rows: frozenset[int]) -> None:
        gone = halt.held.drop(rows)
        what = "a row" if len(rows) == 1 else f"{len(rows):,} rows"
        self._log(halt, f"Dropped by hand: {what} of batch {halt.number:,}.", rows=gone)
        if halt.held.row < halt.held.rows:
            self._emit(self._told(halt))
        else:
            halt.command = StepBatch(halt.place)  # nothing is left to look at

    def _log(self, halt: _Halt, text: str, **facts: Any) -> None:
        facts |= {"wire": halt.wire, "batch": halt.number}
        self._emit(LogWritten(self._run, time.time(), "warning", halt.node, text, facts))

    def _told(self, halt: _Halt) -> Halted:
        held = halt.held
        edited = tuple(sorted(held.edited))
        return Halted(
            self._run, time.time(), halt.node, halt.wire, halt.number, held.row, held.rows, edited, halt.problem
        )

    def _halt(self, place: str) -> _Halt:
        halt = self._halts.get(place)
        if halt is None:
            raise UsageError(f"Nothing is held at {place} now.", hint="The run has gone on meanwhile.")
        return halt
