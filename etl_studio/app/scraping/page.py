"""One page in the workshop: its elements, source, text and links; made in a thread, then only read."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from etl_studio.app.scraping.dom import Dom
from etl_studio.app.scraping.index import Index
from etl_studio.app.scraping.rendering import links, render
from etl_studio.app.scraping.source_places import SourcePlaces
from etl_studio.nodes.extract._html_page import parse, utf8
from etl_studio.sdk import HttpResponse

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.app.scraping.rendering import Link, Piece
    from etl_studio.nodes.extract._html_page import HtmlPage


_SAVED_FROM = re.compile(rb"<!-- saved from url=\(\d+\)(?P<url>\S+) -->")
"""How browsers write the address into a page that they save."""
FIRST_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Remark:
    """What the parser had to say, such as bytes that do not fit the charset."""

    level: str
    message: str


class WorkshopPage:
    """A page as the nodes read it.

    Args:
        response: what the site answered, or a file as if it had.

    Attributes:
        response: as given.
        html: as the nodes parse it.
        source: its text.
        dom: its elements.
        remarks: warnings of the parser.
        stopping: set when nobody wants to know more of it: what is computed in threads ends.

    Raises:
        PermanentError: it is no web page.
    """

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        self.stopping = threading.Event()
        remarks = _Remarks()
        self.html: HtmlPage = parse(response, remarks)  # type: ignore[arg-type] # it only logs
        self.source = utf8(response, _Remarks()).decode("utf-8", "replace")  # type: ignore[arg-type] # as above
        self.dom = Dom(self.html.root)
        self.remarks = tuple(remarks.found)

    @property
    def root(self) -> Any:
        """The lxml element of the page."""
        return self.html.root

    @cached_property
    def places(self) -> SourcePlaces:
        """Where elements stand in the source."""
        return SourcePlaces(self.source, self.dom)

    @cached_property
    def index(self) -> Index:
        """Its elements by what they are known by."""
        return Index(self.root, self.stopping)

    @cached_property
    def text(self) -> tuple[str, list[Piece]]:
        """What a person would read, with the pieces that it is made of."""
        return render(self.dom)

    @cached_property
    def links(self) -> list[Link]:
        """Its links."""
        return links(self.dom, self.html.base)

    def prepare(self) -> WorkshopPage:
        """Make everything now, in this thread."""
        _ = self.places, self.text, self.links
        return self


def page_of_text(html: str, url: str) -> WorkshopPage:
    """A page that a person has pasted.

    Raises:
        PermanentError: it is no web page.
    """
    headers = {"content-type": "text/html; charset=utf-8"}
    return WorkshopPage(HttpResponse(url, 200, headers, html.encode("utf-8", "replace")))


def page_of_file(path: Path, url: str) -> WorkshopPage:
    """A page in a file; its charset is found as that of a page without one in its header.

    Args:
        path: the file.
        url: address that relative links start at, unless the file tells it; empty: the file's own.

    Raises:
        PermanentError: it is no web page.
        UsageError: the file cannot be read.
    """
    from etl_studio.errors import UsageError

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.", hint="Choose another file.") from None
    url = address_in(content) or url or path.resolve().as_uri()
    return WorkshopPage(HttpResponse(url, 200, {"content-type": "text/html"}, content))


def address_in(content: bytes) -> str:
    """The address in a page that was saved; empty: there is none."""
    found = _SAVED_FROM.search(content[:FIRST_BYTES])
    return found["url"].decode("utf-8", "replace") if found is not None else ""


class _Remarks:
    """Takes what the parser logs."""

    def __init__(self) -> None:
        self.found: list[Remark] = []

    def log(self, level: str, message: str, **facts: Any) -> None:
        del facts
        self.found.append(Remark(level, message))
