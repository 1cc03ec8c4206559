"""The work of a sink: stage what comes, commit at barriers and at the end, drop what is in the target already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from etl_studio.engine.resume import counts_of, mark_facts
from etl_studio.errors import Cancelled
from etl_studio.sdk import REJECTS, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from etl_studio.engine.checkpoints import Barrier, Checkpoint
    from etl_studio.engine.station import Station
    from etl_studio.sdk import Rejected, Sink


def load(station: Station, sink: Sink) -> None:
    """Run a sink to its end."""
    loading = _Loading(station, sink)
    station.on_barrier = loading.pass_barrier
    try:
        loading.run()
    except Cancelled:
        sink.abort(station.context)
        station.checkpoints.leave(station.planned.id)
        raise
    except BaseException:
        sink.abort(station.context)
        raise


class _Loading:
    def __init__(self, station: Station, sink: Sink) -> None:
        self._station = station
        self._sink = sink
        self._opened = False
        # In a resumed run: how far this sink is ahead of the rows that come again.
        self._ahead: Mark | None = station.ahead

    def run(self) -> None:
        station, sink = self._station, self._sink
        for _, batch in station.batches():
            if len(batch.schema):
                self._take(batch)
        # Before the gate: another sink may wait for the end of our rejects.
        station.outlet.close(station.schema)
        stopped = station.stopping.is_set()
        keeps = sink.keeps_partial or (sink.commits_at_barriers and station.resumable)
        if stopped and self._ahead is None and (station.planned.blocking_before or not keeps):
            raise Cancelled("The run was stopped before all rows had come.")
        checkpoint = station.checkpoints.arrive(station.planned.id, station.all_counts())
        assert checkpoint is not None  # noqa: S101 - at the end no node holds rows
        if self._ahead is not None:
            self._catch_up()
        elif self._opened or sink.commits_at_barriers:
            self._commit(checkpoint, final=not stopped)
            if stopped:
                # Nothing is staged any more; what it holds open is wanted by the process that resumes the run.
                sink.abort(station.context)
            if not self._opened and not station.meter.rows_in:
                station.context.log("warning", "No rows and no columns arrived; nothing was written.")
        else:
            station.context.log("warning", "No rows and no columns arrived; nothing was written.")

    def pass_barrier(self, barrier: Barrier) -> None:
        """All rows before it are staged."""
        station = self._station
        station.outlet.pass_on(barrier)
        if barrier.replayed:
            if self._ahead is not None and not self._ahead.final and self._ahead.epoch == barrier.epoch:
                self._catch_up()
            return
        checkpoint = station.checkpoints.arrive(station.planned.id)
        if checkpoint is not None and self._ahead is None:
            self._commit(checkpoint, final=False)
        station.checkpoints.committed(station.planned.id)

    def _take(self, batch: pa.RecordBatch) -> None:
        station, sink, context = self._station, self._sink, self._station.context
        rejects = station.planned.outputs.get(REJECTS.name)
        if self._ahead is not None and not rejects:
            return
        if not self._opened:
            context.call(partial(sink.open, batch.schema, context))
            self._opened = True
        if self._ahead is None:
            for refused in station.work_on(batch, lambda: list(sink.write(batch, context))) or ():
                station.outlet.refuse(refused)
        else:
            # No fallback: these rows are in the target already, only their rejects are wanted once more.
            for refused in context.call(lambda: list(sink.write(batch, context))):
                station.outlet.refuse_again(refused)

    def _commit(self, checkpoint: Checkpoint, *, final: bool) -> None:
        station, context = self._station, self._station.context
        context.refusing = partial(self._refuse, checkpoint)
        mark = Mark(context.run, station.planned.id, checkpoint.epoch, final, self._facts(checkpoint))
        station.meter.loaded(context.call(partial(self._sink.commit, context, mark)))
        station.outlet.check_budget()

    def _refuse(self, checkpoint: Checkpoint, rejected: Rejected, about: str) -> Mapping[str, Any]:
        """Rows that a commit cannot deliver: kept for good when this returns the facts of the mark that count them."""
        self._station.outlet.refuse_late(rejected, checkpoint.epoch, about)
        self._station.keep()
        return self._facts(checkpoint)

    def _facts(self, checkpoint: Checkpoint) -> dict[str, Any]:
        return mark_facts(checkpoint, self._station.meter.counts())

    def _catch_up(self) -> None:
        """The rows from here on are new: forget those that were committed before the run broke off."""
        assert self._ahead is not None  # noqa: S101 - looked at by the callers
        if self._opened:
            self._sink.abort(self._station.context)
            self._opened = False
        self._station.meter.restore(counts_of(self._ahead))
        self._ahead = None
