"""What sites answered in a run comes again without them, and nothing that lets anybody sign in is kept."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from copy import deepcopy
from http.cookies import SimpleCookie

import pytest

from etl_studio.demo import DemoSite
from tests.engine.test_http import ScriptedServer

QUICK = {"retry": {"attempts": 3, "delay": 0.01, "max_delay": 0.02}, "breaker": {"enabled": False}}
TABLE = ("sqlite_sink", {"table": "rows", "write_disposition": "replace"})
KEY = "k3y-of-the-shop"


def recorded(folder, source, *, more=(), arguments=()):
    """Run a source into a table and record it."""
    nodes = {"read": source, **dict(more), "save": TABLE}
    names = list(nodes)
    folder.pipeline(nodes, [f"{a} -> {b}" for a, b in itertools.pairwise(names)])
    answer = folder.run("--record", folder.path / "shop.cassette.jsonl", *arguments)
    return answer, loaded(folder) if answer.code in (0, 3) else None


def replayed(folder, *arguments):
    answer = folder.run("--replay", folder.path / "shop.cassette.jsonl", *arguments)
    return answer, loaded(folder) if answer.code in (0, 3) else None


def loaded(folder):
    return folder.ask("SELECT * FROM rows")


def cassette(folder):
    return [json.loads(line) for line in folder.lines("shop.cassette.jsonl")]


SOURCES = {
    "rest_source": lambda url: {
        "url": f"{url}/api/products",
        "items": "data.items",
        "pagination": {"kind": "page", "has_more": "has_more"},
    },
    "web_page_source": lambda url: {
        "urls": [f"{url}/shop"],
        "item": ".card",
        "fields": {"name": "h2 a::text", "link": "h2 a::attr(href)"},
        "next": "a.next::attr(href)",
    },
    "rss_source": lambda url: {"urls": [f"{url}/feeds/news.rss"]},
    "crawl_source": lambda url: {
        "start_urls": [f"{url}/shop"],
        "follow": [{"links": "nav.pages", "allow": ["/shop*"]}],
        "item": ".card",
        "fields": {"name": "h2 a::text", "link": "h2 a::attr(href)"},
        "delay": 0,
    },
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_run_is_answered_as_it_was_recorded_though_the_site_is_gone(folder, kind):
    with DemoSite(products=60) as site:
        answer, rows = recorded(folder, (kind, SOURCES[kind](site.url), QUICK))
        assert answer.code == 0
        assert rows
        assert "Recorded " in answer.err
    for _ in range(2):
        answer, again = replayed(folder)
        assert answer.code == 0, answer.err
        assert without_times(again) == without_times(rows)


def without_times(rows):
    return sorted([[value for value in row if not str(value).startswith("2026-")] for row in rows], key=str)


def test_answers_for_each_row_come_again(folder):
    def person(request):
        return 200, {"Content-Type": "application/json"}, json.dumps({"city": request.path[-1]}).encode()

    folder.write("people.csv", "id\n1\n2\n1\n")
    with ScriptedServer({"/people/1": person, "/people/2": person}) as server:
        look_up = ("http_lookup", {"url": server.url + "/people/{id}", "fields": {"city": "city"}}, QUICK)
        answer, rows = recorded(folder, ("csv_source", {"path": "people.csv"}), more={"ask": look_up})
        assert answer.code == 0, answer.err
    assert replayed(folder)[1] == rows
    assert [city for *_, city in rows] == ["1", "2", "1"]


@pytest.mark.parametrize("kind", ["ndjson", "sse"])
def test_a_stream_comes_again(folder, kind):
    lines = {"ndjson": '{{"n": {0}}}\n', "sse": 'id: {0}\ndata: {{"n": {0}}}\n\n'}[kind]
    mime = {"ndjson": "application/x-ndjson", "sse": "text/event-stream"}[kind]
    body = "".join(lines.format(number) for number in range(5)).encode()
    with ScriptedServer({"/stream": lambda request: (200, {"Content-Type": mime}, body)}) as server:
        source = {"url": server.url + "/stream", "format": kind, "stream": {"max_items": 5}}
        answer, rows = recorded(folder, ("rest_source", source, QUICK))
        assert answer.code == 0, answer.err
    assert [row[0] for row in rows] == [0, 1, 2, 3, 4]
    assert replayed(folder)[1] == rows


def test_a_request_that_is_not_on_the_cassette_ends_the_run_and_is_named(folder):
    with DemoSite(products=60) as site:
        source = SOURCES["rest_source"](site.url)
        recorded(folder, ("rest_source", source, QUICK))
        folder.pipeline(
            {"read": ("rest_source", source | {"params": {"sort": "name"}}, QUICK), "save": TABLE}, ["read -> save"]
        )
        answer, _ = replayed(folder)
    assert answer.code == 1
    error = answer.report["error"]
    assert f"GET {site.url}/api/products?sort=name&page=1 is not on the cassette shop.cassette.jsonl." in error
    assert "record it anew" in answer.err


def test_a_person_can_read_and_edit_a_cassette(folder):
    page = "<p class=card>Tea ☕</p>".encode()
    answer = (200, {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}, gzip.compress(page))
    plain = (200, {"Content-Type": "text/html"}, "<p class=card>caf\xe9</p>".encode("latin-1"))

    def page_of(request):
        return plain if request.path == "/b" else answer

    with ScriptedServer({"/a": page_of, "/b": page_of}) as server:
        config = {"urls": [server.url + "/a", server.url + "/b"], "item": ".card", "fields": {"name": "::text"}}
        _, rows = recorded(folder, ("web_page_source", config, QUICK))
        assert server.seen[0][2]["accept-encoding"] == "identity"
    head, zipped, other = cassette(folder)
    assert (head["cassette"], head["answers"]) == (1, 2)
    assert zipped["request"] == {"method": "GET", "url": server.url + "/a"}
    assert base64.b64decode(zipped["response"]["base64"]) == answer[2]
    assert other["response"]["base64"]  # no UTF-8, and nothing says what else
    assert replayed(folder)[1] == rows
    other["response"] = {"status": 200, "headers": {}, "text": "<p class=card>Coffee</p>"}
    folder.write("shop.cassette.jsonl", "\n".join(map(json.dumps, (head, zipped, other))) + "\n")
    assert [name for name, *_ in replayed(folder)[1]] == ["Tea ☕", "Coffee"]


def test_an_answer_in_another_charset_is_text_when_it_says_so(folder):
    headers = {"Content-Type": "text/html; charset=iso-8859-1"}
    page = (200, headers, "<p class=card>caf\xe9</p>".encode("latin-1"))
    with ScriptedServer({"/a": lambda request: page}) as server:
        config = {"urls": [server.url + "/a"], "item": ".card", "fields": {"name": "::text"}}
        _, rows = recorded(folder, ("web_page_source", config, QUICK))
    assert cassette(folder)[1]["response"]["text"] == "<p class=card>café</p>"
    assert replayed(folder)[1] == rows


def test_errors_redirects_and_lost_connections_come_again(folder):
    turns = iter([503, 200])

    def flaky(request):
        status = next(turns, 200)
        return status, {"Retry-After": "0"}, b'[{"id": 1}]' if status == 200 else b"busy"

    def lost(request):
        request.connection.close()
        raise ConnectionError

    answers = {
        "/old": lambda request: (302, {"Location": "/new"}, b""),
        "/new": flaky,
        "/gone": lambda request: (404, {}, b"<p>gone</p>"),
        "/lost": lost,
        "/good": lambda request: (200, {}, b"<p class=card>good</p>"),
    }
    with ScriptedServer(answers) as server:
        answer, rows = recorded(folder, ("rest_source", {"url": server.url + "/old"}, QUICK))
        statuses = [line["response"]["status"] for line in cassette(folder)[1:]]
        assert (answer.code, statuses) == (0, [302, 503, 302, 200])
        assert replayed(folder)[1] == rows
        urls = [f"{server.url}/{name}" for name in ("gone", "lost", "good")]
        config = {"urls": urls, "item": ".card", "fields": {"name": "::text"}}
        answer, rows = recorded(folder, ("web_page_source", config, QUICK))
        assert (answer.code, answer.count("read", "dead_letters")) == (3, 2)
        assert [line["failure"] for line in cassette(folder) if "failure" in line] == ["ReadError"] * 3
    answer, again = replayed(folder)
    assert (answer.code, answer.count("read", "dead_letters"), again) == (3, 2, rows)


def sign_ins(server):
    return {
        "bearer": {"kind": "bearer", "token": "${secret:shop}"},
        "basic": {"kind": "basic", "username": "ada", "password": "${secret:shop}"},
        "header": {"kind": "api_key", "key": "${secret:shop}", "name": "X-Shop"},
        "query": {"kind": "api_key", "key": "${secret:shop}", "name": "id", "send_in": "query"},
        "oauth": {
            "kind": "oauth2_client_credentials",
            "token_url": server.url + "/token",
            "client_id": "me",
            "client_secret": "${secret:shop}",
        },
    }


@pytest.mark.parametrize("kind", ["bearer", "basic", "header", "query", "oauth"])
def test_no_secret_is_on_a_cassette_and_none_is_needed_to_replay_it(folder, monkeypatch, kind):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", KEY)
    issued = "issued-t0ken"
    seen = []

    def items(request):
        seen.append((request.path, dict(request.headers.items())))
        told = [{"id": 1, "echo": f"{request.path} {request.headers.get('Authorization')} {KEY}"}]
        cookie = SimpleCookie({"sid": "c00kie"})["sid"].OutputString()
        return 200, {"Set-Cookie": cookie, "X-Auth-Token": "t0ken-of-a-header"}, json.dumps(told).encode()

    answers = {
        "/items": items,
        "/token": lambda request: (200, {}, json.dumps({"access_token": issued, "expires_in": 60}).encode()),
    }
    with ScriptedServer(answers) as server:
        source = {
            "url": server.url + "/items",
            "auth": sign_ins(server)[kind],
            "params": {"password": "${secret:shop}", "q": "${secret:shop}", "session_token": "told-in-the-file"},
        }
        answer, _ = recorded(folder, ("rest_source", source, QUICK))
        assert answer.code == 0, answer.err
        assert KEY in str(seen) or kind in ("basic", "oauth")
    text = (folder.path / "shop.cassette.jsonl").read_text()
    pair = base64.b64encode(f"ada:{KEY}".encode()).decode()
    for secret in (KEY, issued, pair, "c00kie", "t0ken-of-a-header", "told-in-the-file", "Bearer i"):
        assert secret not in text, secret
    assert "password=***&q=***&session_token=***" in text
    assert "/token" not in text
    monkeypatch.delenv("ETL_STUDIO_SECRET_SHOP")
    answer, rows = replayed(folder)
    assert (answer.code, rows[0][0]) == (0, 1)


def test_a_token_that_an_answer_gives_out_is_not_kept(folder):
    body = b'{"access_token": "s3cret-t0ken", "user": {"password": "hunter22"}, "id": 1}'
    with ScriptedServer({"/login": lambda request: (200, {"Content-Type": "application/json"}, body)}) as server:
        post = {"url": server.url + "/login", "method": "POST", "body": {"user": "ada", "password": "hunter22"}}
        recorded(folder, ("rest_source", post, QUICK))
    text = (folder.path / "shop.cassette.jsonl").read_text()
    assert "s3cret-t0ken" not in text
    assert "hunter22" not in text
    assert replayed(folder)[0].code == 0


def test_a_run_from_a_cassette_begins_where_the_recorded_one_did_and_moves_nothing(folder):
    items = [{"id": number} for number in range(3)]

    def answer(request):
        since = int(request.path.partition("since=")[2] or -1)
        return 200, {}, json.dumps([one for one in items if one["id"] > since]).encode()

    with ScriptedServer({"/items": answer}) as server:
        incremental = {"path": "id", "format": "number", "param": "since", "range": "open"}
        source = ("rest_source", {"url": server.url + "/items", "incremental": incremental}, QUICK)
        sink = ("sqlite_sink", {"table": "rows", "write_disposition": "append"})
        folder.pipeline({"read": source, "save": sink}, ["read -> save"])
        assert folder.run().count("read", "rows_out") == 3
        items += [{"id": 3}, {"id": 4}]
        assert folder.run("--record", folder.path / "shop.cassette.jsonl").count("read", "rows_out") == 2
        items.append({"id": 5})
        assert folder.run().count("read", "rows_out") == 1
    answer, _ = replayed(folder, "--dry-run")
    assert answer.code == 0, answer.err
    assert replayed(folder)[0].count("read", "rows_out") == 2
    assert "5" in folder.call("state", "show", folder.file).out


def test_pages_that_have_not_changed_are_whole_on_a_cassette(folder):
    def page(request):
        same = request.headers.get("If-None-Match") == '"1"'
        return (304, {}, b"") if same else (200, {"ETag": '"1"'}, b"<p class=card>a</p>")

    with ScriptedServer({"/a": page}) as server:
        config = {"urls": [server.url + "/a"], "item": ".card", "fields": {"name": "::text"}, "only_changed": True}
        sink = ("sqlite_sink", {"table": "rows", "write_disposition": "append"})
        folder.pipeline({"read": ("web_page_source", config, QUICK), "save": sink}, ["read -> save"])
        counts = [folder.run("--record", folder.path / "shop.cassette.jsonl").count("read", "rows_out") for _ in "ab"]
    assert counts == [1, 0]
    assert [replayed(folder)[0].count("read", "rows_out") for _ in "ab"] == [1, 1]


def test_a_dry_run_can_be_recorded_and_replayed(folder):
    with DemoSite(products=20) as site:
        folder.pipeline(
            {"read": ("rss_source", SOURCES["rss_source"](site.url), QUICK), "save": TABLE}, ["read -> save"]
        )
        tape = folder.path / "shop.cassette.jsonl"
        assert folder.run("--dry-run", "--record", tape).code == 0
    assert folder.run("--dry-run", "--replay", tape).code == 0
    assert not (folder.workspace / "data.db").exists()


def test_more_than_a_cassette_holds_is_told_when_it_is_missed(folder, monkeypatch):
    monkeypatch.setattr("etl_studio.engine.cassette_tapes.MOST_BYTES", 3_000)
    pages = {f"/{name}": lambda request: (200, {}, b"<p class=card>a</p>" + b" " * 2_000) for name in "ab"}
    with ScriptedServer(pages) as server:
        config = {"urls": [server.url + "/a", server.url + "/b"], "item": ".card", "fields": {"name": "::text"}}
        answer, _ = recorded(folder, ("web_page_source", config, QUICK))
        assert "The rest was left out" in answer.err
    answer, _ = replayed(folder)
    assert f"GET {server.url}/b is not on the cassette shop.cassette.jsonl. It was full." in answer.report["error"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        ("name,price\n", "line 1, is not that of a cassette"),
        ('{"cassette": 9}\n', "was recorded by a newer ETL Studio"),
        ('{"cassette": 1}\n{"request": {}}\n', "line 2, is not that of a cassette"),
        (
            '{"cassette": 1}\n{"request": {"method": "GET", "url": "u"}, "response": {"status": 200, "base64": "?"}}\n',
            "line 2",
        ),
    ],
)
def test_what_is_no_cassette_is_refused(folder, text, told):
    folder.pipeline({"read": ("rss_source", {"urls": ["http://127.0.0.1:1/"]}), "save": TABLE}, ["read -> save"])
    if text is not None:
        folder.write("shop.cassette.jsonl", text)
    answer = folder.call("run", folder.file, "--replay", folder.path / "shop.cassette.jsonl")
    assert answer.code == 2
    assert told in " ".join(answer.err.split())


def test_nothing_else_is_overwritten_by_a_cassette(folder):
    folder.pipeline({"read": ("rss_source", {"urls": ["http://127.0.0.1:1/"]}), "save": TABLE}, ["read -> save"])
    answer = folder.call("run", folder.file, "--record", folder.file)
    assert answer.code == 2
    assert "is there, and is no cassette" in " ".join(answer.err.split())


@pytest.mark.parametrize("other", ["--resume", "--replay"])
def test_a_recording_is_a_run_of_its_own(folder, other):
    folder.pipeline({"read": ("rss_source", {"urls": ["http://127.0.0.1:1/"]}), "save": TABLE}, ["read -> save"])
    more = [folder.path / "b"] if other == "--replay" else []
    answer = folder.call("run", folder.file, "--record", folder.path / "a", other, *more)
    assert answer.code == 2
    assert f"--record and {other} do not go together" in answer.err


def test_a_pipeline_is_tested_with_what_its_sites_answered(folder, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", KEY)
    price = [2]

    def person(request):
        return 200, {"Content-Type": "application/json"}, b'{"city": "Paris"}'

    answers = {
        "/items": lambda request: (200, {}, json.dumps([{"id": 1, "price": price[0]}, {"id": 2, "price": 5}]).encode()),
        "/people/1": person,
        "/people/2": person,
    }
    with ScriptedServer(answers) as server:
        auth = {"kind": "bearer", "token": "${secret:shop}"}
        nodes = {
            "read": ("rest_source", {"url": server.url + "/items", "auth": auth}, deepcopy(QUICK)),
            "ask": ("http_lookup", {"url": server.url + "/people/{id}", "fields": {"city": "city"}}, QUICK),
            "keep": ("filter", {"where": "price > 2"}),
            "save": TABLE,
        }
        folder.pipeline(nodes, ["read -> ask", "ask -> keep", "keep -> save"])
        answer = folder.call("test", folder.file, "--record", "shop", "--cassette")
        assert answer.code == 0, answer.err
        asked = len(server.seen)
        price[0] = 9
        monkeypatch.delenv("ETL_STUDIO_SECRET_SHOP")
        assert folder.call("test", folder.file).code == 0
        assert len(server.seen) == asked
    case = folder.path / "orders.tests" / "shop"
    assert sorted(path.name for path in case.iterdir()) == ["cassette.jsonl", "expected"]
    nodes["keep"] = ("filter", {"where": "price > 1"})
    folder.pipeline(nodes, ["read -> ask", "ask -> keep", "keep -> save"])
    answer = folder.call("test", folder.file)
    assert (answer.code, "unexpected" in answer.out) == (1, True)


def test_a_test_without_a_cassette_asks_no_site(folder):
    with ScriptedServer({"/people/1": lambda request: (200, {}, b'{"city": "Paris"}')}) as server:
        folder.write("people.csv", "id\n1\n")
        look_up = ("http_lookup", {"url": server.url + "/people/{id}", "fields": {"city": "city"}}, QUICK)
        nodes = {"read": ("csv_source", {"path": "people.csv"}), "ask": look_up, "save": TABLE}
        folder.pipeline(nodes, ["read -> ask", "ask -> save"])
        answer = folder.call("test", folder.file, "--record", "people")
        assert answer.code == 2
        assert "/people/1 was asked for, and a test asks no site" in " ".join(answer.err.split())
        assert not server.seen
        assert folder.call("test", folder.file, "--cassette").code == 2
