"""``runs`` and ``dead-letters``: what happened in a workspace."""

from __future__ import annotations

import json
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
    "id", "pipeline", "status", "started", "duration", "rows_in", "rows_out", "rejected", "dead_letters", "error",
)  # fmt: skip
LETTER_FACTS = (
    "id", "run", "node", "error_type", "message", "column", "line", "attempts", "at", "payload",
)  # fmt: skip

dead_letters = typer.Typer(help="Rows that could not be processed.", no_args_is_help=True, rich_markup_mode=None)


def runs(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="Show this run.", show_default=False)] = None,
    workspace: WorkspaceFolder = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    as_json: AsJson = False,
) -> None:
    """List the runs of a workspace, or show one."""
    from etl_studio.cli.output import print_json, print_line, table

    with open_workspace(workspace) as place:
        found = list(place.runs(limit=limit)) if run is None else [place.run(run)]
        nodes = {} if run is None else place.node_counts(run)
    if run is not None and found[0] is None:
        raise UsageError(f"There is no run {run} in this workspace.", hint="etl-studio runs lists them.")
    facts = [_facts(one, RUN_FACTS) for one in found]
    if as_json:
        print_json(facts if run is None else facts[0] | {"nodes": nodes})
    elif run is None:
        header = ("run", "pipeline", "status", "started", "seconds", "rows in", "rows out", "dead letters")
        rows = [
            (
                one["id"], one["pipeline"], one["status"], _moment(one["started"]), _seconds(one["duration"]),
                one["rows_in"], one["rows_out"], one["dead_letters"],
            )
            for one in facts
        ]  # fmt: skip
        print_line(table(header, rows) if rows else "No runs yet.")
    else:
        about = facts[0] | {"started": _moment(facts[0]["started"]), "duration": _seconds(facts[0]["duration"])}
        print_line(
            "\n".join(f"{name.replace('_', ' ')}: {'' if value is None else value}" for name, value in about.items())
        )
        if nodes:
            names = ("rows_in", "rows_out", "filtered", "rejected", "dead_letters", "retries")
            counted = [(name, *(counts[key] for key in names)) for name, counts in nodes.items()]
            print_line("\n" + table(("node", *(name.replace("_", " ") for name in names)), counted))


@dead_letters.command("list")
def list_letters(
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only those of this run.")] = None,
    workspace: WorkspaceFolder = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first."""
    from etl_studio.cli.output import print_json, print_line, table

    with open_workspace(workspace) as place:
        facts = [_facts(one, LETTER_FACTS) for one in place.dead_letters(run=run, limit=limit)]
    if as_json:
        print_json(facts)
    elif facts:
        header = ("id", "run", "node", "error", "line", "message")
        names = ("id", "run", "node", "error_type", "line", "message")
        print_line(table(header, [[one[name] for name in names] for one in facts]))
    else:
        print_line("No dead letters.")


@dead_letters.command("show")
def show_letter(
    letter: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.", show_default=False)],
    workspace: WorkspaceFolder = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with its row."""
    from etl_studio.cli.output import print_json, print_line

    with open_workspace(workspace) as place:
        found = place.letters.get(letter)
    facts = _facts(found, LETTER_FACTS)
    if as_json:
        print_json(facts)
        return
    payload = facts.pop("payload")
    facts["at"] = _moment(facts["at"])
    for name, value in facts.items():
        if value is not None:
            print_line(f"{name.replace('_', ' ')}: {value}")
    print_line("row:")
    print_line(json.dumps(payload, indent=2, ensure_ascii=False, default=str))


def _facts(one: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in names}


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.1f}"
