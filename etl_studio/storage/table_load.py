"""Loads rows into one table: staged in a temporary table, then applied in one transaction.

While a run streams, no lock is held on the target. A reader sees the rows from before the load or those after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peewee
import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, Problem, Rejected, identifier, identifiers
from etl_studio.storage.column_types import field_for, rows_of
from etl_studio.storage.failures import failures_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from etl_studio.sdk import WriteDisposition
    from etl_studio.storage.studio_database import StudioDatabase

STAGE = "_etl_stage"


class TableLoad:
    """One load (``sdk.TableLoad``); used by one thread.

    Args:
        database: the file.
        table: the target; made if it is not there.
        disposition: append, replace (all old rows go), or merge (by key: insert or update).
        key: columns that identify a row; required for merge.
    """

    def __init__(self, database: StudioDatabase, table: str, disposition: WriteDisposition, key: Sequence[str]) -> None:
        if table.lower().startswith(("sqlite_", "_etl_")):
            raise PermanentError(f'A table cannot be called "{table}".', hint="That beginning is reserved.")
        self._database = database
        self._table = table
        self._disposition = disposition
        self._key = list(key)
        self._schema: pa.Schema | None = None
        self._staged = 0
        self._stage = f"temp.{identifier(f'{STAGE}_{id(self)}')}"

    def write(self, batch: pa.RecordBatch) -> Sequence[Rejected]:
        """Stage a batch; rows without a whole key come back.

        Raises:
            PermanentError: the table has other columns, a row cannot be kept, the disk is full.
            TransientError: another program holds the lock.
        """
        with failures_of(self._database.path):
            if self._schema is None:
                self._begin(batch.schema)
            batch, rejected = self._without_missing_keys(batch)
            self._insert(batch)
            return rejected

    def commit(self) -> Loaded:
        """Apply what is staged in one transaction.

        Raises:
            PermanentError: the rows do not fit the table; it stays as it was.
            TransientError: another program holds the lock; may be called again.
        """
        if self._schema is None:
            return Loaded()
        with failures_of(self._database.path):
            with self._database.atomic("IMMEDIATE"):
                self._prepare_target()
                loaded = self._apply()
            self._forget()
        return loaded

    def abort(self) -> None:
        """Forget what is staged."""
        self._forget()

    def _forget(self) -> None:
        # The temporary table goes with the connection, and no thread keeps one that it does not need.
        self._schema = None
        self._staged = 0
        self._database.release()

    def _begin(self, schema: pa.Schema) -> None:
        for name in self._key:
            if name not in schema.names:
                raise PermanentError(
                    f'The key column "{name}" does not arrive at the table {self._table}.',
                    hint=f"Columns here: {', '.join(schema.names)}.",
                    column=name,
                )
        self._check_target(schema)
        self._database.execute_sql(f"DROP TABLE IF EXISTS {self._stage}")
        self._database.execute_sql("PRAGMA temp.cache_size = -32768")
        columns = ", ".join(f"{identifier(field.name)} {_sql_type(field)}" for field in schema)
        ordered = self._keyed
        key = f", PRIMARY KEY ({identifiers(self._key)})" if ordered else ""
        rowid = " WITHOUT ROWID" if ordered and not self._integer_key(schema) else ""
        self._database.execute_sql(f"CREATE TABLE {self._stage} ({columns}{key}){rowid}")
        self._schema = schema

    @property
    def _keyed(self) -> bool:
        return bool(self._key) and self._disposition != "append"

    def _integer_key(self, schema: pa.Schema) -> bool:
        """Whether the key can be SQLite's own row number, the cheapest one."""
        return len(self._key) == 1 and pa.types.is_integer(schema.field(self._key[0]).type)

    def _insert(self, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {self._stage} ({identifiers(names)}) VALUES ({marks})"  # noqa: S608 - quoted names
        if self._keyed:
            sql += f" ON CONFLICT ({identifiers(self._key)}) DO " + _update(names, self._key, "excluded")
        connection: apsw.Connection = self._database.connection()
        try:
            # A savepoint: a batch is staged whole or not at all, so that it may be tried again.
            with connection:
                for rows in rows_of(batch):
                    connection.cursor().executemany(sql, rows)
        except OverflowError:
            raise PermanentError(
                f"The table {self._table} cannot keep an integer beyond 9,223,372,036,854,775,807.",
                hint="Cast the column to text or number with a Select node.",
            ) from None
        self._staged += batch.num_rows

    def _without_missing_keys(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Rejected]]:
        missing: Any = None
        for name in self._key:
            column = batch.column(name)
            if column.null_count:
                missing = pc.is_null(column) if missing is None else pc.or_(missing, pc.is_null(column))
        if missing is None:
            return batch, []
        rows = batch.filter(missing)
        problems = []
        for index in range(rows.num_rows):
            name = next(name for name in self._key if not rows.column(name)[index].is_valid)
            message = f'The key column "{name}" is empty; the table {self._table} could never find the row again.'
            problems.append(Problem("null_key", message, name))
        return batch.filter(pc.invert(missing)), [Rejected(rows, problems)]

    def _check_target(self, schema: pa.Schema) -> None:
        present = self._target_columns()
        if not present or self._disposition == "replace":
            return
        missing = [name for name in schema.names if name.lower() not in {column.lower() for column in present}]
        if missing:
            raise PermanentError(
                f"The table {self._table} in {self._database.path} has no column {_quoted(missing)}.",
                hint=f"It has {_quoted(present)}. Pick and rename columns with a Select node, or choose another table.",
                column=missing[0],
            )
        known = {name.lower() for name in schema.names}
        needed = [name for name, required in present.items() if required and name.lower() not in known]
        if needed:
            raise PermanentError(
                f"The table {self._table} in {self._database.path} needs the column {_quoted(needed)}; it does not arrive.",
                hint="Add it with a Derive node, or choose another table.",
                column=needed[0],
            )

    def _target_columns(self) -> dict[str, bool]:
        """Columns of the target and whether they need a value; empty: no such table."""
        sql = "SELECT name, \"notnull\" AND dflt_value IS NULL AND NOT pk FROM pragma_table_info(?, 'main')"
        return {name: bool(required) for name, required in self._database.execute_sql(sql, (self._table,))}

    def _prepare_target(self) -> None:
        schema = self._schema
        assert schema is not None  # noqa: S101 - set by write
        present = self._target_columns()
        if self._disposition == "replace" and present and list(present) != schema.names:
            self._database.execute_sql(f"DROP TABLE {identifier(self._table)}")
            present = {}
        if not present:
            self._create(schema)
        elif self._keyed:
            self._require_unique_key()

    def _create(self, schema: pa.Schema) -> None:
        key = self._key if self._keyed else []
        fields: dict[str, Any] = {}
        for column in schema:
            attributes = {"null": column.name not in key, "column_name": column.name}
            if key == [column.name]:
                attributes["primary_key"] = True
            fields[f"c{len(fields)}"] = field_for(column.type)(**attributes)
        names = dict(zip(schema.names, fields, strict=True))
        meta: dict[str, Any] = {"database": self._database, "table_name": self._table, "primary_key": False}
        if len(key) == 1:
            del meta["primary_key"]
        elif key:
            meta["primary_key"] = peewee.CompositeKey(*(names[name] for name in key))
        model: Any = type("Target", (peewee.Model,), {**fields, "Meta": type("Meta", (), meta)})
        model.create_table(safe=False)

    def _require_unique_key(self) -> None:
        wanted = sorted(name.lower() for name in self._key)
        database = self._database
        primary = [
            row[0] for row in database.execute_sql("SELECT name FROM pragma_table_info(?) WHERE pk", (self._table,))
        ]
        if sorted(name.lower() for name in primary) == wanted:
            return
        for (index,) in database.execute_sql(
            'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (self._table,)
        ).fetchall():
            columns = [row[0] for row in database.execute_sql("SELECT name FROM pragma_index_info(?)", (index,))]
            if sorted((name or "").lower() for name in columns) == wanted:
                return
        name = identifier(f"_etl_key_{self._table}_{'_'.join(self._key)}")
        try:
            database.execute_sql(f"CREATE UNIQUE INDEX {name} ON {identifier(self._table)} ({identifiers(self._key)})")
        except peewee.IntegrityError:
            raise PermanentError(
                f"The table {self._table} holds rows with the same {_quoted(self._key)}: they cannot be merged by it.",
                hint="Remove the doubles or choose another key.",
            ) from None

    def _apply(self) -> Loaded:
        schema = self._schema
        assert schema is not None  # noqa: S101 - set by write
        target, names = identifier(self._table), schema.names
        connection: apsw.Connection = self._database.connection()
        execute = self._database.execute_sql
        if self._disposition == "replace":
            execute(f"DELETE FROM {target}")  # noqa: S608 - quoted name
        updated = unchanged = 0
        kept = self._staged
        if self._keyed:
            ((kept,),) = execute(f"SELECT count(*) FROM {self._stage}").fetchall()  # noqa: S608 - our own table
        if self._disposition == "merge" and execute(f"SELECT 1 FROM {target} LIMIT 1").fetchall():  # noqa: S608
            updated = self._update_changed(target, names)
        columns = identifiers(names)
        sql = f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {self._stage} WHERE true"  # noqa: S608
        if self._disposition == "merge":
            sql += f" ON CONFLICT ({identifiers(self._key)}) DO NOTHING"
        execute(sql)
        inserted = connection.changes()
        unchanged = kept - inserted - updated
        return Loaded(inserted, updated, unchanged, self._staged - kept)

    def _update_changed(self, target: str, names: Sequence[str]) -> int:
        others = [name for name in names if name not in self._key]
        if not others:
            return 0
        same_key = " AND ".join(f"s.{identifier(name)} = t.{identifier(name)}" for name in self._key)
        differs = " OR ".join(f"s.{identifier(name)} IS NOT t.{identifier(name)}" for name in others)
        values = ", ".join(f"{identifier(name)} = s.{identifier(name)}" for name in others)
        sql = f"UPDATE {target} AS t SET {values} FROM {self._stage} AS s WHERE {same_key} AND ({differs})"  # noqa: S608
        self._database.execute_sql(sql)
        changes: int = self._database.connection().changes()
        return changes


def _update(names: Sequence[str], key: Sequence[str], source: str) -> str:
    others = [name for name in names if name not in key]
    if not others:
        # Something must be set, or SQLite would not count the row as seen.
        others = [key[0]]
    return "UPDATE SET " + ", ".join(f"{identifier(name)} = {source}.{identifier(name)}" for name in others)


def _sql_type(field: pa.Field) -> str:
    kind = field_for(field.type)
    names = {
        peewee.BooleanField: "INTEGER",
        peewee.DoubleField: "REAL",
        peewee.BlobField: "BLOB",
        peewee.TextField: "TEXT",
    }
    return names.get(kind, "INTEGER")


def _quoted(names: Sequence[str] | dict[str, bool]) -> str:
    return ", ".join(f'"{name}"' for name in names)
