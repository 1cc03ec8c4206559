"""What completion offers while SQL is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etl_studio.engine.sql_functions import SqlFunction
    from etl_studio.ui.forms.editor import FormContext

REFERENCE = re.compile(r"\$\{[\w:.-]*$")
_WORD = re.compile(r"(?:\"[^\"\n]*|[^\W\d]\w*)$")
_INSIDE = re.compile(r"'(?:[^']|'')*$|--[^\n]*$")
LEAST = 1
"""Letters that must stand there before functions are offered by themselves."""
MOST = 200


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One entry of the list.

    Attributes:
        name: what is looked for.
        insert: what is put in; a ``|`` says where the cursor goes.
        icon: of its kind.
        detail: type, or signature.
        help: one line; may be empty.
    """

    name: str
    insert: str
    icon: str
    detail: str = ""
    help: str = ""


def prefix_at(text: str, position: int) -> str | None:
    """What is being typed at a position: a word, or a reference from ``${`` on; None inside of texts and comments."""
    before = text[:position]
    if found := REFERENCE.search(before):
        return found[0]
    if _INSIDE.search(re.sub(r"'(?:[^']|'')*'", "", before)):
        return None
    found = _WORD.search(before)
    return found[0] if found else ""


def suggestions(
    prefix: str, context: FormContext, functions: Sequence[SqlFunction], earlier: Iterable[str] = ()
) -> list[Suggestion]:
    """What fits a prefix: what begins with it, then what holds it."""
    if prefix.startswith("${"):
        return fitting(prefix[2:], references(context))
    bare = prefix.removeprefix('"')
    offered = _columns(context, earlier)
    if not prefix.startswith('"') and len(prefix) >= LEAST:
        offered += [_function(one) for one in functions]
    return fitting(bare, offered)


def references(context: FormContext) -> list[Suggestion]:
    """Parameters and secrets, by name."""
    found = [Suggestion(name, f"${{{name}}}", "braces", tr("parameter")) for name in context.parameters()]
    found += [Suggestion(f"secret:{name}", f"${{secret:{name}}}", "key", tr("secret")) for name in context.secrets()]
    return found


def column_types() -> list[Suggestion]:
    """The types that a column may be declared as."""
    from etl_studio.sdk.types import TYPES

    return [Suggestion(name, name, "box") for name in [*TYPES, "decimal(10,2)"]]


def _columns(context: FormContext, earlier: Iterable[str]) -> list[Suggestion]:
    from etl_studio.pipeline.sql_words import written

    types = context.types()
    names = {name: types.get(name, "") for name in context.columns()}
    names |= {name: names.get(name, "") or tr("set above") for name in earlier if name}
    return [Suggestion(name, written(name), "columns", kind) for name, kind in names.items()]


def _function(one: SqlFunction) -> Suggestion:
    hint = one.description or (tr("Such as {example}", example=one.example) if one.example else "")
    icon = "sigma" if one.aggregates else "function"
    return Suggestion(one.name, f"{one.name}(|)", icon, one.signature.removeprefix(one.name), hint)


def fitting(part: str, offered: Sequence[Suggestion]) -> list[Suggestion]:
    """Those whose names begin with a part, then those that hold it."""
    key = part.lower()
    begin = [one for one in offered if one.name.lower().startswith(key)]
    inside = [one for one in offered if key and key in one.name.lower()[1:] and one not in begin]
    inside = [one for one in inside if one.icon not in ("function", "sigma") or len(key) > 2]  # noqa: PLR2004 - noise
    return (begin + inside)[:MOST]
