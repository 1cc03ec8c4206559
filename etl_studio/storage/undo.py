"""Taking a load back: the rows of its table as they were before it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw
import peewee

from etl_studio.errors import PermanentError, UsageError
from etl_studio.sdk import identifier
from etl_studio.storage import marks
from etl_studio.storage.before import Before, guard
from etl_studio.storage.loads import TABLE, UNDOABLE, Load, before_table, find
from etl_studio.storage.queries import value
from etl_studio.storage.replace import dependants
from etl_studio.storage.table_schema import LOAD_ID, Table, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.storage.open_file import OpenFile


@dataclass(frozen=True, slots=True)
class Undoing:
    """What an undo does to the table.

    Attributes:
        load: it, as it is recorded afterwards.
        removed: rows of the load that go.
        restored: rows that it had changed or deleted, and that come back as they were.
        dropped: whether the table goes, since the load made it and it has no other rows.
    """

    load: Load
    removed: int
    restored: int
    dropped: bool


def undo(file: OpenFile, number: int) -> Undoing:
    """Remove the rows that a load wrote and put back those that it changed or deleted, all in one transaction.

    A table that the load made, and that has no other rows, is dropped. A run that was interrupted cannot go on from the
    load any more; resumed, it begins anew.

    Raises:
        UsageError: there is no such load, or it was undone before.
        PermanentError: the reason why it cannot be undone; nothing has changed.
        TransientError: the database is locked by another program.
    """
    with _refusing(file, number), file.database.atomic():
        return _Undo(file.connection(), number).take_back()


def rehearse_undo(file: OpenFile, number: int) -> Undoing:
    """What ``undo`` would do now, done in a transaction that is taken back.

    Raises:
        EtlError: as ``undo`` would.
    """
    with _refusing(file, number), file.database.atomic() as transaction:
        connection = file.connection()
        done = _Undo(connection, number).take_back()
        if connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0]:
            raise apsw.ConstraintError("FOREIGN KEY constraint failed")
        transaction.rollback()
    return done


@contextmanager
def _refusing(file: OpenFile, number: int) -> Iterator[None]:
    with file.translated():
        try:
            yield
        except (apsw.ConstraintError, peewee.IntegrityError) as error:
            raise PermanentError(
                f"Load {number} cannot be undone: the tables as they are now do not allow it ({error}).",
                hint="Remove the rows that are in the way.",
            ) from error


class _Undo:
    """One load on its way back, inside a transaction."""

    def __init__(self, connection: apsw.Connection, number: int) -> None:
        self.connection = connection
        found = find(connection, number)
        if not found:
            raise UsageError(f"There is no load {number} in this database.", hint="etl-studio loads lists them.")
        self.load = found[0]
        if self.load.undone_at is not None:
            raise UsageError(f"Load {number} was undone {_moment(self.load.undone_at)}.")

    def take_back(self) -> Undoing:
        """Do it, and tell what was done."""
        # References are checked at the commit: rows that come back never were away.
        self.connection.pragma("defer_foreign_keys", 1)
        table = self._undoable_table()
        self._refuse_touched(table)
        table = self._remade(table)
        restored = self._put_back(table) if self.load.before == "kept" else 0
        dropped = self._drop_if_made(table)
        return Undoing(self._recorded(), self.load.carried, restored, dropped)

    def _undoable_table(self) -> Table:
        load = self.load
        table = read_table(self.connection, load.table)
        if table is None:
            raise self._refusal("the table is gone", "Restore it from a copy.")
        if load.columns is None or not table.keeps_load_ids:
            raise self._refusal(
                f"the table keeps no column {LOAD_ID}, so nobody knows which rows are the load's",
                f"Add it for the loads to come: ALTER TABLE {identifier(load.table)} ADD COLUMN {LOAD_ID} INTEGER.",
            )
        if load.before == "pruned":
            raise self._refusal(
                "its earlier rows are not kept any more",
                f"They are kept for the last {UNDOABLE} loads of a table, and until it is replaced.",
            )
        names = dependants(self.connection, table)
        if names:
            raise self._refusal(f"rows of {names} refer to the table and would go with its rows", "Remove them first.")
        return table

    def _refuse_touched(self, table: Table) -> None:
        """Remove the load's rows, if all of them are as it left them."""
        load = self.load
        for other in find(self.connection, table=load.table):
            if other.id != load.id and other.before == "kept" and other.undone_at is None and self._is_in(other.id):
                raise self._touched_by(other)
        if load.columns != [[column.name, column.type] for column in table.columns]:
            raise self._refusal("the columns of the table were changed since", "Change them back.")
        self.connection.execute(
            f"DELETE FROM main.{identifier(table.name)} WHERE {LOAD_ID} = ?",  # noqa: S608 - quoted name
            (load.id,),
        )
        others = load.carried - self.connection.changes()
        if others:
            raise self._refusal(
                f"{abs(others):,} of its {load.carried:,} rows were changed or removed since, by hand or by a load "
                "that is not remembered",
                "Restore the rows from a copy of the database.",
            )

    def _is_in(self, other: int) -> bool:
        """Whether another load has changed or deleted rows of this one."""
        name = before_table(other)
        columns = f"SELECT 1 FROM pragma_table_info('_etl_before_{other}', 'main') WHERE name = ?"  # noqa: S608
        if value(self.connection, columns, (LOAD_ID,)) is None:
            return False
        theirs = f"SELECT 1 FROM main.{name} WHERE {LOAD_ID} = ? LIMIT 1"  # noqa: S608 - our name
        return value(self.connection, theirs, (self.load.id,)) is not None

    def _remade(self, table: Table) -> Table:
        """The table that the load put another one in the place of, still empty."""
        load = self.load
        if load.definition is None:
            return table
        newest = f"SELECT max({LOAD_ID}) FROM main.{identifier(table.name)}"  # noqa: S608 - quoted name
        left: int = value(self.connection, f"SELECT count(*) FROM main.{identifier(table.name)}")  # noqa: S608
        if left:
            later = find(self.connection, value(self.connection, newest) or -1)
            if later:
                raise self._touched_by(later[0])
            raise self._refusal(f"the table had other columns before it, and {left:,} rows came by hand since", "")
        self.connection.execute(f"DROP TABLE main.{identifier(table.name)}")
        for sql in load.definition:
            self.connection.execute(sql)
        made = read_table(self.connection, load.table)
        assert made is not None  # noqa: S101 - made by the first of these statements
        return made

    def _put_back(self, table: Table) -> int:
        load = self.load
        if load.key and load.definition is None:
            self._refuse_keys_that_came_again(table)
        before = Before(self.connection, table, load.id)
        wanted = before.rows
        if before.put_back() != wanted:
            raise self._refusal("the table leaves out some of its earlier rows without an error", "See its triggers.")
        before.drop()
        if table.keeps_load_ids:
            guard(self.connection, table)
        return wanted

    def _refuse_keys_that_came_again(self, table: Table) -> None:
        load = self.load
        same = " AND ".join(f"t.{identifier(name)} = b.{identifier(name)}" for name in load.key)
        # Earlier versions of a key stand beside the one that comes back.
        later = f" AND (t.{LOAD_ID} IS NULL OR t.{LOAD_ID} > {load.id})" if load.strategy == "scd2" else ""
        again = (
            f"SELECT coalesce(t.{LOAD_ID}, 0) FROM main.{before_table(load.id)} AS b "  # noqa: S608 - quoted names
            f"CROSS JOIN main.{identifier(table.name)} AS t ON {same}{later} LIMIT 1"
        )
        other = value(self.connection, again)
        if other is None:
            return
        known = find(self.connection, other)
        if known:
            raise self._touched_by(known[0])
        raise self._refusal("a row that it deleted came again, by hand or from a forgotten load", "Remove that row.")

    def _drop_if_made(self, table: Table) -> bool:
        name = f"main.{identifier(table.name)}"
        alone = self.load.created and value(self.connection, f"SELECT 1 FROM {name} LIMIT 1") is None  # noqa: S608
        if alone:
            self.connection.execute(f"DROP TABLE {name}")
        return alone

    def _recorded(self) -> Load:
        load = self.load
        self.connection.execute(
            f"UPDATE main.{TABLE} SET undone_at = ?, before = 'none' WHERE id = ?",  # noqa: S608 - our name
            (time.time(), load.id),
        )
        if value(self.connection, "SELECT 1 FROM main.sqlite_schema WHERE name = ?", (marks.TABLE,)):
            # What the mark tells is not in the table any more.
            self.connection.execute(
                f"DELETE FROM main.{marks.TABLE} WHERE run = ? AND node = ?",  # noqa: S608 - our name
                (load.run, load.node),
            )
        return find(self.connection, load.id)[0]

    def _touched_by(self, other: Load) -> PermanentError:
        who = f", run {other.run}" if other.run else ""
        return self._refusal(
            f"load {other.id} ({_moment(other.at)}{who}) has written to the same rows since",
            f"Undo load {other.id} first.",
        )

    def _refusal(self, reason: str, hint: str) -> PermanentError:
        what = f'Load {self.load.id} of the table "{self.load.table}" cannot be undone: {reason}.'
        return PermanentError(what, hint=hint or None)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
