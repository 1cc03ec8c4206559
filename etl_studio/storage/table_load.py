"""Loading rows into one table: staged while the run streams, then applied in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.errors import PermanentError, UsageError
from etl_studio.sdk import Loaded, Problem, Rejected, require_columns
from etl_studio.storage.column_values import LARGEST, declared_type, does_not_fit, is_missing
from etl_studio.storage.failures import read_only
from etl_studio.storage.marks import write_mark
from etl_studio.storage.merge import ensure_unique, merge
from etl_studio.storage.replace import insert, replace
from etl_studio.storage.stage import SORT_CACHE_KIB, Stage
from etl_studio.storage.table_schema import (
    create_table_sql,
    read_table,
    require_distinct_names,
    require_fit,
    require_loadable_name,
    same_columns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from etl_studio.sdk import Mark, WriteDisposition
    from etl_studio.storage.open_file import OpenFile
    from etl_studio.storage.table_schema import Table


class TableLoad:
    """One load (``sdk.TableLoad``). All calls come from one thread.

    Args:
        file: the database.
        table: name of the target; made when it is not there.
        disposition: append; replace (a reader sees the old rows or the new ones, never fewer); merge by key.
        key: columns that identify a row: needed for merge; with replace it keeps the last row of each key; append
            does not look at it.
        number: makes the name of the temporary table unique.

    Raises:
        PermanentError: the file is read-only, or the name may not be used.
        UsageError: merge without a key.
    """

    def __init__(
        self, file: OpenFile, table: str, disposition: WriteDisposition, key: Sequence[str], number: int
    ) -> None:
        require_loadable_name(table)
        if disposition == "merge" and not key:
            raise UsageError("Merge needs a key.", hint="Give the columns that identify a row (setting key).")
        if file.is_read_only:
            raise read_only(file.path)
        self._file = file
        self._table = table
        self._disposition = disposition
        self._key = () if disposition == "append" else tuple(dict.fromkeys(key))
        self._stage_name = f"_etl_stage_{number}"
        self._schema: pa.Schema | None = None
        self._required: frozenset[str] = frozenset(self._key)
        self._stage: Stage | None = None
        self._replaced = False

    def write(self, batch: pa.RecordBatch) -> Sequence[Rejected]:
        """Stage rows; the first batch, which may be empty, fixes the columns. Gives back the rows that do not fit.

        Raises:
            PermanentError: the table has other columns, or a batch has.
            TransientError: the temporary file could not be written.
        """
        with self._file.translated():
            if self._schema is None or self._stage is None:
                self._stage = self._begin(batch.schema)
                self._schema = batch.schema
            elif batch.schema.names != self._schema.names:
                raise PermanentError(
                    f"The columns changed on the way: {', '.join(batch.schema.names)} after "
                    f"{', '.join(self._schema.names)}.",
                    hint="Make them the same with a Select node.",
                )
            good, rejected = self._split(batch)
            self._stage.add(good)
        return rejected

    def commit(self, mark: Mark | None = None) -> Loaded:
        """Apply what was staged since the last commit, and the mark, in one transaction; may be repeated.

        Raises:
            TransientError: the database is locked, or could not be written just now.
            PermanentError: the table changed meanwhile and no longer fits, a constraint of it is broken, or the disk
                is full. The table is as it was.
        """
        if self._stage is None or self._schema is None:
            return Loaded()
        with self._file.translated():
            kept = self._stage.keep_last() if self._key else self._stage.written
            with self._file.database.atomic():
                loaded = self._apply(self._file.connection(), self._stage, self._schema, kept)
                if mark is not None:
                    write_mark(self._file.connection(), mark)
            self._replaced = True
            self._stage.clear()
        return loaded

    def abort(self) -> None:
        """Forget what is staged."""
        if self._stage is None:
            return
        self._stage = None
        # The temporary table goes with the connection; dropping it may fail where no disk has any room left.
        self._file.release()

    def _begin(self, schema: pa.Schema) -> Stage:
        require_columns(self._key, schema.names, setting="key")
        require_distinct_names(schema)
        connection = self._file.connection()
        table = read_table(connection, self._table)
        if table is not None and self._disposition == "replace" and not same_columns(table, schema):
            table = None
        if table is not None:
            require_fit(table, schema, self._key)
            self._required |= {
                field.name for field in schema if (column := table.column(field.name)) is not None and column.not_null
            }
        # Trees that grow at random places are rebuilt in memory, as far as this goes; SQLite's 2 MB double the work.
        connection.pragma("cache_size", -SORT_CACHE_KIB)
        columns = [(field.name, self._staged_type(table, field)) for field in schema]
        return Stage(self._file, self._stage_name, columns, self._key)

    def _staged_type(self, table: Table | None, field: pa.Field) -> str:
        """As in the target, so that values compare as they will be stored, and two keys that are one there are here."""
        column = table.column(field.name) if table is not None else None
        if column is None:
            return declared_type(field.type)
        return f"{column.type} COLLATE {column.collation}" if field.name in self._key else column.type

    def _split(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Rejected]]:
        """Rows that can be stored, and the others with the reason."""
        bad: pa.Array | None = None
        reasons: list[tuple[pa.Array, Problem]] = []
        for field, array in zip(batch.schema, batch.columns, strict=True):
            checks = [(does_not_fit(array), _too_large(field.name))]
            if field.name in self._required:
                checks.append((is_missing(array), self._missing(field.name)))
            for mask, problem in checks:
                if mask is not None:
                    reasons.append((mask, problem))
                    bad = mask if bad is None else pc.or_(bad, mask)
        if bad is None:
            return batch, []
        rows = batch.filter(bad)
        masks = [(mask.filter(bad).to_pylist(), problem) for mask, problem in reasons]
        problems = [next(problem for mask, problem in masks if mask[row]) for row in range(rows.num_rows)]
        return batch.filter(pc.invert(bad)), [Rejected(rows, problems)]

    def _missing(self, name: str) -> Problem:
        if name in self._key:
            return Problem(
                "null_key",
                f'The key column "{name}" is empty, so the row cannot be told from others. Fill it or filter it out.',
                name,
            )
        return Problem(
            "not_null", f'The column "{name}" is empty, which the table "{self._table}" does not allow. Fill it.', name
        )

    def _apply(self, connection: apsw.Connection, stage: Stage, schema: pa.Schema, kept: int) -> Loaded:
        # References are checked at the commit: rows that are replaced by the same ones never were away.
        connection.pragma("defer_foreign_keys", 1)
        # Looked at again under the lock: another program may have made or changed the table meanwhile.
        table = read_table(connection, self._table)
        if table is not None and self._disposition == "replace" and not self._replaced:
            return replace(connection, table, stage, kept, schema, self._key)
        if table is None:
            connection.execute(create_table_sql(self._table, schema, self._key))
            table = read_table(connection, self._table)
            assert table is not None  # noqa: S101 - made just now
        else:
            require_fit(table, schema, self._key)
        if not self._key:
            return insert(connection, table.name, stage, kept)
        ensure_unique(connection, table, self._key)
        return merge(connection, table, stage, kept, schema.names, self._key)


def _too_large(name: str) -> Problem:
    return Problem(
        "too_large",
        f'The number in the column "{name}" is above {LARGEST}, the largest that SQLite can keep. Cast it to text.',
        name,
    )
