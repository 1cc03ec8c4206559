"""What a crawler reads of a site: robots.txt, sitemaps, and pages with their items, links and structured data."""

from __future__ import annotations

import datetime as dt
import gzip
import math
from typing import Any
from xml.etree import ElementTree as ET

from etl_studio import sdk
from etl_studio.errors import EtlError
from etl_studio.nodes.extract._crawl_addresses import Territory, Traps
from etl_studio.nodes.extract._crawl_items import ItemType, PageFacts, Rows
from etl_studio.nodes.extract._crawl_links import LinkFinder, Rule
from etl_studio.nodes.extract._crawl_robots import LONGEST_DELAY, Robots
from etl_studio.nodes.extract._crawl_rows import CrawlRows
from etl_studio.nodes.extract._crawl_sitemaps import read_sitemap
from etl_studio.nodes.extract._emission_log import from_bytes, to_bytes
from etl_studio.nodes.extract._html_page import parse
from etl_studio.nodes.extract._page_rules import PageRules
from etl_studio.nodes.extract.crawl_source import CrawlSource
from tests.fuzz import corpus
from tests.fuzz.decoders import Decoder, Html, Input, Read, _check_error, _items, _take
from tests.fuzz.mutations import spoiled
from tests.nodes.conftest import NodeContext

URL = "http://127.0.0.1/shop?page=1"
ROBOTS = [
    b"User-agent: *\nDisallow: /private/\nAllow: /private/open*\nCrawl-delay: 2.5\nSitemap: /map.xml\n",
    b"# a comment\r\nUser-agent: ETL-Studio\r\nUser-agent: B\r\nDisallow: /*.php$\r\nRequest-rate: 3/10s 0900-1700\r\n",
    b"User-agent: *\nDisallow:\nVisit-time: 0600-0845\nHost: a.example\nSitemap: http://a.example/s.xml.gz\n",
]
ROBOTS_TOKENS = [
    b"User-agent:", b"Disallow:", b"Allow:", b"Crawl-delay:", b"Request-rate:", b"Sitemap:", b"*", b"$", b"%2F", b"%",
    b"%zz", b"#", b":", b"-1", b"1e999", b"nan", b"1/0", b"0/5", b"/" * 50, b"*a" * 40, b"a*" * 40 + b"$", b"\n\n",
]  # fmt: skip
_SET = b"http://www.sitemaps.org/schemas/sitemap/0.9"
SITEMAPS = [
    b'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="' + _SET + b'">'
    b"<url><loc>http://a.example/1</loc><lastmod>2026-01-01</lastmod></url>"
    b"<url><loc> http://a.example/2?a=1&amp;b=2 </loc></url><url><loc>/relative</loc></url></urlset>",
    b'<sitemapindex xmlns="' + _SET + b'"><sitemap><loc>http://a.example/m1.xml</loc></sitemap>'
    b"<sitemap><loc>http://a.example/m2.xml.gz</loc></sitemap></sitemapindex>",
    b"<urlset><url><loc><![CDATA[http://a.example/x]]></loc></url></urlset>",
    b"http://a.example/1\nhttps://a.example/2\r\n\nnothing\n",
]
SITEMAP_TOKENS = [
    b"<", b">", b"</", b"/>", b"<url>", b"</url>", b"<loc>", b"</loc>", b"<sitemap>", b"<!--", b"-->", b"<![CDATA[",
    b"]]>", b"&", b"&#0;", b"&lt;", b"&nope;", b"<?", b"?>", b"<!DOCTYPE u [<!ENTITY a 'b'>]>", b"&a;", b' xmlns="x"', b"http://",
    b"<!DOCTYPE u [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>", b'encoding="utf-16"', b'encoding="nope"', b"http://[",
]  # fmt: skip
STRUCTURED = (
    b'<html><head><title>Mug</title><link rel="canonical" href="/mug"><meta name="robots" content="nofollow">'
    b'<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type": ["Product", "X"], '
    b'"name": "Mug", "offers": [{"@type": "Offer", "price": 12.5}]}]}</script></head><body>'
    b'<div class="card" itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">Mug</h2>'
    b'<p class="price">1</p><a href="/a/b?c=d#e" rel="next">x</a><div itemprop="offers" itemscope>'
    b'<meta itemprop="price" content="2"></div></div></body></html><p>behind'
)
PAGES = [*corpus.HTML, STRUCTURED]
PAGE_TOKENS = [
    *corpus.HTML_TOKENS,
    b'<script type="application/ld+json">', b"</script>", b'{"@type": "Product"', b'"@graph": [', b"[" * 2_000,
    b"{" * 500, b" itemscope", b' itemprop="name"', b"<a href='http://[::1'>", b"<a href='//\\x'>",
    b'<link rel="canonical" href="',
    b"<a href='/a/../../b'>", b"<a href='\xff\xfe'>", b"<a href='http://a:99999/'>", b"<a href='HTTP://A.example:80'>",
]  # fmt: skip


