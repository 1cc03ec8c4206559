"""Which editor edits which type of value."""

from __future__ import annotations

from dataclasses import replace
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from etl_studio.ui.forms.chips import ChipsEditor
from etl_studio.ui.forms.choice import ChoiceEditor, SwitchEditor
from etl_studio.ui.forms.code import JsonEditor, MultilineEditor
from etl_studio.ui.forms.guarded import GuardedEditor
from etl_studio.ui.forms.line_completion import LineCompletion
from etl_studio.ui.forms.maps import MapEditor
from etl_studio.ui.forms.models import ModelEditor, NestedEditor, OptionalEditor, UnionEditor
from etl_studio.ui.forms.rows import RowsEditor
from etl_studio.ui.forms.setting import Setting, settings_of
from etl_studio.ui.forms.sql_editor import SqlEditor
from etl_studio.ui.forms.suggestions import column_types
from etl_studio.ui.forms.text import ColumnEditor, FileEditor, LineEditor, NumberEditor, ScalarEditor, SecretEditor
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.forms.editor import Editor, FormContext

_CODE = ("multiline", "sql", "sql_query")
_INLINE_FIELDS = 2
_SCALARS = (str, int, float, bool)


def build_editor(setting: Setting, context: FormContext, parent: QWidget | None = None) -> Editor:
    """The editor of a setting. It keeps any value, also one that does not fit the type.

    Raises:
        TypeError: no editor knows the type of the setting.
    """
    inner = _editor(setting, context, parent)
    return inner if isinstance(inner, JsonEditor) else GuardedEditor(inner, setting, context, parent)


def _editor(setting: Setting, context: FormContext, parent: QWidget | None) -> Editor:
    kind, origin = setting.annotation, get_origin(setting.annotation)
    if kind is str:
        return _text_editor(setting, context, parent)
    if kind is bool:
        return ChoiceEditor(setting, (True, False), parent) if setting.optional else SwitchEditor(setting, parent)
    if kind in (int, float):
        return NumberEditor(setting, parent)
    if origin is Literal:
        return ChoiceEditor(setting, get_args(kind), parent)
    if origin in (list, tuple, set, frozenset):
        return _list_editor(setting, get_args(kind)[0], context, parent)
    if origin is dict:
        return _map_editor(setting, get_args(kind)[1], context, parent)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model_editor(setting, context, parent)
    if origin in (Union, UnionType):
        return _union_editor(setting, context, parent)
    if kind in (Any, dict, list, object):
        return JsonEditor(setting, context, parent)
    raise TypeError(f"No editor knows the type {kind!r} of the setting {setting.name}.")


def _text_editor(setting: Setting, context: FormContext, parent: QWidget | None) -> Editor:
    if setting.editor in ("sql", "sql_query"):
        return SqlEditor(setting, context, parent)
    if setting.editor in _CODE:
        return MultilineEditor(setting, context, parent)
    if setting.editor in ("file", "save_file"):
        return FileEditor(setting, context, parent)
    if setting.editor in ("column", "columns"):
        return ColumnEditor(setting, context, parent)
    editor = SecretEditor(setting, parent) if setting.editor == "secret" else LineEditor(setting, parent)
    LineCompletion(editor.line, context, column_types() if setting.editor == "type" else ())
    return editor


def _list_editor(setting: Setting, item: Any, context: FormContext, parent: QWidget | None) -> Editor:
    if takes_chips(setting, item):
        return ChipsEditor(setting, item, context, parent)
    example = setting.example[0] if isinstance(setting.example, list) and setting.example else setting.example
    element = setting.item(item, setting.title, example)
    framed = isinstance(item, type) and issubclass(item, BaseModel)
    inline = framed and _is_short(item)

    def new_item(owner: QWidget) -> Editor:
        if framed:
            return ModelEditor(item, build_editor, context, owner, inline=inline)
        return build_editor(element, context, owner)

    return RowsEditor(new_item, context, _add_text(setting), parent, card=framed and not inline)


def _map_editor(setting: Setting, item: Any, context: FormContext, parent: QWidget | None) -> Editor:
    key, value = next(iter(setting.example.items()), ("", "")) if isinstance(setting.example, dict) else ("", "")
    element = setting.item(item, setting.title, value)
    if setting.editor == "column":
        element = replace(element, editor=None)  # its keys are columns

    def new_value(owner: QWidget) -> Editor:
        return build_editor(element, context, owner)

    stacked = setting.editor in _CODE
    names_columns = setting.keys == "uses"
    return MapEditor(
        new_value,
        context,
        _add_text(setting),
        str(key) or tr("name"),
        parent,
        names_columns=names_columns,
        stacked=stacked,
    )


def _model_editor(setting: Setting, context: FormContext, parent: QWidget | None) -> Editor:
    defaults = setting.default if isinstance(setting.default, BaseModel) else None
    content = ModelEditor(setting.annotation, build_editor, context, parent, defaults=defaults)
    return OptionalEditor(setting, content, parent) if setting.optional else NestedEditor(content, parent)


def _union_editor(setting: Setting, context: FormContext, parent: QWidget | None) -> Editor:
    if setting.discriminator:
        return UnionEditor(setting, build_editor, context, parent)
    members = get_args(setting.annotation)
    if all(member in _SCALARS for member in members):
        return ScalarEditor(setting, parent)
    if all(member in _SCALARS or get_origin(member) in (list, dict, Literal) for member in members):
        return JsonEditor(setting, context, parent)
    raise TypeError(f"No editor knows the type {setting.annotation!r} of the setting {setting.name}.")


def takes_chips(setting: Setting, item: Any) -> bool:
    """Whether the elements of a list are short, so that they stand side by side and no button adds one."""
    return item is int or (item is str and setting.editor in ("column", "columns"))


def _is_short(model: type[BaseModel]) -> bool:
    settings = settings_of(model)
    simple = all(setting.annotation in _SCALARS and setting.editor not in _CODE for setting in settings)
    return simple and len(settings) <= _INLINE_FIELDS


def _add_text(setting: Setting) -> str:
    return tr(add_text(setting.english or setting.title))


def add_text(title: str) -> str:
    """English for adding an element: ``Add column`` for Columns; ``Add`` where the title is no plural."""
    title = title.lower()
    if title.endswith("sses"):
        return f"Add {title[:-2]}"
    return f"Add {title[:-1]}" if title.endswith("s") and not title.endswith("ss") else "Add"
