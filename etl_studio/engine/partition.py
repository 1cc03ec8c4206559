"""Divides batches by the values of some columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.engine.sql_errors import settings_error
from etl_studio.sdk import BatchView, identifiers, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa


class Partition:
    """Rows with the same values in the columns are in the same part, in each batch; NULL is a value like any other.

    Args:
        cursor: of its own.
        columns: names.
    """

    def __init__(self, cursor: Any, columns: Sequence[str]) -> None:
        self._cursor = cursor
        self._columns = columns
        self._view: BatchView | None = None

    def divide(self, batch: pa.RecordBatch, parts: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Give the rows of each part that has some, in the order they came; a batch without rows is in part 0.

        Raises:
            PermanentError: a column is not there, or there is not enough memory.
        """
        import duckdb
        import pyarrow.compute as pc

        if batch.num_columns:
            require_columns(self._columns, batch.schema.names, setting="policy.partition_by")
        if parts == 1 or not batch.num_rows:
            yield 0, batch
            return
        try:
            numbers = self._numbers(batch, parts)
        except duckdb.Error as error:
            raise settings_error(error, batch.schema.names) from error
        for part in range(parts):
            rows = batch.filter(pc.equal(numbers, part))
            if rows.num_rows:
                yield part, rows

    def close(self) -> None:
        """Free what it holds."""
        self._cursor.close()

    def _numbers(self, batch: pa.RecordBatch, parts: int) -> pa.Array:
        if self._view is None or not self._view.schema.equals(batch.schema):
            self._view = BatchView(batch.schema)
            self._cursor.register("input", self._view)
        self._view.batches = (batch,)
        try:
            query = f"SELECT hash({identifiers(self._columns)}) % {parts:d} FROM input"  # noqa: S608 - quoted
            return self._cursor.sql(query).to_arrow_table().column(0).combine_chunks()
        finally:
            self._view.batches = ()
