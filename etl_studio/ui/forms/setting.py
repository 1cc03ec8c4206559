"""What a form knows of one setting, read from a pydantic model's fields."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel


class _Unset:
    """The type of ``UNSET``."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET = _Unset()
"""The value of a setting that is not written: its default counts."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a settings model, ready for an editor.

    Attributes:
        key: its name in the file (the alias, where there is one).
        name: its name in the model.
        title, description: for people.
        annotation: its type without ``None``.
        optional: whether ``None`` is allowed.
        default: its default; ``UNSET`` when it is required.
        example: a value that works, or None.
        editor: what ``sdk.setting(editor=...)`` asked for, or None.
        keys: what the keys of a map name, see ``sdk.Names``, or None.
        advanced: folded away.
        section: title of what it is folded into; empty: that of all others.
        discriminator: name of the field that tells the members of a union apart, or None.
        only_when: other settings and the values of them that give this one a meaning.
        english: the title before translation; empty: the title is.
    """

    key: str
    name: str
    title: str
    annotation: Any
    description: str = ""
    optional: bool = False
    default: Any = UNSET
    example: Any = None
    editor: str | None = None
    keys: str | None = None
    advanced: bool = False
    section: str = ""
    discriminator: str | None = None
    only_when: Mapping[str, Sequence[str]] = field(default_factory=dict)
    english: str = ""

    @property
    def required(self) -> bool:
        """Whether the node cannot do without it."""
        return self.default is UNSET

    def item(self, annotation: Any, title: str = "", example: Any = None) -> Setting:
        """The setting of one element of this list or map: same editor, another type."""
        annotation, optional = without_none(annotation)
        return replace(
            self, annotation=annotation, optional=optional, title=title, description="", default=UNSET, example=example
        )


def without_none(annotation: Any) -> tuple[Any, bool]:
    """The annotation without ``None`` and without ``Annotated``, and whether ``None`` was allowed."""
    if get_origin(annotation) is Annotated:
        return without_none(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    members = [member for member in get_args(annotation) if member is not NoneType]
    if len(members) == 1:
        return without_none(members[0])[0], len(get_args(annotation)) > 1
    return (Union[tuple(members)], len(members) < len(get_args(annotation)))  # noqa: UP007 - built at run time


def settings_of(model: type[BaseModel], defaults: BaseModel | None = None) -> list[Setting]:
    """The settings of a model, in its order; ``defaults`` where they differ from the model's own."""
    settings = [_setting(name, info) for name, info in model.model_fields.items()]
    if defaults is None:
        return settings
    return [replace(setting, default=getattr(defaults, setting.name)) for setting in settings]


def _setting(name: str, info: Any) -> Setting:
    annotation, optional = without_none(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if info.default_factory is not None:
        default = info.default_factory()
    else:
        default = UNSET if info.default is PydanticUndefined else info.default
    title = info.title or name.replace("_", " ").capitalize()
    return Setting(
        key=info.alias or name,
        name=name,
        title=tr(title),
        annotation=annotation,
        description=tr(info.description) if info.description else "",
        optional=optional,
        default=default,
        example=info.examples[0] if info.examples else None,
        editor=extra.get("editor"),
        keys=extra.get("keys"),
        advanced=bool(extra.get("advanced")),
        section=extra.get("section", ""),
        only_when=extra.get("only_when", {}),
        discriminator=info.discriminator if isinstance(info.discriminator, str) else None,
        english=title,
    )
