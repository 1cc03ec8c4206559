"""Upsert of a stage into a table, with exact counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, identifier, identifiers
from etl_studio.storage.queries import rows, value
from etl_studio.storage.table_schema import is_unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.storage.stage import Stage
from etl_studio.storage.table_schema import Table

LARGEST_ROWID = 2**63 - 1


def ensure_unique(connection: apsw.Connection, table: Table, key: Sequence[str]) -> None:
    """Give the table a unique index on the key where it has none; called inside the transaction.

    Raises:
        PermanentError: the table holds several rows with the same key.
    """
    if is_unique(table, key):
        return
    name = identifier(f"_etl_key {table.name} ({identifiers(key)})")
    try:
        connection.execute(f"CREATE UNIQUE INDEX main.{name} ON {identifier(table.name)} ({identifiers(key)})")
    except apsw.ConstraintError:
        keys = identifiers(key)
        *found, doubles = rows(
            connection,
            f"SELECT {keys}, count(*) FROM main.{identifier(table.name)} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1",  # noqa: S608
        )[0]
        raise PermanentError(
            f'The table "{table.name}" cannot be merged into: it holds {doubles} rows with the same key.',
            hint="Remove the duplicates from the table, or choose a key that tells its rows apart.",
            column=", ".join(key),
            value=", ".join(map(str, found)),
        ) from None


def merge(  # noqa: PLR0913 - what an upsert is about
    connection: apsw.Connection, table: Table, stage: Stage, kept: int, columns: Sequence[str], key: Sequence[str]
) -> Loaded:
    """Insert new rows, update those that differ, leave equal ones alone.

    Args:
        connection: inside a transaction.
        table: the target, with a unique index on the key.
        stage: the rows, each key once.
        kept: how many rows the stage holds.
        columns: names of its columns.
        key: columns that identify a row.
    """
    target = identifier(table.name)
    was_empty = value(connection, f"SELECT 1 FROM main.{target} LIMIT 1") is None  # noqa: S608
    highest = None if was_empty else _highest_rowid(connection, table, kept)
    known = 0 if was_empty or highest is not None else _known(connection, table, stage, key)

    connection.execute(upsert_sql(table, stage, columns, key))
    written = connection.changes()

    if highest is not None:
        # New rows were numbered above all others: counting them is cheaper than looking every key up first.
        inserted = value(connection, f"SELECT count(*) FROM main.{target} WHERE {table.rowid} > ?", (highest,))  # noqa: S608
    else:
        # A trigger may leave rows out; they were not inserted.
        inserted = min(kept - known, written)
    updated = max(written - inserted, 0)
    return Loaded(inserted, updated, kept - inserted - updated, stage.written - kept)


def upsert_sql(table: Table, stage: Stage, columns: Sequence[str], key: Sequence[str]) -> str:
    """INSERT .. SELECT .. ON CONFLICT DO UPDATE, where a column differs."""
    others = [name for name in columns if name not in key]
    target = identifier(table.name)
    if others:
        changes = ", ".join(f"{identifier(name)} = excluded.{identifier(name)}" for name in others)
        # A change of case is a change, even where the table compares without it.
        old = ", ".join(f"{target}.{identifier(name)} COLLATE BINARY" for name in others)
        new = ", ".join(f"excluded.{identifier(name)}" for name in others)
        action = f"UPDATE SET {changes} WHERE ({old}) IS NOT ({new})"
    else:
        action = "NOTHING"
    # "WHERE true": without it, SQLite reads ON as part of a join.
    return (
        f"INSERT INTO main.{target} ({stage.columns}) SELECT {stage.columns} FROM {stage.table} "  # noqa: S608
        f"WHERE true ORDER BY {stage.number} ON CONFLICT ({identifiers(key)}) DO {action}"
    )


def _highest_rowid(connection: apsw.Connection, table: Table, room: int) -> int | None:
    """The highest row number, where new rows are sure to be numbered above it."""
    if table.rowid is None or table.rowid_column is not None:
        return None
    highest: int = value(connection, f"SELECT max({table.rowid}) FROM main.{identifier(table.name)}")  # noqa: S608
    return highest if highest < LARGEST_ROWID - room else None


def _known(connection: apsw.Connection, table: Table, stage: Stage, key: Sequence[str]) -> int:
    target = identifier(table.name)
    same = " AND ".join(f"t.{identifier(name)} = s.{identifier(name)}" for name in key)
    found = f"SELECT 1 FROM main.{target} AS t WHERE {same}"  # noqa: S608
    count: int = value(connection, f"SELECT count(*) FROM {stage.table} AS s WHERE EXISTS ({found})")  # noqa: S608
    return count
