"""Crawls as a person starts them: the right pages, once, politely; what fails is kept and comes later."""

from __future__ import annotations

import gzip

import pytest

from tests.e2e.web_site import Page, WebSite

RETRY = {"retry": {"attempts": 2, "delay": 0}, "breaker": {"enabled": False}}
SINK = ("sqlite_sink", {"table": "rows", "write_disposition": "append"})


@pytest.fixture
def site():
    """A site without pages; a test fills ``site.pages``."""
    with WebSite({}).running() as site:
        yield site


@pytest.fixture
def other():
    with WebSite({}).running() as site:
        yield site


@pytest.fixture
def crawl(folder, site):
    """``crawl(...)`` crawls the site from ``/`` and gives the answer of the command."""

    def run(*arguments, policy=RETRY, **config):
        fields = {} if "items" in config else {"title": "h1"}
        settings = {"start_urls": [f"{site.url}/"], "fields": fields, **config}
        folder.pipeline({"crawl": ("crawl_source", settings, policy), "save": SINK}, ["crawl -> save"])
        return folder.run("--workspace", folder.workspace, *arguments)

    return run


@pytest.fixture
def rows(folder):
    return lambda columns="title", more="": folder.ask(f"SELECT {columns} FROM rows {more}")


def warnings(folder):
    found = folder.call("log", "--workspace", folder.workspace, "--level", "warning")
    return found.out


def web(*links, title="x", more=""):
    anchors = "".join(f'<a href="{link}">link</a>' for link in links)
    return f"<title>{title}</title><h1>{title}</h1>{more}{anchors}"


def test_all_pages_come_once_with_address_depth_and_time(crawl, rows, site):
    site.pages = {
        "/": web("/a", "/b?y=2&x=1", "#top", title="home"),
        "/a": web("/", "/b?x=1&y=2", "/c#part", title="a"),
        "/b?y=2&x=1": web("/c", "/file.pdf", title="b"),
        "/c": web("/gone", title="c"),
    }
    answer = crawl()

    assert answer.code == 3
    found = rows("title, _url, _depth, julianday('now') - julianday(_fetched_at) < 1", "ORDER BY _depth, title")
    assert found == [
        ("home", f"{site.url}/", 0, 1),
        ("a", f"{site.url}/a", 1, 1),
        ("b", f"{site.url}/b?y=2&x=1", 1, 1),
        ("c", f"{site.url}/c", 2, 1),
    ]
    assert sorted(site.paths) == ["/", "/a", "/b?y=2&x=1", "/c", "/gone", "/robots.txt"]


def test_a_page_that_fails_is_a_dead_letter_and_the_crawl_goes_on(crawl, rows, site, folder):
    site.pages = {"/": web("/sick", "/well", title="home"), "/sick": Page("no", 503), "/well": web(title="well")}

    assert crawl(policy=RETRY | {"on_error": "dead_letter"}).code == 3
    assert site.paths.count("/sick") == 2
    (letter,) = folder.dead_letters()
    assert (letter["attempts"], letter["operation"]["url"]) == (2, f"{site.url}/sick")
    assert "503" in letter["message"]

    site.pages["/sick"] = web("/well", title="mended")
    assert folder.call("dead-letters", "replay", "--workspace", folder.workspace).code == 0
    assert folder.dead_letters() == []
    assert sorted(rows("title, _depth")) == [("home", 0), ("mended", 1), ("well", 1)]


def test_what_robots_forbid_is_not_asked_for(crawl, rows, site):
    site.pages = {
        "/robots.txt": Page(
            "User-agent: *\nDisallow: /private\nUser-agent: Shop\nDisallow: /a\n", content_type="text/plain"
        ),
        "/": web("/private/x", "/a", "/b", title="home"),
        "/a": web(title="a"),
        "/b": Page(status=302, headers={"Location": "/private/y"}),
    }
    crawl(follow=[{"deny": ["/b"]}])
    assert sorted(site.paths) == ["/", "/a", "/robots.txt"]

    site.asked.clear()
    crawl(user_agent="Shop/2.0", contact="https://shop.example/bot", follow=[{"deny": ["/b", "/private/*"]}])
    assert sorted(site.paths) == ["/", "/robots.txt"]
    assert {each.headers["user-agent"] for each in site.asked} == {"Shop/2.0 (+https://shop.example/bot)"}


