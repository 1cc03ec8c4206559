"""Paths in settings, as seen from another folder."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.parameters import in_text
from etl_studio.pipeline.setting_fields import map_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.setting_fields import Models
    from etl_studio.sdk.config import Editor


def seen_from(there: Path, here: Path) -> str:
    """How a path to a folder begins in a setting: ``parts``, ``..``, or nothing where both are one.

    Args:
        there: the folder that it leads to.
        here: the folder that it starts at.
    """
    try:
        path = os.path.relpath(there, here)
    except ValueError:  # another drive
        path = str(there)
    return "" if path == "." else Path(path).as_posix().replace("${", "$${")


def moved(config: dict[str, Any], models: Models, there: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose relative paths were written elsewhere.

    Args:
        config: as written.
        models: what they are read with; they say which texts are paths.
        there: the folder that relative paths started at, from ``seen_from``.
        values: of parameters, to tell which paths are absolute.
    """

    def change(_: tuple[str, ...], text: str, editor: Editor | None) -> str:
        if editor not in ("file", "save_file") or not text or not there:
            return text
        shown = str(in_text(text, lambda name: values.get(name, "x")))
        return text if PurePath(shown).is_absolute() else posixpath.normpath(f"{there}/{text}")

    result: dict[str, Any] = map_texts(config, models, change)
    return result
