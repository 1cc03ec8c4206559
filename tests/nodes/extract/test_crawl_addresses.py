"""Addresses of a crawl: each page once, nothing outside, no trap."""

from __future__ import annotations

import datetime as dt

import pytest

from etl_studio.nodes.extract._crawl_addresses import (
    Pattern,
    Territory,
    Traps,
    canonical,
    domain_of,
    host_of,
    is_no_page,
    key_of,
)
from etl_studio.nodes.extract._crawl_links import LinkFinder, Rule
from etl_studio.nodes.extract._html_page import HtmlPage

TODAY = dt.date(2026, 11, 25)


def finder(*rules, scope="host", domains=(), variants=1_000, nofollow=True):
    compiled = [
        Rule(
            each.get("links", ""), each.get("allow", ()), each.get("deny", ()), each.get("pages", ()), nofollow=nofollow
        )
        for each in rules or ({},)
    ]
    return LinkFinder(compiled, Territory(["http://a.example/"], scope, domains), Traps(variants, TODAY))


def links(html, *rules, url="http://a.example/folder/page?x=1", found=None, **settings):
    from lxml import etree

    page = HtmlPage(etree.fromstring(html, etree.HTMLParser()), url, url, "", url)
    return [link.url for link in (found or finder(*rules, **settings)).links(page, 0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.example", "http://a.example/"),
        ("http://a.example/?b=2&a=1", "http://a.example/?a=1&b=2"),
        ("http://a.example/#part", "http://a.example/"),
        ("http://A.example/x", "http://a.example/x"),
        ("http://a.example/%7Ex", "http://a.example/~x"),
    ],
)
def test_addresses_of_one_page_have_one_key(one, other):
    assert key_of(canonical(one)) == key_of(canonical(other))


def test_addresses_of_two_pages_have_two_keys():
    assert key_of(canonical("http://a.example/?p=1")) != key_of(canonical("http://a.example/?p=2"))


def test_a_host_is_told_with_its_port_unless_that_goes_without_saying():
    assert host_of("http://u:p@A.example:80/x") == "a.example"
    assert host_of("https://a.example:8443/x") == "a.example:8443"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.shop.example.org", "example.org"),
        ("shop.example.co.uk", "example.co.uk"),
        ("localhost:8000", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_domain_of_a_host(host, domain):
    assert domain_of(host) == domain


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/shop*", "http://a.example/shop?page=2", True),
        ("/shop*", "http://a.example/old/shop", False),
        ("*sort=*", "http://a.example/?sort=price", True),
        (r"re:/p/\d+$", "http://a.example/p/12", True),
        (r"re:/p/\d+$", "http://a.example/p/12/edit", False),
        ("/", "http://a.example", True),
        ("http://a.example/x", "http://a.example/x", True),
    ],
)
def test_patterns(pattern, url, fits):
    assert Pattern(pattern).matches(url) is fits


def test_a_pattern_that_is_none_is_told():
    with pytest.raises(ValueError, match="no regular expression"):
        Pattern("re:(")


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ("host", {"shop.example.org", "other.example"}),
        ("domain", {"shop.example.org", "www.example.org", "other.example"}),
        ("listed", {"other.example"}),
        ("anywhere", {"shop.example.org", "www.example.org", "other.example", "evil.example.net"}),
    ],
)
def test_what_lies_inside(scope, inside):
    territory = Territory(["http://shop.example.org/x"], scope, ["other.example"])

    hosts = {"shop.example.org", "www.example.org", "other.example", "evil.example.net"}
    assert {host for host in hosts if territory.holds(host)} == inside


def test_a_listed_domain_has_its_subdomains_and_no_namesakes():
    territory = Territory(["http://a.example/"], "listed", ["example.org"])

    assert territory.holds("www.example.org")
    assert not territory.holds("notexample.org")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a.example/" + "x" * 2_048, "longer"),
        ("http://a.example/a/a/a/a/a", "repeats"),
        ("http://a.example/a/b/a/b/a/b/a/b", "repeats"),
        ("http://a.example/" + "/".join("abcdefghijklmnopqrstuvwxyz" + "0123456789"), "repeats"),
        ("http://a.example/?" + "&".join(f"f=1&g{n}=2" for n in range(8)), "grows"),
        ("http://a.example/calendar/2031/05", "calendar"),
        ("http://a.example/events?month=2030-01", "calendar"),
    ],
)
def test_traps_are_left_out(url, why):
    assert why in Traps(1_000, TODAY).reason(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/shop?page=2",
        "http://a.example/calendar/2026/12",
        "http://a.example/product/2931",
        "http://a.example/archive/2019/05",
        "http://a.example/a/b/c/d/e/f/g/h",
    ],
)
def test_pages_are_no_traps(url):
    assert Traps(1_000, TODAY).reason(url) is None


