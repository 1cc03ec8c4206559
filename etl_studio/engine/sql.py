"""The SQL of a run's nodes: one DuckDB per run, one cursor for each thread of a node."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from etl_studio.engine.partition import Partition
from etl_studio.engine.sql_blocking import Blocking
from etl_studio.engine.sql_row_wise import RowWise
from etl_studio.sdk import sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from etl_studio.sdk import SqlTransform


class SqlSession:
    """One DuckDB in memory for one run. A person's SQL can reach no file in it.

    Args:
        temp_directory: where blocking nodes spill to.
        memory_limit: such as ``2GB``; None: DuckDB's default.
        threads: for one query; None: one per core.
    """

    def __init__(self, temp_directory: Path, memory_limit: str | None = None, threads: int | None = None) -> None:
        self._root = sandbox(temp_directory, memory_limit, threads)
        self._cursors: list[Any] = []
        self._opening = threading.Lock()
        self._gauge = self._root.cursor()

    def row_wise(self, node: SqlTransform) -> RowWise:
        """Prepare a node whose query runs on each batch."""
        return RowWise(self._cursor(), node)

    def blocking(self, node: SqlTransform) -> Blocking:
        """Prepare a node whose query runs once over all its rows."""
        return Blocking(self._cursor(), node)

    def partition(self, columns: Sequence[str]) -> Partition:
        """Prepare to divide batches by the values of columns."""
        return Partition(self._cursor(), columns)

    def memory(self) -> int | None:
        """Bytes that DuckDB holds in memory; None where it has not even room to tell."""
        import duckdb

        try:
            (held,) = self._gauge.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
        except duckdb.Error:
            return None
        return int(held or 0)

    def close(self) -> None:
        """Free everything. No query may be running."""
        for cursor in (self._gauge, *self._cursors):
            cursor.close()
        self._root.close()

    def _cursor(self) -> Any:
        with self._opening:
            cursor = self._root.cursor()
            self._cursors.append(cursor)
        return cursor
