"""The tables of a database for reading: lists, pages of any table size, exports."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.sdk import identifier, identifiers
from etl_studio.storage.row_order import ChosenOrder, StoredOrder, order_sql, rowid_of, stored_order
from etl_studio.storage.table_info import TableInfo
from etl_studio.storage.table_schema import LOAD_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import apsw

    from etl_studio.storage.loads import Load
    from etl_studio.storage.open_file import OpenFile
    from etl_studio.storage.undo import Undoing

Page = list[tuple[Any, ...]]


class Results:
    """Reads a database's tables, each page in a short transaction, so that the log of writes never piles up.

    Any thread may call; a page that takes long is ended by ``interrupt`` from another one.

    Args:
        file: the database.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._busy: list[apsw.Connection] = []
        self._order: tuple[tuple[Any, ...], StoredOrder | ChosenOrder] | None = None

    def tables(self) -> list[TableInfo]:
        """The tables by name, without those of SQLite and of the studio itself."""
        names = self._file.query(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_etl\\_%' ESCAPE '\\' "
            "ORDER BY name COLLATE NOCASE"
        )
        return [self.table(name) for (name,) in names]

    def table(self, name: str) -> TableInfo:
        """One table.

        Raises:
            UsageError: there is no such table.
        """
        columns = self.table_columns(name)
        with self._interruptible():
            ((rows,),) = self._file.query(f"SELECT count(*) FROM main.{identifier(name)}")  # noqa: S608 - quoted
        return TableInfo(name, rows, columns)

    def table_columns(self, table: str) -> dict[str, str]:
        """Columns of a table with SQLite's types; ``_load_id`` is none of its own.

        Raises:
            UsageError: there is no such table.
        """
        columns = dict(self._file.query("SELECT name, type FROM pragma_table_xinfo(?, 'main')", (table,)))
        if not columns:
            known = [row[0] for row in self._file.query("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            raise UsageError(
                f'There is no table "{table}" in "{self._file.path}".', hint=f"Tables: {', '.join(known) or 'none'}."
            )
        columns.pop(LOAD_ID, None)
        return columns

    def page(
        self, table: str, offset: int, limit: int, *, order_by: str | None = None, descending: bool = False
    ) -> Page:
        """Rows ``offset`` to ``offset + limit`` in the order of a column (empty values last), or as they are stored.

        The first page in the order of a column sorts the whole table (8 bytes of memory a row); those after it cost
        no more than pages as stored, until the database changes.

        Raises:
            UsageError: no such table or column.
            Cancelled: interrupted.
        """
        columns = list(self.table_columns(table))
        if order_by is not None and order_by not in columns:
            raise UsageError(f'The table "{table}" has no column "{order_by}".', hint=f"It has {', '.join(columns)}.")
        with self._interruptible():
            rowid = rowid_of(self._file, table)
            if rowid is None:
                terms = [*_terms(order_by, descending=descending), *stored_order(self._file, table)]
                return self._page_by_offset(table, columns, offset, limit, order_sql(terms))
            known = self._order_of(table, rowid, order_by, descending=descending)
            return known.page(self._file, columns, offset, limit)

    def export(
        self,
        table: str,
        to: Path,
        progress: Callable[[int, int], object] = max,
        cancelled: Callable[[], bool] = bool,
        *,
        guard_formulas: bool = False,
    ) -> int:
        """Write a table to a file: CSV, Parquet, JSON lines or Excel by its ending. Returns the number of rows.

        Args:
            table: its name.
            to: the file; it appears when it is complete.
            progress: told (rows done, rows in all) after each chunk.
            cancelled: asked before each chunk.
            guard_formulas: in CSV, put ``'`` before texts that a spreadsheet would run as a formula.

        Raises:
            UsageError: no such table or ending, or too many rows for a sheet.
            Cancelled: given up; there is no file.
            PermanentError: the file cannot be written.
        """
        from etl_studio.storage.export import export_table

        info = self.table(table)
        return export_table(self._file, info, to, progress, cancelled, guard_formulas=guard_formulas)

    def loads(self, table: str | None = None) -> list[Load]:
        """The loads of all tables or of one, the newest first."""
        from etl_studio.storage.loads import find

        with self._file.translated():
            return find(self._file.connection(), table=table)

    def undo_load(self, load: int) -> Undoing:
        """Take a load back: the rows of its table as they were before it, in one transaction.

        Raises:
            UsageError: no such load, or it was undone before.
            PermanentError: it cannot be undone; says why. Nothing has changed.
            TransientError: the database is locked by another program.
        """
        from etl_studio.storage.undo import undo

        return undo(self._file, load)

    def rehearse_undo(self, load: int) -> Undoing:
        """What ``undo_load`` would do now; nothing is written.

        Raises:
            EtlError: as ``undo_load`` would.
        """
        from etl_studio.storage.undo import rehearse_undo

        return rehearse_undo(self._file, load)

    def interrupt(self) -> None:
        """End the pages that are being read in other threads; they raise ``Cancelled``."""
        with self._lock:
            for connection in self._busy:
                connection.interrupt()

    def release(self) -> None:
        """Close this thread's connection."""
        self._file.release()

    def _order_of(self, table: str, rowid: str, order_by: str | None, *, descending: bool) -> StoredOrder | ChosenOrder:
        """The order asked for last is kept, as long as nothing was written."""
        wanted = (table, order_by, descending, self._file.version())
        with self._lock:
            if self._order is not None and self._order[0] == wanted:
                return self._order[1]
        order = (
            StoredOrder(table, rowid)
            if order_by is None
            else ChosenOrder(self._file, table, rowid, _terms(order_by, descending=descending))
        )
        with self._lock:
            self._order = (wanted, order)
        return order

    def _page_by_offset(self, table: str, columns: list[str], offset: int, limit: int, order: str) -> Page:
        return self._file.query(
            f"SELECT {identifiers(columns)} FROM main.{identifier(table)}{order} LIMIT ? OFFSET ?",  # noqa: S608
            (limit, offset),
        )

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        with self._file.translated():
            connection = self._file.connection()
        with self._lock:
            self._busy.append(connection)
        try:
            yield
        finally:
            with self._lock, suppress(ValueError):
                self._busy.remove(connection)


def _terms(order_by: str | None, *, descending: bool) -> list[str]:
    return [] if order_by is None else [f"{identifier(order_by)} {'DESC' if descending else 'ASC'} NULLS LAST"]