def test_queries_of_one_path_have_an_end():
    traps = Traps(3, TODAY)

    assert [traps.reason(f"http://a.example/?s={n}") is None for n in range(5)] == [True] * 3 + [False] * 2


def test_files_that_are_no_pages_are_known_by_their_names():
    assert is_no_page("/a/photo.JPG")
    assert not is_no_page("/a/page.html")
    assert not is_no_page("/v1.2/page")


def test_links_become_absolute_and_come_once():
    html = (
        "<a href='/x'>1</a><a href='y.html'>2</a><a href='../z'>3</a><a href='?q=2'>4</a>"
        "<a href='//a.example/w#top'>5</a><a href='/x#part'>6</a><a href='#here'>7</a>"
        "<area href='/v'><a href=' /with blank '>8</a>"
    )
    assert links(html) == [
        "http://a.example/x",
        "http://a.example/folder/y.html",
        "http://a.example/z",
        "http://a.example/folder/page?q=2",
        "http://a.example/w",
        "http://a.example/v",
        "http://a.example/with%20blank",
    ]


def test_a_link_is_the_same_as_a_browser_makes_of_it():
    from urllib.parse import urljoin

    base = "http://a.example/folder/page?x=1"
    written = [
        "/a",
        "b",
        "./c",
        "../d",
        "?e",
        "//a.example/f",
        "http://a.example/g",
        "h/../i",
        "/j/./k",
        "",
        ";l",
        "m:n",
    ]
    html = "".join(f"<a href='{each}'>x</a>" for each in written)

    wanted = [urljoin(base, each) for each in written if each]
    assert links(html, url=base) == [url for url in wanted if url.startswith("http://a.example/")]


def test_what_is_no_page_of_the_crawl_is_left_out():
    found = finder()
    html = (
        "<a href='mailto:a@b.example'>m</a><a href='javascript:void(0)'>j</a><a href='http://b.example/'>b</a>"
        "<a href='/file.pdf'>f</a><a href='http://[::1'>broken</a><a href='ftp://a.example/x'>t</a>"
    )
    assert links(html, found=found) == []
    assert found.left_out == {"on another site": 1, "no web page by its name": 1, "no address": 1}


def test_links_marked_nofollow_are_not_followed_unless_asked():
    html = "<a rel='noopener nofollow' href='/a'>a</a><a href='/b'>b</a>"

    assert links(html) == ["http://a.example/b"]
    assert links(html, nofollow=False) == ["http://a.example/a", "http://a.example/b"]


def test_rules_choose_by_place_by_pattern_and_by_page():
    html = "<nav><a href='/list?p=2'>2</a></nav><main><a class=item href='/p/1'>1</a><a href='/about'>a</a></main>"

    assert links(html, {"links": "nav"}) == ["http://a.example/list?p=2"]
    assert links(html, {"links": "a.item"}) == ["http://a.example/p/1"]
    assert links(html, {"links": "a.item::attr(href)"}) == ["http://a.example/p/1"]
    assert links(html, {"allow": ["/p/*"]}, {"links": "nav"}) == ["http://a.example/p/1", "http://a.example/list?p=2"]
    assert links(html, {"deny": ["/p/*", "/list*"]}) == ["http://a.example/about"]
    assert links(html, {"pages": ["/other*"]}) == []
    assert links(html, {"pages": ["/folder/*"], "allow": ["/about"]}) == ["http://a.example/about"]


def test_a_link_that_one_rule_refused_is_followed_where_another_wants_it():
    from lxml import etree

    found = finder({"allow": ["/never"]}, {"links": "nav"})
    outside = etree.fromstring("<p><a href='/x'>x</a></p>", etree.HTMLParser())
    inside = etree.fromstring("<nav><a href='/x'>x</a></nav>", etree.HTMLParser())
    pages = [
        HtmlPage(root, url, url, "", url)
        for root, url in ((outside, "http://a.example/1"), (inside, "http://a.example/2"))
    ]

    assert [[link.url for link in found.links(page, 3, 7)] for page in pages] == [[], ["http://a.example/x"]]
