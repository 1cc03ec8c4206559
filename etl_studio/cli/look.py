"""``validate`` and ``preview``: look at a pipeline without running it."""

from __future__ import annotations

from typing import Annotated

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.options import AsJson, Parameters, PipelineFile, read_parameters

DEFAULT_ROWS = 20


def validate(file: PipelineFile, parameter: Parameters = None, *, as_json: AsJson = False) -> None:
    """Tell every problem of a pipeline with its address; nothing runs."""
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import print_json, print_line, problem_facts, problem_line
    from etl_studio.errors import PipelineError

    given = read_parameters(parameter)
    with Studio() as studio:
        try:
            pipeline = studio.load(file)
            problems = studio.check(pipeline, given, file=file)
        except PipelineError as error:
            problems = list(error.problems)
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        print_json({"valid": not errors, "problems": [problem_facts(problem) for problem in problems]})
    else:
        for problem in problems:
            print_line(problem_line(problem, str(file)))
        print_line(_total(errors, len(problems) - errors))
    if errors:
        raise typer.Exit(ExitCode.WRONG)


def preview(
    file: PipelineFile,
    node: Annotated[str, typer.Argument(metavar="NODE", help="The name of a node.", show_default=False)],
    rows: Annotated[int, typer.Option("--rows", min=1, max=100_000, help="How many rows.")] = DEFAULT_ROWS,
    parameter: Parameters = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the first rows at a node. Nothing is written. With --json one object for each row."""
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import print_json, print_line, say, table

    given = read_parameters(parameter)
    with Studio() as studio:
        found = studio.preview(studio.load(file), file=file, node=node, rows=rows, parameters=given)
    records = found.to_pylist()
    if as_json:
        for record in records:
            print_json(record)
        return
    print_line(table(found.column_names, [list(record.values()) for record in records]))
    say(f"{len(records)} rows at {node}" + (", there may be more" if len(records) == rows else ""))


def _total(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "No problems."
    return f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}."
