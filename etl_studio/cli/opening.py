"""Opens the workspace that a command is about."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.app.studio import Studio
    from etl_studio.storage.results import Results
    from etl_studio.storage.workspace import Workspace


@contextmanager
def open_workspace(folder: Path | None) -> Iterator[Workspace]:
    """The workspace in a folder; without one that of the current folder, or else the user's own.

    Raises:
        UsageError: there is none.
    """
    with open_studio(folder) as (_, workspace):
        yield workspace


@contextmanager
def open_studio(folder: Path | None) -> Iterator[tuple[Studio, Workspace]]:
    """The same, with the studio that opened it.

    Raises:
        UsageError: there is none.
    """
    from etl_studio.app.studio import Studio

    with Studio() as studio:
        places = [folder] if folder else [studio.workspace_folder(Path("here.yaml")), studio.workspace_folder(None)]
        place = next((place for place in places if place.is_dir()), None)
        if place is None:
            hint = "Run a pipeline first, or give --workspace DIR."
            raise UsageError(f"There is no workspace in {folder or Path.cwd()}.", hint=hint)
        yield studio, studio.workspace(place)


@contextmanager
def open_results(folder: Path | None, database: Path | None) -> Iterator[Results]:
    """The tables of a workspace, or those of any SQLite file.

    Raises:
        UsageError: there is none.
    """
    from etl_studio.app.studio import Studio
    from etl_studio.storage.results import Results

    if database is None:
        with open_workspace(folder) as place:
            yield place.results
        return
    if not database.is_file():
        raise UsageError(f"There is no file {database}.", hint="Give the SQLite file that the pipeline loads into.")
    with Studio() as studio:
        yield Results(studio.databases.open(database))
