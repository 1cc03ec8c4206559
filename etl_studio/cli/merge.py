"""``merge``: two versions of a pipeline that began as the same one become one."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.options import AsJson  # noqa: TC001 - typer reads the annotation

if TYPE_CHECKING:
    from etl_studio.app.versions import MergedFiles
    from etl_studio.pipeline.merge import Conflict


def merge(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="What both began as.", show_default=False)],
    ours: Annotated[Path, typer.Argument(metavar="OURS", help="Our version.", show_default=False)],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS", help="The other version.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="OUT", help="Write the result there; default: print it.", show_default=False
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Merge two versions of a pipeline by node and setting; moved nodes never conflict.

    The result is a valid pipeline. Where both sides changed the same setting, ours is kept and a comment in the file
    that begins with CONFLICT tells all three values; then, and where the merged pipeline has a mistake that neither
    side had, the exit code is 1. Where a side is no pipeline, or one of a newer version, the lines are merged as git
    would, with its marks, and the exit code is 1.

    \b
    As git's merge program for pipelines:
      git config merge.etl.driver "etl-studio merge %O %A %B -o %A"
      echo "*.etl.yaml merge=etl" >> .gitattributes
    """  # noqa: D301 - typer wants the sign itself
    from etl_studio.app.studio import Studio
    from etl_studio.app.versions import merge_versions
    from etl_studio.cli.output import print_json, print_line, problem_line, say
    from etl_studio.pipeline.conflict_marks import conflict_lines
    from etl_studio.pipeline.file_format import write_text

    with Studio() as studio:
        found = merge_versions(studio, base, ours, theirs)
    if out is not None:
        write_text(found.text, out)
    if as_json:
        print_json(_facts(found, with_text=out is None))
    elif out is None:
        print_line(found.text.removesuffix("\n"))
    for conflict in found.conflicts:
        say("\n".join(conflict_lines(conflict)))
    for problem in found.problems:
        say(problem_line(problem, str(out or ours)))
    if found.conflicts:
        count = "one conflict" if len(found.conflicts) == 1 else f"{len(found.conflicts)} conflicts"
        say(f"etl-studio: Merged with {count}. Decide in the file and delete the comments that begin with CONFLICT.")
    elif found.problems:
        say("etl-studio: Merged, but the two sides do not go together.")
    elif found.unread:
        say(f"etl-studio: {found.unread}")
        marks = f"Look for <<<<<<< in the result ({found.clashes})." if found.clashes else "Look at the result."
        say(f"etl-studio: So the lines were merged, and not nodes and settings. {marks}")
    if not found.is_clean:
        raise typer.Exit(ExitCode.FAILED)


def _facts(found: MergedFiles, *, with_text: bool) -> dict[str, Any]:
    from etl_studio.cli.output import problem_facts

    facts = {
        "clean": found.is_clean,
        "conflicts": [_conflict_facts(conflict) for conflict in found.conflicts],
        "problems": [problem_facts(problem) for problem in found.problems],
        **({"unread": found.unread, "clashes": found.clashes} if found.unread else {}),
    }
    return {**facts, "text": found.text} if with_text else facts


def _conflict_facts(conflict: Conflict) -> dict[str, Any]:
    """For programs; a value that is not there has no key."""
    from etl_studio.pipeline.diff import ABSENT

    values = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs}
    return {"path": list(conflict.path)} | {name: value for name, value in values.items() if value is not ABSENT}
