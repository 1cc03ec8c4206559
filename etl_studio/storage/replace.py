"""All rows of a table exchanged for those of a stage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import apsw

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, identifier
from etl_studio.storage.merge import ensure_unique
from etl_studio.storage.queries import rows
from etl_studio.storage.table_schema import create_table_sql, require_fit, same_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from etl_studio.storage.stage import Stage
from etl_studio.storage.table_schema import Table

logger = logging.getLogger(__name__)


def insert(connection: apsw.Connection, table: str, stage: Stage, kept: int) -> Loaded:
    """Add the rows that the stage has kept, in the order in which they came.

    Raises:
        PermanentError: a trigger or a constraint of the table leaves rows out without an error.
    """
    connection.execute(
        f"INSERT INTO main.{identifier(table)} ({stage.columns}) "  # noqa: S608 - quoted names
        f"SELECT {stage.columns} FROM {stage.table} ORDER BY {stage.number}"
    )
    left_out = kept - connection.changes()
    if left_out:
        raise PermanentError(
            f'The table "{table}" leaves out {left_out:,} of {kept:,} rows without an error. Nothing was loaded.',
            hint="Look at its triggers and at constraints with ON CONFLICT IGNORE, or filter those rows out before.",
        )
    return Loaded(inserted=kept, superseded=stage.written - kept)


def replace(  # noqa: PLR0913 - what an exchange is about
    connection: apsw.Connection, table: Table, stage: Stage, kept: int, schema: pa.Schema, key: Sequence[str]
) -> Loaded:
    """Exchange the rows; called inside a transaction, so that readers have the old ones until the new are complete.

    A table with the same columns keeps its definition, indexes and triggers. Another one is made anew; what was
    attached to it is put back as far as it fits the new columns.

    Raises:
        PermanentError: rows of other tables would be deleted or changed with the old rows, or a type does not fit.
    """
    _refuse_dependants(connection, table)
    if same_columns(table, schema):
        require_fit(table, schema, key)
        connection.execute(f"DELETE FROM main.{identifier(table.name)}")  # noqa: S608 - quoted name
        loaded = insert(connection, table.name, stage, kept)
        if key:
            ensure_unique(connection, table, key)
        return loaded
    attached = rows(
        connection,
        "SELECT name, sql FROM main.sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger') "
        "AND sql IS NOT NULL",
        (table.name,),
    )
    connection.execute(f"DROP TABLE main.{identifier(table.name)}")
    connection.execute(create_table_sql(table.name, schema, key))
    loaded = insert(connection, table.name, stage, kept)
    for name, sql in attached:
        try:
            connection.execute(sql)
        except apsw.SQLError as error:
            logger.warning(
                '"%s" of the table "%s" does not fit its new columns and is gone (%s).', name, table.name, error
            )
    return loaded


def _refuse_dependants(connection: apsw.Connection, table: Table) -> None:
    dependants = rows(
        connection,
        "SELECT DISTINCT child.name FROM main.sqlite_schema AS child, pragma_foreign_key_list(child.name) AS reference "
        "WHERE child.type = 'table' AND reference.\"table\" = ? COLLATE NOCASE AND child.name <> ? COLLATE NOCASE "
        "AND reference.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')",
        (table.name, table.name),
    )
    if dependants:
        names = ", ".join(f'"{name}"' for (name,) in dependants)
        raise PermanentError(
            f'The table "{table.name}" cannot be replaced: rows of {names} refer to its rows and would go with them.',
            hint="Use write_disposition: merge, or choose another table.",
        )
