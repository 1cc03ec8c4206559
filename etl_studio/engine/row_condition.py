"""SQL conditions of breakpoints: checked when they are set, evaluated on whole batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.engine.sql_errors import is_row_error, settings_error, type_of_duckdb
from etl_studio.engine.sql_syntax import ONE_SELECT, check_expression
from etl_studio.errors import EtlError, UsageError
from etl_studio.sdk import BatchView, sandbox

if TYPE_CHECKING:
    import pyarrow as pa


class RowCondition:
    """One condition, evaluated on whole batches. One thread asks, any thread may interrupt it.

    Args:
        cursor: of a sandbox; this condition's own.
        text: the SQL expression.
    """

    def __init__(self, cursor: Any, text: str) -> None:
        self._cursor = cursor
        self._text = text
        self._view: BatchView | None = None
        self._relation: Any = None
        self._careful = ""

    def rows(self, batch: pa.RecordBatch) -> list[int]:
        """The rows that meet it, by their index. A row on which it fails does not meet it.

        Raises:
            EtlError: it does not fit the columns.
        """
        import duckdb
        import pyarrow.compute as pc

        try:
            if self._view is None or not self._view.schema.equals(batch.schema):
                self.bind(batch.schema)
            met = self._met(batch)
        except duckdb.Error as error:
            raise settings_error(error, batch.schema.names) from error
        if len(met) != batch.num_rows:
            raise UsageError("A condition looks at one row at a time; this one sums over many.")
        indices: list[int] = pc.indices_nonzero(met).to_pylist()
        return indices

    def bind(self, schema: pa.Schema) -> None:
        """See whether it fits the columns.

        Raises:
            UsageError: it is neither true nor false.
            duckdb.Error: it does not fit.
        """
        view = BatchView(schema)
        self._cursor.register("input", view)
        relation = self._cursor.sql(f"SELECT (\n{self._text}\n) FROM input")  # noqa: S608 - runs in a sandbox
        given = str(relation.types[0])
        if given not in ("BOOLEAN", '"NULL"', "NULL"):
            raise UsageError(f"A condition is true or false; this one is {type_of_duckdb(given)}.")
        if relation.fetchall():
            raise UsageError("A condition looks at one row at a time; this one sums over many.")
        # A relation that is bound once and run for each batch costs a third of one that is made for it.
        query = "SELECT coalesce({}(\n{}\n), false) FROM input"
        self._relation = self._cursor.sql(query.format("", self._text))
        self._careful = query.format("TRY", self._text)
        self._view = view

    def interrupt(self) -> None:
        """End the query that runs now."""
        self._cursor.interrupt()

    def close(self) -> None:
        """Free what it holds."""
        self._cursor.close()

    def _met(self, batch: pa.RecordBatch) -> Any:
        import duckdb

        assert self._view is not None  # noqa: S101 - set by bind
        self._view.batches = (batch,)
        try:
            return self._relation.to_arrow_table().column(0)
        except duckdb.Error as error:
            if not is_row_error(error):
                raise
            return self._cursor.sql(self._careful).to_arrow_table().column(0)
        finally:
            self._view.batches = ()


def check_condition(text: str, schema: pa.Schema | None = None) -> None:
    """Refuse a condition that could not be evaluated.

    Args:
        text: the SQL expression.
        schema: columns at its place, where they are known.

    Raises:
        UsageError: what is wrong with it.
    """
    import duckdb

    if wrong := check_expression(text):
        raise UsageError(wrong.replace(ONE_SELECT, "Write one expression."))
    if not schema:
        return
    condition = RowCondition(sandbox(threads=1), text)
    try:
        condition.bind(schema)
    except duckdb.Error as error:
        found: EtlError = settings_error(error, schema.names)
        raise UsageError(found.what, hint=found.hint) from error
    finally:
        condition.close()
