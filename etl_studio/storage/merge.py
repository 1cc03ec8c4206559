"""A stage merged into a table by key, with exact counts: upsert, insert-only and delete-insert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.sdk import Loaded, identifier
from etl_studio.storage.landing import Applied, ensure_unique, insert
from etl_studio.storage.queries import value
from etl_studio.storage.table_schema import LOAD_ID, is_unique

if TYPE_CHECKING:
    from etl_studio.storage.landing import Landing

LARGEST_ROWID = 2**63 - 1


def upsert(landing: Landing) -> Applied:
    """Insert new rows, update those that differ (``insert_only``: none), leave equal ones alone; delete where asked."""
    ensure_unique(landing.connection, landing.table, landing.spec.key)
    was_empty = value(landing.connection, f"SELECT 1 FROM {landing.target} LIMIT 1") is None  # noqa: S608 - quoted name
    gone = kept_gone = deleted = stale = 0
    if landing.spec.hard_delete is not None:
        gone = landing.count(landing.rows, landing.gone)
        kept_gone = landing.count(landing.pairs, f"{landing.gone} AND NOT {landing.current()}")
        doomed = f"SELECT {landing.staged_key} FROM {landing.pairs} WHERE {landing.gone} AND {landing.current()}"  # noqa: S608
        deleted = landing.change(f"DELETE FROM {landing.target} WHERE ({landing.key}) IN ({doomed})")  # noqa: S608
    live = landing.kept - gone

    highest = None if was_empty else _highest_rowid(landing)
    known = 0 if was_empty or highest is not None else landing.count(landing.pairs, f"NOT {landing.gone}")
    written = landing.change(upsert_sql(landing))
    if highest is not None:
        # New rows were numbered above all others: counting them is cheaper than looking every key up first.
        inserted = landing.count(landing.target, f"{landing.table.rowid} > {highest}")
    else:
        # A trigger may leave rows out; they were not inserted.
        inserted = min(live - known, written)
    updated = max(written - inserted, 0)
    if landing.spec.version is not None and not was_empty:
        stale = landing.count(landing.pairs, f"NOT {landing.gone} AND NOT {landing.current()}")
    stale += kept_gone
    unchanged = landing.kept - inserted - updated - deleted - stale
    superseded = landing.stage.written - landing.kept
    return Applied(Loaded(inserted, updated, unchanged, superseded, deleted, stale), inserted - deleted)


def upsert_sql(landing: Landing) -> str:
    """INSERT .. SELECT .. ON CONFLICT DO UPDATE, where a column differs and the row is not older."""
    action = "NOTHING"
    if landing.others and landing.spec.strategy != "insert_only":
        changes = [f"{identifier(name)} = excluded.{identifier(name)}" for name in landing.others]
        if landing.table.keeps_load_ids:
            changes.append(f"{LOAD_ID} = {landing.load}")
        table = identifier(landing.table.name)
        wanted = f"{landing.differs(table, 'excluded')} AND {landing.current(table, 'excluded')}"
        action = f"UPDATE SET {', '.join(changes)} WHERE {wanted}"
    # The WHERE is needed: without one, SQLite reads ON as part of a join.
    return (
        f"INSERT INTO {landing.target} ({landing.into}) SELECT {landing.values} FROM {landing.rows} "  # noqa: S608
        f"WHERE NOT {landing.gone} ORDER BY s.{landing.stage.number} ON CONFLICT ({landing.key}) DO {action}"
    )


def delete_insert(landing: Landing) -> Applied:
    """Put the rows in the place of all rows with a key of theirs; several rows may have the same key."""
    if not is_unique(landing.table, landing.spec.key):
        name = identifier(f"_etl_find {landing.table.name} ({landing.key})")
        table = identifier(landing.table.name)
        landing.connection.execute(f"CREATE INDEX IF NOT EXISTS main.{name} ON {table} ({landing.key})")
    known = f"EXISTS (SELECT 1 FROM {landing.target} AS t WHERE {landing.same})"  # noqa: S608 - quoted names
    updated = landing.count(landing.rows, f"NOT {landing.gone} AND {known}")
    deleted = unchanged = 0
    if landing.spec.hard_delete is not None:
        deleted = landing.count(landing.rows, f"{landing.gone} AND {known}")
        unchanged = landing.count(landing.rows, landing.gone) - deleted
    keys = f"SELECT {landing.key} FROM {landing.stage.table}"  # noqa: S608 - quoted names
    removed = landing.change(f"DELETE FROM {landing.target} WHERE ({landing.key}) IN ({keys})")  # noqa: S608
    written = insert(landing)
    superseded = landing.stage.written - landing.kept
    loaded = Loaded(written - updated, updated, unchanged, superseded, deleted)
    return Applied(loaded, written - removed)


def _highest_rowid(landing: Landing) -> int | None:
    """The highest row number, where new rows are sure to be numbered above it."""
    if landing.table.rowid is None or landing.table.rowid_column is not None:
        return None
    highest: int | None = value(landing.connection, f"SELECT max({landing.table.rowid}) FROM {landing.target}")  # noqa: S608
    return highest if highest is not None and highest < LARGEST_ROWID - landing.kept else None
