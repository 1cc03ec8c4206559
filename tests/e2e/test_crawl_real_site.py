"""A real site, crawled whole: pages, links and titles are those that another parser counts, also after kills."""

from __future__ import annotations

import os
import signal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest

from tests.e2e.web_site import Page, WebSite

DOCS = next(
    (found for above in Path(__file__).resolve().parents if (found := above / "shared/data/sqlite-docs").is_dir()), None
)
pytestmark = pytest.mark.skipif(DOCS is None, reason="the pages of a real site are not beside this clone")
PAGES = (".html", ".htm", "")
ITEMS = [
    {"name": "page", "fields": {"title": "head title", "link": "//head/title/@nothing"}},
    {"name": "link", "item": "a[href]", "fields": {"link": "./@href"}},
]


class Counter(HTMLParser):
    """Title and links of a page, counted by Python's own parser."""

    def __init__(self, text):
        super().__init__()
        self.title, self.links, self._in_title = None, [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(reversed(attributes))  # of two attributes with one name the first counts
        if tag == "a" and found.get("href") is not None:
            self.links.append(found["href"])
        self._in_title = tag == "title" and self.title is None
        if self._in_title:
            self.title = ""

    def handle_data(self, data):
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag):
        if tag == "title":
            self._in_title = False


def file_of(path):
    file = DOCS / urlsplit(path).path.lstrip("/")
    return file / "index.html" if file.is_dir() else file


def served(path):
    file = file_of(path)
    if not file.is_file():
        return None
    kind = (
        "text/html" if file.suffix in PAGES else "text/plain" if file.suffix == ".txt" else "application/octet-stream"
    )
    return Page(file.read_bytes(), content_type=kind)


def text_of(file):
    content = file.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


@pytest.fixture(scope="module")
def counted():
    """Title and links by path, for all pages that can be reached from the first one."""
    found, waiting = {}, ["/index.html"]
    while waiting:
        path = waiting.pop()
        if path in found or not (file := file_of(path)).is_file() or file.suffix not in PAGES:
            continue
        page = Counter(text_of(file))
        links = [urljoin(f"http://site{path}", " ".join(link.split())) for link in page.links if link.strip()]
        found[path] = (" ".join((page.title or "").split()) or None, sorted(links))
        for link in links:
            target = urldefrag(link).url.removeprefix("http://site")
            if target.startswith("/") and "?" not in target:
                waiting.append(target)
    return found


@pytest.fixture
def site():
    with WebSite(served).running() as site:
        yield site


@pytest.fixture
def pipeline(folder, site):
    crawl = {
        "start_urls": [f"{site.url}/index.html"],
        "follow": [{"deny": ["*[?]*"]}],
        "items": ITEMS,
        "max_pages": None,
        "nofollow": False,
    }
    policy = {"retry": {"attempts": 2, "delay": 0}, "breaker": {"enabled": False}, "budget": {"percent": 100}}
    sink = {"table": "rows", "write_disposition": "append"}
    nodes = {"crawl": ("crawl_source", crawl, policy), "save": ("sqlite_sink", sink)}
    return folder.pipeline(nodes, ["crawl -> save"], checkpoint={"seconds": None, "rows": 1_000})


def check(folder, site, counted):
    found = {}
    for kind, url, title, link in folder.ask("SELECT _type, _url, title, link FROM rows"):
        assert url.startswith(site.url)
        page = found.setdefault(url.removeprefix(site.url), ([], []))
        if kind == "page":
            page[0].append(title)
        else:
            page[1].append(link.replace(site.url, "http://site") if link else "")
    titled = {path: title for path, (title, _) in counted.items() if title is not None}
    assert {path: titles for path, (titles, _) in found.items() if titles} == {
        path: [title] for path, title in titled.items()
    }
    for path, (_, links) in counted.items():
        assert sorted(link for link in found.get(path, ([], []))[1] if link) == links, path


def test_pages_titles_and_links_are_those_that_another_parser_counts(folder, site, pipeline, counted):
    assert folder.run().code in (0, 3)
    assert len(counted) > 500
    check(folder, site, counted)
    assert len(site.paths) == len(set(site.paths))


def killed(times, folder, site, pipeline, counted, start):
    """Kill the crawl as often, each time after some more pages; then let it come to its end."""
    step = len(counted) // (times + 1)
    asked = 0
    for number in range(times):
        resume = ("--resume",) if number else ()
        process = start("run", pipeline, *resume)
        asked = len(site.asked) + step
        assert site.wait_for(asked, process), process.communicate()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    answer = folder.run("--resume")
    assert answer.code in (0, 3), answer.err
    check(folder, site, counted)
    # What was under way, or not yet committed, is asked for again; nothing else.
    assert len(site.paths) < len(set(site.paths)) + (times * 300)


def test_a_crawl_that_is_killed_twice_gives_each_page_once(folder, site, pipeline, counted, start):
    killed(2, folder, site, pipeline, counted, start)


@pytest.mark.long
def test_a_crawl_that_is_killed_ten_times_gives_each_page_once(folder, site, pipeline, counted, start):
    killed(10, folder, site, pipeline, counted, start)
