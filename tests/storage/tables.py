"""What tables hold, without the studio's own column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl_studio.storage.databases import SqliteFile


def rows_of(file: SqliteFile, table: str = "t", order: str = "") -> list[tuple[Any, ...]]:
    """The rows of a table; ``order`` is an ORDER BY clause."""
    own = "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE name <> '_load_id'"
    names = ", ".join('"' + name.replace('"', '""') + '"' for (name,) in file.query(own, (table,)))
    return file.query(f'SELECT {names} FROM "{table}" {order}')
