"""``run --dry-run``: what a run would do to its targets."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from etl_studio.app.dry_run import Rehearsed
    from etl_studio.app.studio import Studio
    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.trial import Trial
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk.database import Change

SIGNS = {"inserted": "+", "updated": "~", "deleted": "-"}


def rehearse(  # noqa: PLR0913 - what a run needs
    studio: Studio,
    pipeline: Pipeline,
    file: Path,
    workspace: Path,
    parameters: Mapping[str, str],
    only: Sequence[str] | None,
    trial: Trial | None = None,
    *,
    tape: Tape | None = None,
    as_json: bool,
) -> None:
    """Run without commits and print what they would do."""
    from etl_studio.app.dry_run import dry_run
    from etl_studio.cli.output import print_json, print_line
    from etl_studio.cli.progress import Progress
    from etl_studio.cli.report import exit_code, report_facts
    from etl_studio.cli.stopping import StopRequest, stopping_on_signals

    stopped = StopRequest()
    with Progress(live=sys.stderr.isatty()) as progress:
        runs: list[Any] = []
        with stopping_on_signals(_Latest(runs)) as stopped:
            report = dry_run(
                studio,
                pipeline,
                file=file,
                workspace=workspace,
                parameters=parameters,
                only=only,
                trial=trial,
                tape=tape,
                listeners=[progress],
                on_run=runs.append,
            )
    for sink in report.sinks:
        print_line(_text(sink))
    if trial is not None:
        only = trial.run
    ran = [node for node in studio.active(pipeline).pipeline.nodes if only is None or node in only]
    not_run = [node for node in pipeline.nodes if node not in ran]
    if not_run:
        print_line(f"Not run: {', '.join(not_run)}.")
    print_line("Nothing was written.")
    if as_json:
        disabled = [node.id for node in pipeline.nodes.values() if node.disabled]
        facts = {sink.node: {"rows": sink.rows, "diff": sink.diff and asdict(sink.diff)} for sink in report.sinks}
        print_json(
            report_facts(report.ended) | {"not_run": not_run, "disabled": disabled, "dry_run": True, "sinks": facts}
        )
    if code := exit_code(report.ended, interrupted=bool(stopped)):
        raise typer.Exit(code)


class _Latest:
    """Stops the run once there is one."""

    def __init__(self, runs: list[Any]) -> None:
        self._runs = runs

    def stop(self, *, hard: bool = False) -> None:
        """End it."""
        for run in self._runs:
            run.stop(hard=hard)


def _text(sink: Rehearsed) -> str:
    diff = sink.diff
    if diff is None:
        return f"{sink.node}: would write {sink.rows:,} rows."
    counts = ", ".join(f"{count:,} {name}" for name, count in asdict(diff.loaded).items() if count) or "no rows"
    if diff.requests is not None:
        requests = f"{diff.requests:,} {'request' if diff.requests == 1 else 'requests'}"
        lines = [f"{sink.node}: would send {diff.rows_after:,} rows in {requests}: {diff.table}"]
        return "\n".join([*lines, *(f"  {_change(change)}" for change in diff.changes)])
    before = "would be made" if diff.rows_before is None else f"has {diff.rows_before:,} rows"
    lines = [f'{sink.node}: the table "{diff.table}" {before}; {counts}; then it has {diff.rows_after:,} rows.']
    return "\n".join([*lines, *(f"  {_change(change)}" for change in diff.changes)])


def _change(change: Change) -> str:
    values = (
        f"{name}: {_shown(change.before[name])} -> {_shown(value)}"
        if name in change.before
        else f"{name}: {_shown(value)}"
        for name, value in change.row.items()
    )
    return f"{SIGNS[change.kind]} {', '.join(values)}"


def _shown(value: Any) -> str:
    return "(missing)" if value is None else str(value)
