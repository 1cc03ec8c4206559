"""What ``Config`` classes say about the texts in their settings."""

from __future__ import annotations

import types
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from etl_studio.sdk.config import Editor, editor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Path = tuple[str, ...]
    Change = Callable[[Path, str, Editor | None], Any]

SQL_EDITORS = ("sql", "sql_query")


Models = tuple[type[BaseModel], ...]
"""The models that a setting may be read with: one, or the members of a union."""


@cache
def settings_of(models: Models) -> dict[str, tuple[Editor | None, Models]]:
    """For each name that people may write: the declared editor, and the models that its value may be read with."""
    found: dict[str, tuple[Editor | None, Models]] = {}
    for model in models:
        for name, field in model.model_fields.items():
            found.setdefault(field.alias or name, (editor_of(field), tuple(_models(field.annotation))))
    return found


def map_texts(value: Any, models: Models, change: Change, path: Path = (), editor: Editor | None = None) -> Any:
    """A copy of a setting in which every text went through ``change``.

    Args:
        value: the setting, as it stands in the file.
        models: what ``value``, or what its items, may be read with.
        change: gets the path, the text and the editor declared for the field that holds it; gives the new value.
        path: where ``value`` is.
        editor: the editor declared for it.
    """
    if isinstance(value, str):
        return change(path, value, editor)
    if isinstance(value, list):
        return [map_texts(item, models, change, (*path, str(number)), editor) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    known, unknown = settings_of(models), (None if models else editor, ())
    result = {}
    for key, item in value.items():
        declared, inner = known.get(key, unknown)
        result[key] = map_texts(item, inner, change, (*path, key), declared)
    return result


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    origin = get_origin(annotation)
    if origin is None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
    elif origin in (Annotated, Union, types.UnionType, list, dict, tuple):
        for argument in get_args(annotation):
            yield from _models(argument)
