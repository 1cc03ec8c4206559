"""Pages that are as they were in the last run that went well are left out, and only those."""

from __future__ import annotations

import json
import threading

import pytest

from tests.engine.test_http import ScriptedServer

NO_RETRY = {"retry": {"attempts": 1}, "breaker": {"enabled": False}}
SINK = ("sqlite_sink", {"table": "cards", "write_disposition": "append"})


class Pages:
    """Pages with cards that can be changed; with ``etag`` or ``modified`` the site answers 304."""

    def __init__(self, names, *, etag=False, modified=False):
        self.cards = dict.fromkeys(names, 1)
        self.etag, self.modified = etag, modified
        self.statuses = []
        self.next = {}

    def answer(self, name):
        def answer(request):
            etag, date = f'"{name}-{self.cards[name]}"', f"Wed, 25 Nov 2026 1{self.cards[name]}:00:00 GMT"
            same = (self.etag and request.headers.get("If-None-Match") == etag) or (
                self.modified and request.headers.get("If-Modified-Since") == date
            )
            self.statuses.append(304 if same else 200)
            headers = {"Content-Type": "text/html"}
            headers |= {"ETag": etag} if self.etag else {}
            headers |= {"Last-Modified": date} if self.modified else {}
            link = f"<a class=next href={self.next[name]}>on</a>" if name in self.next else ""
            body = f"<p class=card>{name} {self.cards[name]}</p>{link}"
            return (304, headers, b"") if same else (200, headers, body.encode())

        return answer


@pytest.fixture
def serving():
    servers = []

    def serve(pages):
        servers.append(ScriptedServer({f"/{name}": pages.answer(name) for name in pages.cards}))
        return servers[-1].__enter__()

    yield serve
    for server in servers:
        server.__exit__()


def shop(server, pages, **config):
    return {
        "urls": [f"{server.url}/{name}" for name in pages],
        "item": ".card",
        "fields": {"text": "::text"},
        "only_changed": True,
        **config,
    }


def loaded(folder):
    return [text for (text,) in folder.ask("SELECT text FROM cards ORDER BY rowid")]


@pytest.mark.parametrize("how", [{}, {"etag": True}, {"modified": True}, {"etag": True, "modified": True}])
def test_rows_of_unchanged_pages_are_left_out(folder, serving, how):
    pages = Pages("abc", **how)
    server = serving(pages)
    folder.pipeline({"read": ("web_page_source", shop(server, "abc"), NO_RETRY), "save": SINK}, ["read -> save"])
    assert folder.run().code == 0
    assert loaded(folder) == ["a 1", "b 1", "c 1"]
    pages.cards["b"] = 2
    pages.statuses.clear()
    answer = folder.run()
    assert (answer.code, answer.count("read", "rows_out")) == (0, 1)
    assert loaded(folder) == ["a 1", "b 1", "c 1", "b 2"]
    assert pages.statuses == ([304, 200, 304] if how else [200, 200, 200])
    assert folder.run().count("read", "rows_out") == 0


def test_without_the_setting_all_pages_are_read_and_nothing_is_kept(folder, serving):
    server = serving(Pages("ab", etag=True))
    config = shop(server, "ab", only_changed=False)
    folder.pipeline({"read": ("web_page_source", config, NO_RETRY), "save": SINK}, ["read -> save"])
    for _ in range(2):
        assert folder.run().count("read", "rows_out") == 2
    assert not (folder.workspace / "pages.db").exists()


