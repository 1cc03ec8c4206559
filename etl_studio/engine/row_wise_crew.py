"""A node's query on each batch, in as many threads as ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from etl_studio.sdk import Rejected

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.engine.guard import Guard
    from etl_studio.engine.sql_row_wise import RowWise
    from etl_studio.engine.station import Station
    from etl_studio.sdk import SqlTransform


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a batch: how many rows came, what the query gave, and rows on which it fails."""

    came: int
    out: pa.RecordBatch
    refused: list[Rejected]


class RowWiseCrew:
    """Gives each thread a query of its own, as a cursor runs one at a time.

    Args:
        station: the node's.
        node: the node.
    """

    def __init__(self, station: Station, node: SqlTransform) -> None:
        self._station = station
        self._node = node
        self._queries: list[RowWise] = []
        self._idle: list[tuple[RowWise, Guard]] = []

    def attempt(self, batch: pa.RecordBatch) -> Done | Rejected:
        """Run the query on a batch under the policy; called by any thread.

        Raises:
            PermanentError: the settings do not fit the columns.
            TransientError: it failed at the last attempt, and no fallback takes its rows.
            Cancelled: the run is over.
        """
        query, guard = self._take()
        try:
            done = self._station.attempt(batch, partial(guard.run, query.process, batch))
        finally:
            self._idle.append((query, guard))
        if isinstance(done, Rejected):
            return done
        return Done(batch.num_rows, *done)

    def deliver(self, result: Done | Rejected) -> None:
        """Send a result on; called by one thread at a time, in order where the node remembers rows."""
        outlet = self._station.outlet
        if isinstance(result, Rejected):
            outlet.refuse(result)
            return
        out = self._node.remember(result.out)
        outlet.send(out)
        for rows in result.refused:
            outlet.refuse(rows)
        if self._node.rows == "fewer":
            refused = sum(rows.rows.num_rows for rows in result.refused)
            self._station.meter.filtered += result.came - out.num_rows - refused

    def close(self) -> None:
        """Free all queries; none may be running."""
        for query in self._queries:
            query.close()

    def _take(self) -> tuple[RowWise, Guard]:
        try:
            return self._idle.pop()  # the one used last, so that few are made
        except IndexError:
            query = self._station.sql().row_wise(self._node)
            self._queries.append(query)
            return query, self._station.guard(query.interrupt)
