"""Long texts in rows that fit a screen, with what is known of their characters; made in a thread."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.app.scraping.page import WorkshopPage

Ink: TypeAlias = Literal["plain", "tag", "name", "value", "comment", "heading", "link", "quiet"]
"""How a stretch of text is coloured."""
WIDEST = 96
"""Characters after which a row ends, so that a page in one line can be read."""
LONGEST_TAG = 4_000
"""Characters of a tag that are coloured one by one."""
_PART = re.compile(
    r"(?P<tag></?[^\s>/=\"']+|/?>)|(?P<value>=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s>]+))|(?P<name>[^\s=>/\"']+)"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a row in one colour: characters of the whole text."""

    start: int
    end: int
    ink: Ink


class Listing(Protocol):
    """A text whose characters belong to elements.

    Attributes:
        text: all of it.
        rows: where each row begins.
        lines: the number of the line that each row begins, from 1; 0: it goes on with the line before.
    """

    text: str
    rows: array[int]
    lines: array[int]

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """The colours between two characters, in order; what is between them is plain."""
        ...

    def place(self, number: int) -> tuple[int, int] | None:
        """The characters of an element."""
        ...

    def at(self, position: int) -> int | None:
        """The element that a character belongs to."""
        ...


class SourceListing:
    """The source of a page (``Listing``).

    Args:
        page: the page.
    """

    def __init__(self, page: WorkshopPage) -> None:
        self.text = page.source
        self.rows, self.lines = rows_of(self.text)
        self._places = page.places

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """Tags with their attributes, and comments."""
        starts, ends = self._places.tags
        for index in range(bisect_right(ends, start), bisect_left(starts, end)):
            first, last = starts[index], ends[index]
            if self.text.startswith(("<!", "<?"), first):
                yield Stretch(max(first, start), min(last, end), "comment")
                continue
            tag = self.text[first : min(last, first + LONGEST_TAG)]
            for part in _PART.finditer(tag):
                at, to = max(first + part.start(), start), min(first + part.end(), end)
                if at < to:
                    yield Stretch(at, to, part.lastgroup or "plain")  # type: ignore[arg-type] # names of groups

    def place(self, number: int) -> tuple[int, int] | None:
        """The tag that begins the element."""
        return self._places.opening(number)

    def at(self, position: int) -> int | None:
        """The innermost element around a character."""
        return self._places.at(position)


class TextListing:
    """The readable text of a page (``Listing``).

    Args:
        page: the page.
    """

    def __init__(self, page: WorkshopPage) -> None:
        self.text, self._pieces = page.text
        self.rows, self.lines = rows_of(self.text)
        self._starts = [piece.start for piece in self._pieces]
        self._dom = page.dom

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """Headings, links and pictures."""
        inks: dict[str, Ink] = {"heading": "heading", "link": "link", "image": "quiet"}
        for piece in self._pieces[max(bisect_right(self._starts, start) - 1, 0) : bisect_left(self._starts, end)]:
            if piece.look in inks and piece.end > start:
                yield Stretch(max(piece.start, start), min(piece.end, end), inks[piece.look])

    def place(self, number: int) -> tuple[int, int] | None:
        """From the first text in the element to the last one."""
        first = bisect_left(self._pieces, number, key=lambda piece: piece.number)
        last = bisect_left(self._pieces, self._dom.end_of(number), key=lambda piece: piece.number) - 1
        return (self._pieces[first].start, self._pieces[last].end) if first <= last else None

    def at(self, position: int) -> int | None:
        """The element whose text it is."""
        index = bisect_right(self._starts, position) - 1
        if index < 0 or position >= self._pieces[index].end:
            return None
        return self._dom.element_at(self._pieces[index].number)


def rows_of(text: str) -> tuple[array[int], array[int]]:
    """Where the rows of a text begin, and which lines they begin; long lines take several rows."""
    rows, lines = array("q"), array("q")
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        rows.append(start)
        lines.append(number)
        for more in range(WIDEST, len(line), WIDEST):
            rows.append(start + more)
            lines.append(0)
        start += len(line) + 1
    return rows, lines
