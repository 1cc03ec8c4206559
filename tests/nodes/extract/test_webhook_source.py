"""Rows that others send, to a real listener on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract import _webhook_reading, _webhook_server
from etl_studio.nodes.extract.webhook_source import WebhookSource
from etl_studio.storage.databases import Databases

QUICK = {"port": 0, "idle": 20}


def until(condition):
    """Wait for what another thread does."""
    last = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.01)


class Listening:
    """A source that reads on a thread, as a worker does."""

    def __init__(self, context, **config):
        self.context, self.emissions, self.error = context, [], None
        self._source = WebhookSource(WebhookSource.Config(**{**QUICK, **config}))
        self._go = threading.Event()
        self._go.set()
        self._thread = threading.Thread(target=self._read)
        self._logged = len(context.logged)

    def _read(self):
        try:
            for emission in self._source.read(self.context):
                self.emissions.append(emission)
                self._go.wait(30)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def __enter__(self):
        self._thread.start()
        until(lambda: self._told() or not self._thread.is_alive())
        found = self._told()
        self.url = found.rstrip(".") if found else None
        return self

    def __exit__(self, *_):
        self._go.set()
        self.context.stopping.set()
        self.ended()

    def _told(self):
        texts = [message for _, message, _ in self.context.logged[self._logged :]]
        return next((found[1] for text in texts if (found := re.search(r"Listening on (\S+)", text))), None)

    def block(self):
        """The wires behind it are full."""
        self._go.clear()

    def ended(self):
        self._thread.join(10)
        assert not self._thread.is_alive()

    def send(self, body=None, *, method="POST", path=None, headers=(), content=None):
        """Status and answer of one delivery."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        content = json.dumps(body).encode() if content is None else content
        try:
            connection.request(
                method, path or parts.path, content, {"Content-Type": "application/json", **dict(headers)}
            )
            answer = connection.getresponse()
            text = answer.read()
            self.headers = dict(answer.getheaders())
            return answer.status, json.loads(text) if text.startswith(b"{") else text
        finally:
            connection.close()

    def socket(self):
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname, parts.port), 10)

    @property
    def rows(self):
        return [row for part in self.emissions if isinstance(part, pa.RecordBatch) for row in part.to_pylist()]

    @property
    def refused(self):
        return [one for part in self.emissions if isinstance(part, sdk.Rejected) for one in part.problems]

    @property
    def cursors(self):
        return [part.value for part in self.emissions if isinstance(part, sdk.Cursor)]


@pytest.fixture(autouse=True)
def _settles_soon(monkeypatch):
    monkeypatch.setattr(_webhook_reading, "SETTLE_SECONDS", 0.3)


@pytest.fixture
def mailbox(tmp_path):
    with Databases(0.1) as databases:
        yield databases.mailbox(tmp_path / "mailboxes", "hook", keeps=True)


@pytest.fixture
def context(context, mailbox):
    context.mail = mailbox
    return context


@pytest.fixture
def restarted(context, mailbox, tmp_path, node_context):
    """A context for another run over the same mailbox."""

    def make(run, *, resume=None, loaded=None):
        other = node_context(tmp_path)
        other.run, other.resume, other.mail = run, resume, mailbox
        other.loaded = loaded or {}
        return other

    return make


def test_deliveries_become_rows_in_the_order_in_which_they_were_taken(context):
    with Listening(context, rows=4) as hook:
        assert hook.send({"id": 1, "who": {"name": "a"}}) == (202, {"received": 1})
        assert hook.send([{"id": 2, "who": {"name": "b"}}, {"id": 3, "who": None}])[0] == 202
        assert hook.send({"id": 4})[0] == 202
        hook.ended()
    assert [(row["id"], row["who_name"]) for row in hook.rows] == [(1, "a"), (2, "b"), (3, None), (4, None)]
    assert hook.cursors[-1]["number"] == 3
    assert hook.error is None


def test_lines_of_json_and_forms_are_taken(context):
    with Listening(context, rows=3, columns={"a": "integer"}, provenance=True, id_header="X-Id") as hook:
        lines = b'{"a": 1}\n{"a": 2}\n'
        assert hook.send(content=lines, headers={"Content-Type": "application/x-ndjson"})[1] == {"received": 2}
        form = {"Content-Type": "application/x-www-form-urlencoded", "X-Id": "f-1"}
        assert hook.send(content=b"a=3", headers=form)[0] == 202
        hook.ended()
    assert [(row["a"], row["_delivery"]) for row in hook.rows] == [(1, "1"), (2, "1"), (3, "f-1")]
    assert all(row["_received_at"] is not None for row in hook.rows)


