"""``test``: given rows in, the rows that come out beside those that were expected."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.options import AsJson, Parameters, read_parameters
from etl_studio.errors import PipelineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.app.pipeline_tests import Checked, Outcome
    from etl_studio.app.studio import Studio
    from etl_studio.engine.row_diff import RowDifference

MOST_SHOWN = 20
"""Rows of one place that are shown to people."""


def run_tests(  # noqa: PLR0913 - each is an option
    path: Annotated[
        Path, typer.Argument(metavar="FILE_OR_FOLDER", help="A pipeline file, or a folder of them.", show_default=False)
    ],
    case: Annotated[
        list[str] | None, typer.Option("--case", metavar="NAME", help="Only this case; may be repeated.")
    ] = None,
    parameter: Parameters = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="NAME", help="Make a case from the first rows that the sources give now."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=10_000, help="How many, for --record.")] = 20,
    *,
    cassette: Annotated[
        bool,
        typer.Option(
            "--cassette", help="With --record: keep what sites answer, in place of the rows of sources that ask them."
        ),
    ] = False,
    update: Annotated[bool, typer.Option("--update", help="What comes out now is expected from now on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the tests of pipelines. Sources do not read, sinks do not write. The exit code is 1 where one fails.

    Beside shop.etl.yaml, each case is a folder shop.tests/CASE with given/NODE.json, the rows that stand in for what
    a node gives, and expected/NODE.json, the rows that must come out (for a sink: that would be loaded).
    NODE.PORT.json is about another port, such as check.rejects.json; .csv will do, too, with name:type in its first
    line. What nodes ask of sites is answered by cassette.jsonl beside them, if it is there; no site is asked.

    \b
    case.yaml beside them may hold:
      parameters: {name: value}
      any_order: [node]           # its rows may come in any order
      ignore: {node: [column]}    # columns that are not compared
    """  # noqa: D301 - typer wants the sign itself
    from etl_studio.app.golden_cases import tested_files
    from etl_studio.app.pipeline_tests import record_case
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import print_line

    given = read_parameters(parameter)
    if given and record is None:
        raise UsageError("-p goes with --record.", hint="Parameters of a case are in its case.yaml.")
    if cassette and record is None:
        raise UsageError("--cassette goes with --record.", hint="A test that has a cassette always uses it.")
    with Studio() as studio:
        if record is not None:
            made = record_case(
                studio, studio.load(path), record, file=path, rows=rows, parameters=given, cassette=cassette
            )
            print_line(f"Made {made}. Look at its rows before you trust it.")
            return
        files = tested_files(path) if path.is_dir() else [path]
        outcomes = [
            (file, outcome)
            for file in files
            for outcome in _outcomes(studio, file, case or [], update=update, as_json=as_json)
        ]
    if not outcomes:
        what = f"no case {', '.join(case)}" if case else "no tests"
        raise UsageError(f"{path} has {what}.", hint="Make one: etl-studio test FILE --record NAME.")
    failed = sum(outcome.status in ("failed", "error") for _, outcome in outcomes)
    if not as_json:
        print_line(f"{len(outcomes) - failed} of {len(outcomes)} {'updated' if update else 'passed'}.")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _outcomes(studio: Studio, file: Path, names: list[str], *, update: bool, as_json: bool) -> Iterator[Outcome]:
    """Each case of a file, told as soon as it is done."""
    from etl_studio.app.golden_cases import case_folders
    from etl_studio.app.pipeline_tests import Outcome, run_case
    from etl_studio.cli.output import print_json, print_line

    folders = [folder for folder in case_folders(file) if not names or folder.name in names]
    try:
        pipeline = studio.load(file)
    except PipelineError as error:
        if not folders:
            raise
        pipeline, broken = None, str(error)
    for folder in folders:
        if pipeline is None:
            outcome = Outcome(folder.name, "error", error=broken)
        else:
            outcome = run_case(studio, pipeline, folder, file=file, update=update)
        if as_json:
            print_json({"file": str(file), **_facts(outcome)})
        else:
            for line in _lines(file, outcome):
                print_line(line)
        yield outcome


def _lines(file: Path, outcome: Outcome) -> Iterator[str]:
    places = ", ".join(f"{one.place}: {one.rows}" for one in outcome.checked)
    letters = f"dead letters: {outcome.dead_letters}" if outcome.dead_letters else ""
    counts = "; ".join(filter(None, (places, letters)))
    yield f"{outcome.status:7} {file} {outcome.case}" + (f" ({counts})" if counts else "")
    if outcome.error:
        yield f"  {outcome.error}"
    for one in outcome.checked:
        if not one.difference.is_empty:
            yield from _difference(one)


def _difference(one: Checked) -> Iterator[str]:
    from etl_studio.cli.output import table

    found = one.difference
    yield f"  {one.place}:"
    for column, wanted, came in found.columns:
        if came is None:
            yield f"    the column {column} ({wanted}) did not come"
        elif wanted is None:
            yield f"    the column {column} ({came}) was not expected"
        else:
            yield f"    the column {column} is {came}, expected was {wanted}"
    if found.only_order:
        name = one.place.partition(".")[0]
        yield f"    the rows are right but in another order; if it means nothing: any_order: [{name}] in case.yaml"
        return
    lines = [line for row in found.rows[:MOST_SHOWN] for line in _cells(row)]
    if lines:
        yield from (f"    {line}" for line in table(("row", "", "column", "expected", "actual"), lines).split("\n"))
    if len(found.rows) > MOST_SHOWN:
        yield f"    and {len(found.rows) - MOST_SHOWN} rows more"


def _cells(row: RowDifference) -> Iterator[tuple[str, str, str, str, str]]:
    number = str(row.expected_row or row.actual_row)
    for cell in row.cells:
        expected = "" if row.kind == "unexpected" else _value(cell.expected)
        actual = "" if row.kind == "missing" else _value(cell.actual)
        yield number, row.kind, cell.column, expected, actual


def _value(value: Any) -> str:
    """As in the files, so that an empty text is not nothing."""
    return json.dumps(value, ensure_ascii=False)


def _facts(outcome: Outcome) -> dict[str, Any]:
    from dataclasses import asdict

    facts = asdict(outcome)
    for one in facts["checked"]:
        one["difference"]["columns"] = [
            dict(zip(("column", "expected", "actual"), column, strict=True)) for column in one["difference"]["columns"]
        ]
    return facts
