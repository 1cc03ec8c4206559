"""A node at its place in the run: what its worker needs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from etl_studio.engine.checkpoints import Barrier, Position
from etl_studio.engine.guard import Guard
from etl_studio.engine.unify import Unifier
from etl_studio.errors import TransientError
from etl_studio.sdk import Problem, Rejected

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.engine.checkpoints import Checkpoints
    from etl_studio.engine.context import NodeContext
    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import NodeCounts
    from etl_studio.engine.inbox import Inbox
    from etl_studio.engine.inject import Injector
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.outlet import Outlet
    from etl_studio.engine.plan import PlannedNode
    from etl_studio.engine.recording import Recording
    from etl_studio.engine.sql import SqlSession
    from etl_studio.sdk import Mark

T = TypeVar("T")

PAUSE_SECONDS = 0.25
"""How soon a paused source sees a stop."""


@dataclass(slots=True)
class Station:
    """A node at its place in the run: what its worker needs.

    Attributes:
        schema: columns that arrived, once known.
        guards: of the threads that run SQL.
        cancelled: the run is over.
        draining: whether the run ends gracefully: what was read still goes on.
        running: not set while the run is paused.
        all_counts: of every node now.
        on_barrier: what to do when all rows before a barrier are processed; default: pass it on.
        position, replays: of a source: where it begins, and the barriers (epoch, rows) that come again.
        resumable: whether sinks may commit before the end, and the run goes on from there.
        ahead: of a sink in a resumed run: its mark, where it holds rows that come again.
        faults: makes rows malformed on purpose.
        debugger: halts rows before they enter the node; those of a source, before they leave it.
        recording: keeps what enters the node.
        clock: monotonic seconds, for the timeouts of SQL.
        fail: ends the run at once; for threads beside the node's worker.
        keep: waits until everything told so far is on disk.
    """

    planned: PlannedNode
    context: NodeContext
    inbox: Inbox
    outlet: Outlet
    meter: Meter
    checkpoints: Checkpoints
    stopping: threading.Event
    running: threading.Event
    scratch: Path
    sql: Callable[[], SqlSession]
    schema: pa.Schema | None = None
    guards: list[Guard] = field(default_factory=list)
    cancelled: bool = False
    draining: Callable[[], bool] = bool
    all_counts: Callable[[], Mapping[str, NodeCounts]] = dict
    on_barrier: Callable[[Barrier], None] | None = None
    position: Position = field(default_factory=Position)
    replays: tuple[tuple[int, int], ...] = ()
    ahead: Mark | None = None
    resumable: bool = False
    faults: Injector | None = None
    debugger: Debugger | None = None
    recording: Recording | None = None
    clock: Callable[[], float] = time.monotonic
    fail: Callable[[BaseException], None] = lambda _: None
    keep: Callable[[], None] = lambda: None

    def guard(self, interrupt: Callable[[], None]) -> Guard:
        """What surrounds the SQL of one thread: the monitor ends it at the policy's timeout, a hard stop at once."""
        guard = Guard(interrupt, self.planned.policy.timeout, self.clock)
        self.guards.append(guard)
        if self.cancelled:  # looked at last: the run may have ended meanwhile
            guard.cancel()
        return guard

    @property
    def busy_since(self) -> float | None:
        """When the oldest SQL that runs now began, monotonic seconds."""
        return min((since for guard in self.guards if (since := guard.busy_since) is not None), default=None)

    def check_deadlines(self) -> None:
        """Called by the monitor: end SQL that takes longer than the policy allows."""
        now = self.clock()
        for guard in self.guards:
            guard.check(now)

    def cancel(self) -> None:
        """The run is over: end the SQL of all threads."""
        self.cancelled = True
        for guard in self.guards:
            guard.cancel()

    def work_on(self, batch: pa.RecordBatch, operation: Callable[[], T]) -> T | None:
        """Run an operation on a batch under the policy.

        Returns:
            None where it finally failed and the policy says ``fallback: branch``: then the rows are refused.
        """
        result = self.attempt(batch, operation)
        if isinstance(result, Rejected):
            self.outlet.refuse(result)
            return None
        return result

    def attempt(self, batch: pa.RecordBatch, operation: Callable[[], T]) -> T | Rejected:
        """``work_on`` for several threads: gives the rows to refuse instead of refusing them."""
        try:
            return self.context.call(operation)
        except TransientError as error:
            if self.planned.policy.fallback != "branch":
                raise
            problem = Problem("call_failed", str(error), attempts=error.attempts)
            return Rejected(batch, [problem] * batch.num_rows)

    def batches(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """What arrives: (port, batch), with several wires into one port unified."""
        ports = {port.name: port for port in self.planned.node.inputs}
        unifiers: dict[str, Unifier] = {}
        for wire in self.planned.inputs:
            port = ports.get(wire.target_port)
            if port is not None and port.many and wire.target_port not in unifiers:
                wires = [other for other in self.planned.inputs if other.target_port == port.name]
                unifiers[port.name] = Unifier(wires, self.scratch)
        while (item := self.inbox.take()) is not None:
            if isinstance(item, Barrier):
                # Whoever asks for more has done with what came before.
                if any(unifier.holds for unifier in unifiers.values()):
                    self.checkpoints.abandon(item)
                (self.on_barrier or self.pass_on)(item)
                continue
            wire, batch = item
            unifier = unifiers.get(wire.target_port)
            for part in self.let_in(str(wire), batch) if self.debugger is not None else (batch,):
                self.meter.rows_in += part.num_rows
                if self.recording is not None and part.num_rows:
                    self.recording.took(self.planned.id, str(wire), part.num_rows, self.meter)
                for ready in unifier.add(wire, part) if unifier else (part,):
                    self.schema = self.schema if self.schema is not None else ready.schema
                    yield wire.target_port, ready

    def let_in(self, wire: str, batch: pa.RecordBatch) -> Iterable[pa.RecordBatch]:
        """A batch, in the parts that a person who debugs the run lets pass."""
        if self.debugger is None or not batch.num_rows:
            return (batch,)
        return self.debugger.let_in(self.planned.id, wire, batch, self.meter)

    def pass_on(self, barrier: Barrier, state: bytes | None = None) -> None:
        """Send a barrier on, behind what the node gave out."""
        self.checkpoints.collect(barrier, self.planned.id, self.meter.counts(), state)
        self.outlet.pass_on(barrier)

    def wait_while_paused(self) -> None:
        """Return when the run goes on or stops."""
        while not self.running.wait(PAUSE_SECONDS) and not self.stopping.is_set():
            pass