def test_items_stand_where_the_settings_say_and_the_rest_is_rejected(context):
    with Listening(context, items="data.items", rows=2) as hook:
        hook.send({"data": {"items": [{"id": 1}, 7]}})
        hook.send({"other": 1})
        hook.send({"data": {"items": {"id": 2}}})
        hook.ended()
    assert hook.rows == [{"id": 1}, {"id": 2}]
    assert [problem.value for problem in hook.refused] == ["7", '{"other": 1}']


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"path": "/other"}, 404),
        ({"method": "PUT"}, 405),
        ({"method": "GET"}, 405),
        ({"headers": {"Content-Type": "text/plain"}}, 415),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"headers": {"Origin": "https://evil.example"}}, 403),
        ({"content": b"{"}, 400),
        ({"content": b"\xff"}, 400),
        ({"content": b" " * 2_000}, 413),
    ],
)
def test_what_cannot_be_taken_is_refused_as_http_says_and_the_next_is_taken(context, options, status):
    with Listening(context, path="/orders", max_bytes=1_000, rows=1) as hook:
        assert hook.send({"id": 0}, **options)[0] == status
        if status == 405:
            assert hook.headers["Allow"] == "POST"
        assert hook.send({"id": 1})[0] == 202
        hook.ended()
    assert hook.rows == [{"id": 1}]
    assert [level for level, _, _ in context.logged] == ["info", "warning"]


