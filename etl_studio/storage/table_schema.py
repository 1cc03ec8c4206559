"""What a table in a database looks like, and whether rows fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.errors import PermanentError
from etl_studio.sdk import identifier, identifiers, type_name
from etl_studio.storage.column_values import declared_type
from etl_studio.storage.queries import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

OWN_PREFIXES = ("sqlite_", "_etl_")
"""Tables of SQLite and of the studio itself."""

LOAD_ID = "_load_id"
"""Last column of the tables that we make: the load that wrote the row last. None of the table's own columns."""

ROWID_NAMES = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as the table spells it.
        type: as declared; may be empty.
        not_null: NULL is refused.
        has_default: a value is there when none is given.
        generated: computed by the table; cannot be written.
        collation: how its texts compare.
    """

    name: str
    type: str
    not_null: bool = False
    has_default: bool = False
    generated: bool = False
    collation: str = "BINARY"

    @property
    def affinity(self) -> str:
        """INTEGER, TEXT, BLOB, REAL or NUMERIC, by SQLite's rules."""
        declared = self.type.upper()
        if "INT" in declared:
            return "INTEGER"
        if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
            return "TEXT"
        if not declared or "BLOB" in declared:
            return "BLOB"
        return "REAL" if any(word in declared for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: as the database spells it.
        columns: in their order, without ``_load_id``.
        unique: column lists (lower case, sorted) that a unique index guards, the primary key included.
        rowid: a name for the row number, where the table has one that a query can ask for.
        rowid_column: the column that is the row number itself (INTEGER PRIMARY KEY), if any.
        keeps_load_ids: whether each row knows its load, so that a load can be undone.
    """

    name: str
    columns: tuple[Column, ...]
    unique: frozenset[tuple[str, ...]] = frozenset()
    rowid: str | None = None
    rowid_column: str | None = None
    keeps_load_ids: bool = False

    @property
    def stored(self) -> list[str]:
        """Names of the columns that can be written, ``_load_id`` among them."""
        names = [column.name for column in self.columns if not column.generated]
        return [*names, LOAD_ID] if self.keeps_load_ids else names

    def column(self, name: str) -> Column | None:
        """The column of that name; ASCII case does not matter, as in SQLite."""
        return next((column for column in self.columns if folded(column.name) == folded(name)), None)


def read_table(connection: apsw.Connection, name: str) -> Table | None:
    """Look a table up; None where there is none.

    Raises:
        PermanentError: the name belongs to a view or something else that no rows can be loaded into.
    """
    found = rows(
        connection,
        "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
        (name,),
    )
    if not found:
        return None
    name, kind, without_rowid = found[0]
    if kind != "table":
        raise PermanentError(f'"{name}" is a {kind}, not a table.', hint="Choose another name.")
    columns, key = [], []
    described = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')"
    for column_name, declared, not_null, default, key_part, hidden in rows(connection, described, (name,)):
        collation = connection.column_metadata("main", name, column_name)[1]
        columns.append(Column(column_name, declared, bool(not_null), default is not None, hidden > 1, collation))
        if key_part:
            key.append((column_name, declared))
    alias = key[0][0] if len(key) == 1 and key[0][1].upper() == "INTEGER" and not without_rowid else None
    unique = {_folded(part for part, _ in key)} if key else set()
    indexes = "SELECT name FROM pragma_index_list(?, 'main') WHERE \"unique\" AND NOT partial"
    for (index,) in rows(connection, indexes, (name,)):
        # The part of an index on an expression has no name.
        parts = [part for (part,) in rows(connection, "SELECT name FROM pragma_index_info(?, 'main')", (index,))]
        if None not in parts:
            unique.add(_folded(parts))
    rowid = None if without_rowid else rowid_name([column.name for column in columns])
    keeps_load_ids = bool(alias or rowid) and any(map(_is_load_id, columns))
    own = tuple(column for column in columns if not (keeps_load_ids and _is_load_id(column)))
    return Table(name, own, frozenset(unique), alias or rowid, alias, keeps_load_ids)


def _is_load_id(column: Column) -> bool:
    return column.name == LOAD_ID and column.affinity == "INTEGER" and not column.generated


def rowid_name(columns: Sequence[str]) -> str | None:
    """A name for the row number that no column hides."""
    taken = set(map(folded, columns))
    return next((name for name in ROWID_NAMES if name not in taken), None)


def is_unique(table: Table, key: Sequence[str]) -> bool:
    """Whether a unique index guards exactly these columns."""
    return _folded(key) in table.unique


def require_loadable_name(name: str) -> None:
    """Refuse names of SQLite's and our own tables.

    Raises:
        PermanentError: for such a name.
    """
    if name.lower().startswith(OWN_PREFIXES):
        raise PermanentError(f'A table must not be called "{name}".', hint=f"Names with {OWN_PREFIXES} are taken.")


def require_distinct_names(schema: pa.Schema) -> None:
    """Refuse columns that SQLite cannot tell apart.

    Raises:
        PermanentError: names two of them.
    """
    seen: dict[str, str] = {}
    for name in schema.names:
        if not name:
            raise PermanentError("A column has no name.", hint="Name it with a Select node.")
        if folded(name) == LOAD_ID:
            raise PermanentError(
                f'A column must not be called "{name}": each table has its own.',
                hint="Drop or rename it with a Select node.",
                column=name,
            )
        if folded(name) in seen:
            raise PermanentError(
                f'SQLite takes the columns "{seen[folded(name)]}" and "{name}" for one.',
                hint="Rename one of them with a Select node.",
                column=name,
            )
        seen[folded(name)] = name


def create_table_sql(table: str, schema: pa.Schema, key: Sequence[str], *, unique: bool = True) -> str:
    """CREATE TABLE for rows with these columns and the load's id; key columns are typed and NOT NULL."""
    parts = [
        f"{identifier(field.name)} {declared_type(field.type)}{' NOT NULL' if field.name in key else ''}"
        for field in schema
    ]
    parts.append(f"{LOAD_ID} INTEGER")
    if key and unique:
        # One INTEGER column as the key becomes the row number itself: no second tree to keep.
        parts.append(f"PRIMARY KEY ({identifiers(key)})")
    return f"CREATE TABLE main.{identifier(table)} ({', '.join(parts)})"


def same_columns(table: Table, schema: pa.Schema) -> bool:
    """Whether the table has these columns and no others, and keeps their values as a new table would."""
    if set(map(folded, schema.names)) != {folded(column.name) for column in table.columns}:
        return False
    pairs = [(table.column(field.name), field) for field in schema]
    return all(column is not None and not column.generated and _keeps_type(column, field) for column, field in pairs)


def require_fit(table: Table, schema: pa.Schema, key: Sequence[str] = ()) -> None:
    """Refuse rows that the table has no place for.

    Raises:
        PermanentError: names the columns that the table lacks, those that it needs, or the one of another type.
    """
    unknown = [name for name in schema.names if (column := table.column(name)) is None or column.generated]
    arriving = set(map(folded, schema.names))
    needed = [
        column.name
        for column in table.columns
        if column.not_null
        and not (column.has_default or column.generated or column.name == table.rowid_column)
        and folded(column.name) not in arriving
    ]
    problems = []
    if unknown:
        problems.append(f"it has no column {_quoted(unknown)} to write to")
    if needed:
        problems.append(f"it needs {_quoted(needed)}, which does not arrive")
    if problems:
        raise PermanentError(
            f'The rows do not fit the table "{table.name}": {" and ".join(problems)}.',
            hint=f"It has {_quoted([column.name for column in table.columns])}. Rename or drop columns with a Select "
            "node, choose another table, or use write_disposition: replace.",
            column=(unknown or needed)[0],
        )
    for field in schema:
        column = table.column(field.name)
        if column is not None:
            _require_type(table, column, field)
            if field.name in key and column.affinity == "BLOB" and declared_type(field.type) != "BLOB":
                raise PermanentError(
                    f'The key column "{column.name}" of the table "{table.name}" has no type, so 1 and "1" would be '
                    "two rows.",
                    hint="Declare its type in the table, or load into a new table.",
                    column=column.name,
                )


def _require_type(table: Table, column: Column, field: pa.Field) -> None:
    """SQLite would turn the text 007 into the number 7 without a word."""
    text_to_number = declared_type(field.type) == "TEXT" and column.affinity not in ("TEXT", "BLOB")
    if not text_to_number or pa.types.is_null(field.type) or _keeps_type(column, field):
        return
    raise PermanentError(
        f'The column "{field.name}" arrives as {type_name(field.type)}, but the table "{table.name}" keeps it as '
        f"{column.type}.",
        hint="Cast it with a Select node, load into another table, or use write_disposition: replace.",
        column=field.name,
    )


def _keeps_type(column: Column, field: pa.Field) -> bool:
    """Whether values are stored as in a column of our own; other programs declare DATE and DECIMAL, too."""
    if column.affinity == Column(field.name, declared_type(field.type)).affinity:
        return True
    is_moment = any(word in column.type.upper() for word in ("DATE", "TIME"))
    is_exact = pa.types.is_decimal(field.type)
    return column.affinity == "NUMERIC" and declared_type(field.type) == "TEXT" and (is_moment or is_exact)


def folded(name: str) -> str:
    """A name as SQLite compares names: the case of ASCII letters, and of no others, does not matter."""
    return name.encode("utf-8", "replace").lower().decode()


def _folded(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(folded, names)))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