def test_robots_can_be_ignored(crawl, rows, site):
    site.pages = {"/robots.txt": "User-agent: *\nDisallow: /\n", "/": web(title="home")}

    assert crawl(respect_robots=False).code == 0
    assert site.paths == ["/"]


def test_a_crawl_that_robots_forbid_altogether_says_so(crawl, site):
    site.pages = {"/robots.txt": "User-agent: *\nDisallow: /\n", "/": web()}
    answer = crawl()

    assert answer.code == 1
    assert "robots.txt" in answer.err
    assert site.paths == ["/robots.txt"]


def test_a_redirect_that_leads_out_gives_no_row(crawl, rows, site, other):
    other.pages = {"/": web(title="other")}
    site.pages = {
        "/": web("/out", "/home", "/moved", "/also", title="home"),
        "/out": Page(status=302, headers={"Location": f"{other.url}/"}),
        "/home": Page(status=301, headers={"Location": "/"}),
        "/moved": Page(status=301, headers={"Location": "/new"}),
        "/also": Page(status=301, headers={"Location": "/new"}),
        "/new": web(title="new"),
    }
    assert crawl(concurrency=1).code == 0
    assert sorted(rows("title, _url")) == [("home", f"{site.url}/"), ("new", f"{site.url}/new")]


def test_hosts_beyond_the_first_are_crawled_when_asked(crawl, rows, site, other):
    site.pages = {"/": web(f"{other.url}/", title="home")}
    other.pages = {
        "/": web("/more", title="other"),
        "/more": web(title="more"),
        "/robots.txt": "User-agent: *\nDisallow: /more",
    }

    crawl()
    assert other.asked == []
    crawl(domains=[other.host])
    assert other.paths == ["/robots.txt", "/"]


def test_sitemaps_lead_to_pages_without_links(crawl, rows, site):
    site.pages = {
        "/robots.txt": lambda: Page(f"Sitemap: {site.url}/index.xml\n", content_type="text/plain"),
        "/index.xml": lambda: Page(
            f"<sitemapindex><sitemap><loc>{site.url}/m.xml.gz</loc></sitemap></sitemapindex>", content_type="text/xml"
        ),
        "/m.xml.gz": lambda: Page(
            gzip.compress(f"<urlset><url><loc>{site.url}/far</loc></url></urlset>".encode()),
            content_type="application/gzip",
        ),
        "/": web(title="home"),
        "/far": web(title="far"),
    }
    assert crawl(sitemaps=True).code == 0
    assert sorted(rows()) == [("far",), ("home",)]


def test_the_wishes_of_pages_are_respected_as_set(crawl, rows, site):
    site.pages = {
        "/": web("/hidden", "/copy", "/ends", title="home"),
        "/hidden": '<meta name="robots" content="noindex">' + web("/more", title="hidden"),
        "/copy": '<link rel="canonical" href="/true"><h1>copy</h1>',
        "/ends": '<meta name="Robots" content="NOFOLLOW, noarchive"><a href="/end">x</a><h1>ends</h1>',
        "/more": web(title="more"),
        "/true": web(title="true"),
        "/end": web(title="end"),
    }
    crawl(noindex=True, canonical=True)
    assert sorted(title for (title,) in rows()) == ["ends", "home", "more", "true"]


def test_limits_end_a_crawl_and_the_log_says_so(crawl, rows, site, folder):
    site.pages = lambda path: web(*(f"/{n}" for n in range(50)), title=path) if path != "/robots.txt" else None

    assert crawl(max_pages=7).code == 0
    assert len(rows()) == 7
    assert len(site.paths) == 8


def test_depth_ends_a_crawl(crawl, rows, site):
    site.pages = lambda path: web(f"/{len(path)}x", title=path) if path != "/robots.txt" else None
    site.pages = {"/": web("/1", title="0"), "/1": web("/2", title="1"), "/2": web("/3", title="2"), "/3": web()}

    assert crawl(max_depth=1).code == 0
    assert sorted(rows()) == [("0",), ("1",)]


