"""Quoting for the SQL that nodes write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    if "\0" in name:
        raise PermanentError("A name must not hold a NUL character.", value=name.replace("\0", "␀"))
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Quoted identifiers with commas between them."""
    return ", ".join(identifier(name) for name in names)


def literal(value: Any) -> str:
    """A SQL literal for None, a boolean, a number or a text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def attempt(expression: str) -> str:
    """SQL that gives the value of the expression, and NULL where evaluating it raises an error."""
    return f"TRY(\n{expression}\n)"


def fails(expression: str) -> str:
    """SQL that is true where evaluating the expression raises an error, and false where it gives a value or NULL."""
    return f"TRY([(\n{expression}\n)]) IS NULL"


def unused(name: str, columns: Iterable[str]) -> str:
    """The name, with underscores added until no column has it (case does not matter)."""
    taken = {column.lower() for column in columns}
    while name.lower() in taken:
        name += "_"
    return name


def require_columns(wanted: Iterable[str], present: Sequence[str], *, setting: str) -> None:
    """Refuse names of columns that do not arrive.

    Raises:
        PermanentError: names the first one missing, the nearest present and what is there.
    """
    for name in wanted:
        if name not in present:
            near = closest(name, present)
            guess = f'Did you mean "{near}"?' if near else f"Columns here: {', '.join(present) or 'none'}."
            raise PermanentError(f'There is no column "{name}" (setting {setting}).', hint=guess, column=name)
