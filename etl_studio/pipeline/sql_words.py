"""Identifiers in SQL texts: where they stand, and how they are exchanged so that all else stays as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.pipeline.sql_tree import reserved_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WORD = re.compile(
    r"""(?P<skipped>'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(?P<dollar>\$\w*\$).*?(?P=dollar)|\$\{[^{}\n]*\}|\s+)"""
    r"""|(?P<name>"(?:[^"]|"")*"|[^\W\d]\w*)|(?P<sign>\d[\w.]*|.)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_REFERENCE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\{[^{}$\n]*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """An identifier, keyword, number or sign at ``start`` to ``end`` (characters). ``name``: without its quotes."""

    start: int
    end: int
    text: str
    is_name: bool

    @property
    def name(self) -> str:
        """The identifier itself."""
        return unquoted(self.text) if self.is_name else self.text

    @property
    def keyword(self) -> str:
        """In capitals; empty for what is quoted."""
        return "" if self.text.startswith('"') else self.text.upper()


def words(text: str, start: int = 0, end: int | None = None) -> Iterator[Word]:
    """The words of a piece of SQL; texts in quotes, comments and parameters are left out."""
    for found in _WORD.finditer(text, start, len(text) if end is None else end):
        if not found["skipped"]:
            yield Word(found.start(), found.end(), found[0], found["name"] is not None)


def unquoted(name: str) -> str:
    """An identifier as it is called."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def written(name: str, *, like: str = "") -> str:
    """An identifier for SQL: with quotes where it needs them, or where ``like`` has some that it did not need."""
    plain = is_plain(name)
    chosen = like.startswith('"') and is_plain(unquoted(like))
    return name if plain and not chosen else '"' + name.replace('"', '""') + '"'


def is_plain(name: str) -> bool:
    """Whether an identifier needs no quotes."""
    return bool(_PLAIN.fullmatch(name.lower())) and name.lower() not in reserved_words()


def with_literals(text: str) -> str:
    """The SQL with a text in place of each ``${parameter}`` outside of quotes; everything stays at its place."""
    if "${" not in text:
        return text
    return _REFERENCE.sub(lambda found: f"'{'x' * (len(found[0]) - 2)}'" if found[0][0] == "$" else found[0], text)


@dataclass(frozen=True, slots=True)
class Filled:
    """SQL with values in place of its parameters.

    Attributes:
        text: the SQL.
        shifts: where a value ends in it, and how many characters it is longer than its parameter was.
    """

    text: str
    shifts: tuple[tuple[int, int], ...]

    def place(self, at: int) -> int:
        """Where a character of the filled text stands in the one with parameters."""
        return at - sum(longer for end, longer in self.shifts if end <= at)


def filled(text: str, fill: Callable[[str], str]) -> Filled:
    """Fill parameters in; ``fill`` gives what stands in place of a text in quotes, a comment or a parameter."""
    shifts: list[tuple[int, int]] = []
    result, at = "", 0
    for found in _REFERENCE.finditer(text):
        value = fill(found[0])
        result += text[at : found.start()] + value
        at = found.end()
        if len(value) != len(found[0]):
            shifts.append((len(result), len(value) - len(found[0])))
    return Filled(result + text[at:], tuple(shifts))


def exchanged(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """The text with other words in place of some; an edit is start, end and the new text, none over another."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