def test_a_run_that_failed_has_seen_nothing(folder, serving):
    server = serving(Pages("ab", etag=True))
    nodes = {"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}
    wires = ["read -> stop", "stop -> save"]
    folder.pipeline({**nodes, "stop": ("filter", {"where": "error('no')"}, {"on_error": "stop"})}, wires)
    assert folder.run().code != 0
    folder.pipeline({**nodes, "stop": ("filter", {"where": "true"})}, wires)
    assert folder.run().count("read", "rows_out") == 2
    assert folder.run().count("read", "rows_out") == 0


def test_links_of_unchanged_pages_are_followed(folder, serving):
    pages = Pages("abc", etag=True)
    pages.next = {"a": "/b", "b": "/c"}
    config = shop(serving(pages), "a", next="a.next")
    folder.pipeline({"read": ("web_page_source", config, NO_RETRY), "save": SINK}, ["read -> save"])
    assert folder.run().code == 0
    pages.cards["c"] = 2
    assert folder.run().code == 0
    assert loaded(folder) == ["a 1", "b 1", "c 1", "c 2"]


def test_with_other_settings_all_pages_are_read_anew(folder, serving):
    server = serving(Pages("ab", etag=True))
    for headers in ({}, {"Accept-Language": "de"}):
        config = shop(server, "ab", headers=headers)
        folder.pipeline({"read": ("web_page_source", config, NO_RETRY), "save": SINK}, ["read -> save"])
        assert folder.run().count("read", "rows_out") == 2


def test_previews_and_dry_runs_show_all_rows_and_keep_nothing(folder, serving):
    server = serving(Pages("ab", etag=True))
    folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}, ["read -> save"])
    assert folder.call("run", folder.file, "--dry-run").code == 0
    assert folder.run().count("read", "rows_out") == 2
    assert "a 1" in folder.call("preview", folder.file, "read").out


def test_a_page_that_could_not_be_read_is_asked_for_again(folder):
    pages = Pages("ab", etag=True)
    answers = {"/a": pages.answer("a"), "/b": lambda request: (503, {}, b"")}
    with ScriptedServer(answers) as server:
        folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}, ["read -> save"])
        assert folder.run().code == 3
        answers["/b"] = pages.answer("b")
        assert folder.run().code == 0
    assert loaded(folder) == ["a 1", "b 1"]


def test_another_pipeline_has_seen_nothing_of_it(folder, serving):
    server = serving(Pages("ab", etag=True))
    folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}, ["read -> save"])
    folder.run()
    other = folder.path / "other.yaml"
    other.write_text(folder.file.read_text())
    assert folder.call("run", other, "--workspace", folder.workspace).code == 0
    assert loaded(folder) == ["a 1", "b 1", "a 1", "b 1"]


def test_with_another_target_all_pages_are_read_anew(folder, serving):
    server = serving(Pages("ab", etag=True))
    for table in ("cards", "copies"):
        sink = ("sqlite_sink", {"table": table, "write_disposition": "append"})
        folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": sink}, ["read -> save"])
        assert folder.run().code == 0
    assert folder.ask("SELECT text FROM copies ORDER BY rowid") == [("a 1",), ("b 1",)]


@pytest.mark.parametrize(
    "sink",
    [("sqlite_sink", {"table": "cards", "write_disposition": "${how}"}), ("csv_sink", {"path": "cards.csv"})],
)
def test_a_target_that_is_emptied_first_is_refused(folder, serving, sink):
    pages = Pages("ab", etag=True)
    config = shop(serving(pages), "ab")
    nodes = {"read": ("web_page_source", config, NO_RETRY), "all": ("filter", {"where": "true"}), "save": sink}
    how = {"how": {"type": "choice", "choices": ["append", "replace"], "default": "replace"}}
    parameters = how if sink[0] == "sqlite_sink" else {}
    folder.pipeline(nodes, ["read -> all", "all -> save"], parameters=parameters)
    answer = folder.call("run", folder.file)
    assert answer.code == 2
    assert "save empties its target first, and read (Web page) gives only what is new" in answer.err
    assert pages.statuses == []
    if parameters:
        assert folder.call("run", folder.file, "-p", "how=append").code == 0
    nodes["read"] = ("web_page_source", config | {"only_changed": False}, NO_RETRY)
    folder.pipeline(nodes, ["read -> all", "all -> save"], parameters=parameters)
    assert folder.call("run", folder.file).code == 0


def test_a_sum_of_changed_pages_only_is_warned_of(folder, serving):
    config = shop(serving(Pages("ab")), "ab")
    add = ("aggregate", {"by": ["text"], "measures": {"number": "count(*)"}})
    folder.pipeline(
        {"read": ("web_page_source", config, NO_RETRY), "add": add, "save": SINK}, ["read -> add", "add -> save"]
    )
    answer = folder.call("validate", folder.file)
    assert answer.code == 0
    assert "add needs all rows, and read (Web page) gives only what is new" in answer.out + answer.err


