"""``tables`` and ``export``: the rows that runs have left."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from etl_studio.cli.opening import open_workspace
from etl_studio.cli.options import AsJson, WorkspaceFolder  # noqa: TC001 - typer reads the annotations


def tables(workspace: WorkspaceFolder = None, *, as_json: AsJson = False) -> None:
    """List the tables of a workspace with their rows and columns."""
    from etl_studio.cli.output import print_json, print_line, table

    with open_workspace(workspace) as place:
        found = [(one.name, one.rows, list(one.columns)) for one in place.results.tables()]
    if as_json:
        print_json([{"table": name, "rows": rows, "columns": columns} for name, rows, columns in found])
    else:
        lines = [(name, rows, ", ".join(columns)) for name, rows, columns in found]
        print_line(table(("table", "rows", "columns"), lines) if lines else "No tables yet.")


def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table to export.", show_default=False)],
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="The ending decides: .csv, .parquet, .xlsx or .jsonl.")
    ],
    workspace: WorkspaceFolder = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a table of a workspace to a file; the file appears when it is complete."""
    from etl_studio.cli.output import print_json, say

    with open_workspace(workspace) as place:
        rows = place.results.export(table, to)
    if as_json:
        print_json({"table": table, "file": str(to), "rows": rows})
    say(f"{rows:,} rows written to {to}")
