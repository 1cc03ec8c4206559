"""A DuckDB in memory for SQL that people write: it can reach no file, no network and no Python variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb


def sandbox(
    temp_directory: Path | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    *,
    placed_errors: bool = False,
) -> duckdb.DuckDBPyConnection:
    """Open one. Its time zone is UTC and its settings are locked.

    Args:
        temp_directory: where it spills what does not fit into memory; None: it never spills.
        memory_limit: such as ``512MB``; None: DuckDB's default, 80 % of the machine's memory.
        threads: at most so many for one query; None: one per core.
        placed_errors: errors tell their place: their text is JSON.
    """
    import duckdb

    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    # The time zone belongs to an extension that is loaded by then, so it cannot be part of the config.
    connection.execute("SET TimeZone = 'UTC'")
    folder = "" if temp_directory is None else str(temp_directory).replace("'", "''")
    connection.execute(f"SET temp_directory = '{folder}'")
    if memory_limit is not None:
        connection.execute("SET memory_limit = $1", [memory_limit])
    if threads is not None:
        connection.execute(f"SET threads = {threads:d}")
    if placed_errors:
        connection.execute("SET errors_as_json = true")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


class BatchView:
    """What a registered view reads: the batches set last.

    Registering costs more than a small query, so a view is registered once and its batches are exchanged.

    Attributes:
        batches: read from the start by each scan; all have the schema.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.batches: Sequence[pa.RecordBatch] = ()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """A new stream over the batches (Arrow's PyCapsule protocol)."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches).__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> Any:
        """The columns."""
        return self.schema.__arrow_c_schema__()
