"""``state``: where sources that read only what is new begin."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from etl_studio.cli.options import AsJson, PipelineFile, WorkspaceFolder  # noqa: TC001 - typer reads the annotations
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etl_studio.storage.bookmarks import BookmarkRecord, Bookmarks
    from etl_studio.storage.page_memory import PipelinePages

app = typer.Typer(help="Where sources that read only what is new begin.", no_args_is_help=True)

NodeName = Annotated[
    str | None, typer.Argument(metavar="[NODE]", help="Only this node; default: all.", show_default=False)
]


@app.command()
def show(
    file: PipelineFile, node: NodeName = None, workspace: WorkspaceFolder = None, *, as_json: AsJson = False
) -> None:
    """Show how far each node has read, in which run, and how many pages it knows."""
    from etl_studio.cli.output import print_json, print_line, table

    with _kept(file, workspace) as (bookmarks, pages):
        found = [*bookmarks.of(file, node), *(one for one in _pages(pages) if node in (None, one.node))]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [
        (one.node, one.of, one.shown, one.run, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at)))
        for one in found
    ]
    print_line(table(("node", "reads", "up to", "run", "at"), rows) if rows else "Every node begins at its beginning.")


@app.command()
def reset(file: PipelineFile, node: NodeName = None, workspace: WorkspaceFolder = None) -> None:
    """Let the next run begin anew; what was loaded stays."""
    from etl_studio.cli.output import say

    with _kept(file, workspace) as (bookmarks, pages):
        kept = [*bookmarks.of(file), *_pages(pages)]
        names = sorted({one.node for one in kept if node in (None, one.node)})
        bookmarks.forget(file, node)
        pages.forget(node)
    say(f"The next run begins anew: {', '.join(names)}." if names else "Nothing was kept; it begins anew.")


def _pages(pages: PipelinePages) -> list[BookmarkRecord]:
    from etl_studio.storage.bookmarks import BookmarkRecord

    return [
        BookmarkRecord(node, "pages", number, f"{number} page{'s' if number != 1 else ''} known", "", at)
        for node, number, at in pages.known()
    ]


@contextmanager
def _kept(file: Path, folder: Path | None) -> Iterator[tuple[Bookmarks, PipelinePages]]:
    from etl_studio.app.studio import Studio

    with Studio() as studio:
        place = folder or studio.workspace_folder(file)
        if not place.is_dir():
            raise UsageError(f"{file} has not run yet: there is no workspace {place}.", hint="Run it first.")
        yield studio.workspace(place).bookmarks, studio.pages(place, file)