def test_kinds_of_items_with_types_and_parents(crawl, rows, site):
    data = '<script type="application/ld+json">%s</script>'
    site.pages = {
        "/": web("/p/1", "/p/2", title="list"),
        "/p/1": data % '{"@type": "Product", "name": "Mug", "offers": {"price": "12.50"}}',
        "/p/2": data % '{"@type": "Product", "name": "Cup", "offers": {"price": "dear"}}',
    }
    items = [
        {
            "name": "product",
            "match": "/p/*",
            "item": "jsonld:Product",
            "fields": {"name": "jsonld:name", "price": "jsonld:offers.price"},
        },
        {"name": "link", "match": "/", "item": "a", "fields": {"name": "./@href"}},
    ]
    assert crawl(items=items, columns={"price": "decimal(10,2)"}, parent=True).code == 3
    assert sorted(rows("_type, name, CAST(price AS TEXT), _parent"), key=str) == [
        ("link", f"{site.url}/p/1", None, None),
        ("link", f"{site.url}/p/2", None, None),
        ("product", "Mug", "12.50", f"{site.url}/"),
    ]


def test_cookies_are_sent_back_unless_not_wanted(crawl, site):
    site.pages = {"/": Page(web("/a"), headers={"Set-Cookie": "visit=7; Path=/"}), "/a": web()}

    crawl()
    assert [each.headers.get("cookie") for each in site.asked if each.path == "/a"] == ["visit=7"]
    site.asked.clear()
    crawl(cookies=False)
    assert [each.headers.get("cookie") for each in site.asked if each.path == "/a"] == [None]


def test_what_is_no_web_page_is_left_out(crawl, rows, site):
    site.pages = {
        "/": web("/a", "/b", title="home"),
        "/a": Page(b"%PDF", content_type="application/pdf"),
        "/b": Page("{}", content_type="application/json"),
    }

    assert crawl().code == 0
    assert rows() == [("home",)]


def test_what_is_no_web_page_is_not_read_however_large_it_is(crawl, rows, site, folder):
    site.pages = {"/": web("/film", title="home"), "/film": Page(b"x" * 20_000_000, content_type="video/mp4")}

    assert crawl(max_page_kb=1_000).code == 0
    assert rows() == [("home",)]
    assert folder.dead_letters() == []


def test_a_page_that_leads_on_by_itself_is_followed_at_the_same_depth(crawl, rows, site):
    refresh = '<meta http-equiv="Refresh" content="{}">'
    site.pages = {
        "/": refresh.format("0; url='/home'"),
        "/home": refresh.format("30;URL=/home") + web("/late", title="home"),
        "/late": refresh.format("600; url=/much-later") + web(title="late"),
    }
    assert crawl(follow=[], start_urls=[f"{site.url}/", f"{site.url}/late"]).code == 0
    assert sorted(rows("title, _depth")) == [("home", 0), ("late", 0)]


def test_a_page_made_to_harm_is_a_dead_letter_and_the_others_are_read(crawl, rows, site, folder):
    site.pages = {
        "/": web("/deep", "/well", title="home"),
        "/deep": "<div class=i>" * 1_500,
        "/well": web(title="well"),
    }

    assert crawl(items=[{"name": "page", "item": "h1, .i", "fields": {"title": "*"}}], fields={}).code == 3
    assert sorted(rows()) == [("home",), ("well",)]
    assert [letter["operation"]["url"] for letter in folder.dead_letters()] == [f"{site.url}/deep"]


