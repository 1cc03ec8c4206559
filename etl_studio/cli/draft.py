"""``draft``: a pipeline file from a cURL command, a recording of a browser or the description of an API."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.options import AsJson  # noqa: TC001 - typer reads it
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.pipeline.request_files import RequestChoice


def draft(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="cURL command, HAR, OpenAPI or Swagger.", show_default=False)
    ],
    take: Annotated[
        list[int] | None, typer.Option("--take", metavar="NUMBER", help="A request of the list; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="NEW", help="Write a new file; default: print.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the requests that a file tells of, or make a pipeline of some: a node for each, without its secrets."""
    from etl_studio.app.catalogue import full_registry
    from etl_studio.app.drafting import pipeline_of, requests_of
    from etl_studio.cli.output import print_json, print_line, say, table
    from etl_studio.pipeline.file_format import dumps, write_text
    from etl_studio.pipeline.web_drafts import notice

    choices = requests_of(file)
    if take is None and len(choices) > 1:
        if as_json:
            print_json([_facts(number, one) for number, one in enumerate(choices, 1)])
            return
        rows = [(number, one.method, one.address, one.words, _answer(one)) for number, one in enumerate(choices, 1)]
        print_line(table(("", "method", "request", "about", "answer"), rows))
        say(f"Make a pipeline: etl-studio draft {file} --take NUMBER -o NEW.etl.yaml")
        return
    if output is not None and output.exists():
        raise UsageError(f"There is something at {output} already.", hint="Name a file that does not exist yet.")
    drafts = [one.draft for one in _taken(choices, take or [1])]
    text = dumps(pipeline_of((output or file).name.partition(".")[0], drafts), full_registry())
    if output is None:
        print_line(text.rstrip("\n"))
    else:
        write_text(text, output)
        print_line(str(output))
    if words := notice(drafts):
        say(words)


def _taken(choices: Sequence[RequestChoice], numbers: Sequence[int]) -> list[RequestChoice]:
    for number in numbers:
        if not 1 <= number <= len(choices):
            raise UsageError(f"There is no request {number}.", hint=f"There are {len(choices)}; list them: no --take.")
    return [choices[number - 1] for number in dict.fromkeys(numbers)]


def _answer(one: RequestChoice) -> str:
    if one.size is None:
        return "list" if one.lists else "one object"
    times = f", {one.times} times" if one.times > 1 else ""
    return (f"{one.items} items, " if one.items is not None else "") + f"{one.size:,} bytes{times}"


def _facts(number: int, one: RequestChoice) -> dict[str, Any]:
    return {
        "number": number,
        "method": one.method,
        "request": one.address,
        "about": one.words,
        "items": one.items,
        "bytes": one.size,
        "times": one.times,
        "list": one.lists,
        "node": {"type": one.draft.node_type, "config": one.draft.config},
    }
