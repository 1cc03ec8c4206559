"""A page as a person would read it: its texts in lines, without scripts and styles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from etl_studio.app.scraping.dom import Dom, DomNode

Look: TypeAlias = Literal["plain", "heading", "link", "image", "quiet"]
HIDDEN = {"script", "style", "template", "noscript", "head", "title", "svg", "iframe"}
INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label"),
    *("mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "img", "button"),
    *("input", "select", "option", "picture", "source", "td", "th", "meta", "link", "wbr"),
}
BOXES = {"li", "article", "tr", "dl"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A text in the rendering.

    Attributes:
        start, end: characters of the rendering.
        number: of the text, or of the element that holds nothing else; they only grow.
        look: how it is shown.
    """

    start: int
    end: int
    number: int
    look: Look


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the page.

    Attributes:
        number: its element.
        text: what a person reads, or what its picture says.
        address: absolute.
        inside: whether it stays on the host of the page.
    """

    number: int
    text: str
    address: str
    inside: bool


def render(dom: Dom) -> tuple[str, list[Piece]]:
    """The readable text of a page, with its pieces in order."""
    written = _Writing()
    pending: list[tuple[int, Look, bool]] = [(0, "plain", False)]
    while pending:
        number, look, ends = pending.pop()
        node = dom.nodes[number]
        if ends:
            written.break_line()
        elif node.kind == "text":
            written.put(node.text, number, look)
        elif node.kind == "element" and node.tag not in HIDDEN:
            look = "heading" if node.tag in HEADINGS else "link" if node.tag == "a" else look
            if node.tag not in INLINE:
                written.break_line("•  " if node.tag == "li" else "", apart=_stands_apart(dom, node))
                pending.append((number, look, True))
            written.own(node, look)
            pending += [(child, look, False) for child in reversed(node.children)]
    return "".join(written.parts), written.pieces


def _stands_apart(dom: Dom, node: DomNode) -> bool:
    """Whether an empty line stands above: of a heading in the open, and of a box with several lines."""
    if node.tag in HEADINGS:
        return dom.nodes[node.parent].tag not in BOXES
    return node.tag in BOXES and any(dom.nodes[each].tag not in {"", *INLINE} for each in node.children)


class _Writing:
    """A text that grows."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self._at = 0
        self._fresh = True  # at the beginning of a line
        self._apart = False  # and the line above is empty

    def own(self, node: DomNode, look: Look) -> None:
        """Add what an element shows without those in it."""
        if node.tag == "img":
            said = dict(node.attributes).get("alt", "").strip()
            self.put(f"[{said or 'image'}]", node.number, "image")
        if node.text:
            self.put(node.text, node.number, look)

    def put(self, text: str, number: int, look: Look) -> None:
        """Add the text of an element, behind a blank where others stand before it."""
        if not self._fresh:
            self._add(" ")
        self.pieces.append(Piece(self._at, self._at + len(text), number, look))
        self._add(text)
        self._fresh = self._apart = False

    def break_line(self, mark: str = "", *, apart: bool = False) -> None:
        """Begin another line, unless one has just begun; ``apart``: with an empty line above."""
        if not self._fresh:
            self._add("\n")
        self._fresh = True
        if apart and self.pieces and not self._apart:
            self._add("\n")
            self._apart = True
        if mark:
            self._add(mark)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self._at += len(text)


def links(dom: Dom, base: str) -> list[Link]:
    """All links of a page that lead somewhere."""
    host = urlsplit(base).netloc
    found = []
    for node in dom.nodes:
        if node.tag not in ("a", "area"):
            continue
        written = dict(node.attributes).get("href", "").strip()
        if not written or written.startswith(("#", "javascript:")):
            continue
        element = dom.element(node.number)
        text = " ".join("".join(element.itertext()).split())
        if not text:
            text = next((said for image in element.iter("img") if (said := image.get("alt"))), "")
        address = resolved(base, written)
        try:
            inside = urlsplit(address).netloc == host
        except ValueError:
            inside = False
        found.append(Link(node.number, text, address, inside))
    return found
