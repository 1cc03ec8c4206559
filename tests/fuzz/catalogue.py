"""All decoders by name."""

from __future__ import annotations

from tests.fuzz import decoders, http_decoders
from tests.fuzz.crawl_decoders import CrawledPage, RobotsFile, SitemapFile

DECODERS: dict[str, type[decoders.Decoder]] = {
    **decoders.DECODERS,
    "robots": RobotsFile,
    "sitemap": SitemapFile,
    "crawl": CrawledPage,
    **http_decoders.DECODERS,
}
