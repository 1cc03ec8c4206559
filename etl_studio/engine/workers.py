"""The work of one node, from its first batch to its last. Each kind of node has one function."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from etl_studio.engine.crew import Crew
from etl_studio.engine.loading import load
from etl_studio.engine.reading import read
from etl_studio.sdk import Rejected, Sink, Source, SqlTransform, Transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from etl_studio.engine.station import Station
    from etl_studio.sdk import Operator
    from etl_studio.sdk.node import Emission


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
    started = False
    if node.holds_rows:
        _keep_state(station, node)
    elif station.planned.policy.workers != 1:
        _transform_at_once(station, node)
        return
    for _, batch in station.batches():
        if not started:
            started = True
            _send_all(station, node.start(batch.schema, context))
        _send_all(station, station.work_on(batch, partial(_listed, node.process, batch, context)) or ())
    _send_all(station, node.finish(context))


def _transform_at_once(station: Station, node: Transform) -> None:
    context = station.context
    starting = threading.Lock()
    started = False

    def start(batch: pa.RecordBatch) -> None:
        nonlocal started
        with starting:
            if not started:
                emissions = list(node.start(batch.schema, context))
                started = True
                _send_all(station, emissions)

    def work(batch: pa.RecordBatch) -> Any:
        start(batch)
        return station.attempt(batch, partial(_listed, node.process, batch, context))

    Crew(station, work, lambda result: _send_all(station, [result] if isinstance(result, Rejected) else result)).run()


def _keep_state(station: Station, node: Operator) -> None:
    """Snapshot the node at each barrier, except at a replayed one: it stands where one was, and was kept then."""
    station.on_barrier = lambda barrier: station.pass_on(barrier, None if barrier.replayed else node.snapshot())


def _run_row_wise(station: Station, node: SqlTransform) -> None:
    if node.holds_rows:
        _keep_state(station, node)
    query = station.sql().row_wise(node)
    station.interrupt = query.interrupt
    meter = station.meter
    try:
        for _, batch in station.batches():
            done = station.work_on(batch, partial(station.guarded, query.process, batch))
            if done is None:
                continue
            out, refused = done
            out = node.remember(out)
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
    station.on_barrier = lambda _: None  # its rows come at the end, behind all barriers
    query = station.sql().blocking(node)
    station.interrupt = query.interrupt
    meter = station.meter
    batches = station.batches()
    try:
        if query.streams:
            results = query.run(batch for _, batch in batches)
        else:
            for port, batch in batches:
                station.context.call(partial(station.guarded, query.add, port, batch))
            results = query.finish()
        # Not under the retry: a result that broke off must never pass for its end.
        while (out := station.timed(next, results, None)) is not None:
            station.outlet.send(out)
        for _ in batches:
            pass  # a query with LIMIT stops reading early; whoever sends here must not wait forever
        if node.rows == "fewer":
            meter.filtered = meter.rows_in - meter.rows_out
    finally:
        station.interrupt = None
        query.close()


def _send_all(station: Station, emissions: Iterable[Emission]) -> None:
    for emission in emissions:
        station.outlet.send(emission)


def _listed(produce: Callable[..., Iterable[Any]], *arguments: Any) -> list[Any]:
    """A generator's whole work, so that it happens inside the policy."""
    return list(produce(*arguments))
