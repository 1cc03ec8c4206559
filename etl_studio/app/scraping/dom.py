"""The elements of a page as plain data, so that the window never touches the parser's tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["element", "text", "comment"]
LONGEST_TEXT = 400
"""Characters of a text that are kept for display."""


@dataclass(slots=True)
class DomNode:
    """One element, text or comment.

    Attributes:
        number: its place in the order of the page, from 0.
        parent: number of its parent; -1: none.
        row: its place among the children of its parent.
        kind: what it is.
        tag: of an element; empty otherwise.
        attributes: of an element, as written.
        text: of a text or comment; of an element: its whole text where that is its only child, else empty.
        children: their numbers; a text that stands in ``text`` is none.
    """

    number: int
    parent: int
    row: int
    kind: Kind
    tag: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    children: Sequence[int] = ()


class Dom:
    """All nodes of a page, by number.

    Args:
        root: the lxml element of the page.

    Attributes:
        nodes: in the order of the page; the first one is the root.
    """

    def __init__(self, root: Any) -> None:
        self.nodes: list[DomNode] = []
        self._elements: dict[int, Any] = {}
        self._numbers: dict[Any, int] = {}
        pending: list[tuple[Any, int]] = [(root, -1)]
        while pending:
            what, parent = pending.pop()
            pending += reversed(self._add(what, parent))
        self._ends = list(range(1, len(self.nodes) + 1))
        for node in reversed(self.nodes):
            if node.parent >= 0:
                self._ends[node.parent] = max(self._ends[node.parent], self._ends[node.number])

    def element(self, number: int) -> Any:
        """The lxml element of a node; that around it for a text or comment."""
        while number not in self._elements:
            number = self.nodes[number].parent
        return self._elements[number]

    def number_of(self, element: Any) -> int:
        """The number of an lxml element."""
        return self._numbers[element]

    def end_of(self, number: int) -> int:
        """The number behind a node and everything in it."""
        return self._ends[number]

    def path(self, number: int) -> list[int]:
        """The node and those around it, the outermost first."""
        found = []
        while number >= 0:
            found.append(number)
            number = self.nodes[number].parent
        return found[::-1]

    def element_at(self, number: int) -> int:
        """The node itself where it is an element, else the one around it."""
        node = self.nodes[number]
        return number if node.kind == "element" else node.parent

    @property
    def elements(self) -> int:
        """How many elements there are."""
        return len(self._elements)

    def _add(self, what: Any, parent: int) -> list[tuple[Any, int]]:
        """Add a node; gives its children, which are to be added next."""
        number = len(self.nodes)
        siblings = self.nodes[parent].children if parent >= 0 else []
        node = DomNode(number, parent, len(siblings), "text")
        self.nodes.append(node)
        if isinstance(siblings, list):
            siblings.append(number)
        if isinstance(what, str):
            node.text = what
            return []
        if not isinstance(what.tag, str):
            node.kind, node.text = "comment", _short(what.text)
            return []
        node.kind, node.tag = "element", what.tag
        node.attributes = tuple(what.attrib.items())
        self._elements[number] = what
        self._numbers[what] = number
        own = _short(what.text)
        if len(what) == 0:
            node.text = own
            return []
        node.children = []
        inside: list[tuple[Any, int]] = [(own, number)] if own else []
        for child in what:
            inside.append((child, number))
            if tail := _short(child.tail):
                inside.append((tail, number))
        return inside


def _short(text: str | None) -> str:
    """A text in one line, cut where no line is that long."""
    if not text:
        return ""
    words = " ".join(text[: 4 * LONGEST_TEXT].split())
    return words if len(words) <= LONGEST_TEXT else words[:LONGEST_TEXT] + "…"
