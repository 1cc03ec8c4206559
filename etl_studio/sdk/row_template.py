"""Texts, addresses and JSON with ``{column}`` in them, filled with the values of a row.

``{name}`` is a column where no blank stands beside the braces, so that other braces, such as those of GraphQL, stay as
they are; ``{{name}}`` is the plain text ``{name}``. Parameters, ``${name}``, are put in before.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PLACE = re.compile(r'\{\{([^\s{}"](?:[^{}"]*[^\s{}"])?)\}\}|(?<!\$)\{([^\s{}"](?:[^{}"]*[^\s{}"])?)\}')
_SITE = re.compile(r"[^/?#]*(?://[^/?#]*)?")
_ENDS_PATH = re.compile(r"[?#]")


def places(text: str) -> Iterator[tuple[int, int, str]]:
    """Where columns stand in a text: start and end of the name (characters), and the name."""
    for place in _PLACE.finditer(text):
        if place.group(2) is not None:
            yield *place.span(2), place.group(2)


class RowTemplate:
    """A text that takes values from a row.

    Args:
        text: such as ``Order {id} of {customer}``.

    Attributes:
        columns: those that it names, each once.
    """

    def __init__(self, text: str) -> None:
        self._parts = list(_parts(text))
        self.columns = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))

    def text(self, row: Mapping[str, Any], quoted: Callable[[str], str] = str) -> str | None:
        """The text for a row; None where one of its values is empty.

        Args:
            row: values by column.
            quoted: what becomes of the text of each value.
        """
        filled = []
        for text, name in self._parts:
            if name is None:
                filled.append(text)
            elif is_empty(value := row[name]):
                return None
            else:
                filled.append(quoted(as_text(value)))
        return "".join(filled)

    def value(self, row: Mapping[str, Any]) -> Any:
        """JSON for a row: the value itself where the text is nothing but one column."""
        if len(self._parts) == 1 and self._parts[0][1] is not None:
            return as_json(row[self._parts[0][1]])
        return self.text(row)


class AddressTemplate:
    """A web address that takes values from a row. They are quoted, so that none of them leads out of its place.

    Args:
        text: such as ``https://api.example.org/customers/{id}``, or ``{url}`` where the address itself is a value.

    Attributes:
        columns: those that it names.
        site_from_row: the row says which site is asked.
    """

    def __init__(self, text: str) -> None:
        site = _SITE.match(text)
        self.site_from_row = site is not None and bool(RowTemplate(site.group()).columns)
        # A value at the very beginning is an address, and keeps its slashes.
        self._first = next(_parts(text))[1]
        self._rest = RowTemplate(text if self._first is None else text[len(f"{{{self._first}}}") :])
        self.columns = RowTemplate(text).columns

    def address(self, row: Mapping[str, Any]) -> str | None:
        """The address for a row; None where one of its values is empty.

        Raises:
            ValueError: a value would lead to another folder of the site.
        """
        rest = self._rest.text(row, lambda value: quote(value, safe=""))
        if rest is None or (self._first is not None and is_empty(row[self._first])):
            return None
        folders = _ENDS_PATH.split(rest, maxsplit=1)[0].split("/")
        if self._rest.columns and any(unquote(folder) in (".", "..") for folder in folders):
            raise ValueError("a value of . or .. would lead to another folder of the site")
        return rest if self._first is None else as_text(row[self._first]).strip() + rest


class JsonTemplate:
    """A JSON value whose texts take values from a row.

    Args:
        value: such as ``{"name": "{first} {last}", "age": "{age}"}``: ``age`` becomes a number where the column is one.

    Attributes:
        columns: those that it names.
    """

    def __init__(self, value: Any) -> None:
        found: dict[str, None] = {}
        self._fill = _filler(value, found)
        self.columns = tuple(found)

    def value(self, row: Mapping[str, Any]) -> Any:
        """The JSON for a row; a text in which a value is empty becomes null."""
        return self._fill(row)


def is_empty(value: Any) -> bool:
    """Whether a value is NULL or no number (NaN)."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def as_text(value: Any) -> str:
    """A value as an address or a text holds it: ISO 8601 for times, ``true`` and ``false``, JSON for nested values."""
    value = as_json(value, exact=True)
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def as_json(value: Any, *, exact: bool = False) -> Any:
    """A value as JSON holds it.

    Args:
        value: of a row, as pyarrow gives it.
        exact: a decimal becomes a text of all its digits, instead of a number.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f") if exact else float(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _filler(value: Any, found: dict[str, None]) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(value, str):
        template = RowTemplate(value)
        found.update(dict.fromkeys(template.columns))
        return template.value if template.columns else template.text
    if isinstance(value, dict):
        items = {name: _filler(item, found) for name, item in value.items()}
        return lambda row: {name: fill(row) for name, fill in items.items()}
    if isinstance(value, list):
        parts = [_filler(item, found) for item in value]
        return lambda row: [fill(row) for fill in parts]
    return lambda _: value


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Plain texts, and the columns between them as (empty, name)."""
    start = 0
    for place in _PLACE.finditer(text):
        if place.start() > start:
            yield text[start : place.start()], None
        plain, name = place.groups()
        yield ("", name) if name is not None else (f"{{{plain}}}", None)
        start = place.end()
    if start < len(text) or not text:
        yield text[start:], None
