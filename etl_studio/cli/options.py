"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from etl_studio.errors import UsageError

PipelineFile: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="The pipeline file.", show_default=False)]
Parameters: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Value of a parameter; may be repeated."),
]
WorkspaceFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Where runs and results are kept; default: .etl_studio beside the pipeline file.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def read_parameters(texts: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` texts by name; the last one of a name wins.

    Raises:
        UsageError: a text without ``=``.
    """
    given = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"-p {text} gives no value.", hint="Write -p NAME=VALUE.")
        given[name] = value
    return given
