"""What ``Config`` classes say about the texts in their settings."""

from __future__ import annotations

import types
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from etl_studio.sdk.config import Editor, Names, editor_of, names_of

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


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the settings of a node: a value, or the key of a map.

    Attributes:
        path: where it is; for a key, of its value.
        is_key: whether the last part of the path is the text.
        names: what it names.
        keys: for a value in a map: what its key names.
        editor: declared for its field.
    """

    path: Path
    text: str
    is_key: bool = False
    names: Names | None = None
    keys: Names | None = None
    editor: Editor | None = None


def texts_of(value: Any, models: Models, path: Path = ()) -> Iterator[Text]:
    """All texts and keys in settings, in the order of the file; each key before its value."""
    if not isinstance(value, dict):
        return
    fields = {field.alias or name: field for model in models for name, field in model.model_fields.items()}
    known = settings_of(models)
    for key, item in value.items():
        editor, inner = known.get(key, (None, ()))
        names, keys = names_of(fields[key]) if key in fields else (None, None)
        if inner:
            items = enumerate(item) if isinstance(item, list) else [(None, item)]
            for number, one in items:
                yield from texts_of(one, inner, (*path, key) if number is None else (*path, key, str(number)))
        else:
            yield from _leaves(item, Text((*path, key), "", names=names, keys=keys, editor=editor))


def _leaves(value: Any, at: Text) -> Iterator[Text]:
    if isinstance(value, str):
        yield replace(at, text=value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, replace(at, path=(*at.path, str(number)), keys=None))
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = replace(at, path=(*at.path, key))
            yield replace(inner, text=key, is_key=True, names=at.keys, keys=None)
            yield from _leaves(item, inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    origin = get_origin(annotation)
    if origin is None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
    elif origin in (Annotated, Union, types.UnionType, list, dict, tuple):
        for argument in get_args(annotation):
            yield from _models(argument)
