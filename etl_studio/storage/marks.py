"""Marks: how far each sink's commits went, kept in the target itself (``sdk.Mark``)."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from etl_studio.sdk import Mark

if TYPE_CHECKING:
    import apsw

    from etl_studio.sdk import Loaded

TABLE = "_etl_marks"
KEPT_RUNS = 200
"""Runs whose marks stay; older ones cannot be resumed."""


def write_mark(connection: apsw.Connection, mark: Mark, loaded: Loaded | None = None) -> None:
    """Put a mark in the place of the sink's last one; called inside the transaction that commits its rows.

    What the commit did goes into the mark's facts as ``loaded``.
    """
    facts = {**mark.facts, "loaded": asdict(loaded)} if loaded is not None else dict(mark.facts)
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS main.{TABLE} (run TEXT NOT NULL, node TEXT NOT NULL, epoch INTEGER NOT NULL, "
        "final INTEGER NOT NULL, facts TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (run, node)) WITHOUT ROWID"
    )
    connection.execute(
        f"INSERT INTO main.{TABLE} (run, node, epoch, final, facts, at) VALUES (?, ?, ?, ?, ?, ?) "  # noqa: S608 - our name
        "ON CONFLICT DO UPDATE SET epoch = excluded.epoch, final = excluded.final, facts = excluded.facts, "
        "at = excluded.at",
        (mark.run, mark.node, mark.epoch, mark.final, json.dumps(facts, default=str), time.time()),
    )
    if mark.final:
        # Ids of runs begin with their time.
        connection.execute(
            f"DELETE FROM main.{TABLE} WHERE run < (SELECT run FROM main.{TABLE} GROUP BY run "  # noqa: S608 - our name
            "ORDER BY run DESC LIMIT 1 OFFSET ?)",
            (KEPT_RUNS - 1,),
        )


def read_mark(connection: apsw.Connection, run: str, node: str) -> Mark | None:
    """The last mark of a sink in a run."""
    known = connection.execute("SELECT 1 FROM main.sqlite_schema WHERE name = ?", (TABLE,)).fetchall()
    if not known:
        return None
    found: list[Any] = connection.execute(
        f"SELECT epoch, final, facts FROM main.{TABLE} WHERE run = ? AND node = ?",  # noqa: S608 - our name
        (run, node),
    ).fetchall()
    return Mark(run, node, found[0][0], bool(found[0][1]), json.loads(found[0][2])) if found else None
