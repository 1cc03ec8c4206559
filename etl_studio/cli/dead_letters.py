"""``dead-letters``: look at what could not be processed, mend it, replay it or discard it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.history import DEFAULT_LIMIT, Limit, moment
from etl_studio.cli.opening import open_studio, open_workspace
from etl_studio.cli.options import AsJson, WorkspaceFolder  # noqa: TC001 - typer reads the annotations
from etl_studio.errors import EtlError, UsageError
from etl_studio.storage.letters import KEEP_BYTES, KEEP_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.engine.events import RunEnded
    from etl_studio.storage.letters import DeadLetterRecord, Selection
    from etl_studio.storage.workspace import Workspace

MEGABYTE = 1024 * 1024

app = typer.Typer(help="Rows that could not be processed.", no_args_is_help=True, rich_markup_mode=None)

Number: TypeAlias = Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.", show_default=False)]
Numbers: TypeAlias = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers in the list; default: all.", show_default=False)
]
OfRun: TypeAlias = Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only those of this run.")]
OfNode: TypeAlias = Annotated[str | None, typer.Option("--node", metavar="NODE", help="Only those of this node.")]
OfError: TypeAlias = Annotated[str | None, typer.Option("--error", metavar="TYPE", help="Only those with this error.")]


@app.command("list")
def list_letters(  # noqa: PLR0913 - a selection
    run: OfRun = None,
    node: OfNode = None,
    error: OfError = None,
    workspace: WorkspaceFolder = None,
    limit: Limit = DEFAULT_LIMIT,
    *,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first."""
    from etl_studio.cli.output import print_json, print_line, table

    with open_workspace(workspace) as place:
        selection = _selection(None, run, node, error)
        facts = [_facts(one) for one in place.letters.find(selection, limit)]
        number = place.letters.count(selection)
    if as_json:
        print_json(facts)
    elif facts:
        header = ("id", "run", "node", "error", "tries", "line", "state", "message")
        names = ("id", "run", "node", "error_type", "attempts", "line", "state", "message")
        print_line(table(header, [[one[name] for name in names] for one in facts]))
        if number > len(facts):
            print_line(f"{number - len(facts):,} more; --limit shows them.")
    else:
        print_line("No dead letters.")


@app.command("show")
def show_letter(letter: Number, workspace: WorkspaceFolder = None, *, as_json: AsJson = False) -> None:
    """Show one dead letter with its row."""
    from etl_studio.cli.output import print_json, print_line

    with open_workspace(workspace) as place:
        facts = _facts(place.letters.get(letter))
    if as_json:
        print_json(facts)
        return
    parts = {name: facts.pop(name) for name in ("payload", "original", "operation")}
    facts["at"], facts["first_at"] = moment(facts["at"]), moment(facts["first_at"])
    for name, value in facts.items():
        if value not in (None, "") and name not in ("types", "gives", "epoch"):
            print_line(f"{name.replace('_', ' ')}: {value}")
    for name, title in (("operation", "tried"), ("payload", "row"), ("original", "row before it was edited")):
        if parts[name] is not None:
            print_line(f"{title}:")
            print_line(json.dumps(parts[name], indent=2, ensure_ascii=False, default=str))


@app.command("edit")
def edit_letter(  # noqa: PLR0913 - the ways to give values
    letter: Number,
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="Give a column a value; may be repeated."),
    ] = None,
    null: Annotated[
        list[str] | None, typer.Option("--null", metavar="COLUMN", help="Empty a column; may be repeated.")
    ] = None,
    values: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Read columns and values from a JSON object; -: stdin.")
    ] = None,
    workspace: WorkspaceFolder = None,
    *,
    original: Annotated[bool, typer.Option("--original", help="Take back all edits first.")] = False,
) -> None:
    """Mend the row of a dead letter. Each value must fit the type of its column."""
    from etl_studio.cli.output import print_line
    from etl_studio.engine.letter_rows import edited, read_text, types_of

    if not (assign or null or values or original):
        raise UsageError("There is nothing to change.", hint="Give --set COLUMN=VALUE, --null, --json or --original.")
    with open_workspace(workspace) as place:
        found = place.letters.get(letter)
        if found.operation is not None:
            raise UsageError(
                f"The dead letter {letter} holds no row but what was tried.", hint="Replay or discard it."
            )  # fmt: skip
        payload = found.original if original and found.original is not None else found.payload
        types = types_of(payload, found.types)
        changes = _json_object(values) if values else {}
        for text in assign or ():
            name, equals, value = text.partition("=")
            if not equals:
                raise UsageError(f"--set {text} gives no value.", hint="Write --set COLUMN=VALUE.")
            # An unknown column is told by ``edited``.
            changes[name] = read_text(name, value, types[name]) if name in types else value
        changes |= dict.fromkeys(null or ())
        kept = place.letters.edit(letter, edited(payload, types, changes))
    print_line(json.dumps(kept.payload, indent=2, ensure_ascii=False, default=str))


