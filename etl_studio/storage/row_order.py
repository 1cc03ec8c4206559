"""Where the rows of a page are, so that the last page of ten million rows comes as fast as the first."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from etl_studio.sdk import identifier, identifiers
from etl_studio.storage.table_schema import rowid_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.storage.open_file import OpenFile

MOST_PARAMETERS = 1_000


def rowid_of(file: OpenFile, table: str) -> str | None:
    """A name for the row number of a table, where it has one that a query can ask for."""
    ((kind, without_rowid),) = file.query(
        "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE", (table,)
    )
    if kind != "table" or without_rowid:
        return None
    return rowid_name([name for (name,) in file.query("SELECT name FROM pragma_table_xinfo(?, 'main')", (table,))])


def stored_order(file: OpenFile, table: str) -> list[str]:
    """What to order rows by so that they come as they are stored; else they may come in the order of an index."""
    rowid = rowid_of(file, table)
    if rowid is not None:
        return [rowid]
    key = file.query("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE pk ORDER BY pk", (table,))
    return [identifier(name) for (name,) in key]


def order_sql(terms: Sequence[str]) -> str:
    """The ORDER BY clause, if there is anything to order by."""
    return f" ORDER BY {', '.join(terms)}" if terms else ""


class StoredOrder:
    """By row number. Remembers which row stands at which offset, and walks on from the nearest one known.

    Args:
        table: name.
        rowid: a name for its row number.
    """

    def __init__(self, table: str, rowid: str) -> None:
        self._table = identifier(table)
        self._rowid = rowid
        self._offsets: list[int] = []
        self._rows: list[int] = []
        self._gapless: bool | None = None

    def page(self, file: OpenFile, columns: Sequence[str], offset: int, limit: int) -> list[tuple[Any, ...]]:
        """Rows ``offset`` to ``offset + limit``."""
        start = self._row_at(file, offset)
        if start is None:
            return []
        return file.query(
            f"SELECT {identifiers(columns)} FROM main.{self._table} WHERE {self._rowid} >= ? "  # noqa: S608 - quoted
            f"ORDER BY {self._rowid} LIMIT ?",
            (start, limit),
        )

    def _row_at(self, file: OpenFile, offset: int) -> int | None:
        if not self._rows:
            self._look(file)
        if not self._rows:
            return None
        if self._gapless:
            return self._rows[0] + offset
        nearest = bisect_right(self._offsets, offset) - 1
        found = file.query(
            f"SELECT {self._rowid} FROM main.{self._table} WHERE {self._rowid} >= ? "  # noqa: S608 - quoted
            f"ORDER BY {self._rowid} LIMIT 1 OFFSET ?",
            (self._rows[nearest], offset - self._offsets[nearest]),
        )
        if not found:
            return None
        row: int = found[0][0]
        if self._offsets[nearest] != offset:
            self._offsets.insert(nearest + 1, offset)
            self._rows.insert(nearest + 1, row)
        return row

    def _look(self, file: OpenFile) -> None:
        ((low, high, count),) = file.query(
            f"SELECT min({self._rowid}), max({self._rowid}), count(*) FROM main.{self._table}"  # noqa: S608 - quoted
        )
        if count:
            self._gapless = high - low + 1 == count
            self._offsets, self._rows = [0], [low]


class ChosenOrder:
    """By a column: the row numbers in its order, 8 bytes each.

    Args:
        file: the database.
        table: name.
        rowid: a name for its row number.
        terms: what to order by first.
    """

    def __init__(self, file: OpenFile, table: str, rowid: str, terms: Sequence[str]) -> None:
        self._table = identifier(table)
        self._rowid = rowid
        self._rows = array("q")
        for chunk in file.stream(f"SELECT {rowid} FROM main.{self._table}{order_sql([*terms, rowid])}"):  # noqa: S608 - quoted
            self._rows.extend([row for (row,) in chunk])

    def page(self, file: OpenFile, columns: Sequence[str], offset: int, limit: int) -> list[tuple[Any, ...]]:
        """Rows ``offset`` to ``offset + limit``."""
        wanted = self._rows[offset : offset + limit]
        found: dict[int, tuple[Any, ...]] = {}
        for start in range(0, len(wanted), MOST_PARAMETERS):
            part = wanted[start : start + MOST_PARAMETERS].tolist()
            rows = file.query(
                f"SELECT {self._rowid}, {identifiers(columns)} FROM main.{self._table} "  # noqa: S608 - quoted
                f"WHERE {self._rowid} IN ({', '.join('?' * len(part))})",
                part,
            )
            found |= {row[0]: row[1:] for row in rows}
        return [found[row] for row in wanted if row in found]