class RobotsFile(Decoder):
    """robots.txt: whatever it says, each address is allowed or not, and the delay is one that can be waited."""

    def make(self, random) -> Input:
        return Input(spoiled(random, random.choice(ROBOTS), ROBOTS_TOKENS, ROBOTS), name="robots.txt")

    def check(self, given: Input) -> Read:
        robots = Robots(given.content, "ETL-Studio", "http://a.example/robots.txt")
        assert 0 <= robots.delay <= LONGEST_DELAY
        assert math.isfinite(robots.delay)
        for path in ("/", "/private/x", "/private/open", "/a.php?x=%zz", "/" + "a" * 500):
            assert robots.allows(f"http://a.example{path}") in {True, False}
        assert all(url.startswith(("http://", "https://")) for url in robots.sitemaps)
        return Read(rows=[{"sitemap": url} for url in robots.sitemaps], refused=not robots.allows("http://a.example/"))


class SitemapFile(Decoder):
    """Sitemaps: of well-formed XML no address vanishes."""

    def make(self, random) -> Input:
        content = spoiled(random, random.choice(SITEMAPS), SITEMAP_TOKENS, SITEMAPS)
        if random.random() < 0.2:
            content = gzip.compress(content)
            content = spoiled(random, content, SITEMAP_TOKENS, [content]) if random.random() < 0.5 else content
        return Input(content, name="sitemap.xml")

    def check(self, given: Input) -> Read:
        found = read_sitemap(given.content)
        addresses = found.pages + found.sitemaps
        assert all(url.startswith(("http://", "https://")) for url in addresses)
        "".join(addresses).encode()
        if (wanted := _addresses(given.content)) is not None:
            assert sorted(addresses) == wanted, f"{len(addresses)} of {len(wanted)} addresses"
        return Read(rows=[{"url": url} for url in addresses], refused=bool(found.fault))


def _addresses(content: bytes) -> list[str] | None:
    """The addresses of a sitemap, by another parser; None where that one refuses it, or knows of entities."""
    if b"<!" in content or not content.lstrip(b" \t\r\n").startswith(b"<"):
        return None
    try:
        root = ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError):
        return None
    texts = [
        " ".join((loc.text or "").split())
        for entry in root.iter()
        if str(entry.tag).rpartition("}")[2] in {"url", "sitemap"}
        for loc in entry
        if str(loc.tag).rpartition("}")[2] == "loc" and not len(loc)
    ]
    return sorted(text for text in texts if text.startswith(("http://", "https://")))


class CrawledPage(Html):
    """A page as the crawler takes it: items, links, wishes and structured data; and a whole crawl, now and then."""

    def make(self, random) -> Input:
        settings: dict[str, Any] = {
            "start_urls": [f"{self.server.url}/shop?page=1"],
            "follow": [],
            "respect_robots": False,
            "item": random.choice([".card", ".card", ".card", "", "jsonld:Product", "microdata:Product", "h2"]),
            "fields": {
                "name": "h2 ::text", "price": ".price::text", "link": "a::attr(href)", "ld": "jsonld:offers.price",
                "micro": "microdata:offers.price", "all": "*",
            },
        }  # fmt: skip
        kind = random.choice(corpus.CONTENT_TYPES[:2] if random.random() < 0.7 else corpus.CONTENT_TYPES)
        content = spoiled(random, random.choice(PAGES), PAGE_TOKENS, PAGES)
        return Input(content, settings, kind, whole_run=random.randrange(50) == 0)

    def check(self, given: Input) -> Read:
        found, kind = Read(), given.name
        response = sdk.HttpResponse(URL, 200, {"content-type": kind}, given.content)
        try:
            page = parse(response, NodeContext(self.folder))
            item = ItemType("", "", given.settings["item"], given.settings["fields"])
            rows = Rows(list(item.selectors), typed=False, parents=False)
            item.take(PageFacts(page, 0, dt.datetime.now(dt.UTC), None), rows)
        except EtlError as error:
            found.error = error
            _check_error(error, "127.0.0.1")
        else:
            emissions = list(CrawlRows(list(item.selectors), {}, typed=False, parents=False).emissions(rows.taken()))
            for before, after in zip(emissions, from_bytes(to_bytes(emissions)), strict=True):
                assert before == after
            for emission in emissions:
                _take(emission, found)
            if (wanted := _items(given, kind)) is not None:
                assert len(found.rows) == wanted, f"{len(found.rows)} of {wanted} items"
            PageRules.of(page, response)
            links = LinkFinder(
                [Rule("", (), (), (), nofollow=True), Rule("h2, nav", (), ("*x*",), (), nofollow=False)],
                Territory([URL], "anywhere"),
                Traps(100, dt.date(2026, 1, 1)),
            ).links(page, 0, 1)
            for link in links:
                assert link.url.startswith(("http://", "https://"))
                assert link.host
        if given.whole_run:
            self.server.answer(given.content, kind)
            counts = self._run(CrawlSource, given)
            if found.error is None and counts is not None:
                assert counts == (len(found.rows), found.refused)
        return found
