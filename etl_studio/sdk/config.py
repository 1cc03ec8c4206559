"""Settings of a node: a pydantic model whose fields also make the form, the help and the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined

from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.config import JsonDict

Editor = Literal[
    "text", "multiline", "sql", "sql_query", "selector", "file", "save_file", "columns", "column", "type", "secret"
]
"""How a form edits a text: ``sql`` is one expression, ``sql_query`` a whole SELECT, ``file`` an existing file,
``save_file`` a file to write, ``column`` and ``columns`` complete with the columns that arrive at the node,
``type`` with the types of columns. A ``secret`` is a reference such as ``${secret:name}`` and never in a ``repr``."""

Names = Literal["uses", "picks", "keeps", "makes", "sets", "mentions", "fills"]
"""What names in a setting are to the rows, so that columns can be followed and renamed.

- ``uses``: columns that arrive; what the editors ``column`` and ``columns`` mean where nothing is declared.
- ``picks``, ``keeps``: the same, and no other column leaves; empty, ``picks`` lets all leave and ``keeps`` none.
- ``makes``: new columns. Where the keys of such a map are ``uses``, each is another name for that column.
- ``sets``: columns that are new or replaced, from top to bottom, each seen by the SQL below it.
- ``mentions``: columns that a source gives, whoever named them.
- ``fills``: columns that arrive, in braces inside the text (``sdk.row_template``).
"""


class Config(BaseModel):
    """Base of all settings. Unknown names are refused, values are frozen, a number may stand where a text is wanted."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # it may hold a secret
    )


def setting(  # noqa: PLR0913 - the vocabulary of a field
    default: Any = PydanticUndefined,
    *,
    title: str,
    description: str,
    example: Any = None,
    editor: Editor | None = None,
    names: Names | None = None,
    keys: Names | None = None,
    advanced: bool = False,
    section: str = "",
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
        names: what its texts name, where the editor alone does not tell.
        keys: what the keys of a map name; then the editor ``column`` is about them.
        advanced: folded away in the form.
        section: title of the part of the form in which it is folded away with others, in sentence case.
        only_when: other settings and the values of them that give this one a meaning; a form hides it otherwise.
        limits: pydantic's limits (``ge``, ``le``, ``min_length``, ``pattern``, ``alias``, ...).
    """
    extra: JsonDict = {"editor": editor, "advanced": advanced or bool(section), "names": names, "keys": keys}
    if section:
        extra["section"] = section
    if only_when:
        extra["only_when"] = {name: list(values) for name, values in only_when.items()}
    examples = None if example is None else [example]
    about = {"title": title, "description": description, "examples": examples, "json_schema_extra": extra}
    return Field(default, **{"repr": editor != "secret", **about, **limits})


def editor_of(field: Any) -> Editor | None:
    """The editor that ``setting`` declared for a pydantic field, if any."""
    extra = field.json_schema_extra
    return extra.get("editor") if isinstance(extra, dict) else None


def names_of(field: Any) -> tuple[Names | None, Names | None]:
    """What the texts of a pydantic field name, and what its keys do."""
    extra: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    keys = extra.get("keys")
    implied: Names | None = "uses" if extra.get("editor") in ("column", "columns") and keys is None else None
    return extra.get("names") or implied, keys


def is_advanced(field: Any) -> bool:
    """Whether ``setting`` declared a pydantic field as advanced."""
    extra = field.json_schema_extra
    return bool(isinstance(extra, dict) and extra.get("advanced"))


def known_types(columns: dict[str, str]) -> dict[str, str]:
    """The declared types of columns, when all of them exist; for validators.

    Raises:
        ValueError: one does not; the message guesses which was meant.
    """
    from etl_studio.sdk.types import column_type  # brings Arrow, which the window loads later

    for name in columns.values():
        try:
            column_type(name)
        except PermanentError as error:
            raise ValueError(str(error)) from None
    return columns
