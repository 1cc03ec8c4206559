"""A stage and the table that its rows go into, as parts of SQL."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import apsw

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, identifier, identifiers
from etl_studio.storage.queries import rows, value
from etl_studio.storage.table_schema import LOAD_ID, is_unique

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl_studio.storage.loads import LoadSpec
    from etl_studio.storage.stage import Stage
    from etl_studio.storage.table_schema import Table


class Applied(NamedTuple):
    """What a commit did: its counts, and by how many rows the table grew (or, negative, shrank)."""

    loaded: Loaded
    grown: int


@dataclass(frozen=True, slots=True)
class Landing:
    """What is loaded, and its parts as SQL, in which ``t`` is a row of the table and ``s`` one of the stage.

    Attributes:
        connection: inside a transaction.
        table: the target.
        stage: the rows.
        kept: how many rows the stage holds.
        columns: names of those that are stored.
        spec: key and options.
        gone: whether ``s`` deletes its key.
        load: id of the load.
    """

    connection: apsw.Connection
    table: Table
    stage: Stage
    kept: int
    columns: Sequence[str]
    spec: LoadSpec
    gone: str
    load: int

    @property
    def target(self) -> str:
        """The table."""
        return f"main.{identifier(self.table.name)}"

    @property
    def key(self) -> str:
        """The key columns."""
        return identifiers(self.spec.key)

    @property
    def staged_key(self) -> str:
        """The key columns of the stage."""
        return ", ".join(f"s.{identifier(name)}" for name in self.spec.key)

    @property
    def others(self) -> list[str]:
        """The columns that are not of the key."""
        return [name for name in self.columns if name not in self.spec.key]

    @property
    def into(self) -> str:
        """The columns that are filled."""
        return identifiers([*self.columns, *self._load_id])

    @property
    def values(self) -> str:
        """What they are filled with."""
        return ", ".join([*(f"s.{identifier(name)}" for name in self.columns), *self._load_id.values()])

    @property
    def _load_id(self) -> dict[str, str]:
        return {LOAD_ID: str(self.load)} if self.table.keeps_load_ids else {}

    @property
    def rows(self) -> str:
        """The rows of the stage."""
        return f"{self.stage.table} AS s"

    @property
    def same(self) -> str:
        """Whether both rows have the same key."""
        return " AND ".join(f"t.{identifier(name)} = s.{identifier(name)}" for name in self.spec.key)

    @property
    def pairs(self) -> str:
        """Rows of both with the same key; the few of the stage are looked up among the many of the table."""
        return f"{self.rows} CROSS JOIN {self.target} AS t ON {self.same}"

    def current(self, table: str = "t", stage: str = "s") -> str:
        """Whether the row of the stage is not older than that of the table. NULL is older than everything."""
        if self.spec.version is None:
            return "true"
        old, new = (f"{one}.{identifier(self.spec.version)}" for one in (table, stage))
        return f"coalesce({new} >= {old}, {old} IS NULL)"

    def differs(self, table: str = "t", stage: str = "s") -> str:
        """Whether any value differs. A change of case is a change, even where the table compares without it."""
        if not self.others:
            return "false"
        old = ", ".join(f"{table}.{identifier(name)} COLLATE BINARY" for name in self.others)
        new = ", ".join(f"{stage}.{identifier(name)}" for name in self.others)
        return f"({old}) IS NOT ({new})"

    def count(self, source: str, condition: str) -> int:
        """How many rows."""
        found: int = value(self.connection, f"SELECT count(*) FROM {source} WHERE {condition}")  # noqa: S608
        return found

    def change(self, sql: str) -> int:
        """How many rows a statement changed."""
        self.connection.execute(sql)
        return self.connection.changes()


def insert(landing: Landing, condition: str = "true", constants: Mapping[str, str] = MappingProxyType({})) -> int:
    """Add the rows that do not delete their key, in the order in which they came. Gives their number.

    Args:
        landing: the rows and their table.
        condition: only those of them.
        constants: SQL of what further columns are filled with.

    Raises:
        PermanentError: a trigger or a constraint of the table leaves rows out without an error.
    """
    wanted = f"NOT {landing.gone} AND {condition}"
    expected = landing.count(landing.rows, wanted) if wanted != "NOT false AND true" else landing.kept
    into, values = (
        ", ".join([landing.into, *map(identifier, constants)]),
        ", ".join([landing.values, *constants.values()]),
    )
    written = landing.change(
        f"INSERT INTO {landing.target} ({into}) SELECT {values} FROM {landing.rows} "  # noqa: S608 - quoted names
        f"WHERE {wanted} ORDER BY s.{landing.stage.number}"
    )
    if written != expected:
        raise PermanentError(
            f'The table "{landing.table.name}" leaves out {expected - written:,} of {expected:,} rows without an '
            "error. Nothing was loaded.",
            hint="Look at its triggers and at constraints with ON CONFLICT IGNORE, or filter those rows out before.",
        )
    return written


def ensure_unique(connection: apsw.Connection, table: Table, key: Sequence[str]) -> None:
    """Give the table a unique index on the key where it has none; called inside the transaction.

    Raises:
        PermanentError: the table holds several rows with the same key.
    """
    if not is_unique(table, key):
        make_unique(connection, table, key, f"_etl_key {table.name} ({identifiers(key)})")


def make_unique(connection: apsw.Connection, table: Table, key: Sequence[str], name: str, where: str = "true") -> None:
    """Make a unique index on the key, for the rows of a condition.

    Raises:
        PermanentError: the table holds several such rows with the same key.
    """
    keys, target = identifiers(key), identifier(table.name)
    only = "" if where == "true" else f" WHERE {where}"
    try:
        connection.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS main.{identifier(name)} ON {target} ({keys}){only}")
    except apsw.ConstraintError:
        *found, doubles = rows(
            connection,
            f"SELECT {keys}, count(*) FROM main.{target} WHERE {where} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1",  # noqa: S608
        )[0]
        raise PermanentError(
            f'The table "{table.name}" cannot be merged into: it holds {doubles} rows with the same key.',
            hint="Remove the duplicates from the table, or choose a key that tells its rows apart.",
            column=", ".join(key),
            value=", ".join(map(str, found)),
        ) from None
