"""Runs a node's SQL once over all rows of its inputs; DuckDB spills to disk when it must."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.sql_errors import settings_error
from etl_studio.engine.sql_syntax import bound
from etl_studio.engine.sql_types import canonical
from etl_studio.errors import PermanentError
from etl_studio.sdk import BatchView, identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.sdk import SqlTransform

BATCH_ROWS = 65_536
INSERT_ROWS = 262_144
INSERT_BYTES = 32 * 1024 * 1024
"""Rows are inserted in portions of this size: small ones cost five times as much."""


class Blocking:
    """One node's query over whole inputs: ``add`` batches, then ``finish``; or ``run`` where ``streams`` is true.

    One thread calls it, any thread may interrupt it.
    """

    def __init__(self, cursor: Any, node: SqlTransform) -> None:
        self._cursor = cursor
        self._node = node
        self._inputs: dict[str, _Input] = {}
        self._reader: Any = None

    @property
    def streams(self) -> bool:
        """Whether ``run`` may be used: the node has one input and reads it once."""
        node = self._node
        return node.single_pass and len(node.inputs) == 1 and not node.open_inputs

    def add(self, port: str, batch: pa.RecordBatch) -> None:
        """Keep a batch of an input in a table that spills to disk; the first one fixes the columns.

        Raises:
            PermanentError: the disk is full, or the batch has other columns.
            Cancelled: it was interrupted.
        """
        if port not in self._inputs:
            self._inputs[port] = _Input(self._cursor, port, batch.schema)
        with _Errors(batch.schema.names):
            self._inputs[port].add(batch)

    def finish(self, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Run the query; gives at least one batch, so that the columns are known.

        Raises:
            PermanentError: the settings do not fit the columns, or a value makes the query fail.
            Cancelled: it was interrupted.
        """
        inputs = self._inputs
        columns = [name for kept in inputs.values() for name in kept.schema.names]
        with _Errors(columns):
            for kept in inputs.values():
                kept.flush()
        yield from self._query({port: kept.schema for port, kept in inputs.items()}, batch_rows)

    def run(self, batches: Iterator[pa.RecordBatch], batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Run the query while the batches of the only input come in; an error that they raise passes through.

        Raises:
            PermanentError: the settings do not fit the columns, or a value makes the query fail.
            Cancelled: it was interrupted.
        """
        port = self._node.inputs[0].name
        first = next(batches, None)
        if first is None:
            yield pa.record_batch([], schema=pa.schema([]))
            return
        stream = _Stream(first.schema, chain((first,), batches))
        if first.num_columns:
            self._cursor.register(port, stream)
        try:
            yield from self._query({port: first.schema}, batch_rows)
        except Exception as error:
            if stream.failure is not None and stream.failure is not error:
                raise stream.failure from None
            raise

    def interrupt(self) -> None:
        """End the running query; the caller gets ``Cancelled``."""
        self._cursor.interrupt()

    def close(self) -> None:
        """Free the tables; may be called twice."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._cursor.close()

    def _query(self, schemas: dict[str, pa.Schema], batch_rows: int) -> Iterator[pa.RecordBatch]:
        if not any(schemas.values()):
            yield pa.record_batch([], schema=pa.schema([]))
            return
        query = self._node.query(schemas)
        with _Errors([name for schema in schemas.values() for name in schema.names]):
            self._reader = bound(self._cursor, query).to_arrow_reader(batch_rows)
            schema = canonical(self._reader.schema)
            empty = True
            for batch in self._reader:
                empty = False
                yield batch if batch.schema.equals(schema) else batch.cast(schema)
            if empty:
                yield pa.RecordBatch.from_pylist([], schema=schema)


class _Input:
    """The rows of one input port, in a temporary table named as the port."""

    def __init__(self, cursor: Any, port: str, schema: pa.Schema) -> None:
        self.schema = schema
        self._cursor = cursor
        self._table = identifier(port)
        self._incoming = identifier(f"incoming {port}")
        self._view = BatchView(schema)
        self._pending: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        if schema:
            cursor.register(f"incoming {port}", self._view)
            cursor.execute(f"CREATE TEMP TABLE {self._table} AS FROM {self._incoming}")

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.schema.equals(self.schema):
            raise PermanentError(
                "The columns changed while the rows came in.", hint="Give every batch the same columns."
            )
        if not batch.num_rows:
            return
        self._pending.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= INSERT_ROWS or self._bytes >= INSERT_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._pending:
            self._view.batches = self._pending
            self._cursor.execute(f"INSERT INTO {self._table} FROM {self._incoming}")
        self._view.batches = self._pending = []
        self._rows = self._bytes = 0


class _Stream(BatchView):
    """Batches that can be read once, while they come in."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        super().__init__(schema)
        self._source: Iterator[pa.RecordBatch] | None = batches
        self.failure: Exception | None = None

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        source, self._source = self._source, None
        if source is None:
            self.failure = PermanentError("A node that declares single_pass reads its input twice.")
            raise self.failure
        return pa.RecordBatchReader.from_batches(self.schema, self._watched(source)).__arrow_c_stream__(
            requested_schema
        )

    def _watched(self, source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """DuckDB wraps what the batches raise, so it is kept."""
        try:
            for batch in source:
                if not batch.schema.equals(self.schema):
                    raise PermanentError(
                        "The columns changed while the rows came in.", hint="Give every batch the same columns."
                    )
                yield batch
        except Exception as error:
            self.failure = error
            raise


class _Errors:
    """Turns DuckDB's errors into ours."""

    def __init__(self, columns: list[str]) -> None:
        self._columns = columns

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import duckdb

        # Arrow wraps the errors of a stream that DuckDB feeds.
        if isinstance(error, duckdb.Error | pa.ArrowException | OSError):
            raise settings_error(error, self._columns) from error
