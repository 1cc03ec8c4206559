"""What a page asks of crawlers: noindex, nofollow, canonical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from etl_studio import sdk
    from etl_studio.nodes.extract._html_page import HtmlPage


@dataclass(frozen=True, slots=True)
class PageRules:
    """The wishes of one page.

    Attributes:
        noindex: it is not to be kept.
        nofollow: its links are not to be followed.
        canonical: the address that it gives for its content; empty: none.
    """

    noindex: bool = False
    nofollow: bool = False
    canonical: str = ""

    @classmethod
    def of(cls, page: HtmlPage, response: sdk.HttpResponse) -> Self:
        """Read them from its head and from the header X-Robots-Tag."""
        words = [response.headers.get("x-robots-tag", "")]
        address = ""
        head = page.root.find("head")
        for element in head if head is not None else ():
            if element.tag == "meta" and (element.get("name") or "").strip().lower() == "robots":
                words.append(element.get("content") or "")
            elif element.tag == "link" and "canonical" in (element.get("rel") or "").lower().split():
                address = address or resolved(page.base, (element.get("href") or "").strip())
        text = ",".join(words).lower()
        asked = {word.strip() for word in text.split(",")} if text.strip(",") else set()
        every = "none" in asked
        return cls(every or "noindex" in asked, every or "nofollow" in asked, address)
