"""Loading rows into one table: staged while the run streams, then applied in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.errors import PermanentError, UsageError
from etl_studio.sdk import Loaded, Problem, Rejected, identifier, require_columns
from etl_studio.storage.column_values import LARGEST, declared_type, does_not_fit, is_missing
from etl_studio.storage.commit import Staged, apply
from etl_studio.storage.dry_run import dry_run, nothing
from etl_studio.storage.failures import read_only
from etl_studio.storage.marks import write_mark
from etl_studio.storage.stage import SORT_CACHE_KIB, Stage
from etl_studio.storage.table_schema import (
    folded,
    read_table,
    require_distinct_names,
    require_fit,
    require_loadable_name,
    same_columns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.sdk import Diff, Mark
    from etl_studio.storage.loads import LoadSpec
    from etl_studio.storage.open_file import OpenFile
    from etl_studio.storage.table_schema import Table


class TableLoad:
    """One load (``sdk.TableLoad``). All calls come from one thread.

    Args:
        file: the database.
        spec: the target, made when it is not there, and how its rows are written: append; replace (a reader sees the
            old rows or the new ones, never fewer); merge by key. With replace, a key keeps one row of each; append does
            not look at it.
        number: makes the name of the temporary table unique.

    Raises:
        PermanentError: the file is read-only, or the name may not be used.
        UsageError: merge without a key.
    """

    def __init__(self, file: OpenFile, spec: LoadSpec, number: int) -> None:
        require_loadable_name(spec.table)
        if spec.disposition == "merge" and not spec.key:
            raise UsageError("Merge needs a key.", hint="Give the columns that identify a row (setting key).")
        if file.is_read_only:
            raise read_only(file.path)
        self._file = file
        self._spec = spec
        self._stage_name = f"_etl_stage_{number}"
        self._schema: pa.Schema | None = None
        self._required: frozenset[str] = frozenset(spec.key)
        self._staged: Staged | None = None
        self._load: int | None = None
        self._replaced = False

    def write(self, batch: pa.RecordBatch) -> Sequence[Rejected]:
        """Stage rows; the first batch, which may be empty, fixes the columns. Gives back the rows that do not fit.

        Raises:
            PermanentError: the table has other columns, or a batch has.
            TransientError: the temporary file could not be written.
        """
        with self._file.translated():
            if self._schema is None or self._staged is None:
                self._staged = self._begin(batch.schema)
                self._schema = batch.schema
            elif batch.schema.names != self._schema.names:
                raise PermanentError(
                    f"The columns changed on the way: {', '.join(batch.schema.names)} after "
                    f"{', '.join(self._schema.names)}.",
                    hint="Make them the same with a Select node.",
                )
            good, rejected = self._split(batch)
            self._staged.stage.add(good)
        return rejected

    def commit(self, mark: Mark | None = None) -> Loaded:
        """Apply what was staged since the last commit, and the mark, in one transaction; may be repeated.

        A load that needs all its rows does nothing for a mark that is not final: the rows stay staged.

        Raises:
            TransientError: the database is locked, or could not be written just now.
            PermanentError: the table changed meanwhile and no longer fits, a constraint of it is broken, or the disk
                is full. The table is as it was.
        """
        waits = mark is not None and not mark.final and self._spec.needs_all_rows
        if self._staged is None or waits:
            return Loaded()
        with self._file.translated():
            connection = self._file.connection()
            kept = self._staged.keep()
            with self._file.database.atomic():
                loaded, load = apply(connection, self._staged, kept, self._load, replaced=self._replaced)
                if mark is not None:
                    write_mark(connection, mark, loaded)
            self._load = load
            self._replaced = True
            try:
                self._staged.stage.clear()
            except apsw.Error:
                # The rows are in: told as a failure, they would be loaded again. The stage goes with its connection.
                self.abort()
        return loaded

    def preview(self, limit: int) -> Diff:
        """What ``commit`` would do now, with at most ``limit`` changes of each kind. Nothing is written.

        It is done in a transaction that is taken back; until then other programs can read, but not write.

        Raises:
            EtlError: as ``commit`` would.
        """
        with self._file.translated():
            connection = self._file.connection()
            if self._staged is None:
                return nothing(connection, self._spec.table)
            kept = self._staged.keep()
            with self._file.database.atomic() as transaction:
                diff = dry_run(connection, self._staged, kept, self._load, limit, replaced=self._replaced)
                transaction.rollback()
        return diff

    def abort(self) -> None:
        """Forget what is staged."""
        if self._staged is None:
            return
        self._staged = None
        # The temporary table goes with the connection; dropping it may fail where no disk has any room left.
        self._file.release()

    def _begin(self, schema: pa.Schema) -> Staged:
        spec = self._spec
        for setting, names in {
            "key": spec.key,
            "hard_delete": [spec.hard_delete],
            "version": [spec.version],
            "dedup_sort": [spec.options.dedup_sort if spec.key else None],
        }.items():
            require_columns([name for name in names if name is not None], schema.names, setting=setting)
        require_distinct_names(schema)
        target = self._target_of(schema)
        connection = self._file.connection()
        table = read_table(connection, spec.table)
        if table is not None and spec.disposition == "replace" and not same_columns(table, schema):
            table = None
        if table is not None:
            require_fit(table, target, spec.key)
            self._required |= {
                field.name for field in schema if (column := table.column(field.name)) is not None and column.not_null
            }
        # Trees that grow at random places are rebuilt in memory, as far as this goes; SQLite's 2 MB double the work.
        connection.pragma("cache_size", -SORT_CACHE_KIB)
        columns = [(field.name, self._staged_type(table, field)) for field in schema]
        stage = Stage(self._file, self._stage_name, columns, spec.key)
        gone = "false"
        if spec.hard_delete is not None:
            is_flag = pa.types.is_boolean(schema.field(spec.hard_delete).type)
            gone = f"(s.{identifier(spec.hard_delete)} IS {'1' if is_flag else 'NOT NULL'})"
        return Staged(stage, spec, target, gone)

    def _target_of(self, schema: pa.Schema) -> pa.Schema:
        """The columns that the table must have for rows with these."""
        spec = self._spec
        fields = [field for field in schema if field.name != spec.hard_delete]
        if spec.strategy == "scd2":
            valid = (spec.options.valid_from, spec.options.valid_to)
            for name in valid:
                if folded(name) in map(folded, schema.names):
                    raise PermanentError(
                        f'The column "{name}" arrives, but the versions of the rows keep their times in it.',
                        hint="Drop or rename it with a Select node, or choose another valid_from and valid_to.",
                        column=name,
                    )
            fields += [pa.field(name, pa.timestamp("us", tz="UTC")) for name in valid]
        return pa.schema(fields)

    def _staged_type(self, table: Table | None, field: pa.Field) -> str:
        """As in the target, so that values compare as they will be stored, and two keys that are one there are here."""
        column = table.column(field.name) if table is not None else None
        if column is None or field.name == self._spec.hard_delete:
            return declared_type(field.type)
        return f"{column.type} COLLATE {column.collation}" if field.name in self._spec.key else column.type

    def _split(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Rejected]]:
        """Rows that can be stored, and the others with the reason."""
        bad: pa.Array | None = None
        flags = batch.column(self._spec.hard_delete) if self._spec.hard_delete else None
        reasons: list[tuple[pa.Array, Problem]] = []
        for field, array in zip(batch.schema, batch.columns, strict=True):
            checks = [(does_not_fit(array), _too_large(field.name))]
            if field.name in self._required:
                missing = is_missing(array)
                if missing is not None and flags is not None and field.name not in self._spec.key:
                    # A row that deletes its key needs no other values.
                    missing = pc.and_(missing, pc.invert(_is_set(flags)))
                    missing = missing if pc.any(missing).as_py() else None
                checks.append((missing, self._missing(field.name)))
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
        if name in self._spec.key:
            return Problem(
                "null_key",
                f'The key column "{name}" is empty, so the row cannot be told from others. Fill it or filter it out.',
                name,
            )
        return Problem(
            "not_null",
            f'The column "{name}" is empty, which the table "{self._spec.table}" does not allow. Fill it.',
            name,
        )


def _is_set(flags: pa.Array) -> pa.Array:
    """Which rows delete their key."""
    if pa.types.is_boolean(flags.type):
        return pc.fill_null(flags, fill_value=False)
    return pc.invert(pc.is_null(flags, nan_is_null=True))


def _too_large(name: str) -> Problem:
    return Problem(
        "too_large",
        f'The number in the column "{name}" is above {LARGEST}, the largest that SQLite can keep. Cast it to text.',
        name,
    )