def test_a_run_that_was_killed_has_seen_nothing(folder, serving, start):
    pages = Pages("ab", etag=True)
    asked, go_on = threading.Event(), threading.Event()
    slow = pages.answer("b")

    def answer(request):
        asked.set()
        go_on.wait(20)
        return slow(request)

    with ScriptedServer({"/a": pages.answer("a"), "/b": answer}) as server:
        folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}, ["read -> save"])
        process = start("run", folder.file)
        assert asked.wait(60)
        process.kill()
        process.wait()
        go_on.set()
        assert folder.run().count("read", "rows_out") == 2
        assert folder.run().count("read", "rows_out") == 0
    assert loaded(folder) == ["a 1", "b 1"]


def test_an_answer_that_tells_of_no_change_without_being_asked_is_an_error(folder):
    with ScriptedServer({"/a": lambda request: (304, {}, b"")}) as server:
        for headers in ({}, {"If-None-Match": '"mine"'}):
            config = shop(server, "a", headers=headers)
            folder.pipeline({"read": ("web_page_source", config, NO_RETRY), "save": SINK}, ["read -> save"])
            answer = folder.run()
            assert answer.code != 0
            assert "no run has loaded it yet" in answer.report["error"]


class Feed:
    """A feed that answers 304 to who has its last entry."""

    def __init__(self):
        self.entries = 1
        self.statuses = []

    def __call__(self, request):
        etag = f'"{self.entries}"'
        same = request.headers.get("If-None-Match") == etag
        self.statuses.append(304 if same else 200)
        items = "".join(f"<item><guid>{n}</guid><title>News {n}</title></item>" for n in range(self.entries))
        body = f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>"
        return (304, {"ETag": etag}, b"") if same else (200, {"ETag": etag}, body.encode())


def test_feeds_that_have_not_changed_are_left_out(folder):
    feed = Feed()
    with ScriptedServer({"/feed": feed}) as server:
        source = ("rss_source", {"urls": [server.url + "/feed"], "only_changed": True}, NO_RETRY)
        merge = ("sqlite_sink", {"table": "news", "write_disposition": "merge", "key": ["id"]})
        folder.pipeline({"read": source, "save": merge}, ["read -> save"])
        assert [folder.run().count("read", "rows_out") for _ in range(2)] == [1, 0]
        feed.entries = 2
        assert folder.run().count("read", "rows_out") == 2
    assert feed.statuses == [200, 304, 200]
    assert folder.ask("SELECT title FROM news ORDER BY id") == [("News 0",), ("News 1",)]


def test_an_answer_of_an_api_that_has_not_changed_is_left_out(folder):
    items = [{"id": 1}, {"id": 2}]
    with ScriptedServer({"/items": lambda request: (200, {}, json.dumps(items).encode())}) as server:
        source = ("rest_source", {"url": server.url + "/items", "only_changed": True}, NO_RETRY)
        merge = ("sqlite_sink", {"table": "items", "write_disposition": "merge", "key": ["id"]})
        folder.pipeline({"read": source, "save": merge}, ["read -> save"])
        assert [folder.run().count("read", "rows_out") for _ in range(2)] == [2, 0]
        items.append({"id": 3})
        assert folder.run().count("read", "rows_out") == 3
    assert folder.ask("SELECT id FROM items ORDER BY id") == [(1,), (2,), (3,)]


def test_pages_that_are_forgotten_come_again(folder, serving):
    server = serving(Pages("ab", etag=True))
    folder.pipeline({"read": ("web_page_source", shop(server, "ab"), NO_RETRY), "save": SINK}, ["read -> save"])
    folder.run()
    assert "2 pages known" in folder.call("state", "show", folder.file).out
    assert "read" in folder.call("state", "reset", folder.file, "read").err
    assert "Every node begins at its beginning" in folder.call("state", "show", folder.file).out
    assert folder.run().count("read", "rows_out") == 2


def test_what_reads_on_from_a_value_refuses_a_target_that_is_emptied_first(folder):
    source = {"url": "http://127.0.0.1:1/items", "incremental": {"path": "id"}}
    replace = ("sqlite_sink", {"table": "items", "write_disposition": "replace"})
    folder.pipeline({"read": ("rest_source", source, NO_RETRY), "save": replace}, ["read -> save"])
    assert "read (REST API) gives only what is new" in folder.call("run", folder.file).err
