"""robots.txt, sitemaps and the pace of a crawl."""

from __future__ import annotations

import gzip

import pytest

from etl_studio.nodes.extract._crawl_pace import Pace
from etl_studio.nodes.extract._crawl_robots import MOST_BYTES, Robots
from etl_studio.nodes.extract._crawl_sitemaps import MOST_ADDRESSES, read_sitemap

URL = "http://a.example/robots.txt"


def robots(text):
    return Robots(text.encode(), "ETL-Studio", URL)


def test_robots_forbid_and_allow_by_the_longest_rule():
    rules = robots("User-agent: *\nDisallow: /private/\nAllow: /private/open*\nDisallow: /*.php$\n")

    assert rules.allows("http://a.example/")
    assert not rules.allows("http://a.example/private/x")
    assert rules.allows("http://a.example/private/open-day")
    assert not rules.allows("http://a.example/a/b.php")
    assert rules.allows("http://a.example/a/b.php?x=1")


def test_the_group_of_the_crawler_wins_over_that_of_all():
    rules = robots("User-agent: *\nDisallow: /\n\nUser-agent: etl-studio\nDisallow: /x\n")

    assert rules.allows("http://a.example/")
    assert not rules.allows("http://a.example/x")


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 2.5\n", 2.5),
        ("User-agent: *\nRequest-rate: 1/5\n", 5.0),
        ("User-agent: *\nCrawl-delay: 1\nRequest-rate: 10/60s\n", 6.0),
        ("User-agent: *\nDisallow:\n", 0.0),
        ("", 0.0),
        ("User-agent: *\nCrawl-delay: -3\n", 0.0),
    ],
)
def test_the_delay_that_robots_ask_for(text, delay):
    assert robots(text).delay == delay


def test_an_empty_file_allows_everything():
    assert robots("").allows("http://a.example/x")


def test_only_the_beginning_of_a_huge_file_counts():
    text = "User-agent: *\nDisallow: /first\n" + "#" * MOST_BYTES + "\nDisallow: /last\n"

    assert not robots(text).allows("http://a.example/first")
    assert robots(text).allows("http://a.example/last")


def test_sitemaps_of_robots_are_absolute():
    rules = robots(
        "Sitemap: /map.xml\nSitemap: http://b.example/m.xml.gz\nSitemap: ftp://c.example/\nSitemap: http://[x\n"
    )

    assert rules.sitemaps == ("http://a.example/map.xml", "http://b.example/m.xml.gz")


MAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> http://a.example/1 </loc><image:image><image:loc>http://a.example/x.png</image:loc></image:image></url>
<url><loc>http://a.example/2?a=1&amp;b=2</loc><lastmod>2026-01-01</lastmod></url><url><loc>/relative</loc></url>
</urlset>"""


def test_a_sitemap_gives_its_pages_and_no_images():
    found = read_sitemap(MAP.encode())

    assert (found.pages, found.sitemaps, found.fault) == (["http://a.example/1", "http://a.example/2?a=1&b=2"], [], "")


@pytest.mark.parametrize("before", [" " * 2_000, "\r\n\t" * 500, "\ufeff\n"])
def test_blanks_before_a_sitemap_do_not_matter(before):
    bare = MAP.partition("?>")[2]
    assert read_sitemap((before + bare).encode()).pages == read_sitemap(bare.encode()).pages != []


def test_a_gzipped_sitemap_is_the_same():
    assert read_sitemap(gzip.compress(MAP.encode())) == read_sitemap(MAP.encode())


def test_an_index_gives_further_sitemaps():
    index = (
        "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>http://a.example/m1.xml</loc>"
        "</sitemap><sitemap><loc>http://a.example/m2.xml.gz</loc></sitemap></sitemapindex>"
    )
    assert read_sitemap(index.encode()).sitemaps == ["http://a.example/m1.xml", "http://a.example/m2.xml.gz"]


def test_a_sitemap_of_plain_text_has_an_address_on_each_line():
    assert read_sitemap(b"\xef\xbb\xbfhttp://a.example/1\r\nno address\nhttps://a.example/2\n").pages == [
        "http://a.example/1",
        "https://a.example/2",
    ]


def test_what_stands_before_a_fault_counts():
    found = read_sitemap(MAP.encode()[:240])

    assert found.pages == ["http://a.example/1"]


def test_a_bomb_is_not_unpacked():
    found = read_sitemap(gzip.compress(b" " * (60 * 2**20)))

    assert "larger than 50 MB" in found.fault


def test_a_sitemap_that_was_cut_off_gives_what_came():
    packed = gzip.compress("\n".join(f"http://a.example/{n}/{n * n}" for n in range(5_000)).encode())
    found = read_sitemap(packed[: len(packed) // 2])

    assert "cut off" in found.fault
    assert 1_000 < len(found.pages) < 5_000
    assert read_sitemap(b"\x1f\x8bnonsense").fault == "its gzip is damaged"


def test_entities_of_a_sitemap_are_not_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("http://a.example/secret")
    bomb = f"""<!DOCTYPE u [<!ENTITY a SYSTEM "{secret.as_uri()}"><!ENTITY b "http://a.example/b">]>
<urlset><url><loc>&a;</loc></url><url><loc>http://a.example/1</loc></url></urlset>"""

    assert read_sitemap(bomb.encode()).pages == ["http://a.example/1"]


def test_a_sitemap_has_no_more_addresses_than_the_protocol_allows():
    text = "<urlset>" + "<url><loc>http://a.example/x</loc></url>" * (MOST_ADDRESSES + 10) + "</urlset>"
    found = read_sitemap(text.encode())

    assert len(found.pages) == MOST_ADDRESSES
    assert "more than 50,000" in found.fault


def test_the_pace_follows_the_answers_and_keeps_what_was_asked_for():
    pace = Pace(least=0.5, most=4.0, target=2.0)

    pace.took(3.0, good=True)
    assert pace.delay == (0.5 + 1.5) / 2
    pace.took(0.0, good=True)
    assert pace.delay == 0.5
    pace.took(100.0, good=True)
    assert pace.delay == 4.0


def test_an_error_never_makes_requests_denser():
    pace = Pace(target=1.0, delay=2.0)

    pace.took(0.1, good=False)
    assert pace.delay == 2.0
    pace.took(6.0, good=False)
    assert pace.delay == 4.0


def test_without_autothrottle_the_delay_stays():
    pace = Pace(least=1.0)

    pace.took(9.0, good=True)
    assert pace.delay == 1.0


def test_a_delay_counts_from_the_last_start():
    pace = Pace(least=1.0)
    assert pace.wait(5.0) <= 0
    pace.last = 5.0
    pace.ask(2.5)
    assert pace.wait(6.0) == 1.5
