"""``runs``: what happened in a workspace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.opening import open_workspace
from etl_studio.cli.options import AsJson, WorkspaceFolder  # noqa: TC001 - typer reads the annotations
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most, the newest first.")]
DEFAULT_LIMIT = 50
RUN_FACTS = (
    "id", "kind", "pipeline", "status", "started", "duration", "rows_in", "rows_out", "rejected", "dead_letters",
    "attempts", "error", "paused",
)  # fmt: skip


def runs(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="Show this run.", show_default=False)] = None,
    workspace: WorkspaceFolder = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    as_json: AsJson = False,
) -> None:
    """List the runs of a workspace, or show one."""
    from etl_studio.cli.output import print_json, print_line, table
    from etl_studio.cli.report import node_lines

    with open_workspace(workspace) as place:
        found = list(place.runs(limit=limit)) if run is None else [place.run(run)]
        nodes = {} if run is None else place.node_counts(run)
    if run is not None and found[0] is None:
        raise UsageError(f"There is no run {run} in this workspace.", hint="etl-studio runs lists them.")
    notes = [text for one in found if one is not None for text in one.notes]
    facts = [_facts(one, RUN_FACTS) for one in found]
    if as_json:
        print_json(facts if run is None else facts[0] | {"nodes": nodes, "notes": notes})
    elif run is None:
        header = ("run", "pipeline", "status", "started", "seconds", "rows in", "rows out", "dead letters")
        rows = [
            (
                one["id"], _title(one), _status(one), moment(one["started"]), _seconds(one["duration"]),
                one["rows_in"], one["rows_out"], one["dead_letters"],
            )
            for one in facts
        ]  # fmt: skip
        print_line(table(header, rows) if rows else "No runs yet.")
    else:
        about = facts[0] | {"started": moment(facts[0]["started"]), "duration": _seconds(facts[0]["duration"])}
        print_line(
            "\n".join(f"{name.replace('_', ' ')}: {'' if value is None else value}" for name, value in about.items())
        )
        for line in (*notes, *node_lines(nodes)):
            print_line(line)


def _facts(one: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def _title(one: dict[str, Any]) -> str:
    return one["pipeline"] if one["kind"] == "run" else f"{one['pipeline']} ({one['kind']})"


def moment(seconds: float | None) -> str:
    """A time for people, by the clock of this machine."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _status(one: dict[str, Any]) -> str:
    return "paused" if one["paused"] else str(one["status"])


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.1f}"