def test_a_body_that_does_not_say_its_size_ends_at_the_cap(context):
    with Listening(context, max_bytes=1_000) as hook:
        with hook.socket() as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for _ in range(3):
                connection.sendall(b"200\r\n" + b" " * 0x200 + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
        assert hook.send({"id": 1})[0] == 202


def test_only_what_is_signed_is_taken(context):
    with Listening(context, check={"kind": "hmac", "secret": "key"}, rows=1) as hook:
        body = b'{"id": 1}'
        right = {"X-Hub-Signature-256": "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()}
        assert hook.send(content=body)[0] == 401
        assert hook.send(content=b'{"id": 2}', headers=right)[0] == 401
        # A page of a browser cannot sign, so whoever can may say where it comes from.
        assert hook.send(content=body, headers={**right, "Origin": "https://any.example"})[0] == 202
        hook.ended()
    assert hook.rows == [{"id": 1}]


def test_a_delivery_that_comes_again_is_taken_once(context, restarted):
    with Listening(context, id_header="X-Id", rows=2) as hook:
        assert hook.send({"n": 1}, headers={"X-Id": "a"})[1] == {"received": 1}
        assert hook.send({"n": 1}, headers={"X-Id": "a"})[1] == {"received": 0, "known": True}
        assert hook.send({"n": 2}, headers={"X-Id": "b"})[1] == {"received": 1}
        hook.ended()
    assert [row["n"] for row in hook.rows] == [1, 2]
    later = restarted("later", loaded={"test-run": hook.cursors[-1]})
    with Listening(later, id_header="X-Id", rows=1) as again:
        assert again.send({"n": 2}, headers={"X-Id": "b"})[1] == {"received": 0, "known": True}
        assert again.send({"n": 3}, headers={"X-Id": "c"})[0] == 202
        again.ended()
    assert [row["n"] for row in again.rows] == [3]


def test_deliveries_are_taken_while_the_rows_behind_cannot_go_on_until_too_much_waits(context):
    with Listening(context, max_waiting=3_000, columns={"text": "text"}) as hook:
        hook.block()
        statuses = [hook.send({"text": "x" * 1_000})[0] for _ in range(5)]
        assert statuses == [202, 202, 202, 503, 503]
        assert hook.headers["Retry-After"] == "5"


def test_many_at_once_are_all_taken_once(context):
    with Listening(context, rows=300) as hook:
        with ThreadPoolExecutor(24) as senders:
            assert set(senders.map(lambda n: hook.send({"n": n})[0], range(300))) == {202}
        hook.ended()
    assert sorted(row["n"] for row in hook.rows) == list(range(300))


def test_slow_and_hostile_clients_hold_up_nobody(context, monkeypatch):
    monkeypatch.setattr(_webhook_server, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(_webhook_server, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(_webhook_server, "MOST_CONNECTIONS", 20)
    with Listening(context, rows=2) as hook:
        slow = [hook.socket() for _ in range(30)]
        for connection in slow[:25]:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le")
        body = hook.socket()
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{")
        garbage = hook.socket()
        garbage.sendall(b"\x16\x03\x01 no http at all \xff\r\n\r\n")
        assert garbage.recv(100).startswith(b"HTTP/1.")
        began = time.monotonic()
        assert hook.send({"n": 1})[0] == 202
        assert time.monotonic() - began < 2
        assert body.recv(100).startswith(b"HTTP/1.1 408")
        for connection in slow:  # all of them are ended
            connection.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
        assert hook.send({"n": 2})[0] == 202
        for connection in (*slow, body, garbage):
            connection.close()
        hook.ended()
    assert [row["n"] for row in hook.rows] == [1, 2]


def test_the_run_ends_when_nothing_comes_for_long(context):
    with Listening(context, idle=0.3) as hook:
        hook.send({"n": 1})
        hook.ended()
        assert not context.stopping.is_set()
    assert [row["n"] for row in hook.rows] == [1]


def test_a_stop_ends_it_soon_and_leaves_no_thread(context):
    before = threading.active_count()
    with Listening(context, idle=None) as hook:
        assert hook.send({"n": 1})[0] == 202
        began = time.monotonic()
        context.stopping.set()
        hook.ended()
        assert time.monotonic() - began < 2
    assert hook.rows == [{"n": 1}]  # acknowledged, so given out
    assert threading.active_count() == before


def test_whoever_closes_it_leaves_no_thread(context):
    before = threading.active_count()
    source = WebhookSource(WebhookSource.Config(port=0))
    reading = source.read(context)
    with ThreadPoolExecutor(1) as workers:
        first = workers.submit(next, reading)
        until(lambda: context.logged)
        url = urlsplit(re.search(r"http\S+(?<!\.)", context.logged[0][1])[0])
        connection = http.client.HTTPConnection(url.hostname, url.port)
        connection.request("POST", "/", b'{"n": 1}', {"Content-Type": "application/json"})
        assert connection.getresponse().status == 202
        connection.close()
        assert first.result(10).num_rows == 1
        workers.submit(reading.close).result(10)
    assert threading.active_count() == before


def test_a_resumed_run_gives_the_same_rows_in_the_same_order(context, restarted):
    with Listening(context, items="items", rows=8) as hook:
        for n in range(4):
            hook.send({"items": [{"n": n}, n]})
        until(lambda: hook.cursors)
        for n in range(4, 8):
            hook.send({"items": [{"n": n}, n]})
        hook.ended()
    assert len(hook.cursors) > 1
    # Broken off behind the first group: the others come again as they were.
    with Listening(restarted("test-run", resume=hook.cursors[0]), items="items", rows=8) as again:
        again.ended()
    first = next(n for n, one in enumerate(hook.emissions) if isinstance(one, sdk.Cursor))
    assert [_plain(one) for one in again.emissions] == [_plain(one) for one in hook.emissions[first + 1 :]]


def test_another_run_goes_on_behind_what_was_loaded(context, restarted):
    with Listening(context, rows=2) as hook:
        hook.send({"n": 1})
        hook.send({"n": 2})
        hook.ended()
    with Listening(restarted("second"), rows=3) as second:  # nothing was loaded
        second.send({"n": 3})
        second.ended()
    assert [row["n"] for row in second.rows] == [1, 2, 3]
    with Listening(restarted("third", loaded={"second": second.cursors[-1]}), rows=1) as third:
        third.send({"n": 4})
        third.ended()
    assert [row["n"] for row in third.rows] == [4]


def test_what_is_loaded_goes_from_the_disk(context, mailbox, monkeypatch):
    monkeypatch.setattr(_webhook_reading, "FORGET_SECONDS", 0.0)
    with Listening(context) as hook:
        hook.send({"n": 1})
        until(lambda: hook.cursors)
        assert mailbox.size() > 0
        context.loaded[None] = hook.cursors[-1]
        until(lambda: mailbox.size() == 0)


def test_a_preview_shows_what_waits_and_does_not_listen(context, mailbox, restarted):
    with Listening(context, rows=2) as hook:
        hook.send({"n": 1})
        hook.send({"n": 2})
        hook.ended()
    looking = restarted("look")
    source = WebhookSource(WebhookSource.Config(port=0))
    source.wanted = 200
    assert [row for part in source.read(looking) for row in part.to_pylist()] == [{"n": 1}, {"n": 2}]
    assert looking.logged == []
    mailbox.keeps = False
    source.wanted = None
    assert sum(part.num_rows for part in source.read(looking)) == 2
    assert looking.logged == []


def test_a_port_that_is_taken_is_told_of(context):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        source = WebhookSource(WebhookSource.Config(port=other.getsockname()[1]))
        with pytest.raises(PermanentError, match=r"Nobody can listen on 127.0.0.1, port"):
            list(source.read(context))


def test_a_disk_that_takes_nothing_is_no_acknowledgement(context, mailbox, monkeypatch):
    with Listening(context) as hook:

        def full(deliveries):
            raise PermanentError("The disk is full.")

        monkeypatch.setattr(mailbox, "put", full)
        assert hook.send({"n": 1})[0] == 503
        monkeypatch.undo()
        assert hook.send({"n": 2})[0] == 202
    assert [row["n"] for row in hook.rows] == [2]


def test_other_computers_reach_it_only_where_that_is_wanted(context):
    with pytest.raises(ValidationError, match="turn open_to_network on"):
        WebhookSource.Config(host="0.0.0.0")
    with Listening(context, host="0.0.0.0", open_to_network=True):
        pass
    [(level, text, _)] = [one for one in context.logged if one[0] == "warning"]
    assert (level, "since no check is set" in text) == ("warning", True)


def _plain(emission):
    if isinstance(emission, sdk.Rejected):
        return emission.rows.to_pylist()
    return emission.value if isinstance(emission, sdk.Cursor) else emission.to_pylist()
