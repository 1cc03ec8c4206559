"""All rows of a table exchanged for those of a stage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import apsw

from etl_studio.errors import PermanentError
from etl_studio.sdk import identifier
from etl_studio.storage.before import GUARD, Before
from etl_studio.storage.queries import rows
from etl_studio.storage.table_schema import create_table_sql, require_fit, same_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from etl_studio.storage.table_schema import Table

logger = logging.getLogger(__name__)


def clear(
    connection: apsw.Connection, table: Table, schema: pa.Schema, key: Sequence[str], load: int
) -> list[str] | None:
    """Make room for other rows; called inside a transaction, so that readers have the old ones until it ends.

    The old rows are kept aside. A table with the same columns keeps its definition, indexes and triggers. Another one
    is made anew, and ``attach`` puts back what was attached to it.

    Returns:
        The SQL of a table that was made anew, as it was before, with what was attached to it.

    Raises:
        PermanentError: rows of other tables would be deleted or changed with the old rows, or a type does not fit.
    """
    names = dependants(connection, table)
    if names:
        raise PermanentError(
            f'The table "{table.name}" cannot be replaced: rows of {names} refer to its rows and would go with them.',
            hint="Use write_disposition: merge, or choose another table.",
        )
    same = same_columns(table, schema)
    if same:
        require_fit(table, schema, key)
    if table.keeps_load_ids or not same:
        Before(connection, table, load).keep_all()
    if same:
        connection.execute(f"DELETE FROM main.{identifier(table.name)}")  # noqa: S608 - quoted name
        return None
    definition = rows(
        connection,
        "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL "
        "AND NOT (type = 'trigger' AND substr(name, 1, ?) = ?) ORDER BY type <> 'table', type",
        (table.name, len(GUARD), GUARD),
    )
    connection.execute(f"DROP TABLE main.{identifier(table.name)}")
    connection.execute(create_table_sql(table.name, schema, key))
    return [sql for (sql,) in definition]


def attach(connection: apsw.Connection, table: str, definition: Sequence[str]) -> None:
    """Put indexes and triggers back, as far as they fit the new columns."""
    for sql in definition[1:]:
        try:
            connection.execute(sql)
        except apsw.SQLError as error:
            logger.warning(
                'A part of the table "%s" does not fit its new columns and is gone (%s): %s', table, error, sql
            )


def dependants(connection: apsw.Connection, table: Table) -> str:
    """Names of the tables whose rows would be deleted or changed with rows of this one; empty where there are none."""
    found = rows(
        connection,
        "SELECT DISTINCT child.name FROM main.sqlite_schema AS child, pragma_foreign_key_list(child.name) AS reference "
        "WHERE child.type = 'table' AND reference.\"table\" = ? COLLATE NOCASE AND child.name <> ? COLLATE NOCASE "
        "AND reference.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')",
        (table.name, table.name),
    )
    return ", ".join(f'"{name}"' for (name,) in found)
