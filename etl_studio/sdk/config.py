"""Settings of a node: a pydantic model whose fields also make the form, the help and the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.config import JsonDict

Editor = Literal[
    "text", "multiline", "sql", "sql_query", "selector", "file", "save_file", "columns", "column", "secret"
]
"""How a form edits a text: ``sql`` is one expression, ``sql_query`` a whole SELECT, ``file`` an existing file,
``save_file`` a file to write, ``column`` and ``columns`` complete with the columns that arrive at the node."""


class Config(BaseModel):
    """Base of all settings. Unknown names are refused, values are frozen, a number may stand where a text is wanted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, populate_by_name=True, coerce_numbers_to_str=True
    )


def setting(  # noqa: PLR0913 - the vocabulary of a field
    default: Any = PydanticUndefined,
    *,
    title: str,
    description: str,
    example: Any = None,
    editor: Editor | None = None,
    advanced: bool = False,
    only_when: Mapping[str, Sequence[str]] | None = None,
    **limits: Any,
) -> Any:
    """Declare one setting of a node.

    Args:
        default: its default; without one the setting is required. A list, dict or model is copied.
        title: its label in the form, in sentence case.
        description: what it means, one or two sentences.
        example: a value that works, shown as a placeholder and in the reference.
        editor: how a form edits it, where the type alone does not tell.
        advanced: folded away in the form.
        only_when: other settings and the values of them that give this one a meaning; a form hides it otherwise.
        limits: pydantic's limits (``ge``, ``le``, ``min_length``, ``pattern``, ``alias``, ...).
    """
    extra: JsonDict = {"editor": editor, "advanced": advanced}
    if only_when:
        extra["only_when"] = {name: list(values) for name, values in only_when.items()}
    examples = None if example is None else [example]
    return Field(default, title=title, description=description, examples=examples, json_schema_extra=extra, **limits)


def editor_of(field: Any) -> Editor | None:
    """The editor that ``setting`` declared for a pydantic field, if any."""
    extra = field.json_schema_extra
    return extra.get("editor") if isinstance(extra, dict) else None


def is_advanced(field: Any) -> bool:
    """Whether ``setting`` declared a pydantic field as advanced."""
    extra = field.json_schema_extra
    return bool(isinstance(extra, dict) and extra.get("advanced"))
