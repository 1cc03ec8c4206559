"""What a site's robots.txt allows (RFC 9309, with Crawl-delay, Request-rate and Sitemap as crawlers know them)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 500 * 1024
"""What is read of it; RFC 9309 asks for at least so much."""
LONGEST_DELAY = 24 * 3600.0


class Robots:
    """The rules of one host for one crawler.

    Args:
        content: the file; empty: everything is allowed.
        agent: the crawler's name, such as ``ETL-Studio``.
        url: its address, for relative sitemaps.
    """

    def __init__(self, content: bytes, agent: str, url: str) -> None:
        from protego import Protego

        text = content[:MOST_BYTES].decode("utf-8-sig", "replace").replace("\0", "")
        self._agent = agent
        self._rules = Protego.parse(text) if text.strip() else None
        self.delay = self._delay()
        self.sitemaps = tuple(_addresses(self._rules.sitemaps, url)) if self._rules is not None else ()

    def allows(self, url: str) -> bool:
        """Whether an address may be asked for."""
        return self._rules is None or bool(self._rules.can_fetch(url, self._agent))

    def _delay(self) -> float:
        """Seconds between two requests that it asks for."""
        if self._rules is None:
            return 0.0
        asked = [float(self._rules.crawl_delay(self._agent) or 0.0)]
        rate = self._rules.request_rate(self._agent)
        if rate is not None and rate.requests > 0:
            asked.append(rate.seconds / rate.requests)
        return max(0.0, min(max(asked), LONGEST_DELAY))


def _addresses(found: Iterable[str], base: str) -> list[str]:
    addresses = []
    for text in found:
        try:
            address = urljoin(base, text.strip())
        except ValueError:
            continue
        if address.startswith(("http://", "https://")):
            addresses.append(address)
    return addresses
