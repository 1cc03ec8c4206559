"""Links of a page that a crawl follows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from etl_studio.nodes.extract._crawl_addresses import Pattern, canonical, host_of, is_no_page, key_of
from etl_studio.nodes.extract._selectors import Selector
from etl_studio.sdk.frontier import Link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from etl_studio.nodes.extract._crawl_addresses import Territory, Traps
    from etl_studio.nodes.extract._html_page import HtmlPage

MOST_KNOWN = 50_000
"""Addresses that are remembered as dealt with; the frontier knows the others."""
MOST_LINKS = 10_000
"""Of one page."""


class Rule:
    """Which links are followed.

    Args:
        links: selector of links, or of the parts of a page in which they stand; empty: all.
        allow, deny: patterns of addresses.
        pages: patterns of the pages on which it counts; empty: all.
        nofollow: whether links that ask not to be followed are left out.

    Raises:
        ValueError: a selector or a pattern is none.
    """

    def __init__(
        self, links: str, allow: Iterable[str], deny: Iterable[str], pages: Iterable[str], *, nofollow: bool
    ) -> None:
        self._nofollow = nofollow
        self._links = Selector(links) if links else None
        self._allow = [Pattern(text) for text in allow]
        self._deny = [Pattern(text) for text in deny]
        self._pages = [Pattern(text) for text in pages]

    def counts_on(self, url: str) -> bool:
        """Whether links of a page are looked at."""
        return not self._pages or any(pattern.matches(url) for pattern in self._pages)

    def links(self, root: Any) -> Sequence[str]:
        """Links of a page, as they are written."""
        if self._links is None:
            return self._inside(root)
        if self._links.link:
            return self._links.texts(root)
        return [href for element in self._links.elements(root) for href in self._inside(element)]

    def _inside(self, element: Any) -> list[str]:
        found = []
        for link in element.iter("a", "area"):
            href = link.get("href")
            if href and not (self._nofollow and "nofollow" in (link.get("rel") or "").lower()):
                found.append(href)
        return found

    def wants(self, url: str) -> bool:
        """Whether an absolute address is followed."""
        if self._allow and not any(pattern.matches(url) for pattern in self._allow):
            return False
        return not any(pattern.matches(url) for pattern in self._deny)


class LinkFinder:
    """Finds the links of pages that are new, inside the crawl and no trap.

    Args:
        rules: a link that one of them wants is followed.
        territory: what lies inside.
        traps: finds addresses without end.

    Attributes:
        left_out: links by the reason for which they are not followed.
        admitted: hosts to which start addresses were redirected.
    """

    def __init__(self, rules: Sequence[Rule], territory: Territory, traps: Traps) -> None:
        self._rules = rules
        self._territory = territory
        self._traps = traps
        self._known: list[set[str]] = [set() for _ in rules]
        self.left_out: Counter[str] = Counter()
        self.admitted: list[str] = []

    def links(self, page: HtmlPage, depth: int, parent: int | None) -> list[Link]:
        """The links to follow, as links one deeper; some may be in the frontier already."""
        found: list[Link] = []
        for rule, known in zip(self._rules, self._known, strict=True):
            if not rule.counts_on(page.url):
                continue
            if len(known) > MOST_KNOWN:
                known.clear()
            for url in _absolute(rule.links(page.root), page.base, known):
                if url in known:
                    continue
                known.add(url)
                if rule.wants(url) and (link := self.link(url, depth + 1, parent)) is not None:
                    found.append(link)
        return found

    def admit(self, url: str) -> None:
        """Pages of the host of an address belong to the crawl from now on."""
        try:
            host = host_of(url)
        except ValueError:
            return
        if host and not self._territory.holds(host):
            self._territory.admit(host)
            self.admitted.append(host)

    def link(self, url: str, depth: int, parent: int | None, kind: str = "page") -> Link | None:
        """An absolute address as a link; None: it lies outside, is no page or a trap."""
        try:
            parts = urlsplit(url)
            host = host_of(url)
            if parts.scheme not in {"http", "https"} or not host:
                return None
            if not self._territory.holds(host):
                self.left_out["on another site"] += 1
                return None
            if is_no_page(parts.path) and kind == "page":
                self.left_out["no web page by its name"] += 1
                return None
            if (reason := self._traps.reason(url)) is not None:
                self.left_out[reason] += 1
                return None
            return Link(key_of(canonical(url)), host, url, depth, parent, kind)
        except (ValueError, UnicodeError):
            self.left_out["no address"] += 1
            return None


def _absolute(links: Iterable[str], base: str, known: set[str]) -> Iterator[str]:
    """Links as absolute addresses without fragments, each once.

    Args:
        links: as they are written.
        base: what relative ones start at.
        known: addresses that are not wanted again; some may be given all the same.
    """
    start = base.partition("#")[0].partition("?")[0]
    origin_end = start.find("/", start.find("://") + 3)
    origin = start if origin_end < 0 else start[:origin_end]
    folder = f"{origin}/" if origin_end < 0 else start[: start.rfind("/") + 1]
    for number, written in enumerate(dict.fromkeys(links)):
        if number >= MOST_LINKS:
            return
        if written[:1] == "/" and origin + written in known:
            continue
        link = written.strip().partition("#")[0]
        first = link[:1]
        # urljoin is right and slow; most links need no more than this.
        if not link:
            continue
        if "/." in link or (first in "./\\?;" and not (first == "/" and link[1:2] not in {"/", "\\"})):
            url = _joined(base, link)
        elif first == "/":
            url = origin + link
        elif link.startswith(("http://", "https://")):
            url = link
        elif ":" in link or "\\" in link:
            url = _joined(base, link)
        else:
            url = folder + link
        if url.startswith(("http://", "https://")):
            # Browsers leave line breaks and tabs out of addresses, and write blanks as %20.
            yield url.translate(_NO_BREAKS) if " " in url or "\n" in url or "\t" in url or "\r" in url else url


_NO_BREAKS = {ord("\n"): None, ord("\r"): None, ord("\t"): None, ord(" "): "%20"}


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""
