"""``etl-studio run``: run a pipeline without the window."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.injection import (
    DEFAULT_RATE,
    InjectFaults,
    InjectNodes,
    InjectRate,
    InjectSeed,
    fault_facts,
    fault_table,
    read_injection,
)
from etl_studio.cli.options import AsJson, Parameters, PipelineFile, WorkspaceFolder, read_parameters
from etl_studio.cli.taping import RecordTo, ReplayFrom, saved, tape_of
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(  # noqa: PLR0913 - its options
    file: PipelineFile,
    parameter: Parameters = None,
    workspace: WorkspaceFolder = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="NODE",
            help="Run only this node and what feeds it; the report tells what was not run.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NODE",
            help="Run only this node and what follows it, on the pinned rows or a sample of what comes before.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            metavar="ROWS",
            min=1,
            help="Read only so many rows of each source (with --from: 200), and take pinned rows where there are some.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file's last run, which broke off, where it was.")
    ] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="With --resume: go on though a source has changed since.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show what would be inserted, updated and deleted.")
    ] = False,
    record: RecordTo = None,
    replay: ReplayFrom = None,
    inject: InjectSeed = None,
    inject_node: InjectNodes = None,
    inject_rate: InjectRate = DEFAULT_RATE,
    inject_fault: InjectFaults = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", help="What the process may hold, such as 2GB; default: 3/4 of the machine's memory."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline. Progress goes to stderr; with --json the last line of stdout is the report.

    With --from or --sample it is a trial on some rows. It loads them into the tables and files of the pipeline; with
    --dry-run it writes nothing.

    With --record the answers of sites are kept in a cassette, a file of JSON lines (such as shop.cassette.jsonl), and
    with --replay they come from there: a request that is not on it ends the run. What a source reads from a cassette
    does not count as read for the next run. A cassette in the folder of a test is for that test (etl-studio test -h).

    With --inject nodes fail on purpose, and a table tells what each policy did about it. It is a real run: it loads
    into the tables and files of the pipeline.

    Exit codes: 0 done, 1 the run failed, 2 the pipeline or the call is wrong, 3 done with dead letters,
    130 interrupted.
    """
    from etl_studio.app.studio import Studio
    from etl_studio.cli.dry_run import rehearse
    from etl_studio.cli.output import print_json, say
    from etl_studio.cli.progress import Progress
    from etl_studio.cli.report import exit_code, report_facts
    from etl_studio.cli.stopping import stopping_on_signals
    from etl_studio.engine.memory import MemoryBudget
    from etl_studio.engine.plan import ancestors

    given = read_parameters(parameter)
    injection = read_injection(inject, inject_node, inject_rate, inject_fault)
    tried = start is not None or sample is not None
    _refuse_together(
        {"--resume": resume, "--dry-run": dry, "--inject": injection, "--to": to, "--from, --sample": tried}
        | {"--record": record, "--replay": replay, "--from": start}
    )
    budget = MemoryBudget.parse(memory) if memory is not None else None
    with Studio() as studio:
        pipeline = studio.load(file)
        place = workspace or studio.workspace_folder(file)
        broken_off = studio.broken_off(studio.workspace(place), file) if resume else None
        if broken_off is not None:
            given = studio.parameters_of(broken_off, given)
        trial = None
        if tried:
            from etl_studio.app.previews import ROWS, Previews
            from etl_studio.app.trials import make_trial

            trial = make_trial(
                Previews(studio), pipeline, file=file, start=start, end=to, rows=sample or ROWS, parameters=given
            )
        tape = tape_of(record, replay, pipeline.name)
        pipeline = studio.flat(pipeline, given, file=file)
        only = ancestors(pipeline, to) if to is not None else None
        if dry:
            with saved(tape, record):
                rehearse(studio, pipeline, file, place, given, only, trial, tape=tape, as_json=as_json)
            return
        with Progress(live=sys.stderr.isatty()) as progress:
            prepared = studio.prepare(
                pipeline,
                file=file,
                parameters=given,
                workspace=place,
                listeners=[progress],
                resume=broken_off,
                accept_changes=accept_changes,
                injection=injection,
                memory=budget,
                only=only,
                trial=trial,
                tape=tape,
            )
            with stopping_on_signals(prepared) as stopped, saved(tape, record):
                ended = prepared.execute()
    faults = prepared.faults.report(ended) if prepared.faults else None
    if faults is not None:
        say(fault_table(faults))
    if as_json:
        ran = prepared.plan.nodes if trial is None else trial.run
        not_run = [node for node in pipeline.nodes if node not in ran]
        disabled = [node.id for node in pipeline.nodes.values() if node.disabled]
        facts = report_facts(ended) | {"not_run": not_run, "disabled": disabled}
        print_json(facts | ({"injection": fault_facts(faults)} if faults else {}))
    code = exit_code(ended, interrupted=bool(stopped))
    if code:
        raise typer.Exit(code)


_APART = (
    ("--inject", "--dry-run", "Faults are for a run of its own, from the beginning."),
    ("--inject", "--resume", "Faults are for a run of its own, from the beginning."),
    ("--to", "--resume", "A run that goes on runs the nodes it began with."),
    ("--from, --sample", "--resume", "A trial is a run of its own, from the beginning."),
    ("--record", "--resume", "A cassette is about a whole run, from the beginning."),
    ("--replay", "--resume", "A cassette is about a whole run, from the beginning."),
    ("--record", "--replay", "Leave one of them out."),
    ("--record", "--from", "The sample that it begins with would not be on the cassette."),
    ("--replay", "--from", "The sample that it begins with is not on the cassette."),
)
"""Options that do not go together, and why."""


def _refuse_together(given: Mapping[str, Any]) -> None:
    for one, other, why in _APART:
        if given[one] and given[other]:
            raise UsageError(f"{one} and {other} do not go together.", hint=why)
