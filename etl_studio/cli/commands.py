"""All commands of ``etl-studio`` in one application."""

from __future__ import annotations

import sys
from copy import copy
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command_name

from etl_studio import __version__
from etl_studio.cli import (
    catalogue,
    control,
    dead_letters,
    demo,
    diff,
    draft,
    history,
    loads,
    look,
    merge,
    new,
    pipeline_tests,
    probe,
    results,
    run,
    sign_in,
    state,
)

if TYPE_CHECKING:
    from typer.models import CommandInfo

HELP = """Build, run and watch data pipelines.

Without a command the window opens: etl-studio [FILE].
"""

app = typer.Typer(
    name="etl-studio",
    help=HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(new.new)
app.command()(draft.draft)
app.command()(run.run)
app.command()(look.validate)
app.command()(look.preview)
app.command()(probe.probe)
app.command("test")(pipeline_tests.run_tests)
app.command()(diff.diff)
app.command()(merge.merge)
app.command()(catalogue.nodes)
app.command()(history.runs)
app.command()(control.stop)
app.command()(control.pause)
app.command("continue")(control.go_on)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(state.app, name="state")
app.command()(results.tables)
app.command()(results.export)
app.command()(loads.loads)
app.command()(loads.undo)
app.command()(sign_in.sign_in)
app.command()(sign_in.sign_out)
app.command()(demo.demo)
app.command()(catalogue.schema)


@app.callback(no_args_is_help=True)
def begin(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Options before the command."""
    if version:
        sys.stdout.write(f"etl-studio {__version__}\n")
        raise typer.Exit


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code; a wrong call is told on stderr.

    Raises:
        EtlError: what the command met.
    """
    try:
        typer.main.get_command(_with_only(arguments[0])).main(arguments, prog_name="etl-studio")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _with_only(name: str) -> typer.Typer:
    """The application with one command, since to build all of them takes longer than most of them run.

    Where no command is called so, it has all of them: help lists them, and a wrong name is told beside the right ones.
    """
    commands = [command for command in app.registered_commands if _name_of(command) == name]
    groups = [group for group in app.registered_groups if group.name == name]
    if not commands and not groups:
        return app
    one = copy(app)
    one.registered_commands, one.registered_groups = commands, groups
    return one


def _name_of(command: CommandInfo) -> str | None:
    return command.name or (command.callback and get_command_name(command.callback.__name__))
