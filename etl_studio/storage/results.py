"""The tables of a database for reading: lists, pages of any table size, exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError, UsageError
from etl_studio.sdk import identifier, identifiers
from etl_studio.storage.table_info import TableInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.storage.databases import SqliteFile


class Results:
    """Reads a database's tables, each call in a short transaction, so that the log of writes never piles up.

    Args:
        file: the database.
    """

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._gapless: dict[str, tuple[int, int | None]] = {}

    def tables(self) -> list[TableInfo]:
        """The tables by name, without those of SQLite and of the studio itself."""
        names = self._file.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND name NOT LIKE '\\_etl\\_%' ESCAPE '\\' ORDER BY name"
        )
        return [self.table(name) for (name,) in names]

    def table(self, name: str) -> TableInfo:
        """One table.

        Raises:
            UsageError: there is no such table.
        """
        columns = dict(self._file.query("SELECT name, type FROM pragma_table_info(?)", (name,)))
        if not columns:
            known = [row[0] for row in self._file.query("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            raise UsageError(
                f'There is no table "{name}" in {self._file.path}.', hint=f"Tables: {', '.join(known) or 'none'}."
            )
        ((rows,),) = self._file.query(f"SELECT count(*) FROM {identifier(name)}")  # noqa: S608 - quoted
        return TableInfo(name, rows, columns)

    def page(
        self, table: str, offset: int, limit: int, *, order_by: str | None = None, descending: bool = False
    ) -> list[tuple[Any, ...]]:
        """Rows ``offset`` to ``offset + limit`` in the order of a column, or as they are stored."""
        columns = list(self.table_columns(table))
        order = ""
        if order_by is not None:
            if order_by not in columns:
                raise UsageError(f'The table "{table}" has no column "{order_by}".')
            order = f" ORDER BY {identifier(order_by)} {'DESC' if descending else 'ASC'} NULLS LAST"
        names = identifiers(columns)
        if order_by is None and (start := self._first_row(table, offset)) is not None:
            sql = f"SELECT {names} FROM {identifier(table)} WHERE rowid >= ? ORDER BY rowid LIMIT ?"  # noqa: S608
            return self._file.query(sql, (start, limit))
        sql = f"SELECT {names} FROM {identifier(table)}{order} LIMIT ? OFFSET ?"  # noqa: S608 - quoted names
        return self._file.query(sql, (limit, offset))

    def table_columns(self, table: str) -> dict[str, str]:
        """Columns of a table with SQLite's types."""
        return dict(self._file.query("SELECT name, type FROM pragma_table_info(?)", (table,)))

    def export(
        self,
        table: str,
        to: Path,
        progress: Callable[[int, int], object] = max,
        cancelled: Callable[[], bool] = bool,
    ) -> int:
        """Write a table to a file: CSV, Parquet, JSON lines or Excel by its ending. Returns the number of rows.

        Args:
            table: its name.
            to: the file; it appears when it is complete.
            progress: told (rows done, rows in all) after each chunk.
            cancelled: asked before each chunk.

        Raises:
            UsageError: no such table or ending.
            Cancelled: given up; there is no file.
            PermanentError: the file cannot be written.
        """
        from etl_studio.storage.export import export_table

        return export_table(self._file, self.table(table), to, progress, cancelled)

    def release(self) -> None:
        """Close this thread's connection."""
        self._file.release()

    def _first_row(self, table: str, offset: int) -> int | None:
        """The row number at an offset, where numbers have no gaps: deep pages then cost as little as the first."""
        ((version,),) = self._file.query("PRAGMA data_version")
        known = self._gapless.get(table)
        if known is None or known[0] != version:
            known = self._gapless[table] = (version, self._first_of_gapless(table))
        return None if known[1] is None else known[1] + offset

    def _first_of_gapless(self, table: str) -> int | None:
        try:
            bounds = self._file.query(f"SELECT min(rowid), max(rowid), count(*) FROM {identifier(table)}")  # noqa: S608
        except PermanentError:
            return None  # a table WITHOUT ROWID has no row numbers
        ((low, high, count),) = bounds
        return int(low) if count and high - low + 1 == count else None
