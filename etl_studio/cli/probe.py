"""``probe``: see the first pages of a source of the web before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.options import AsJson, Parameters, PipelineFile, read_parameters

if TYPE_CHECKING:
    from etl_studio.app.probing import Probed, ProbedPage

PAGES = 3


def probe(  # noqa: PLR0913 - options of a command
    file: PipelineFile,
    node: Annotated[str, typer.Argument(metavar="NODE", help="A source of the web.", show_default=False)],
    pages: Annotated[int, typer.Option("--pages", min=1, max=20, help="How many pages.")] = PAGES,
    parameter: Parameters = None,
    *,
    answers: Annotated[bool, typer.Option("--answers", help="Print what came, cut where it is long.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask for the first pages of a source: requests, answers, the next page, the columns. Nothing is written."""
    from etl_studio.app.probing import probe as look
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import print_json, print_line

    with Studio() as studio:
        seen = look(studio, studio.load(file), node, file=file, parameters=read_parameters(parameter), pages=pages)
    if as_json:
        print_json(asdict(seen))
    else:
        for page in seen.pages:
            for line in _lines(page, answers=answers):
                print_line(line)
        _conclude(seen)
    if seen.error:
        raise typer.Exit(ExitCode.FAILED)


def _lines(page: ProbedPage, *, answers: bool) -> list[str]:
    milliseconds, items = page.seconds * 1000, f"{page.items} item{'' if page.items == 1 else 's'}"
    lines = [
        f"Page {page.number}  {page.method} {page.url}",
        f"  {page.status} after {milliseconds:.0f} ms, {page.size:,} bytes, {items}",
    ]
    lines += [f"  sent {name}: {value}" for name, value in page.headers.items()]
    lines += [f"  signed in: {page.auth}"] * bool(page.auth)
    lines += [f"  sent {page.sent}"] * bool(page.sent)
    if page.following:
        lines.append(f"  next: {page.following}" + f" (told by {page.why})" * bool(page.why))
    elif page.why:
        lines.append(f"  the last one: {page.why}")
    return [*lines, *([page.answer] if answers else []), ""]


def _conclude(seen: Probed) -> None:
    from etl_studio.cli.output import print_line, say, table

    if seen.columns:
        rows = [(one.name, one.type, ", ".join(one.examples), one.empty or "") for one in seen.columns]
        print_line(table(("column", "type", "examples", "empty"), rows))
        print_line(f"{seen.rows} rows")
    if seen.settings:
        print_line("Found out; write it into the settings to keep it:")
        for name, value in seen.settings.items():
            print_line(f"  {name}: {_setting(value)}")
    if seen.error:
        say(seen.error)


def _setting(value: Any) -> str:
    """A setting as the file writes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {inner}' for name, inner in value.items())}}}"
    return str(value) or '""'