def test_a_host_that_is_not_there_is_told_soon(crawl, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract._crawl_hosts.ROBOTS_AGAIN", (0.01, 1_000.0))
    answer = crawl(start_urls=["http://127.0.0.1:9/"])

    assert answer.code == 1
    assert "refused the connection" in answer.err


def test_the_sign_in_and_headers_go_to_the_hosts_of_the_start_addresses_alone(crawl, site, other, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_TOKEN", "hunter2")
    site.pages = {"/": web("/a", f"{other.url}/"), "/a": web()}
    other.pages = {"/": web()}
    auth = {"kind": "bearer", "token": "${secret:token}"}

    assert crawl(auth=auth, headers={"X-Shop": "1"}, domains=[other.host]).code == 0
    signed = [(each.headers.get("authorization"), each.headers.get("x-shop")) for each in site.asked]
    assert signed == [("Bearer hunter2", "1")] * 3
    assert {(each.headers.get("authorization"), each.headers.get("x-shop")) for each in other.asked} == {(None, None)}


def test_private_hosts_that_only_a_page_names_are_not_asked(crawl, site, other, folder):
    site.pages = {"/": web(f"{other.url}/")}
    other.pages = {"/": web()}

    assert crawl(stay="anywhere").code == 3
    assert other.asked == []
    (letter,) = folder.dead_letters()
    assert "private network" in letter["message"]


@pytest.mark.parametrize(
    ("limit", "said"), [({"max_megabytes": 0.05}, "max_megabytes is 0"), ({"max_minutes": 0.01}, "max_minutes is 0.01")]
)
def test_bytes_and_minutes_end_a_crawl(crawl, rows, site, limit, said):
    def page(path):
        return Page(web(*(f"{path}{n}" for n in range(9)), title=path, more="x" * 10_000), wait=0.05)

    site.pages = lambda path: page(path) if path != "/robots.txt" else None
    answer = crawl(max_pages=None, concurrency=2, **limit)

    assert answer.code == 0
    assert said in answer.err
    assert 0 < len(rows()) < 60


def test_a_page_that_is_too_large_is_rejected(crawl, rows, site):
    site.pages = {"/": web("/big", title="home"), "/big": web(more="x" * 300_000)}

    assert crawl(max_page_kb=100).code == 3
    assert rows() == [("home",)]


def test_a_selector_that_matches_less_than_in_the_last_run_is_a_warning(crawl, site, folder):
    cards = "".join(f"<p class=card><b>{n}</b><i>{n}</i></p>" for n in range(30))
    site.pages = {"/": cards}
    config = {"item": ".card", "fields": {"name": "b", "price": "i", "never": "u"}}
    first = crawl(**config)
    assert first.code == 0
    site.pages = {"/": cards.replace("<i>1", "<u>1")}
    second = crawl(**config)

    assert second.code == 0
    said = {run: text.err.splitlines() for run, text in (("first", first), ("second", second))}
    assert not [line for line in said["first"] if "last run" in line]
    assert [line for line in said["second"] if '"price" (i) was found in 63% of the items; in the last run' in line]


def test_a_start_address_with_a_secret_is_kept_nowhere(crawl, rows, site, folder, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_TOKEN", "hunter2")
    site.pages = {"/?token=hunter2": web("/a", title="home"), "/a": Page("", 500)}

    assert crawl(start_urls=[f"{site.url}/?token=${{secret:token}}"]).code == 3
    assert sorted(site.paths) == ["/?token=hunter2", "/a", "/a", "/robots.txt"]
    for file in folder.workspace.rglob("*"):
        assert file.is_dir() or b"hunter2" not in file.read_bytes(), file


def test_a_crawl_that_succeeded_leaves_no_queue(crawl, site, folder):
    site.pages = {"/": web(title="home")}

    assert crawl().code == 0
    assert [each.name for each in (folder.workspace / "crawls").iterdir() if each.is_dir()] == []


def test_a_preview_and_a_dry_run_leave_nothing(crawl, site, folder):
    site.pages = {"/": web(title="home")}
    crawl("--dry-run")

    assert not (folder.workspace / "crawls").exists()


def test_a_redirect_is_not_followed_to_what_robots_forbid(crawl, rows, site):
    site.pages = {
        "/robots.txt": "User-agent: *\nDisallow: /private\n",
        "/": web("/out", title="home"),
        "/out": Page(status=302, headers={"Location": "/private/x"}),
        "/private/x": web(title="private"),
    }
    crawl()
    assert sorted(site.paths) == ["/", "/out", "/robots.txt"]


def test_a_start_address_may_lead_to_another_host(crawl, rows, site, other):
    site.pages = {"/": Page(status=301, headers={"Location": f"{other.url}/home"})}
    other.pages = {"/home": web("/a", title="home"), "/a": web(f"{site.url}/", title="a")}

    assert crawl().code == 0
    assert sorted(rows()) == [("a",), ("home",)]


def test_a_page_that_leads_to_itself_to_set_a_cookie_is_read(crawl, rows, site):
    answers = iter([Page(status=302, headers={"Location": "/", "Set-Cookie": "a=b; Path=/"}), Page(web(title="home"))])
    site.pages = {"/": lambda: next(answers)}

    assert crawl().code == 0
    assert rows() == [("home",)]
    assert site.asked[-1].headers["cookie"] == "a=b"
