"""What a commit does to a database, inside its one transaction."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.sdk import Loaded
from etl_studio.storage.before import Before, guard, unguard
from etl_studio.storage.landing import Applied, Landing, ensure_unique, insert
from etl_studio.storage.loads import UNDOABLE, begin, prune, record
from etl_studio.storage.merge import delete_insert, upsert
from etl_studio.storage.queries import value
from etl_studio.storage.replace import attach, clear
from etl_studio.storage.scd2 import scd2
from etl_studio.storage.table_schema import create_table_sql, read_table, require_fit

if TYPE_CHECKING:
    import apsw
    import pyarrow as pa

    from etl_studio.storage.loads import LoadSpec
    from etl_studio.storage.stage import Stage

STRATEGIES = {"": upsert, "upsert": upsert, "insert_only": upsert, "delete_insert": delete_insert, "scd2": scd2}


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that wait for their commit.

    Attributes:
        stage: the rows.
        spec: where they go, and how.
        schema: the columns that the table must have.
        gone: SQL that tells whether the row ``s`` deletes its key.
    """

    stage: Stage
    spec: LoadSpec
    schema: pa.Schema
    gone: str

    def keep(self) -> int:
        """Leave out the rows that are superseded by others of the load. Gives how many are left."""
        spec = self.spec
        if not spec.keeps_one:
            return self.stage.written
        sort = spec.version or spec.options.dedup_sort
        highest = spec.version is not None or spec.options.dedup_keep == "highest"
        return self.stage.keep_one(sort, highest=highest, first=spec.strategy == "insert_only")


def apply(
    connection: apsw.Connection, staged: Staged, kept: int, known: int | None, *, replaced: bool
) -> tuple[Loaded, int]:
    """Apply rows to their table and record it.

    Args:
        connection: inside the transaction.
        staged: the rows.
        kept: how many they are.
        known: id of the load where it was committed before in this process.
        replaced: whether the old rows of a replace have gone in an earlier commit.

    Returns:
        What it did, and the id of the load.
    """
    spec, schema = staged.spec, staged.schema
    # References are checked at the commit: rows that are replaced by the same ones never were away.
    connection.pragma("defer_foreign_keys", 1)
    load, goes_on = begin(connection, spec, known)
    facts: dict[str, Any] = {}
    # Looked at again under the lock: another program may have made or changed the table meanwhile.
    table = read_table(connection, spec.table)
    replaces = spec.disposition == "replace" and not replaced
    definition = None
    if table is None:
        unique = spec.strategy not in ("delete_insert", "scd2")
        connection.execute(create_table_sql(spec.table, schema, spec.key, unique=unique))
        facts["created"] = True
    elif replaces:
        definition = clear(connection, table, schema, spec.key, load)
        facts |= {"before": "kept", "definition": json.dumps(definition) if definition else None}
    else:
        require_fit(table, schema, spec.key)
    table = read_table(connection, spec.table)
    assert table is not None  # noqa: S101 - it was there, or was made just now
    columns = [name for name in schema.names if name in staged.stage.names]
    landing = Landing(connection, table, staged.stage, kept, columns, spec, staged.gone, load)
    if replaces or not spec.key:
        applied, changed = _insert_all(landing, definition), 0
    else:
        applied, changed = _merge(landing, goes_on=goes_on)
    if changed:
        facts["before"] = "kept"
    carried = applied.grown + changed if table.keeps_load_ids else 0
    if table.keeps_load_ids:
        guard(connection, table)
    record(connection, load, table, applied.loaded, carried=carried, **facts)
    prune(connection, spec.table, keep=1 if replaces else UNDOABLE)
    return applied.loaded, load


def _insert_all(landing: Landing, definition: list[str] | None) -> Applied:
    written = insert(landing)
    if definition is not None:
        attach(landing.connection, landing.table.name, definition)
    if landing.spec.key:
        ensure_unique(landing.connection, landing.table, landing.spec.key)
    return Applied(Loaded(inserted=written, superseded=landing.stage.written - landing.kept), written)


def _merge(landing: Landing, *, goes_on: bool) -> tuple[Applied, int]:
    """What the merge did, and how many rows of earlier loads it changed or deleted."""
    connection, table = landing.connection, landing.table
    is_empty = value(connection, f"SELECT 1 FROM {landing.target} LIMIT 1") is None  # noqa: S608 - quoted name
    before = Before(connection, table, landing.load) if table.keeps_load_ids and not is_empty else None
    kept = before.rows if before else 0
    if before and goes_on:
        unguard(connection, table)
    with before.capture() if before else nullcontext():
        applied = STRATEGIES[landing.spec.strategy](landing)
    if before is None:
        return applied, 0
    changed = before.rows - kept
    if not before.rows:
        before.drop()
    return applied, changed
