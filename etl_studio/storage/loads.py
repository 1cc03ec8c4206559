"""The loads of a database, kept in the database itself: who loaded what into which table, and what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.sdk import Loaded, WriteOptions, identifier
from etl_studio.sdk.database import UPSERT
from etl_studio.storage.queries import rows, value

if TYPE_CHECKING:
    import apsw

    from etl_studio.sdk import WriteDisposition
    from etl_studio.storage.table_schema import Table

TABLE = "_etl_loads"
KEPT = 1_000
"""Loads of a table that are remembered."""
UNDOABLE = 5
"""Loads of a table whose earlier rows are kept, so that they can be undone. A load that only inserted needs none."""

COUNTS = ("inserted", "updated", "unchanged", "superseded", "deleted", "stale")


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """What is to be written where, how, and by whom. ``run`` is empty where nobody said."""

    table: str
    disposition: WriteDisposition
    key: tuple[str, ...] = ()
    options: WriteOptions = UPSERT
    run: str = ""
    node: str = ""

    @property
    def needs_all_rows(self) -> bool:
        """Whether it can only be committed as a whole."""
        return self.options.needs_all_rows(self.disposition)

    @property
    def strategy(self) -> str:
        """How rows are merged; empty where they are not."""
        return self.options.strategy if self.disposition == "merge" else ""

    @property
    def hard_delete(self) -> str | None:
        """The column that deletes keys, where it has a meaning."""
        return self.options.hard_delete if self.strategy not in ("", "insert_only") else None

    @property
    def version(self) -> str | None:
        """The column that guards newer rows, where it has a meaning."""
        return self.options.version if self.strategy in ("upsert", "scd2") else None

    @property
    def keeps_one(self) -> bool:
        """Whether a load writes at most one row of each key."""
        by_key = bool(self.key) and self.disposition != "append"
        return by_key and (self.strategy != "delete_insert" or self.options.dedup_sort is not None)


@dataclass(frozen=True, slots=True)
class Load:
    """One load of a table.

    Attributes:
        id: what ``_load_id`` holds in the rows that it wrote.
        at: its first commit, seconds since the epoch.
        columns: the table's columns and types when it committed; None: the table keeps no load ids.
        carried: rows of the table that had its id after its last commit.
        created: whether it made the table.
        before: the rows that it changed or deleted, as they were: ``none``, ``kept`` or ``pruned``.
        definition: SQL of the table that it put another one in the place of.
        undone_at: when it was undone.
    """

    id: int
    table: str
    run: str
    node: str
    disposition: WriteDisposition
    strategy: str
    key: tuple[str, ...]
    at: float
    loaded: Loaded
    columns: list[list[str]] | None
    carried: int
    created: bool
    before: str
    definition: list[str] | None
    undone_at: float | None


def begin(connection: apsw.Connection, spec: LoadSpec, known: int | None) -> tuple[int, bool]:
    """The id of a load, and whether it goes on: then it is the one of its last commit (of another process, too).

    Args:
        connection: inside the transaction that commits the rows.
        spec: the load.
        known: its id where it was committed before in this process.
    """
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS main.{TABLE} (id INTEGER PRIMARY KEY, table_name TEXT NOT NULL COLLATE NOCASE, "
        "run TEXT NOT NULL, node TEXT NOT NULL, disposition TEXT NOT NULL, strategy TEXT NOT NULL, key TEXT NOT NULL, "
        "at REAL NOT NULL, "
        + "".join(f"{name} INTEGER NOT NULL DEFAULT 0, " for name in COUNTS)
        + "columns TEXT, carried INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL DEFAULT 0, "
        "before TEXT NOT NULL DEFAULT 'none', definition TEXT, undone_at REAL)"
    )
    going_on = "id = ?" if not spec.run else "run = ? AND node = ?"
    found: int | None = value(
        connection,
        f"SELECT id FROM main.{TABLE} WHERE {going_on} AND table_name = ? AND undone_at IS NULL "  # noqa: S608 - ours
        "ORDER BY id DESC LIMIT 1",
        (known, spec.table) if not spec.run else (spec.run, spec.node, spec.table),
    )
    if found is not None:
        return found, True
    connection.execute(
        f"INSERT INTO main.{TABLE} (table_name, run, node, disposition, strategy, key, at) "  # noqa: S608 - our name
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (spec.table, spec.run, spec.node, spec.disposition, spec.strategy, json.dumps(spec.key), time.time()),
    )
    return connection.last_insert_rowid(), False


def record(connection: apsw.Connection, load: int, table: Table, loaded: Loaded, **facts: Any) -> None:
    """Add what a commit did. ``facts``: ``carried`` is added to what is known, the others take its place."""
    columns = [[column.name, column.type] for column in table.columns] if table.keeps_load_ids else None
    facts |= {"columns": json.dumps(columns) if columns is not None else None}
    added = asdict(loaded) | {"carried": facts.pop("carried")}
    changes = [f"{name} = {name} + ?" for name in added] + [f"{name} = ?" for name in facts]
    connection.execute(
        f"UPDATE main.{TABLE} SET {', '.join(changes)} WHERE id = ?",  # noqa: S608 - names of ours
        (*added.values(), *facts.values(), load),
    )


def prune(connection: apsw.Connection, table: str, *, keep: int = UNDOABLE) -> None:
    """Drop the earlier rows of all but the last loads of a table, and forget very old loads."""
    kept = rows(
        connection,
        f"SELECT id FROM main.{TABLE} WHERE table_name = ? AND before = 'kept' AND id NOT IN "  # noqa: S608 - our name
        f"(SELECT id FROM main.{TABLE} WHERE table_name = ? ORDER BY id DESC LIMIT ?)",
        (table, table, keep),
    )
    for (load,) in kept:
        connection.execute(f"DROP TABLE IF EXISTS main.{before_table(load)}")
        connection.execute(f"UPDATE main.{TABLE} SET before = 'pruned' WHERE id = ?", (load,))  # noqa: S608 - our name
    connection.execute(
        f"DELETE FROM main.{TABLE} WHERE table_name = ? AND id < "  # noqa: S608 - our name
        f"(SELECT id FROM main.{TABLE} WHERE table_name = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (table, table, KEPT),
    )


def before_table(load: int) -> str:
    """Quoted name of the table with the rows that a load changed or deleted, as they were."""
    return identifier(f"_etl_before_{load}")


def find(connection: apsw.Connection, load: int | None = None, table: str | None = None) -> list[Load]:
    """Loads, the newest first: all, one, or those of one table."""
    if value(connection, "SELECT 1 FROM main.sqlite_schema WHERE name = ?", (TABLE,)) is None:
        return []
    found = rows(
        connection,
        f"SELECT id, table_name, run, node, disposition, strategy, key, at, {', '.join(COUNTS)}, columns, carried, "  # noqa: S608
        f"created, before, definition, undone_at FROM main.{TABLE} WHERE (?1 IS NULL OR id = ?1) "
        "AND (?2 IS NULL OR table_name = ?2) ORDER BY id DESC",
        (load, table),
    )
    return [_load(row) for row in found]


def _load(row: tuple[Any, ...]) -> Load:
    load, table, run, node, disposition, strategy, key, at, *rest = row
    counts, (columns, carried, created, before, definition, undone_at) = rest[: len(COUNTS)], rest[len(COUNTS) :]
    return Load(
        load,
        table,
        run,
        node,
        disposition,
        strategy,
        tuple(json.loads(key)),
        at,
        Loaded(*counts),
        json.loads(columns) if columns else None,
        carried,
        bool(created),
        before,
        json.loads(definition) if definition else None,
        undone_at,
    )
