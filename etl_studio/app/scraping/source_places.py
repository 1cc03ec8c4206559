"""Where the elements of a page stand in its source.

The parser forgets that, so the tags of the source are read once more and matched with the elements in their order.
Elements that the parser has added (``html``, ``body``) stand nowhere.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from etl_studio.app.scraping.dom import Dom

_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*>|</(?P<end>[a-zA-Z][^\s/>]*)[^>]*>|"
    r"<(?P<start>[a-zA-Z][^\s/>]*)(?:(?:[^>\"']|\"[^\"]*\"|'[^']*')*+>|[^>]*>)",
    re.DOTALL,
)
_RAW = {"script", "style", "textarea", "title", "xmp"}
"""Inside these no tag begins."""
AHEAD = 400
"""Tags that are looked through for an element; the parser leaves few out."""


class Tag(NamedTuple):
    """A tag in the source.

    Attributes:
        name: in small letters; ``/div`` of one that ends; empty: a comment or declaration.
        start, end: characters.
        line: where it begins, from 1.
        last_line: where it ends.
    """

    name: str
    start: int
    end: int
    line: int
    last_line: int


class SourcePlaces:
    """Places of elements, both ways.

    Args:
        source: the page as text.
        dom: its elements.

    Attributes:
        tags: ``start``, ``end`` of each tag and comment, in order, for colouring.
    """

    def __init__(self, source: str, dom: Dom) -> None:
        self._dom = dom
        tags = _tags(source)
        self.tags = (array("q", [tag.start for tag in tags]), array("q", [tag.end for tag in tags]))
        self._open: dict[int, tuple[int, int]] = {}
        self._whole: dict[int, tuple[int, int]] = {}
        self._match(tags)
        self._close(tags)
        ordered = sorted((start, number) for number, (start, _) in self._open.items())
        self._starts = [start for start, _ in ordered]
        self._numbers = [number for _, number in ordered]

    def opening(self, number: int) -> tuple[int, int] | None:
        """Characters of the tag that begins an element; None: it is not in the source."""
        return self._open.get(number)

    def whole(self, number: int) -> tuple[int, int] | None:
        """Characters of an element, with what is in it."""
        return self._whole.get(number)

    def at(self, position: int) -> int | None:
        """The innermost element around a character."""
        before = bisect_right(self._starts, position) - 1
        if before < 0:
            return None
        number = self._numbers[before]
        while number >= 0:
            place = self._whole.get(number)
            if place is not None and place[0] <= position < place[1]:
                return number
            number = self._dom.nodes[number].parent
        return None

    # -- inside -----------------------------------------------------------------------------------------------

    def _match(self, tags: list[Tag]) -> None:
        """Find the tag of each element: the next one of its name on its line."""
        self._of: dict[int, int] = {}
        at = 0
        for node in self._dom.nodes:
            if node.kind != "element":
                continue
            line = self._dom.element(node.number).sourceline or 0
            for index in range(at, min(at + AHEAD, len(tags))):
                tag = tags[index]
                if tag.line > line:
                    break
                if tag.name == node.tag and tag.last_line >= line:
                    self._of[node.number] = index
                    self._open[node.number] = (tag.start, tag.end)
                    at = index + 1
                    break

    def _close(self, tags: list[Tag]) -> None:
        """Find where each element ends: at its end tag, or behind the last thing in it."""
        last: dict[int, int] = {}
        for node in reversed(self._dom.nodes):
            index = max(last.get(node.number, -1), self._of.get(node.number, -1))
            if node.kind == "element" and node.number in self._of:
                closing = index + 1
                while closing < len(tags) and not tags[closing].name:
                    closing += 1
                if closing < len(tags) and tags[closing].name == "/" + node.tag:
                    index = closing
                self._whole[node.number] = (self._open[node.number][0], tags[index].end)
            last[node.parent] = max(last.get(node.parent, -1), index)


def _tags(source: str) -> list[Tag]:
    found: list[Tag] = []
    at, line, counted = 0, 1, 0
    while (match := _TOKEN.search(source, at)) is not None:
        start, end = match.span()
        line += source.count("\n", counted, start)
        last_line = line + source.count("\n", start, end)
        opened = (match["start"] or "").lower()
        name = opened or ("/" + match["end"].lower() if match["end"] else "")
        found.append(Tag(name, start, end, line, last_line))
        line, counted, at = last_line, end, end
        if opened in _RAW:
            closing = re.compile(rf"</{re.escape(opened)}(?=[\s/>])", re.IGNORECASE).search(source, at)
            at = len(source) if closing is None else closing.start()
    return found
