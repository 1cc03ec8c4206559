"""Finds what ``Config`` classes say about a setting, by its path."""

from __future__ import annotations

import types
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from etl_studio.sdk.config import editor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL_EDITORS = ("sql", "sql_query")


@cache
def field_names(model: type[BaseModel]) -> tuple[str, ...]:
    """The names that people may write: the alias where a field has one."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


@cache
def editors(model: type[BaseModel]) -> dict[str, str]:
    """The declared editors by the name of the setting."""
    found = {field.alias or name: editor_of(field) for name, field in model.model_fields.items()}
    return {name: editor for name, editor in found.items() if editor}


@cache
def models_in(model: type[BaseModel], name: str) -> tuple[type[BaseModel], ...]:
    """The models that a setting may hold, alone, in lists or as values."""
    for key, field in model.model_fields.items():
        if name in (key, field.alias):
            return tuple(_models(field.annotation))
    return ()


def texts(
    value: Any, model: type[BaseModel] | None, path: tuple[str, ...] = (), editor: str | None = None
) -> Iterator[tuple[tuple[str, ...], str, str | None]]:
    """Every text in a setting: its path, the text and the editor that was declared for it or for what holds it."""
    if isinstance(value, str):
        yield path, value, editor
    elif isinstance(value, dict):
        declared = editors(model) if model else {}
        for key, item in value.items():
            if model:
                inner = models_in(model, key)
                for found in inner or (None,):
                    yield from texts(item, found, (*path, key), declared.get(key))
                    break
            else:
                yield from texts(item, None, (*path, key), editor)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts(item, model, (*path, str(number)), editor)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    if get_origin(annotation) in (Annotated, Union, types.UnionType, list, dict, tuple, set):
        for argument in get_args(annotation):
            yield from _models(argument)
