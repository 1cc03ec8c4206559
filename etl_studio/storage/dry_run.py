"""What a commit would do: done in a transaction that is taken back, watched by temporary triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw

from etl_studio.sdk import Change, Diff, Loaded, identifier, identifiers
from etl_studio.storage.commit import Staged, apply
from etl_studio.storage.queries import rows, value
from etl_studio.storage.table_schema import read_table, same_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.storage.table_schema import Table

WATCH = "_etl_watch"
"""Begins the names of the temporary triggers and tables."""
SEEN = {"inserted": ("INSERT", ("new",)), "updated": ("UPDATE", ("new", "old")), "deleted": ("DELETE", ("old",))}


def dry_run(  # noqa: PLR0913 - what a commit is about
    connection: apsw.Connection, staged: Staged, kept: int, known: int | None, limit: int, *, replaced: bool
) -> Diff:
    """Apply rows and tell what changed; see ``commit.apply``.

    Args:
        connection: inside a transaction; the caller takes it back.
        staged: the rows.
        kept: how many they are.
        known: id of the load where it was committed before.
        limit: changes of each kind, at most.
        replaced: whether the old rows of a replace have gone.
    """
    spec = staged.spec
    table = read_table(connection, spec.table)
    before = None if table is None else _count(connection, table.name)
    changes: list[Change] = []
    watched = table if table is not None and (spec.disposition != "replace" or replaced) else None
    if watched is not None:
        _watch(connection, watched, limit)
    elif table is not None:
        changes = _replaced(connection, table, staged, limit)
    loaded, _ = apply(connection, staged, kept, known, replaced=replaced)
    if connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0]:
        raise apsw.ConstraintError("FOREIGN KEY constraint failed")
    if watched is not None:
        changes = _seen(connection, watched)
    made = read_table(connection, spec.table)
    assert made is not None  # noqa: S101 - it was loaded just now
    if table is None:
        found = f"SELECT {identifiers(_names(made))} FROM main.{identifier(made.name)} LIMIT ?"  # noqa: S608 - quoted
        changes = [_change("inserted", _names(made), row) for row in rows(connection, found, (limit,))]
    return Diff(made.name, loaded, before, _count(connection, made.name), tuple(changes))


def nothing(connection: apsw.Connection, table: str) -> Diff:
    """The diff of a load to which no rows and no columns have come."""
    found = read_table(connection, table)
    count = None if found is None else _count(connection, found.name)
    return Diff(table, Loaded(), count, count or 0, ())


def _watch(connection: apsw.Connection, table: Table, limit: int) -> None:
    names = _names(table)
    for kind, (event, sides) in SEEN.items():
        values = ", ".join(f"{side}.{identifier(name)}" for side in sides for name in names)
        columns = ", ".join(f"c{number}" for number in range(len(sides) * len(names)))
        # Load ids change with the row; alone, they are no change.
        pairs = " OR ".join(f"new.{identifier(name)} IS NOT old.{identifier(name)}" for name in names)
        changed = f" AND ({pairs})" if kind == "updated" else ""
        full = f"(SELECT coalesce(max(rowid), 0) FROM {WATCH}_{kind}) >= {int(limit)}"  # noqa: S608 - our names
        connection.execute(f"CREATE TEMP TABLE {WATCH}_{kind} ({columns})")
        connection.execute(
            f"CREATE TEMP TRIGGER {WATCH}_{event} AFTER {event} ON main.{identifier(table.name)} "  # noqa: S608 - quoted
            f"WHEN NOT {full}{changed} BEGIN INSERT INTO {WATCH}_{kind} VALUES ({values}); END"
        )


def _seen(connection: apsw.Connection, table: Table) -> list[Change]:
    names = _names(table)
    changes = []
    for kind in SEEN:
        found = rows(connection, f"SELECT * FROM temp.{WATCH}_{kind} ORDER BY rowid")  # noqa: S608 - our name
        changes += [_change(kind, names, row[: len(names)], row[len(names) :]) for row in found]
    return changes


def _replaced(connection: apsw.Connection, table: Table, staged: Staged, limit: int) -> list[Change]:
    """The rows that differ: by key, or else whole rows."""
    key, stage, target = staged.spec.key, staged.stage.table, f"main.{identifier(table.name)}"
    # In the order of the load, whose names may be spelt in another case.
    names = staged.stage.names

    def first(kind: Any, columns: Sequence[str], source: str) -> list[Change]:
        found = rows(connection, f"SELECT {identifiers(columns)} FROM {source} LIMIT ?", (limit,))  # noqa: S608 - quoted
        return [_change(kind, columns, row) for row in found]

    def without(left: str, right: str) -> str:
        if key:
            keys = identifiers(key)
            return f"{left} WHERE ({keys}) NOT IN (SELECT {keys} FROM {right})"  # noqa: S608 - quoted names
        listed = identifiers(names)
        return f"(SELECT {listed} FROM {left} EXCEPT SELECT {listed} FROM {right})"  # noqa: S608 - quoted names

    if not same_columns(table, staged.schema):
        return first("inserted", names, stage) + first("deleted", _names(table), target)
    updated = []
    if key:
        pairs = ", ".join(f"{side}.{identifier(name)}" for side in "st" for name in names)
        same = " AND ".join(f"t.{identifier(name)} = s.{identifier(name)}" for name in key)
        differ = " OR ".join(f"s.{identifier(name)} IS NOT t.{identifier(name)} COLLATE BINARY" for name in names)
        both = f"SELECT {pairs} FROM {stage} AS s JOIN {target} AS t ON {same} WHERE {differ} LIMIT ?"  # noqa: S608
        found = rows(connection, both, (limit,))
        updated = [_change("updated", names, row[: len(names)], row[len(names) :]) for row in found]
    return first("inserted", names, without(stage, target)) + updated + first("deleted", names, without(target, stage))


def _change(kind: Any, names: Sequence[str], row: Sequence[Any], old: Sequence[Any] = ()) -> Change:
    before = {name: was for name, was, now in zip(names, old, row, strict=True) if was != now} if old else {}
    return Change(kind, dict(zip(names, row, strict=True)), before)


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns if not column.generated]


def _count(connection: apsw.Connection, table: str) -> int:
    count: int = value(connection, f"SELECT count(*) FROM main.{identifier(table)}")  # noqa: S608 - quoted name
    return count
