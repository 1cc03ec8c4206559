"""Make rows from SQL expressions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

BATCH_ROWS = 65_536
MOST_PER_SECOND = 10
"""Batches in a second while the rate is limited, so that the screen moves."""
DEFAULT_COLUMNS = {
    "id": "i",
    "customer": "'customer ' || (1 + floor(random() * 100))::INTEGER",
    "quantity": "(1 + floor(random() * 20))::INTEGER",
    "price": "round(1 + random() * 99, 2)",
    "day": "DATE '2026-01-01' + (i // 100)::INTEGER",
}


class GenerateSource(sdk.Source):
    """Make rows out of nothing: for trying a pipeline out, for tests, for a calendar or a series of numbers.

    Each column is an SQL expression over `i`, the number of the row from 0 on: `i * 2`, `'item ' || i`,
    `round(random() * 100, 2)`, `DATE '2026-01-01' + i::INTEGER`. The same seed gives the same random values in every
    run. With *Rows per second* the rows come slowly, as from a sensor or a queue.
    """

    type: ClassVar[str] = "generate_source"
    title: ClassVar[str] = "Generate rows"
    icon: ClassVar[str] = "dice"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("random", "test", "sample", "series", "fake", "calendar", "numbers")
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)
    tried_on: ClassVar[dict[str, range]] = {"i": range(5)}
    example: ClassVar[dict[str, Any]] = {"rows": 100, "columns": {"id": "i", "price": "round(random() * 100, 2)"}}
    local: ClassVar[bool] = True

    class Config(sdk.Config):
        """How many rows and what is in them."""

        rows: int = sdk.setting(1_000, title="Rows", description="How many.", ge=0)
        columns: dict[str, str] = sdk.setting(
            DEFAULT_COLUMNS,
            title="Columns",
            description="Name and SQL expression; i is the number of the row, from 0 on.",
            example={"id": "i", "price": "round(random() * 100, 2)"},
            editor="sql",
            keys="makes",
            min_length=1,
        )
        seed: int = sdk.setting(1, title="Seed", description="Another seed gives other random values.", ge=0)
        rows_per_second: float | None = sdk.setting(
            None, title="Rows per second", description="Empty: as fast as possible.", gt=0, example=100
        )

    config: Config

    @property
    def replays(self) -> bool:
        """The same seed makes the same rows."""
        return True

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield batches; with a rate, about ten in a second.

        Raises:
            PermanentError: an expression is wrong, or fails for a row.
        """
        import duckdb
        import pyarrow as pa

        rate = None if self.wanted else self.config.rows_per_second  # a preview need not wait
        size = BATCH_ROWS if rate is None else max(1, min(BATCH_ROWS, int(rate / MOST_PER_SECOND)))
        began, given = time.monotonic(), 0
        skip = start = (context.resume or {}).get("rows", 0)
        # One thread: random values come in the same order in every run.
        connection = sdk.sandbox(threads=1)
        try:
            self._check(connection)
            connection.execute("SELECT setseed($1)", [_as_seed(self.config.seed)]).fetchall()
            reader = connection.sql(self._query(self.config.columns, self.config.rows)).to_arrow_reader(size)
            if not self.config.rows:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            for made in reader:
                batch = made.slice(skip)
                skip -= made.num_rows - batch.num_rows
                if made.num_rows and not batch.num_rows:
                    continue
                if rate is not None:
                    due = began + (given + batch.num_rows) / rate
                    context.stopping.wait(max(due - time.monotonic(), 0))
                if context.stopping.is_set():
                    return
                yield batch
                given += batch.num_rows
                yield sdk.Cursor({"rows": start + given})
        except duckdb.Error as error:
            raise PermanentError(
                f"Making the rows failed: {_first_line(error)}",
                hint="Mend the expression, such as try_cast in place of a cast.",
            ) from None
        finally:
            connection.close()

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Try each expression alone, so that the message names the column."""
        import duckdb

        for name, expression in self.config.columns.items():
            try:
                connection.sql(self._query({name: expression}, 0)).fetchall()
            except duckdb.Error as error:
                raise PermanentError(
                    f'The expression of the column "{name}" is wrong: {_first_line(error)}',
                    hint="It may use i, the number of the row, and DuckDB's functions.",
                    column=name,
                    value=expression,
                ) from None

    @staticmethod
    def _query(columns: dict[str, str], rows: int) -> str:
        # A line feed ends a comment that an expression may end in.
        chosen = ", ".join(f"(\n{expression}\n) AS {sdk.identifier(name)}" for name, expression in columns.items())
        return f"SELECT {chosen} FROM range({rows:d}) AS numbers(i)"  # noqa: S608 - the sandbox reaches nothing


def _as_seed(number: int) -> float:
    """Any number as one between 0 and 1, as DuckDB wants it; neighbours lie far apart."""
    return number * 0.6180339887498949 % 1.0


def _first_line(error: Exception) -> str:
    """What went wrong, without DuckDB's kind of error and its drawing of the query."""
    kind, _, rest = str(error).partition("\n")[0].partition(": ")
    return (rest if kind.endswith("Error") and rest else kind).rstrip(".") + "."
