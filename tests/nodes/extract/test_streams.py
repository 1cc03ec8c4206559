"""Streams of an API: JSON lines and server-sent events over real connections that break, hang and lie."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.engine.context import NodeContext, Places
from etl_studio.engine.http import HttpService
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, PermanentError, TransientError
from etl_studio.nodes.extract import _rest_streaming
from etl_studio.nodes.extract._rest_stream import EventParser, events_of
from etl_studio.nodes.extract.rest_source import RestSource
from etl_studio.sdk import Policy, Retry


class StreamSite:
    """Gives prepared streams, one for each connection; the last one again and again.

    Attributes:
        streams: each a list of texts that are sent one after the other; ``BREAK`` resets the connection and ``WAIT``
            keeps it open until the site ends; an int is the status of an answer without a body.
        kind: content type.
        seen: headers of each request.
    """

    BREAK = object()
    WAIT = object()

    def __init__(self):
        self.streams = []
        self.kind = "application/x-ndjson"
        self.seen = []
        self.ending = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                site.seen.append({name.lower(): value for name, value in self.headers.items()})
                parts = site.streams.pop(0) if len(site.streams) > 1 else site.streams[0]
                if isinstance(parts, int):
                    self.send_response(parts)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", site.kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in parts:
                    if part is site.WAIT:
                        site.ending.wait(20)
                        return
                    if part is site.BREAK:
                        time.sleep(0.05)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.close_connection = True
                        self.connection.close()
                        return
                    content = part.encode()
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # clients hang up

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site():
    with StreamSite() as running:
        yield running


@pytest.fixture
def logged():
    return []


@pytest.fixture
def running(logged, monkeypatch):
    """A context as a run makes it: real policies over real HTTP."""
    monkeypatch.setattr(_rest_streaming, "DELAY", 0.01)
    stopping, service = threading.Event(), HttpService()
    policy = Policy(retry=Retry(attempts=2, delay=0, jitter=False))
    caller = PolicyCaller("run", "api", policy, SharedPolicies(), Meter(), logged.append, stopping)
    places = Places(Path(), Path(), Path())
    yield NodeContext("run", "api", policy, caller, places, None, lambda: service, stopping, logged.append)
    service.close()


def source_of(site, form="ndjson", **stream):
    settings = {"stream": stream} if stream else {}
    return RestSource(RestSource.Config(url=site.url, format=form, **settings))


def lines(*numbers):
    return "".join(json.dumps({"id": number}) + "\n" for number in numbers)


def event(number, name=None, id=None):  # noqa: A002 - its name
    parts = [f"event: {name}\n"] if name else []
    parts += [f"id: {id}\n"] if id else []
    return "".join(parts) + f"data: {json.dumps({'id': number})}\n\n"


def ids(emissions):
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    return [row["id"] for batch in batches for row in batch.to_pylist() if "id" in row]


def rejects(emissions):
    return [problem for each in emissions if isinstance(each, sdk.Rejected) for problem in each.problems]


def messages(logged, level):
    return [each.message for each in logged if getattr(each, "level", None) == level]


def test_json_lines_become_rows_wherever_their_pieces_are_cut(running, site):
    text = lines(*range(500))
    site.streams = [[text[start : start + 7] for start in range(0, len(text), 7)]]
    assert ids(source_of(site).read(running)) == list(range(500))


def test_a_line_without_an_end_is_the_last_and_empty_ones_are_none(running, site):
    site.streams = [['{"id": 1}\n\n\r\n{"id": 2}']]
    assert ids(source_of(site).read(running)) == [1, 2]


def test_a_line_that_is_no_json_is_rejected_with_its_number(running, site):
    site.streams = [['{"id": 1}\n{"id": \n7\n{"id": 4}\n']]
    found = list(source_of(site).read(running))
    assert ids(found) == [1, 4]
    assert [(problem.type, problem.line, problem.value) for problem in rejects(found)] == [
        ("json", 2, '{"id": '),
        ("not_an_object", 3, "7"),
    ]


def test_rows_are_given_while_the_stream_is_open(running, site, monkeypatch):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_SECONDS", 0.1)
    site.streams = [[lines(1, 2), site.WAIT]]
    rows = source_of(site).read(running)
    assert next(rows)["id"].to_pylist() == [1, 2]
    rows.close()


def test_a_stream_that_breaks_is_read_on_without_a_line_twice(running, site, logged):
    site.streams = [
        [lines(*range(10)), site.BREAK],
        [lines(*range(15)), site.BREAK],
        [lines(*range(20))],
    ]
    assert ids(source_of(site).read(running)) == list(range(20))
    assert len(site.seen) == 3
    assert len(messages(logged, "warning")) == 2


def test_a_line_that_was_cut_by_the_break_comes_whole(running, site):
    site.streams = [[lines(1), '{"id"', site.BREAK], [lines(1, 2)]]
    assert ids(source_of(site).read(running)) == [1, 2]


def test_a_stream_that_is_another_after_the_break_is_an_error(running, site):
    site.streams = [[lines(1, 2, 3), site.BREAK], [lines(1, 9, 3, 4)]]
    with pytest.raises(PermanentError, match="are others now"):
        list(source_of(site).read(running))


def test_a_stream_that_always_breaks_ends_the_run(running, site):
    site.streams = [[lines(1), site.BREAK]]
    with pytest.raises(TransientError):
        list(source_of(site).read(running))
    assert len(site.seen) == 1 + _rest_streaming.ATTEMPTS


@pytest.mark.parametrize("form", ["ndjson", "sse"])
def test_a_number_of_items_is_kept_exactly(running, site, form):
    site.streams = [["".join(map(event, range(50))) if form == "sse" else lines(*range(50)), site.WAIT]]
    assert ids(source_of(site, form, max_items=12).read(running)) == list(range(12))


def test_a_time_is_kept(running, site, logged):
    site.streams = [[lines(1, 2), site.WAIT]]
    begun = time.monotonic()
    assert ids(source_of(site, max_seconds=0.5).read(running)) == [1, 2]
    assert 0.5 <= time.monotonic() - begun < 10
    assert "0.5 seconds have passed" in messages(logged, "info")[-1]


def test_stopping_ends_a_quiet_stream(running, site):
    site.streams = [[lines(1), site.WAIT]]
    threading.Timer(0.3, running.stopping.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        list(source_of(site).read(running))
    assert time.monotonic() - begun < 10


def test_a_preview_takes_what_it_wants(running, site):
    site.streams = [[lines(*range(50)), site.WAIT]]
    source = source_of(site)
    source.wanted = 5
    assert ids(source.read(running)) == list(range(5))


def test_a_web_page_in_place_of_a_stream_is_named(running, site):
    site.kind, site.streams = "text/html; charset=utf-8", [["<h1>Sign in</h1>"]]
    with pytest.raises(PermanentError, match="did not answer with a stream but with text/html"):
        list(source_of(site).read(running))


def test_events_become_rows(running, site):
    site.kind = "text/event-stream"
    site.streams = [[": hello\n\n", event(1, "added", "a"), event(2), 'data: {"id":\ndata: 3}\n\n', "data: [DONE]\n\n"]]
    source = RestSource(RestSource.Config(url=site.url, format="sse", provenance=True))
    (batch,) = source.read(running)
    assert [(row["id"], row["_event"], row["_event_id"]) for row in batch.to_pylist()] == [
        (1, "added", "a"),
        (2, "message", "a"),
        (3, "message", "a"),
    ]
    assert site.seen[0]["accept"] == "text/event-stream"


def test_only_wanted_events_are_read(running, site):
    site.streams = [[event(1, "added"), event(2, "ping"), event(3, "gone"), event(4)]]
    assert ids(source_of(site, "sse", events=["added", "gone"]).read(running)) == [1, 3]


def test_events_go_on_behind_the_last_one_that_came(running, site):
    site.streams = [[event(1, id="a"), event(2, id="b"), site.BREAK], [event(3, id="c"), "data: [DONE]\n\n"]]
    assert ids(source_of(site, "sse").read(running)) == [1, 2, 3]
    assert [headers.get("last-event-id") for headers in site.seen] == [None, "b"]


def test_an_endless_stream_that_the_server_closes_is_opened_again(running, site):
    site.streams = [["retry: 20\n\n", event(1, id="a")], [event(2, id="b")], [event(3, id="c"), site.WAIT]]
    assert ids(source_of(site, "sse", max_items=3).read(running)) == [1, 2, 3]
    assert [headers.get("last-event-id") for headers in site.seen] == [None, "a", "b"]


def test_a_server_says_that_nothing_follows_by_no_content(running, site):
    site.streams = [[event(1)], 204]
    assert ids(source_of(site, "sse", max_items=9).read(running)) == [1]


def test_a_quiet_connection_is_made_anew(running, site):
    site.streams = [[event(1, id="a"), site.WAIT], [event(2, id="b"), "data: [DONE]\n\n"]]
    assert ids(source_of(site, "sse", quiet=0.3).read(running)) == [1, 2]
    assert site.seen[1]["last-event-id"] == "a"


def test_items_of_a_value_are_found_by_their_path(running, site):
    site.streams = [['{"batch": {"items": [{"id": 1}, {"id": 2}]}}\n{"batch": {"items": [{"id": 3}]}}\n{"other": 1}\n']]
    source = RestSource(RestSource.Config(url=site.url, format="ndjson", items="batch.items"))
    found = list(source.read(running))
    assert ids(found) == [1, 2, 3]
    assert [problem.line for problem in rejects(found)] == [3]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("application/x-ndjson", '{"id": 1}\n{"id": 2}\n'),
        ("text/event-stream; charset=utf-8", 'data: {"id": 1}\n\ndata: {"id": 2}\n\n'),
        ("text/event-stream", '\n[{"id": 1}, {"id": 2}]'),  # what holds no event loses no item for its header
    ],
)
def test_a_short_stream_needs_no_setting(running, site, kind, text):
    site.kind, site.streams = kind, [[text]]
    assert ids(source_of(site, "auto").read(running)) == [1, 2]


def test_a_stream_has_no_pages():
    with pytest.raises(ValidationError, match="a stream has no pages"):
        RestSource.Config(url="http://a.example/", format="sse", pagination={"kind": "page"})


@pytest.mark.parametrize("settings", [{"incremental": {"path": "at"}}, {"children": {"url": "/items/{id}"}}])
def test_a_stream_takes_no_settings_of_pages(settings):
    with pytest.raises(ValidationError, match="a stream takes no incremental"):
        RestSource.Config(url="http://a.example/", format="ndjson", **settings)


TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT, st.lists(TEXT, min_size=1, max_size=3))), st.booleans())
def test_any_events_are_read_as_they_were_written(events, comments):
    written = []
    for name, identity, data in events:
        written += [": a comment"] * comments
        written += [f"event: {name}", f"id: {identity}", *(f"data: {line}" for line in data), ""]
    found = list(events_of(written))
    assert [(one.event, one.id, one.text) for one in found] == [
        (name, identity, "\n".join(data)) for name, identity, data in events
    ]


def test_what_the_standard_says_about_events():
    parser = EventParser()
    for line in ["id: 1\0", "id", "retry: 1500", "retry: x", "data", "data:", "data:  two", "unknown: x"]:
        assert parser.take(line) is None
    found = parser.take("")
    assert (found.text, found.event, parser.last_id, parser.retry) == ("\n\n two", "message", "", 1.5)
    assert parser.take("event: nothing") is None
    assert parser.take("") is None, "without data it is no event"


def test_an_event_without_an_end_is_not_kept_for_ever():
    parser = EventParser()
    for _ in range(40):
        parser.take("data: " + "x" * 2**19)
    found = parser.take("")
    assert found.problem == "The event has 20,971,520 characters."
