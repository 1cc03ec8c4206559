"""The example pipelines that come with the studio."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from etl_studio.app.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def examples() -> list[Path]:
    """Their pipeline files, each in a folder with its data, by name."""
    return sorted(resource("examples").glob("*/*.yaml"))


def example_title(path: Path) -> str:
    """``shop_api.etl.yaml`` -> ``Shop API``."""
    words = path.name.partition(".")[0].replace("_", " ").capitalize()
    return " ".join("API" if word == "api" else word for word in words.split())


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
    from etl_studio.app.golden_cases import FOLDER_ENDING

    target = folder / path.parent.name
    copy = target / path.name
    if copy.is_file():
        return copy
    target.mkdir(parents=True, exist_ok=True)
    for item in path.parent.iterdir():
        if item.is_file():
            shutil.copyfile(item, target / item.name)
        elif item.suffix == FOLDER_ENDING:
            shutil.copytree(item, target / item.name)
    return copy
