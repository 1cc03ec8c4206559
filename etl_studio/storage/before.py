"""The rows that a load changes or deletes, kept as they were, and the mark of a row that somebody edited by hand.

Triggers put the rows aside, so that rows which are only inserted, or stay the same, cost nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from etl_studio.sdk import identifier, identifiers, unused
from etl_studio.storage.loads import before_table
from etl_studio.storage.queries import value
from etl_studio.storage.table_schema import LOAD_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

    from etl_studio.storage.table_schema import Table

KEEP = "_etl_keep"
"""Name of the temporary triggers, which work while a load is committed."""
GUARD = "_etl_edited "
"""Begins the name of the trigger that stays with its table."""


class Before:
    """The earlier rows of one load of one table, in the order in which they went.

    Args:
        connection: inside a transaction.
        table: the table as it is before the commit.
        load: id of the load.
    """

    def __init__(self, connection: apsw.Connection, table: Table, load: int) -> None:
        self._connection = connection
        self._table = table
        self._load = load
        self._name = before_table(load)
        self._number = identifier(unused("_number", table.stored))
        self._row = identifier(unused("_row", table.stored))
        declared = [f"{identifier(column.name)} {column.type}" for column in table.columns if not column.generated]
        if table.keeps_load_ids:
            declared.append(f"{LOAD_ID} INTEGER")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS main.{self._name} "
            f"({self._number} INTEGER PRIMARY KEY, {self._row} INTEGER, {', '.join(declared)})"
        )

    @property
    def rows(self) -> int:
        """How many rows are kept."""
        highest: int | None = value(self._connection, f"SELECT max({self._number}) FROM main.{self._name}")  # noqa: S608
        return highest or 0

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Inside the block, every row of an earlier load is kept that is changed or deleted."""
        table = identifier(self._table.name)
        assert self._table.rowid is not None  # noqa: S101 - a table that keeps load ids has row numbers
        values = ", ".join(f"old.{identifier(name)}" for name in (self._table.rowid, *self._table.stored))
        for event in ("UPDATE", "DELETE"):
            self._connection.execute(
                f"CREATE TEMP TRIGGER {KEEP}_{event} BEFORE {event} ON main.{table} "  # noqa: S608 - quoted names
                f"WHEN old.{LOAD_ID} IS NOT {self._load} BEGIN INSERT INTO {self._name} VALUES (NULL, {values}); END"
            )
        yield
        for event in ("UPDATE", "DELETE"):
            self._connection.execute(f"DROP TRIGGER temp.{KEEP}_{event}")

    def keep_all(self) -> None:
        """Keep the whole table."""
        columns = identifiers(self._table.stored)
        row = identifier(self._table.rowid) if self._table.rowid else "NULL"
        self._connection.execute(
            f"INSERT INTO main.{self._name} ({self._row}, {columns}) "  # noqa: S608 - quoted names
            f"SELECT {row}, {columns} FROM main.{identifier(self._table.name)}"
        )

    def _numbers_are_free(self) -> bool:
        """Whether the rows can get their old row numbers again, so that they stand where they stood."""
        if self._table.rowid is None:
            return False
        table, row = identifier(self._table.name), identifier(self._table.rowid)
        taken = f"SELECT 1 FROM main.{self._name} WHERE {self._row} IN (SELECT {row} FROM main.{table}) LIMIT 1"  # noqa: S608
        twice = f"SELECT 1 FROM main.{self._name} GROUP BY {self._row} HAVING count(*) > 1 LIMIT 1"  # noqa: S608
        return value(self._connection, taken) is None and value(self._connection, twice) is None

    def put_back(self) -> int:
        """Insert the rows into the table again; gives their number."""
        into = values = identifiers(self._table.stored)
        if self._table.rowid is not None and self._table.rowid_column is None and self._numbers_are_free():
            into, values = f"{identifier(self._table.rowid)}, {into}", f"{self._row}, {values}"
        self._connection.execute(
            f"INSERT INTO main.{identifier(self._table.name)} ({into}) "  # noqa: S608 - quoted names
            f"SELECT {values} FROM main.{self._name} ORDER BY {self._number}"
        )
        return self._connection.changes()

    def drop(self) -> None:
        """Forget them."""
        self._connection.execute(f"DROP TABLE main.{self._name}")


def guard(connection: apsw.Connection, table: Table) -> None:
    """From now on, whoever changes a row by hand takes the id of the load away from it."""
    assert table.rowid is not None  # noqa: S101 - a table that keeps load ids has row numbers
    name, row = identifier(table.name), identifier(table.rowid)
    connection.execute(
        f"CREATE TRIGGER IF NOT EXISTS main.{_guard(table)} AFTER UPDATE ON {name} "  # noqa: S608 - quoted names
        f"WHEN new.{LOAD_ID} IS old.{LOAD_ID} AND new.{LOAD_ID} IS NOT NULL "
        f"BEGIN UPDATE {name} SET {LOAD_ID} = NULL WHERE {row} = new.{row}; END"
    )


def unguard(connection: apsw.Connection, table: Table) -> None:
    """For a load that goes on, and may change rows of its own."""
    connection.execute(f"DROP TRIGGER IF EXISTS main.{_guard(table)}")


def _guard(table: Table) -> str:
    return identifier(f"{GUARD}{table.name}")
