"""``diff``: what changed between two versions of a pipeline."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.exit_codes import ExitCode
from etl_studio.cli.options import AsJson  # noqa: TC001 - typer reads the annotation
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from etl_studio.pipeline.diff import Change, Entry, PipelineDiff

    Line = tuple[str, str]

BY_HAND, UNMERGED, FROM_GIT, RENAMED_BY_GIT = 2, 1, 7, 9
"""How many arguments a person gives, and how many git gives to an external diff program."""
SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">"}
STYLES = {"+": "green", "-": "red", "~": "yellow", ">": "cyan", " ": "dim"}


def diff(
    files: Annotated[
        list[str], typer.Argument(metavar="BEFORE AFTER", help="Two versions of a file.", show_default=False)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what changed between two versions of a pipeline: nodes, settings, wires; moved nodes apart.

    The exit code is 0 where both mean the same (they may differ in layout and comments), and 1 where they do not.

    \b
    As git's diff program for pipelines:
      git config diff.etl.command "etl-studio diff"
      echo "*.etl.yaml diff=etl" >> .gitattributes
    """  # noqa: D301 - typer wants the sign itself
    from etl_studio.app.catalogue import full_registry
    from etl_studio.app.versions import load_version
    from etl_studio.cli.output import print_json
    from etl_studio.pipeline.diff import diff as compare

    by_git = len(files) in (UNMERGED, FROM_GIT, RENAMED_BY_GIT)
    if not by_git and len(files) != BY_HAND:
        raise UsageError("diff compares two files.", hint="Write: etl-studio diff BEFORE AFTER.")
    if len(files) == UNMERGED:
        _show([("bold", f"{files[0]}: not merged yet")])
        return
    title, before, after = (files[0], files[1], files[4]) if by_git else (files[1], files[0], files[1])
    registry = full_registry()
    found = compare(load_version(Path(before), registry), load_version(Path(after), registry))
    if as_json:
        print_json(_facts(found))
    else:
        _show([("bold", title), *_lines(found)])
    if not found.is_empty and not by_git:  # git takes any other code than 0 for a breakdown
        raise typer.Exit(ExitCode.FAILED)


def _show(lines: Iterable[Line]) -> None:
    from rich.console import Console

    # Git's pager takes colours, and git says when it is there.
    colours = True if os.environ.get("GIT_PAGER_IN_USE") and "NO_COLOR" not in os.environ else None
    console = Console(file=sys.stdout, force_terminal=colours, markup=False, highlight=False, emoji=False)
    for style, text in lines:
        console.print(text, style=style, soft_wrap=True)


def _lines(found: PipelineDiff) -> Iterator[Line]:
    if found.pipeline:
        yield STYLES["~"], "~ pipeline"
        yield from _changes(found.pipeline)
    for what, entries in (
        ("parameter", found.parameters), ("node", found.nodes), ("group", found.groups), ("note", found.notes)
    ):  # fmt: skip
        for entry in entries:
            yield from _entry(what, entry)
    for sign, wires in (("+", found.wires_added), ("-", found.wires_removed)):
        for wire in wires:
            yield STYLES[sign], f"{sign} wire {wire}"
    if found.wires_reordered:
        yield STYLES["~"], "~ wires in another order"
    if found.is_empty:
        yield "", "  No difference in what it does."
    layout = {"moved": found.moved, "collapsed or expanded": found.folded, "other bends of": map(str, found.bent)}
    told = [f"{what} {', '.join(names)}" for what, given in layout.items() if (names := list(given))]
    if told:
        yield STYLES[" "], f"  Layout: {'; '.join(told)}."


def _entry(what: str, entry: Entry) -> Iterator[Line]:
    from etl_studio.pipeline import yaml_text

    sign = SIGNS[entry.kind]
    name = f"{entry.old_id} is now {entry.id}" if entry.kind == "renamed" else entry.id
    kind = f" ({yaml_text.flow(entry.type)})" if entry.type else ""
    yield STYLES[sign], f"{sign} {what} {name}{kind}"
    yield from _changes(entry.changes)


def _changes(changes: Iterable[Change]) -> Iterator[Line]:
    from etl_studio.pipeline.diff_words import setting_lines

    for sign, text in setting_lines(changes):
        yield STYLES.get(sign, ""), f"    {text}"


def _facts(found: PipelineDiff) -> dict[str, Any]:
    """A diff for programs; a value that is not there has no key."""
    return {
        "same": found.is_empty,
        "pipeline": [change_facts(change) for change in found.pipeline],
        "parameters": [_entry_facts(entry) for entry in found.parameters],
        "nodes": [_entry_facts(entry) for entry in found.nodes],
        "wires_added": [str(wire) for wire in found.wires_added],
        "wires_removed": [str(wire) for wire in found.wires_removed],
        "wires_reordered": found.wires_reordered,
        "groups": [_entry_facts(entry) for entry in found.groups],
        "notes": [_entry_facts(entry) for entry in found.notes],
        "folded": list(found.folded),
        "bent": [str(wire) for wire in found.bent],
        "moved": {node: {"before": old, "after": new} for node, (old, new) in found.moved.items()},
    }


def _entry_facts(entry: Entry) -> dict[str, Any]:
    facts = {"kind": entry.kind, "id": entry.id, "type": entry.type}
    if entry.kind == "renamed":
        facts["old_id"] = entry.old_id
    return {**facts, "changes": [change_facts(change) for change in entry.changes]}


def change_facts(change: Change) -> dict[str, Any]:
    """One setting for programs."""
    from etl_studio.pipeline.diff import ABSENT

    values = {"before": change.before, "after": change.after}
    return {
        "path": list(change.path),
        **{name: value for name, value in values.items() if value is not ABSENT},
    }
