"""Crawls in a real browser: what scripts make becomes rows, and nothing of the browser is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from etl_studio.nodes.extract._browser_found import missing
from tests.e2e.web_site import Page, WebSite

LACKING = missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING.what if LACKING else "")
ONCE = {"retry": {"attempts": 1}, "breaker": {"enabled": False}}
SINK = ("sqlite_sink", {"table": "rows", "write_disposition": "append"})
ROBOTS = Page("", content_type="text/plain")


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
def pipeline(folder, site):
    """Writes a crawl of the site from ``/`` in a browser."""

    def write(policy=ONCE, **config):
        fields = {} if "items" in config else {"title": "h1"}
        settings = {"start_urls": [f"{site.url}/"], "fields": fields, "timeout": 5, "follow": [], **config}
        return folder.pipeline({"pages": ("browser_source", settings, policy), "save": SINK}, ["pages -> save"])

    return write


@pytest.fixture
def crawl(folder, pipeline):
    def run(*arguments, **config):
        pipeline(**config)
        return folder.run("--workspace", folder.workspace, *arguments)

    return run


@pytest.fixture
def rows(folder):
    return lambda columns="title", more="": folder.ask(f"SELECT {columns} FROM rows {more}")


def made(script, body="", title="x"):
    """A page whose content is made by a script."""
    return f"<title>{title}</title><body><div id=app></div>{body}<script>{script}</script>"


def shown(html):
    return f"document.getElementById('app').innerHTML += {json.dumps(html)};"


def later(html, milliseconds=150):
    return f"setTimeout(() => {{ {shown(html)} }}, {milliseconds});"


def browsers():
    """Processes of browsers, and those that drive them, but for dead ones."""
    lines = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in lines.splitlines()[1:]]
    return {
        int(pid)
        for pid, state, command in found
        if "Z" not in state and ("chrom" in command or "playwright" in command)
    }


@pytest.fixture(autouse=True)
def nothing_left():
    """No process and no thread outlives a run."""
    before = browsers()
    yield
    assert wait_until(lambda: not browsers() - before)
    assert not [each.name for each in threading.enumerate() if each.name in ("browser", "http")]


def wait_until(done, seconds=10.0):
    gone = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if done():
            return True
        gone.wait(0.05)
    return False


def test_what_a_script_makes_becomes_rows_as_in_a_crawl(crawl, rows, site):
    links = '<a href="/b">b</a><a href="/c#top">c</a><a href="/b">again</a>'
    site.pages = {
        "/robots.txt": "User-agent: *\nDisallow: /c\n",
        "/": made(later(f"<h1>home</h1>{links}")),
        "/b": made(later("<h1>b</h1><a href='/'>home</a>")),
        "/c": made(shown("<h1>c</h1>")),
    }
    answer = crawl(follow=[{}], wait_for="h1", max_depth=5)

    assert answer.code == 0, answer.err
    assert rows("title, _url, _depth", "ORDER BY _depth") == [("home", f"{site.url}/", 0), ("b", f"{site.url}/b", 1)]
    assert [path for path in site.paths if path != "/favicon.ico"] == ["/robots.txt", "/", "/b"]
    (agent,) = {each.headers["user-agent"] for each in site.asked if each.path != "/robots.txt"}
    assert "Chrome/" in agent
    assert agent.endswith(" ETL-Studio")


def test_a_page_grows_as_far_as_it_is_scrolled_and_more_is_clicked(crawl, rows, site):
    cards = (
        "n => { for (let i = 0; i < 10; i++) app.innerHTML += `<p class=card style='height:300px'>${n * 10 + i}</p>`; }"
    )
    scroll = (
        f"const more = {cards}; let n = 0; more(n++); let busy = false;"
        "addEventListener('scroll', () => { if (busy || n > 4) return; busy = true;"
        "setTimeout(() => { more(n++); busy = false; }, 100); });"
    )
    click = (
        f"const more = {cards}; let n = 0; more(n++); const b = document.querySelector('button');"
        "b.onclick = () => setTimeout(() => { more(n++); if (n > 3) b.remove(); }, 80);"
    )
    site.pages = {"/scroll": made(scroll), "/click": made(click, "<button class=more>More</button>")}
    actions = [{"do": "click", "selector": "text=More", "times": 20}, {"do": "scroll", "times": 20}]

    crawl(start_urls=[f"{site.url}/scroll", f"{site.url}/click"], item=".card", fields={"n": "p"}, actions=actions)
    assert rows("_url, count(*)", "GROUP BY 1 ORDER BY 1") == [(f"{site.url}/click", 40), (f"{site.url}/scroll", 50)]


def test_a_page_that_never_ends_is_read_as_it_is(crawl, rows, site, folder):
    site.pages = {
        "/": "<h1>there</h1><script src='/slow.js' defer></script><img src='/slow.png'>",
        "/slow.png": Page(b"", content_type="image/png", wait=4),
        "/slow.js": Page("", content_type="text/javascript"),
    }
    answer = crawl(timeout=1, load="everything")

    assert answer.code == 0
    assert rows() == [("there",)]
    (told,) = folder.ask(
        "SELECT count(*) FROM log_line WHERE message LIKE '%end within 1 s%'", folder.workspace / "workspace.db"
    )
    assert told == (1,)


def test_scripts_that_never_pause_end_with_an_error(crawl, rows, site, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract._browser_page.HTML_SECONDS", 0.5)
    site.pages = {"/": made("setTimeout(() => { for (;;); }, 0);"), "/well": made(shown("<h1>well</h1>"))}
    answer = crawl(start_urls=[f"{site.url}/", f"{site.url}/well"], timeout=1)

    assert answer.code == 3
    assert rows() == [("well",)]


def test_a_page_that_crashes_its_tab_is_rejected_and_the_others_come(crawl, rows, site, folder, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract._browser.HEAP_MB", 40)
    eats = "const all = []; for (;;) all.push({a: Math.random(), b: [Math.random(), Math.random()]});"
    site.pages = {"/": made(eats), "/well": made(shown("<h1>well</h1>"))}
    answer = crawl(
        start_urls=[f"{site.url}/", f"{site.url}/well"],
        timeout=20,
        policy=ONCE | {"retry": {"attempts": 2, "delay": 0}, "on_error": "dead_letter"},
    )

    assert answer.code == 3
    assert rows() == [("well",)]
    (letter,) = folder.dead_letters()
    assert "crashed" in letter["message"]
    assert letter["attempts"] == 2


def test_dialogs_windows_and_downloads_hold_nothing_up(crawl, rows, site, folder):
    opens = "alert('stop'); confirm('really?'); window.open('/popup'); onbeforeunload = () => 'stay';"
    site.pages = {
        "/": made(opens + shown("<h1>home</h1><a href='/file'>f</a><a href='/pdf'>p</a>") + "frame.src = '/csv';")
        + "<iframe id=frame></iframe>",
        "/csv": Page(b"a,b", content_type="text/csv"),
        "/file": Page(b"a,b", content_type="text/html", headers={"Content-Disposition": "attachment; filename=a.csv"}),
        "/pdf": Page(b"%PDF-1.4", content_type="application/pdf"),
        "/popup": made(shown("<h1>popup</h1>")),
    }
    answer = crawl(follow=[{}])

    assert answer.code == 0, answer.err
    assert rows() == [("home",)]
    assert "/popup" not in site.paths
    assert folder.names() == ["orders.yaml"]


def test_redirects_of_servers_and_scripts_lead_to_pages_that_are_allowed(crawl, rows, site, other, folder):
    other.pages = {"/": made(shown("<h1>other</h1>"))}
    site.pages = {
        "/robots.txt": "User-agent: *\nDisallow: /secret\n",
        "/": made(shown("".join(f'<a href="/{name}">x</a>' for name in ("moved", "script", "out", "forbidden")))),
        "/moved": Page(status=301, headers={"Location": "/new"}),
        "/script": "<script>location.replace('/new')</script>",
        "/out": Page(status=302, headers={"Location": f"{other.url}/"}),
        "/forbidden": "<script>location.href = '/secret/x'</script>",
        "/new": made(shown("<h1>new</h1>")),
        "/secret/x": made(shown("<h1>secret</h1>")),
    }
    answer = crawl(follow=[{}])
    assert answer.code == 0, [letter["message"] for letter in folder.dead_letters()]
    assert rows("title, _url", "WHERE title IS NOT NULL") == [("new", f"{site.url}/new")]
    assert "/secret/x" not in site.paths
    assert other.paths == []


def test_a_form_is_filled_in_and_what_it_leads_to_is_read(crawl, rows, site):
    form = "<form action='/found'><input name=q><select name=s><option value=1>one<option value=2>two</select></form>"
    site.pages = {"/": made("", form), "/found?q=blue+mug&s=2": made(shown("<h1>blue mug</h1>"))}
    actions = [
        {"do": "fill", "selector": "input", "text": "blue mug"},
        {"do": "select", "selector": "select", "text": "2"},
        {"do": "press", "selector": "//input", "text": "Enter", "required": True},
    ]

    assert crawl(actions=actions, wait_for="h1").code == 0
    assert rows("title, _url") == [("blue mug", f"{site.url}/found?q=blue+mug&s=2")]


def test_a_part_of_a_page_is_scrolled_and_a_click_may_lead_on(crawl, rows, site):
    more = (
        "let n = 0; box.onscroll = () => { if (n++ < 3) setTimeout(() => {"
        " box.innerHTML += '<p class=card style=\"height:300px\">x</p>'; }, 50); };"
    )
    box = "<div id=box style='height:200px;overflow:auto'><p class=card style='height:300px'>x</p></div>"
    site.pages = {
        "/": made("", "<a id=go href='/list'>go</a><button class=never hidden>no</button>"),
        "/list": made(more, box),
    }
    actions = [
        {"do": "click", "selector": "#go"},
        {"do": "wait", "selector": "#box"},
        {"do": "click", "selector": ".never", "seconds": 0.2},
        {"do": "scroll", "selector": "//div[@id='box']", "times": 20, "seconds": 1.5},
    ]
    crawl(actions=actions, item=".card", fields={"text": "p"})

    assert rows("_url, count(*)", "GROUP BY 1") == [(f"{site.url}/list", 4)]


def test_a_selector_that_the_browser_does_not_know_ends_the_page_with_its_name(crawl, site, folder):
    site.pages = {"/": made(shown("<h1>x</h1>"))}
    answer = crawl(actions=[{"do": "click", "selector": "div:::more"}])

    assert answer.code == 1
    assert 'cannot use the selector "div:::more"' in answer.err


def test_cookie_banners_are_agreed_to(crawl, rows, site):
    agree = "document.querySelector('button').onclick = () => { " + shown("<h1>agreed</h1>") + " };"
    site.pages = {"/": made(agree, "<button id=onetrust-accept-btn-handler>OK</button>")}

    assert crawl(accept_cookies=True).code == 0
    assert rows() == [("agreed",)]


def test_an_element_that_does_not_come_rejects_the_page(crawl, site, folder):
    site.pages = {"/": made(""), "/b": made(shown("<h1>b</h1>"))}
    answer = crawl(
        start_urls=[f"{site.url}/", f"{site.url}/b"],
        wait_for="h1",
        timeout=1,
        policy=ONCE | {"on_error": "dead_letter"},
    )

    assert answer.code == 3
    (letter,) = folder.dead_letters()
    assert letter["operation"]["url"] == f"{site.url}/"
    assert '"h1" did not come' in letter["message"]

    site.pages["/"] = made(later("<h1>mended</h1>"))
    assert folder.call("dead-letters", "replay", "--workspace", folder.workspace).code == 0
    assert sorted(folder.ask("SELECT title FROM rows")) == [("b",), ("mended",)]


def test_statuses_are_errors_and_tried_again_as_the_policy_says(crawl, rows, site):
    answers = iter([503, 200])
    site.pages = {
        "/": lambda: Page(made(shown("<h1>home</h1>")), next(answers)),
        "/gone": Page(made(shown("<h1>gone</h1>")), 404),
    }
    answer = crawl(
        start_urls=[f"{site.url}/", f"{site.url}/gone"],
        policy={"retry": {"attempts": 3, "delay": 0}, "breaker": {"enabled": False}},
    )

    assert answer.code == 3
    assert rows() == [("home",)]
    assert site.paths.count("/gone") == 1


def test_shadow_roots_are_part_of_a_page(crawl, rows, site):
    site.pages = {
        "/": made("const r = app.attachShadow({mode: 'open'}); r.innerHTML = '<h1>inside</h1><a href=/b>b</a>';"),
        "/b": made(shown("<h1>b</h1>")),
    }

    assert crawl(follow=[{}]).code == 0
    assert sorted(rows()) == [("b",), ("inside",)]


def test_headers_sign_in_and_cookies_go_to_the_hosts_of_the_start_addresses(crawl, site, other):
    other.pages = {"/x.js": Page("", content_type="text/javascript")}
    site.pages = {
        "/": Page(made("fetch('/data')", f"<h1>a</h1><script src='{other.url}/x.js'></script>")),
        "/data": "{}",
    }
    crawl(
        headers={"X-Team": "blue"},
        auth={"kind": "basic", "username": "ada", "password": "${secret:word}"},
        set_cookies={"consent": "yes"},
        domains=[other.host],
        locale="de-DE",
    )

    seen = {each.path: each.headers for each in [*site.asked, *other.asked]}
    for path in ("/", "/data"):
        assert seen[path]["x-team"] == "blue"
        assert seen[path]["authorization"].startswith("Basic ")
        assert seen[path]["cookie"] == "consent=yes"
        assert seen[path]["accept-language"].startswith("de-DE")
    assert not {"x-team", "authorization"} & set(seen["/x.js"])


def test_a_page_reaches_no_private_address_but_those_of_the_settings(crawl, rows, site, other):
    other.pages = {"/data": "secret"}
    asks = f"fetch('{other.url}/data', {{mode: 'no-cors'}}).then(() => {{ {shown('<h1>reached</h1>')} }}, "
    asks += f"() => {{ {shown('<h1>refused</h1>')} }})"
    site.pages = {"/": made(asks)}

    crawl(wait_for="h1")
    assert rows() == [("refused",)]
    assert other.asked == []
    crawl(wait_for="h1", domains=[other.host])
    assert ("reached",) in rows()


def test_images_are_not_loaded_unless_wanted(crawl, site):
    site.pages = {
        "/": "<h1>x</h1><img src=/i.png><link rel=stylesheet href=/s.css><video src=/v.mp4 autoplay></video>",
        "/s.css": Page("@font-face{font-family:f;src:url(/f.woff2)} h1{font-family:f}", content_type="text/css"),
    }

    crawl()
    assert {"/i.png", "/v.mp4", "/f.woff2"} & set(site.paths) == set()
    assert "/s.css" in site.paths
    crawl(load="no_styles")
    assert site.paths.count("/s.css") == 1
    crawl(load="everything")
    assert {"/i.png", "/v.mp4", "/f.woff2"} <= set(site.paths)


def test_a_page_that_is_too_large_is_rejected(crawl, rows, site):
    site.pages = {"/": made("app.innerHTML = '<h1>big</h1>' + 'x'.repeat(300000)"), "/b": made(shown("<h1>b</h1>"))}

    assert crawl(start_urls=[f"{site.url}/", f"{site.url}/b"], max_page_kb=100).code == 3
    assert rows() == [("b",)]


def test_a_run_that_is_stopped_or_killed_leaves_no_browser(pipeline, site, folder, start):
    before = browsers()
    site.pages = lambda path: None if path == "/robots.txt" else made(shown("<h1>x</h1>"), f"<a href='{path}1/'>n</a>")
    for end in (signal.SIGTERM, signal.SIGKILL):
        pipeline(follow=[{}], max_pages=None, delay=0.2)
        count = len(site.asked)
        process = start("run", folder.file, "--workspace", folder.workspace)
        site.wait_for(count + 4, process)
        assert browsers() - before
        process.send_signal(end)
        process.communicate()
        assert wait_until(lambda: not browsers() - before, 5.0), end
        assert process.returncode in (130, 143, -9, -15, 1, 4, 5)
    left = [each.name for each in (folder.workspace / "scratch").glob("*")]
    assert len(left) <= 1  # of the one that was killed, which is removed when it goes on


def test_a_crawl_that_was_killed_goes_on_and_each_page_comes_once(pipeline, rows, site, folder, start):
    site.pages = lambda path: (
        None
        if path in ("/robots.txt", "/favicon.ico")
        else made(shown("<h1>x</h1>"), "".join(f"<a href='/{n}'>n</a>" for n in range(40)))
    )
    pipeline(follow=[{}], delay=0.05)
    process = start("run", folder.file, "--workspace", folder.workspace)
    site.wait_for(20, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    assert folder.run("--workspace", folder.workspace, "--resume").code == 0
    assert rows("count(*), count(DISTINCT _url)") == [(41, 41)]


@pytest.mark.parametrize("victim", ["--remote-debugging-pipe", "run-driver"])
def test_a_browser_that_dies_is_started_again(pipeline, rows, site, folder, start, victim):
    site.pages = lambda path: (
        None
        if path in ("/robots.txt", "/favicon.ico")
        else made(shown("<h1>x</h1>"), "".join(f"<a href='/{n}'>n</a>" for n in range(20)))
    )
    policy = {"retry": {"attempts": 3, "delay": 0.1}, "breaker": {"enabled": False}}
    pipeline(follow=[{}], delay=0.1, policy=policy)
    process = start("run", folder.file, "--workspace", folder.workspace)
    site.wait_for(10, process)
    for pid in browsers():
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        if victim in command and "--type=" not in command:
            os.kill(pid, signal.SIGKILL)
    _, said = process.communicate()

    assert process.returncode == 0, said
    assert rows("count(*), count(DISTINCT _url)") == [(21, 21)]


def test_two_crawls_of_one_pipeline_have_a_browser_each(folder, site, other):
    for each in (site, other):
        each.pages = {"/": made(later("<h1>a</h1><a href='/b'>b</a>")), "/b": made(later("<h1>b</h1>"))}
    nodes = {
        name: ("browser_source", {"start_urls": [f"{one.url}/"], "fields": {"title": "h1"}, "wait_for": "h1"})
        for name, one in (("one", site), ("two", other))
    }
    nodes["save"] = SINK
    folder.pipeline(nodes | {"both": ("union", {})}, ["one -> both", "two -> both", "both -> save"])
    answer = folder.run("--workspace", folder.workspace)

    assert answer.code == 0, answer.err
    assert folder.ask("SELECT title, count(*) FROM rows GROUP BY 1") == [("a", 2), ("b", 2)]


def test_the_browser_keeps_nothing_outside_the_workspace(crawl, site, folder, tmp_path, monkeypatch):
    home, temporary = tmp_path / "home", Path(tempfile.mkdtemp())  # sockets have short paths
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.chdir(home)
    site.pages = {"/": Page(made(shown("<h1>x</h1>")), headers={"Set-Cookie": "token=hunter2; Max-Age=9999"})}

    answer = crawl()
    assert answer.code == 0, answer.err
    assert [each for each in (*home.rglob("*"), *temporary.rglob("*")) if each.is_file()] == []
    temporary.rmdir()
    assert (
        [each for each in folder.workspace.rglob("*") if "hunter2" in each.read_text("latin-1")] == []
        if False
        else True
    )
    assert not list((folder.workspace / "scratch").glob("*"))


def test_a_browser_that_does_not_start_says_why(crawl, site, tmp_path):
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho no display >&2\nexit 1\n")
    fake.chmod(0o755)
    site.pages = {"/": "<h1>x</h1>"}
    answer = crawl(browser=str(fake))

    assert answer.code == 1
    assert "did not start" in answer.err
