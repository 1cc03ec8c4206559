"""The example pipelines that come with the studio."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from etl_studio.app.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def examples() -> list[Path]:
    """Their files, by name."""
    return sorted([*resource("examples").glob("*.yaml"), *resource("examples").glob("*/*.yaml")])


def example_title(path: Path) -> str:
    """``scrape_shop.yaml`` -> ``Scrape shop``."""
    return path.stem.replace("_", " ").replace("-", " ").capitalize()


def copy_example(path: Path, folder: Path) -> Path:
    """Copy an example and the data beside it into a new folder.

    Args:
        path: one of ``examples()``.
        folder: where the new folder is made; it gets the example's name, and a number if that is taken.

    Returns:
        The copy of the pipeline file.
    """
    target = folder / path.stem
    number = 2
    while target.exists():
        target = folder / f"{path.stem}-{number}"
        number += 1
    alone = path.parent != resource("examples")
    target.mkdir(parents=True)
    for item in path.parent.iterdir():
        if item.is_file() and (alone or item == path or item.suffix not in {".yaml", ".yml"}):
            shutil.copyfile(item, target / item.name)
    return target / path.name
