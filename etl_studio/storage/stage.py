"""Where a load waits for its commit: a temporary table on the connection, so that no lock is held meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.sdk import identifier, identifiers, unused
from etl_studio.storage.column_values import storable
from etl_studio.storage.queries import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.storage.open_file import OpenFile

CUT_ROWS = 2_500
"""Rows per call into SQLite; the call that makes Python values of them keeps all other threads waiting."""

SORT_CACHE_KIB = 64 * 1024


class Stage:
    """Rows of one load, in the order in which they came. Kept in a file, not in memory.

    Args:
        file: the database; the table belongs to the connection of the thread that makes it.
        name: of the temporary table; unique in the process.
        columns: names and declared types.
        key: columns that identify a row; empty: rows are not compared.

    Attributes:
        names: of the columns.
        table: quoted name, for SQL.
        number: quoted name of a column that numbers the rows as they came.
        written: rows that were added since the last ``clear``.
    """

    def __init__(self, file: OpenFile, name: str, columns: Sequence[tuple[str, str]], key: Sequence[str]) -> None:
        self._file = file
        self._name = name
        self._columns = columns
        self.names = [column for column, _ in columns]
        self._key = [self.names.index(column) for column in key]
        self.table = f"temp.{identifier(name)}"
        self.number = identifier(unused("_row", self.names))
        self._place = identifier(unused("_place", self.names))
        self.written = 0
        # Where the case of letters does not matter, texts may increase and yet be the same.
        self._may_increase = not any(declared.endswith(("NOCASE", "RTRIM")) for _, declared in columns)
        self._increasing = self._may_increase
        self._last: Any = None
        self._holds_one = False
        self._create(self.table)
        self._insert = f"INSERT INTO {self.table} ({self.columns}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608

    @property
    def columns(self) -> str:
        """Quoted names, with commas between them."""
        return identifiers(self.names)

    @property
    def _key_columns(self) -> str:
        return identifiers(self.names[index] for index in self._key)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows; all of them or none."""
        arrays = [storable(column) for column in batch.columns]
        connection = self._file.connection()
        # DEFERRED, for once: nothing but the temporary file is touched, so nobody's lock is needed.
        with self._file.database.atomic("DEFERRED"):
            for start in range(0, batch.num_rows, CUT_ROWS):
                cut = [array.slice(start, CUT_ROWS).to_pylist() for array in arrays]
                connection.executemany(self._insert, zip(*cut, strict=True))
        self.written += batch.num_rows
        self._holds_one = False
        if self._key and self._increasing:
            self._increasing = self._goes_on_increasing(arrays[self._key[0]])

    def keep_one(self, sort: str | None = None, *, highest: bool = True, first: bool = False) -> int:
        """Of rows with the same key keep one. Gives the number of rows that stay.

        Args:
            sort: keep the one with the extreme value in this column (NULL only where there is no other); of several,
                and without a column, the one that came last.
            highest: which extreme.
            first: without a column, the one that came first.
        """
        if not (self._increasing or self._holds_one):
            sorted_name = f"{self._name}_sorted"
            sorted_table = f"temp.{identifier(sorted_name)}"
            connection = self._file.connection()
            with self._file.database.atomic("DEFERRED"):
                connection.execute(f"DROP TABLE IF EXISTS {sorted_table}")
                self._create(sorted_table)
                one = self._extreme(identifier(sort), highest=highest) if sort else self._end(first=first)
                connection.execute(
                    f"INSERT INTO {sorted_table} ({self.columns}) SELECT {self.columns} FROM ({one})"  # noqa: S608
                )
                connection.execute(f"DROP TABLE {self.table}")
                connection.execute(f"ALTER TABLE {sorted_table} RENAME TO {identifier(self._name)}")
            self._holds_one = True
        count: int = value(self._file.connection(), f"SELECT count(*) FROM {self.table}")  # noqa: S608
        return count

    def _end(self, *, first: bool) -> str:
        """SQLite gives the other columns from the row that has the extreme."""
        extreme = f"{'min' if first else 'max'}({self.number})"
        return f"SELECT {extreme}, {self.columns} FROM {self.table} GROUP BY {self._key_columns}"  # noqa: S608

    def _extreme(self, sort: str, *, highest: bool) -> str:
        order = f"{sort} IS NULL, {sort} {'DESC' if highest else 'ASC'}, {self.number} DESC"
        window = f"PARTITION BY {self._key_columns} ORDER BY {order}"
        numbered = f"SELECT *, row_number() OVER ({window}) AS {self._place} FROM {self.table}"  # noqa: S608
        return f"SELECT * FROM ({numbered}) WHERE {self._place} = 1 ORDER BY {self.number}"  # noqa: S608

    def clear(self) -> None:
        """Forget all rows."""
        self._file.connection().execute(f"DELETE FROM {self.table}")  # noqa: S608
        self.written = 0
        self._increasing = self._may_increase
        self._last = None

    def _create(self, table: str) -> None:
        columns = ", ".join(f"{identifier(name)} {declared}" for name, declared in self._columns)
        self._file.connection().execute(f"CREATE TABLE {table} ({self.number} INTEGER PRIMARY KEY, {columns})")

    def _goes_on_increasing(self, keys: pa.Array) -> bool:
        """Strictly increasing keys, the usual case, have no duplicates: no need to sort them."""
        if len(keys) == 0:
            return True
        if not (pa.types.is_integer(keys.type) or pa.types.is_string(keys.type)):
            return False
        first, last = keys[0].as_py(), keys[-1].as_py()
        steps = pc.all(pc.greater(keys.slice(1), keys.slice(0, len(keys) - 1))).as_py()
        goes_on = steps is not False and (self._last is None or self._last < first)
        self._last = last
        return goes_on
