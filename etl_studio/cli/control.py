"""``stop``, ``pause`` and ``continue``: runs of this workspace, whichever window or terminal they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl_studio.cli.opening import open_workspace
from etl_studio.cli.options import WorkspaceFolder  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from etl_studio.storage.workspace import RunCommand

WhichRun = Annotated[
    str,
    typer.Argument(metavar="[RUN]", help="Its id or the beginning of it; default: the only one.", show_default=False),
]


def stop(
    run: WhichRun = "",
    workspace: WorkspaceFolder = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="At once; what is not committed comes again at a resume.")] = False,
) -> None:
    """Stop a run: its sources end and what was read is loaded."""
    _ask(run, workspace, "kill" if now else "stop", "is asked to stop")


def pause(run: WhichRun = "", workspace: WorkspaceFolder = None) -> None:
    """Pause a run: its sources wait until it is continued."""
    _ask(run, workspace, "pause", "is asked to pause")


def go_on(run: WhichRun = "", workspace: WorkspaceFolder = None) -> None:
    """Let a paused run go on."""
    _ask(run, workspace, "go_on", "is asked to go on")


def _ask(run: str, workspace: WorkspaceFolder, command: RunCommand, what: str) -> None:
    from etl_studio.cli.output import print_line

    with open_workspace(workspace) as place:
        record = place.ask(run, command)
    print_line(f"The run {record.id} of {record.pipeline} {what}.")
