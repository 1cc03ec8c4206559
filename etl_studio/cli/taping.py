"""Options of commands that keep what sites answer, or answer in their place."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.engine.cassette_tapes import CassettePlayer, CassetteRecorder

RecordTo: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="CASSETTE", help="Keep what sites answer in this file, without secrets.", show_default=False
    ),
]
ReplayFrom: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="CASSETTE",
        help="Ask no site: what it answered when it was recorded comes again.",
        show_default=False,
    ),
]


def tape_of(record: Path | None, replay: Path | None, pipeline: str) -> CassetteRecorder | CassettePlayer | None:
    """What the options ask for.

    Raises:
        UsageError: the file to replay is no cassette, or the one to record is something else.
    """
    from etl_studio.app import cassettes

    if replay is not None:
        return cassettes.player(replay)
    return None if record is None else cassettes.recorder(record, pipeline)


@contextmanager
def saved(tape: CassetteRecorder | CassettePlayer | None, path: Path | None) -> Iterator[None]:
    """Saves what was recorded, also of a run that failed or was stopped."""
    from etl_studio.app import cassettes
    from etl_studio.cli.output import say
    from etl_studio.engine.cassette_tapes import CassetteRecorder

    try:
        yield
    finally:
        if path is not None and isinstance(tape, CassetteRecorder):
            say(cassettes.save(tape, path))
