"""Politeness, told by the log of the server: never too often, never too much at once, nothing that is forbidden."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tests.e2e.web_site import Page, WebSite

LATE = 0.5
"""The part of a delay by which a request may arrive late on a busy machine, so that the next seems to come early."""


@pytest.fixture
def sites():
    """A function of pages by path that gives a running site."""
    running = []

    def begin(pages):
        context = WebSite(pages).running()
        running.append(context)
        return context.__enter__()

    yield begin
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def crawl(folder):
    def run(url, policy=None, **config):
        settings = {"start_urls": [url], "fields": {"title": "title"}, **config}
        nodes = {
            "crawl": ("crawl_source", settings, {"breaker": {"enabled": False}, **(policy or {})}),
            "save": ("sqlite_sink", {"table": "rows", "write_disposition": "append"}),
        }
        folder.pipeline(nodes, ["crawl -> save"])
        answer = folder.run()
        assert answer.code in (0, 3), answer.err
        return answer

    return run


def pages(count, robots="", wait=0.0, others=()):
    """A first page that leads to so many others."""
    links = [*(f"/{n}" for n in range(count)), *others]
    found = {"/": Page("".join(f'<a href="{link}">x</a>' for link in links), wait=wait)}
    found |= {f"/{n}": Page(f"<title>{n}</title>", wait=wait) for n in range(count)}
    return found | {"/robots.txt": Page(robots, content_type="text/plain")}


def keeps(site, delay):
    """Whether requests came no more often than so many seconds allow, one by one and all together."""
    times = [each.at for each in site.asked]
    least = min(later - earlier for earlier, later in pairwise(times))
    return least >= delay * LATE and times[-1] - times[0] >= delay * (len(times) - 1 - LATE)


@pytest.mark.parametrize(
    ("robots", "settings", "least"),
    [
        ("", {"delay": 0.15}, 0.15),
        ("User-agent: *\nCrawl-delay: 0.2\n", {}, 0.2),
        ("User-agent: *\nRequest-rate: 5/1\n", {"delay": 0.1}, 0.2),
        ("User-agent: *\nCrawl-delay: 0.2\n", {"autothrottle": True, "throttle_target": 64}, 0.2),
    ],
)
def test_no_two_requests_come_closer_than_was_asked_for(crawl, sites, robots, settings, least):
    site = sites(pages(12, robots))

    crawl(f"{site.url}/", **settings)
    assert len(site.asked) == 14
    assert keeps(site, least)


def test_a_page_that_is_tried_again_keeps_the_delay(crawl, sites):
    found = pages(6, "User-agent: *\nCrawl-delay: 0.15\n")
    for n in (1, 3):
        found[f"/{n}"] = Page("", 503)
    site = sites(found)

    crawl(f"{site.url}/", policy={"retry": {"attempts": 3, "delay": 0, "jitter": False}})
    assert site.paths.count("/1") == site.paths.count("/3") == 3
    assert keeps(site, 0.15)


@pytest.mark.parametrize("most", [1, 3, 8])
def test_no_more_requests_than_allowed_are_under_way_at_once(crawl, sites, most):
    site = sites(pages(40, wait=0.02))

    crawl(f"{site.url}/", concurrency=most, autothrottle=False)
    assert max(asked.together for asked in site.asked) <= most
    if most > 1:
        assert max(asked.together for asked in site.asked) > 1


def test_each_host_has_its_own_pace(crawl, sites):
    slow = sites(pages(5, "User-agent: *\nCrawl-delay: 0.2\n"))
    fast = sites(pages(30, others=[f"{slow.url}/"]))

    crawl(f"{fast.url}/", domains=[slow.host])
    assert len(slow.asked) == 7
    assert keeps(slow, 0.2)
    assert fast.asked[-1].at - fast.asked[0].at < slow.asked[-1].at - slow.asked[0].at


def test_a_slow_host_is_asked_more_slowly(crawl, sites):
    site = sites(pages(12, wait=0.15))

    crawl(f"{site.url}/", throttle_target=1, concurrency=8)
    assert max(asked.together for asked in site.asked[6:]) <= 3


def test_nothing_that_robots_forbid_is_asked_for(crawl, sites):
    chance = random.Random(5)
    rules = ["/private/", "/*.cgi$", "/a*b", "/*?session=", "/x/y/"]
    open_again = ["/private/open/", "/x/y/z$"]
    robots = "User-agent: *\n" + "".join(f"Disallow: {rule}\n" for rule in rules)
    robots += "".join(f"Allow: {rule}\n" for rule in open_again)
    parts = ["private", "open", "x", "y", "z", "a", "ab", "b.cgi", "c.cgi?q=1", "d?session=2", "page"]
    links = {
        "/" + "/".join([*chance.choices(parts[:7], k=chance.randint(0, 3)), chance.choice(parts)]) for _ in range(300)
    }
    found = pages(0, robots, others=sorted(links)) | {link: Page("<title>x</title>") for link in links}
    site = sites(found)

    crawl(f"{site.url}/")

    import protego

    rules = protego.Protego.parse(robots)
    allowed = {link for link in links if rules.can_fetch(site.url + link, "ETL-Studio")}
    assert 50 < len(allowed) < 250
    assert not any(path.startswith("/private/") and not path.startswith("/private/open/") for path in site.paths)
    assert not any(path.endswith(".cgi") or "?session=" in path for path in site.paths)
    assert set(site.paths) - {"/", "/robots.txt"} <= allowed


def test_robots_that_cannot_be_had_forbid_everything_and_are_asked_for_again(crawl, sites, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract._crawl_hosts.ROBOTS_AGAIN", (0.05, 0.05))
    found = pages(3)
    answers = iter([503, 503, 200])
    found["/robots.txt"] = lambda: Page("User-agent: *\nDisallow: /1\n", next(answers), "text/plain")
    site = sites(found)

    crawl(f"{site.url}/", policy={"retry": {"attempts": 1}})
    assert site.paths[:4] == ["/robots.txt"] * 3 + ["/"]
    assert "/1" not in site.paths


def test_a_host_whose_robots_never_come_is_not_crawled(crawl, sites, monkeypatch, folder):
    monkeypatch.setattr("etl_studio.nodes.extract._crawl_hosts.ROBOTS_AGAIN", (0.01,))
    shut = sites(pages(3) | {"/robots.txt": Page("", 500, "text/plain")})
    site = sites(pages(2, others=[f"{shut.url}/", f"{shut.url}/1"]))

    answer = crawl(f"{site.url}/", domains=[shut.host], policy={"retry": {"attempts": 1}})
    assert set(shut.paths) == {"/robots.txt"}
    assert answer.count("crawl", "dead_letters") == 2
