"""The work of one node, from its first batch to its last. Each kind of node has one function."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from etl_studio.engine.crew import Crew, PartitionedCrew
from etl_studio.engine.loading import load
from etl_studio.engine.reading import read
from etl_studio.engine.row_wise_crew import RowWiseCrew
from etl_studio.errors import PermanentError
from etl_studio.sdk import Operator, Rejected, Sink, Source, SqlTransform, Transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from etl_studio.engine.station import Station
    from etl_studio.sdk.node import Emission

T = TypeVar("T")


def work(station: Station) -> None:
    """Run a node to its end."""
    node = station.planned.node
    if isinstance(node, Source):
        read(station, node)
    elif isinstance(node, Sink):
        load(station, node)
    elif isinstance(node, SqlTransform):
        (_run_blocking if node.blocking else _run_row_wise)(station, node)
    elif isinstance(node, Transform):
        _transform(station, node)
    else:
        raise TypeError(f"{type(node).__name__} is none of Source, Transform, SqlTransform, Sink")
    station.outlet.close(station.schema)


def _transform(station: Station, node: Transform) -> None:
    context = station.context
    starting = threading.Lock()
    started = False

    def start(schema: pa.Schema) -> None:
        nonlocal started
        with starting:
            if not started:
                emissions = list(node.start(schema, context))
                started = True
                _send_all(station, emissions)

    def attempt(batch: pa.RecordBatch) -> Iterable[Emission] | Rejected:
        start(batch.schema)
        if node.reads_web:
            return node.process(batch, context)
        return station.attempt(batch, partial(_listed, node.process, batch, context))

    def deliver(result: Iterable[Emission] | Rejected) -> None:
        _send_all(station, [result] if isinstance(result, Rejected) else result)

    if node.holds_rows:
        _keep_state(station, node)
    _each_batch(station, attempt, deliver)
    _send_all(station, node.finish(context))


def _keep_state(station: Station, node: Operator) -> None:
    """Snapshot the node at each barrier, except at a replayed one: it stands where one was, and was kept then."""
    station.on_barrier = lambda barrier: station.pass_on(barrier, None if barrier.replayed else node.snapshot())


def _run_row_wise(station: Station, node: SqlTransform) -> None:
    if node.holds_rows:
        _keep_state(station, node)
    queries = RowWiseCrew(station, node)
    try:
        _each_batch(station, queries.attempt, queries.deliver)
    finally:
        queries.close()


def _each_batch(station: Station, attempt: Callable[[pa.RecordBatch], T], deliver: Callable[[T], None]) -> None:
    """Work on all that arrives, with the workers that the policy asks for."""
    node, policy = station.planned.node, station.planned.policy
    holds_rows = isinstance(node, Operator) and node.holds_rows
    alone = isinstance(node, Transform) and (holds_rows or node.reads_web)
    if alone and policy.workers != 1:
        reason = "it remembers rows" if holds_rows else "it asks for several answers at once by itself"
        station.context.log("info", f"It has one worker, since {reason}.")
    if alone or policy.workers == 1:
        for _, batch in station.batches():
            deliver(attempt(batch))
    elif not policy.partition_by:
        Crew(station, attempt, deliver).run()
    elif not holds_rows:
        PartitionedCrew(station, attempt, deliver).run()
    else:
        raise PermanentError(
            "It remembers rows in the order in which they come, and policy.partition_by would change that.",
            hint="Remove policy.partition_by: its workers keep the order without it.",
        )


def _run_blocking(station: Station, node: SqlTransform) -> None:
    station.on_barrier = lambda _: None  # its rows come at the end, behind all barriers
    query = station.sql().blocking(node)
    guard = station.guard(query.interrupt)
    meter = station.meter
    batches = station.batches()
    try:
        if query.streams:
            results = query.run(batch for _, batch in batches)
        else:
            for port, batch in batches:
                station.context.call(partial(guard.run, query.add, port, batch))
            results = query.finish()
        # Not under the retry: a result that broke off must never pass for its end.
        while (out := _timed(station, guard.run, next, results, None)) is not None:
            station.outlet.send(out)
        for _ in batches:
            pass  # a query with LIMIT stops reading early; whoever sends here must not wait forever
        if node.rows == "fewer":
            meter.filtered = meter.rows_in - meter.rows_out
    finally:
        query.close()


def _timed(station: Station, operation: Callable[..., Any], *arguments: Any) -> Any:
    """Run an operation and count how long it took."""
    started = time.monotonic()
    result = operation(*arguments)
    station.meter.took(time.monotonic() - started)
    return result


def _send_all(station: Station, emissions: Iterable[Emission]) -> None:
    for emission in emissions:
        station.outlet.send(emission)


def _listed(produce: Callable[..., Iterable[Any]], *arguments: Any) -> list[Any]:
    """A generator's whole work, so that it happens inside the policy."""
    return list(produce(*arguments))
