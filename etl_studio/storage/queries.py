"""Small SELECTs on one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

Row = tuple[Any, ...]


def rows(connection: apsw.Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """All rows."""
    found: list[Row] = connection.execute(sql, tuple(parameters)).fetchall()
    return found


def value(connection: apsw.Connection, sql: str, parameters: Sequence[Any] = ()) -> Any:
    """The first column of the first row; None where there is no row."""
    found = rows(connection, sql, parameters)
    return found[0][0] if found else None
