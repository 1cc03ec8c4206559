"""What a page asks of crawlers: noindex, nofollow, canonical, and to go on elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from etl_studio import sdk
    from etl_studio.nodes.extract._html_page import HtmlPage

SOON = 100.0
"""Seconds within which a page leads on; one that waits longer is meant to be read."""
_REFRESH = re.compile(r"\s*(\d{1,6}(?:\.\d{0,6})?)\s*[;,]\s*url\s*=\s*(\S.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageRules:
    """The wishes of one page.

    Attributes:
        noindex: it is not to be kept.
        nofollow: its links are not to be followed.
        canonical: the address that it gives for its content; empty: none.
        refresh: the address to which it leads by itself; empty: none.
    """

    noindex: bool = False
    nofollow: bool = False
    canonical: str = ""
    refresh: str = ""

    @classmethod
    def of(cls, page: HtmlPage, response: sdk.HttpResponse) -> Self:
        """Read them from its head and from the header X-Robots-Tag."""
        words = [response.headers.get("x-robots-tag", "")]
        address = refresh = ""
        head = page.root.find("head")
        for element in head if head is not None else ():
            if element.tag == "meta" and (element.get("name") or "").strip().lower() == "robots":
                words.append(element.get("content") or "")
            elif element.tag == "link" and "canonical" in (element.get("rel") or "").lower().split():
                address = address or resolved(page.base, (element.get("href") or "").strip())
            elif element.tag == "meta" and (element.get("http-equiv") or "").strip().lower() == "refresh":
                found = _REFRESH.match(element.get("content") or "")
                if found is not None and float(found[1]) <= SOON:
                    refresh = refresh or resolved(page.base, found[2].strip(" \t\r\n'\""))
        text = ",".join(words).lower()
        asked = {word.strip() for word in text.split(",")} if text.strip(",") else set()
        every = "none" in asked
        return cls(every or "noindex" in asked, every or "nofollow" in asked, address, refresh)
