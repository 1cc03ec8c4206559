"""Pipelines to begin with: templates by what a person wants to do, and the examples; both are opened as copies."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.app.resources import resource
from etl_studio.errors import UsageError
from etl_studio.pipeline import file_format
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.pipeline.model import Pipeline

TEMPLATES = (
    "scrape_a_shop", "crawl_a_site", "sync_an_api", "clean_a_csv", "merge_two_files", "add_a_file_to_a_table",
    "keep_a_price_history",
)  # fmt: skip
"""Their names, in the order in which they are offered."""

DEMO_URL = "http://127.0.0.1:8750"
"""Where templates and examples expect the demo shop; the port is that of ``etl-studio demo``."""

_WRITTEN = {"api": "API", "csv": "CSV"}


@dataclass(frozen=True, slots=True)
class Template:
    """A pipeline to begin with.

    Attributes:
        path: its file, with its data beside it.
        title: for people, such as ``Clean a CSV``.
        pipeline: what it does; its description is one or two sentences.
    """

    path: Path
    title: str
    pipeline: Pipeline


def templates() -> list[Template]:
    """The templates, in the order in which they are offered; reads their files."""
    return [_read(template_file(name)) for name in TEMPLATES]


def examples() -> list[Template]:
    """The examples, by name; reads their files."""
    return [_read(path) for path in sorted(resource("examples").glob("*/*.yaml"))]


def asks_demo_shop(pipeline: Pipeline) -> bool:
    """Whether a pipeline, as it is written, reads the demo shop at its usual address."""
    return any(one.default == DEMO_URL for one in pipeline.parameters.values())


def template_file(name: str) -> Path:
    """The pipeline file of a template.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in TEMPLATES:
        near = closest(name, TEMPLATES)
        hint = f'Did you mean "{near}"?' if near else f"There are {', '.join(TEMPLATES)}."
        raise UsageError(f'There is no template called "{name}".', hint=hint)
    return resource("templates", name, f"{name}.etl.yaml")


def title_of(path: Path) -> str:
    """``shop_api.etl.yaml`` -> ``Shop API``."""
    words = path.name.partition(".")[0].replace("_", " ").capitalize()
    return " ".join(_WRITTEN.get(word.lower(), word) for word in words.split())


def copy_folder(path: Path, target: Path) -> Path:
    """Copy a pipeline file, the data beside it and its tests.

    Args:
        path: the pipeline file.
        target: gets what is in its folder; made where it is not there.

    Returns:
        The copy of the pipeline file.

    Raises:
        OSError: it cannot be written.
    """
    target.mkdir(parents=True, exist_ok=True)
    for item in path.parent.iterdir():
        if item.is_file():
            shutil.copyfile(item, target / item.name)
        elif not item.name.startswith("."):
            shutil.copytree(item, target / item.name, dirs_exist_ok=True)
    return target / path.name


def copy_template(path: Path, folder: Path) -> Path:
    """Make a person's own pipeline of a template.

    A copy that nobody has changed is given again, so that looking at a template twice leaves one copy.

    Args:
        path: the template's file.
        folder: gets a folder with the template's name, or ``NAME_2``, ``NAME_3`` where that is taken.

    Returns:
        The copy of the pipeline file.

    Raises:
        OSError: it cannot be written.
    """
    name, number = path.parent.name, 1
    while True:
        target = folder / (name if number == 1 else f"{name}_{number}")
        copy = target / path.name
        if not target.exists():
            return copy_folder(path, target)
        if copy.is_file() and copy.read_bytes() == path.read_bytes():
            return copy
        number += 1


def _read(path: Path) -> Template:
    return Template(path, title_of(path), file_format.load(path))
