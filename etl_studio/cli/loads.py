"""``loads`` and ``undo``: what runs wrote into tables, and taking it back."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.opening import open_results
from etl_studio.cli.options import AsJson, WorkspaceFolder  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from etl_studio.storage.loads import Load

DatabaseFile = Annotated[
    Path | None,
    typer.Option(
        "--database", metavar="FILE", help="The SQLite file; default: the workspace's data.db.", show_default=False
    ),
]


def loads(
    table: Annotated[str | None, typer.Option("--table", metavar="TABLE", help="Only those of this table.")] = None,
    workspace: WorkspaceFolder = None,
    database: DatabaseFile = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the loads of the tables, the newest first."""
    from etl_studio.cli.output import print_json, print_line
    from etl_studio.cli.output import table as table_of

    with open_results(workspace, database) as results:
        found = results.loads(table)
    if as_json:
        print_json([_facts(one) for one in found])
        return
    header = ("load", "table", "at", "how", "run", "node", "inserted", "updated", "deleted", "undone")
    rows = [
        (
            one.id, one.table, _moment(one.at), one.strategy or one.disposition, one.run, one.node,
            one.loaded.inserted, one.loaded.updated, one.loaded.deleted, _moment(one.undone_at),
        )
        for one in found
    ]  # fmt: skip
    print_line(table_of(header, rows) if rows else "No loads yet.")


def undo(
    load: Annotated[int, typer.Argument(metavar="LOAD", help="Its number in the list of loads.", show_default=False)],
    workspace: WorkspaceFolder = None,
    database: DatabaseFile = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take a load back: the rows of its table as they were before it.

    Refused, with the reason, where a later load or a person has touched the same rows.
    """
    from etl_studio.cli.output import print_json, say

    with open_results(workspace, database) as results:
        done = results.undo_load(load)
    if as_json:
        print_json(_facts(done.load) | {"removed": done.removed, "restored": done.restored, "dropped": done.dropped})
    say(
        f'Load {done.load.id} of the table "{done.load.table}" is undone: '
        f"{done.removed:,} {'row' if done.removed == 1 else 'rows'} removed, {done.restored:,} brought back."
    )


def _facts(load: Load) -> dict[str, Any]:
    about = {name: getattr(load, name) for name in ("id", "table", "run", "node", "disposition", "strategy", "at")}
    return about | asdict(load.loaded) | {"undone_at": load.undone_at}


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
