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


def setting_names(model: type[BaseModel]) -> list[str]:
    """The names that people write: the alias where a field has one."""
    return [field.alias or name for name, field in model.model_fields.items()]


@cache
def settings_of(model: type[BaseModel]) -> dict[str, tuple[Editor | None, type[BaseModel] | None]]:
    """For each name that people may write: the declared editor, and the model that is inside, if one is."""
    found: dict[str, tuple[Editor | None, type[BaseModel] | None]] = {}
    for name, field in model.model_fields.items():
        about = (editor_of(field), next(_models(field.annotation), None))
        found[name] = about
        found[field.alias or name] = about
    return found


def map_texts(
    value: Any, model: type[BaseModel] | None, change: Change, path: Path = (), editor: Editor | None = None
) -> Any:
    """A copy of a setting in which every text went through ``change``.

    Args:
        value: the setting, as it stands in the file.
        model: what ``value``, or what its items, are read with, where that is a model.
        change: gets the path, the text and the editor declared for the field that holds it; gives the new value.
        path: where ``value`` is.
        editor: the editor declared for it.
    """
    if isinstance(value, str):
        return change(path, value, editor)
    if isinstance(value, list):
        return [map_texts(item, model, change, (*path, str(number)), editor) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if model is None:
        return {key: map_texts(item, None, change, (*path, key), editor) for key, item in value.items()}
    known, unknown = settings_of(model), (None, None)
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