@app.command("replay")
def replay_letters(  # noqa: PLR0913 - a selection and a way
    letters: Numbers = None,
    run: OfRun = None,
    node: OfNode = None,
    error: OfError = None,
    pipeline: Annotated[
        Path | None,
        typer.Option("--pipeline", metavar="FILE", help="The pipeline, where its file is not in its old place."),
    ] = None,
    workspace: WorkspaceFolder = None,
    *,
    whole: Annotated[
        bool, typer.Option("--whole", help="Give the rows out of their source, so that they pass every node again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replay dead letters into the node where they failed, as the pipeline and the rows are now.

    A row that arrives leaves the queue; one that fails again stays with its new message. Pages that never answered are
    fetched again. Each replay is a run of its own, with the parameters of the run in which the rows failed.

    Exit codes: 0 done, 1 a run failed, 2 the call is wrong, 3 some rows are still dead letters, 130 interrupted.
    """
    from etl_studio.app.replays import replays
    from etl_studio.cli.output import print_json, say
    from etl_studio.cli.progress import Progress
    from etl_studio.cli.report import report_facts
    from etl_studio.cli.stopping import stopping_on_signals
    from etl_studio.storage.letters import Selection

    ended: list[RunEnded] = []
    refused: list[EtlError] = []
    interrupted = False
    with open_studio(workspace) as (studio, place):
        chosen = _chosen(place, _selection(letters, run, node, error))
        document = studio.load(pipeline) if pipeline else None
        with Progress(live=sys.stderr.isatty()) as progress:
            for replay in replays(
                studio, place, chosen, whole=whole, pipeline=document, file=pipeline, listeners=[progress]
            ):
                with stopping_on_signals(replay) as stopped:
                    try:
                        ended.append(replay.execute())
                    except EtlError as problem:
                        refused.append(problem)
                if interrupted := bool(stopped):
                    break
        left = place.letters.count(Selection(ids=[letter.id for letter in chosen]))
    if refused and not ended:
        raise refused[0]
    for reason in refused:
        say(f"etl-studio: {reason}")
    if as_json:
        print_json({"replayed": len(chosen), "left": left, "runs": [report_facts(one) for one in ended]})
    say(f"{len(chosen):,} dead letters: {len(chosen) - left:,} have left the queue, {left:,} are still in it.")
    if code := _exit_code(ended, left, interrupted=interrupted):
        raise typer.Exit(code)


@app.command("discard")
def discard_letters(  # noqa: PLR0913 - a selection
    letters: Numbers = None,
    run: OfRun = None,
    node: OfNode = None,
    error: OfError = None,
    workspace: WorkspaceFolder = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove dead letters for good."""
    from etl_studio.cli.output import print_line

    with open_workspace(workspace) as place:
        chosen = _chosen(place, _selection(letters, run, node, error))
        if chosen and not yes:
            _ask(f"Discard {len(chosen):,} dead letters? Their rows are gone then.")
        gone = place.letters.discard([letter.id for letter in chosen])
    print_line(f"{gone:,} dead letters discarded." if chosen else "No dead letters.")
    if gone < len(chosen):
        raise UsageError(f"{len(chosen) - gone:,} are just being replayed and stay.", hint="List them again.")


@app.command("export")
def export(  # noqa: PLR0913 - a selection
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The ending decides: .csv or .jsonl.")],
    letters: Numbers = None,
    run: OfRun = None,
    node: OfNode = None,
    error: OfError = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Write dead letters to a file; the file appears when it is complete."""
    from etl_studio.cli.output import say
    from etl_studio.storage.letter_export import export_letters

    with open_workspace(workspace) as place:
        number = export_letters(_chosen(place, _selection(letters, run, node, error)), to)
    say(f"{number:,} dead letters written to {to}")


@app.command("prune")
def prune(
    days: Annotated[float, typer.Option("--days", min=0, help="Keep those that are not older.")] = KEEP_DAYS,
    megabytes: Annotated[
        float, typer.Option("--megabytes", min=0, help="Of all, keep so much, the newest first.")
    ] = KEEP_BYTES / MEGABYTE,
    workspace: WorkspaceFolder = None,
) -> None:
    """Remove old dead letters now. Each run does it at its end, with these defaults, and tells it in its log."""
    from etl_studio.cli.output import print_line

    with open_workspace(workspace) as place:
        old, large = place.letters.prune(days, int(megabytes * MEGABYTE))
    print_line(f"{old:,} dead letters were too old, {large:,} were beyond the size.")


def _facts(letter: DeadLetterRecord) -> dict[str, Any]:
    return asdict(letter)


def _selection(ids: Sequence[int] | None, run: str | None, node: str | None, error: str | None) -> Selection:
    from etl_studio.storage.letters import Selection

    return Selection(ids or None, run, node, error)


def _chosen(place: Workspace, selection: Selection) -> list[DeadLetterRecord]:
    found = place.letters.find(selection, None)
    if selection.ids and (missing := sorted(set(selection.ids) - {letter.id for letter in found})):
        raise UsageError(
            f"There is no dead letter {missing[0]} among those that were asked for.",
            hint="etl-studio dead-letters list shows their numbers.",
        )
    return found


def _exit_code(ended: Sequence[RunEnded], left: int, *, interrupted: bool) -> ExitCode:
    from etl_studio.engine.events import RunStatus

    if interrupted:
        return ExitCode.INTERRUPTED
    if any(one.status is RunStatus.FAILED for one in ended):
        return ExitCode.FAILED
    # A row that failed further down is a letter, too, though another one than before.
    return ExitCode.DEAD_LETTERS if left or any(one.dead_letters for one in ended) else ExitCode.DONE


def _json_object(place: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except ValueError as error:
        raise UsageError(f"{place} is no JSON: {error}.", hint='Write an object such as {"qty": 10}.') from None
    if not isinstance(found, dict):
        raise UsageError(f"{place} holds no JSON object.", hint='Write columns and values, such as {"qty": 10}.')
    return found


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("There is nobody to ask.", hint="Give --yes to discard without a question.")
    typer.confirm(question, abort=True, err=True)
