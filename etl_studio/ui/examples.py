"""The example pipelines that come with the studio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.app.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def examples() -> list[Path]:
    """Their pipeline files, each in a folder with its data, by name."""
    return sorted(resource("examples").glob("*/*.yaml"))


def example_title(path: Path) -> str:
    """``shop_api.etl.yaml`` -> ``Shop API``."""
    from etl_studio.app.templates import title_of

    return title_of(path)


def copy_example(path: Path, folder: Path) -> Path:
    """Copy an example, the data beside it and its tests, so that the original stays as it is.

    Args:
        path: one of ``examples()``.
        folder: gets a folder with the example's name; a copy that is there already, with its edits, is kept.

    Returns:
        The copy of the pipeline file.

    Raises:
        OSError: it cannot be written.
    """
    from etl_studio.app.templates import copy_folder

    target = folder / path.parent.name
    copy = target / path.name
    return copy if copy.is_file() else copy_folder(path, target)
