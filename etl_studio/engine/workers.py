"""The work of one node, from its first batch to its last. Each kind of node has one function."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from etl_studio.engine.last_good import marked
from etl_studio.engine.unify import Unifier
from etl_studio.errors import Cancelled, DeadlineError, TransientError
from etl_studio.sdk import Problem, Rejected, Sink, Source, SqlTransform, Transform

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.engine.context import NodeContext
    from etl_studio.engine.gate import CommitGate
    from etl_studio.engine.inbox import Inbox
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.outlet import Outlet
    from etl_studio.engine.plan import PlannedNode
    from etl_studio.engine.sql import SqlSession
    from etl_studio.sdk.node import Emission

T = TypeVar("T")


@dataclass(slots=True)
class Station:
    """A node at its place in the run: what its worker needs.

    Attributes:
        schema: columns that arrived, once known.
        interrupt: ends the SQL that runs now; called from another thread.
        busy_since: when that SQL began, monotonic seconds.
        timed_out: the monitor ended it.
        draining: whether the run ends gracefully: what was read still goes on.
    """

    planned: PlannedNode
    context: NodeContext
    inbox: Inbox
    outlet: Outlet
    meter: Meter
    gate: CommitGate
    stopping: threading.Event
    scratch: Path
    sql: Callable[[], SqlSession]
    schema: pa.Schema | None = None
    interrupt: Callable[[], None] | None = None
    busy_since: float | None = None
    timed_out: bool = False
    draining: Callable[[], bool] = bool

    def guarded(self, operation: Callable[..., T], *arguments: Any) -> T:
        """Run SQL so that the monitor can end it at the policy's timeout."""
        self.timed_out = False
        self.busy_since = time.monotonic()
        try:
            return operation(*arguments)
        except Cancelled:
            if self.timed_out:
                raise DeadlineError(f"It took longer than {self.planned.policy.timeout:g} s.") from None
            raise
        finally:
            self.busy_since = None

    def timed(self, operation: Callable[..., T], *arguments: Any) -> T:
        """``guarded``, with its duration counted."""
        started = time.monotonic()
        result = self.guarded(operation, *arguments)
        self.meter.took(time.monotonic() - started)
        return result

    def work_on(self, batch: pa.RecordBatch, operation: Callable[[], T]) -> T | None:
        """Run an operation on a batch under the policy.

        Returns:
            None where it finally failed and the policy says ``fallback: branch``: then the rows are refused.
        """
        try:
            return self.context.call(operation)
        except TransientError as error:
            if self.planned.policy.fallback != "branch":
                raise
            problem = Problem("call_failed", str(error), attempts=error.attempts)
            self.outlet.refuse(Rejected(batch, [problem] * batch.num_rows))
            return None

    def check_deadline(self, now: float) -> None:
        """Called by the monitor: end SQL that takes longer than the policy allows."""
        since, limit, interrupt = self.busy_since, self.planned.policy.timeout, self.interrupt
        if since is not None and limit is not None and interrupt is not None and now - since > limit:
            self.timed_out = True
            interrupt()

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
            wire, batch = item
            self.meter.rows_in += batch.num_rows
            unifier = unifiers.get(wire.target_port)
            for ready in unifier.add(wire, batch) if unifier else (batch,):
                self.schema = self.schema if self.schema is not None else ready.schema
                yield wire.target_port, ready


def work(station: Station) -> None:
    """Run a node to its end."""
    node = station.planned.node
    if isinstance(node, Source):
        _read(station, node)
    elif isinstance(node, Sink):
        _load(station, node)
    elif isinstance(node, SqlTransform):
        (_run_blocking if node.blocking else _run_row_wise)(station, node)
    elif isinstance(node, Transform):
        _transform(station, node)
    else:
        raise TypeError(f"{type(node).__name__} is none of Source, Transform, SqlTransform, Sink")
    station.outlet.close(station.schema)


def _read(station: Station, source: Source) -> None:
    meter, outlet = station.meter, station.outlet
    emissions = iter(source.read(station.context))
    if station.planned.policy.fallback == "last_good":
        emissions = marked(emissions, lambda: station.context.stale)
    try:
        for emission in emissions:
            outlet.send(emission)
            meter.rows_in = meter.rows_out + meter.refused_rows
            if station.stopping.is_set():
                break
    except Cancelled:
        # A graceful stop ends the source's waits; what it gave so far drains to the sinks.
        if not station.draining():
            raise
    finally:
        meter.rows_in = meter.rows_out + meter.refused_rows
        close = getattr(emissions, "close", None)
        if close is not None:
            close()


def _transform(station: Station, node: Transform) -> None:
    context = station.context
    started = False
    for _, batch in station.batches():
        if not started:
            started = True
            _send_all(station, node.start(batch.schema, context))
        _send_all(station, station.work_on(batch, partial(_listed, node.process, batch, context)) or ())
    _send_all(station, node.finish(context))


def _run_row_wise(station: Station, node: SqlTransform) -> None:
    query = station.sql().row_wise(node)
    station.interrupt = query.interrupt
    meter = station.meter
    try:
        for _, batch in station.batches():
            done = station.work_on(batch, partial(station.guarded, query.process, batch))
            if done is None:
                continue
            out, refused = done
            station.outlet.send(out)
            rejected = 0
            for rows in refused:
                rejected += rows.rows.num_rows
                station.outlet.refuse(rows)
            if node.rows == "fewer":
                meter.filtered += batch.num_rows - out.num_rows - rejected
    finally:
        station.interrupt = None
        query.close()


def _run_blocking(station: Station, node: SqlTransform) -> None:
    query = station.sql().blocking(node)
    station.interrupt = query.interrupt
    meter = station.meter
    try:
        if query.streams:
            results = query.run(batch for _, batch in station.batches())
        else:
            for port, batch in station.batches():
                station.context.call(partial(station.guarded, query.add, port, batch))
            results = query.finish()
        # Not under the retry: a result that broke off must never pass for its end.
        while (out := station.timed(next, results, None)) is not None:
            station.outlet.send(out)
        if node.rows == "fewer":
            meter.filtered = meter.rows_in - meter.rows_out
    finally:
        station.interrupt = None
        query.close()


def _load(station: Station, sink: Sink) -> None:
    context, meter = station.context, station.meter
    opened = False
    try:
        for _, batch in station.batches():
            if not len(batch.schema):
                continue
            if not opened:
                context.call(partial(sink.open, batch.schema, context))
                opened = True
            for refused in station.work_on(batch, partial(_listed, sink.write, batch, context)) or ():
                station.outlet.refuse(refused)
        # Before the gate: another sink may wait for the end of our rejects.
        station.outlet.close(station.schema)
        if station.stopping.is_set() and (station.planned.blocking_before or not sink.keeps_partial):
            raise Cancelled("The run was stopped before all rows had come.")
        station.gate.arrive()
        if opened:
            meter.loaded(context.call(partial(sink.commit, context)))
        else:
            context.log("warning", "No rows and no columns arrived; nothing was written.")
    except Cancelled:
        sink.abort(context)
        station.gate.leave()
        raise
    except BaseException:
        sink.abort(context)
        raise


def _send_all(station: Station, emissions: Iterable[Emission]) -> None:
    for emission in emissions:
        station.outlet.send(emission)


def _listed(produce: Callable[..., Iterable[Any]], *arguments: Any) -> list[Any]:
    """A generator's whole work, so that it happens inside the policy."""
    return list(produce(*arguments))
