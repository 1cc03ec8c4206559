"""Answers of sites that are no HTTP, or no longer: status lines, headers, lengths, chunks, codings, charsets, bodies.

Each is sent as it is by a server on loopback, and read over the real seam: by the client alone, by REST API (JSON, JSON
lines, events) and by RSS feed. What was sent whole must come whole, what was cut must never pass for whole, and the
records in a body that came are the rows and the rejects.
"""

from __future__ import annotations

import gzip
import io
import json
import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

import brotli

from etl_studio.engine.http import HttpService
from etl_studio.engine.http_client import Exchange, NodeWeb, PolicyClient
from etl_studio.engine.http_session import HttpSession
from etl_studio.engine.http_trust import Trust
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import EtlError, PermanentError, TransientError
from etl_studio.nodes.extract import _rest_streaming
from etl_studio.nodes.extract.rest_source import RestSource
from etl_studio.nodes.extract.rss_source import RssSource
from etl_studio.sdk import HttpRequest, Policy
from tests.fuzz import corpus
from tests.fuzz.answer_server import AnswerServer
from tests.fuzz.decoders import RUN_ONE_IN, Decoder, Input, Read, _check_error
from tests.fuzz.mutations import spoiled
from tests.nodes.conftest import NodeContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 20
"""After so long a request fails by its timeout; none may need that, since the server closes each connection."""
MAX_BYTES = 2**20
SHORT = 3_000
"""Bytes of an answer that may be sent in small pieces."""
# A second attempt, since the server closes each connection, and the next request may just have gone out on it.
POLICY = Policy.model_validate(
    {"retry": {"attempts": 2, "delay": 0.001, "max_delay": 0.001}, "breaker": {"enabled": False}, "timeout": SECONDS}
)

_LIST = json.dumps([{"id": number, "name": f"n{number}", "tags": ["ä", None]} for number in range(7)]).encode()
_ROWS = b"".join(b'{"id": %d, "name": "r"}\n' % number for number in range(6))
_EVENTS = b": hello\nretry: 5\n\n" + b"".join(b'id: %d\nevent: row\ndata: {"id": %d}\n\n' % (n, n) for n in range(5))
_RSS = (
    b'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>News</title>'
    + b"".join(
        b"<item><guid>g%d</guid><title>T &amp; %d</title><link>http://a.example/%d</link>"
        b"<pubDate>Wed, 25 Nov 2026 10:00:00 GMT</pubDate></item>" % (n, n, n)
        for n in range(4)
    )
    + b"</channel></rss>"
)
_ATOM = (
    b'<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><id>urn:1</id><title type="html">x</title>'
    b'<updated>2026-11-25T10:00:00Z</updated><link href="http://a.example/1"/></entry></feed>'
)
_JSON_FEED = b'{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{"id": "1", "url": "u"}]}'
BODIES = {
    "json": [_LIST, b"[]", b'{"data": {"items": [1, {"a": 1}]}}', b'[{"id": 1}, 2, null, "x"]'],
    "ndjson": [_ROWS, b'{"id": 1}\r\n\r\n{"id": 2}'],
    "sse": [_EVENTS, b'data: {"id": 1}\ndata:\n\ndata: [DONE]\n\n'],
    "rss": [_RSS, _ATOM, _JSON_FEED],
}
TYPES = {
    "json": b"application/json", "ndjson": b"application/x-ndjson", "sse": b"text/event-stream",
    "rss": b"application/rss+xml; charset=utf-8",
}  # fmt: skip
TOKENS = [
    *corpus.JSON_TOKENS, b"data:", b"id:", b"event:", b"retry: 99999999999", b"\r", b"\n\n", b":", b"\0", b"\xff\xfe",
    b"<item>", b"</item>", b"<entry>", b"<![CDATA[", b"]]>", b"&nbsp;", b"&", b"<!DOCTYPE r [<!ENTITY a 'b'>]>", b"&a;",
    b"<guid>", b"</channel>", b"<pubDate>Never</pubDate>", b"\xe2\x80\xa8", b"9" * 400, b"[" * 3_000, b"1e999", b"NaN",
]  # fmt: skip
STATUS_LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 301 Moved", b"HTTP/1.1 503 Busy", b"HTTP/1.1 404 No", b"HTTP/2 200",
    b"HTTP/1.1 000 x", b"HTTP/1.1 99 x", b"HTTP/1.1 1000 x", b"HTTP/1.1 -200 x", b"HTTP/1.1 2OO OK",
    b"HTTP/1.1 200 " + b"x" * 70_000, b"http/1.1 200 OK", b"ICY 200 OK", b"",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 206 Partial",
    b"HTTP/1.1 200 \xff\xfe\0", b"\x16\x03\x01\x02\0\x01", b"HTTP/1.1 407 Proxy", b"HTTP/1.1 401 Who",
]  # fmt: skip
HEADERS = [
    b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: 0x10",
    b"Content-Length: 5, 5", b"Content-Length: +3", b"Content-Length:", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: \x0bchunked",
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: zstd", b"Content-Encoding: deflate",
    b"Content-Encoding: gzip, gzip, gzip", b"Content-Encoding: nope", b"Content-Encoding: identity",
    b"Content-Encoding: ,", b"Content-Type: text/html; charset=nope",
    b"Content-Type: application/json; charset=utf-16", b"Content-Type: text/event-stream; charset=\xff",
    b"Content-Type: ;;=", b"Content-Type: application/json; charset=hex",
    b"Content-Type: application/json; charset=undefined", b"Content-Type: application/json; charset=idna",
    b"Set-Cookie: a=b; Domain=.; Path=\xff; Expires=Never; Max-Age=x", b"Set-Cookie: =;;;", b"Location: /",
    b"Location: ", b"Location: http://[::1", b"Location: file:///etc/hostname", b"Location: //\xff",
    b"Location: http://a:99999/", b"Location: javascript:1", b"Retry-After: Never", b"Retry-After: 1e99",
    b"Retry-After: -5", b"X: \0", b": x", b"X", b"X y: 1", b" folded: 1", b"\tX: 1", b"Connection: close",
    b"Connection: upgrade", b"Link: <;>;rel=", b"WWW-Authenticate: Digest", b"X: " + b"y" * 70_000,
    b"Link: <http://[::1>; rel=next", b"ETag: \xff", b"Last-Modified: Never",
]  # fmt: skip


@dataclass
class Answer(Input):
    """What a server sends. ``body``: as it must come; None: nobody knows. ``cut``: it must not pass for whole."""

    body: bytes | None = None
    cut: bool = False
    piece: int = 0
    came: list[bytes] = field(default_factory=list)


class Answers(Decoder):
    """Any answer, read by the client alone."""

    bodies = tuple(BODIES)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = AnswerServer()
        self._service = HttpService()
        self._stopping = threading.Event()
        caller = PolicyCaller("run", "node", POLICY, SharedPolicies(), Meter(), lambda event: None, self._stopping)
        self._exchange = Exchange(caller, POLICY)
        session = self._service.session_for(Trust())
        self._client = PolicyClient(self._service, session, self._exchange, self._stopping)
        self._came: list[bytes] = []

    def close(self) -> None:
        self._service.close()
        self.server.close()
        super().close()

    def make(self, random) -> Answer:
        kind = random.choice(self.bodies)
        body = random.choice(BODIES[kind])
        if random.random() < 0.6:
            body = spoiled(random, body, TOKENS, BODIES[kind])[:MAX_BYTES]
        coding, framing = random.choice(CODINGS), random.choice(FRAMINGS)
        head = [b"HTTP/1.1 200 OK", b"Content-Type: " + TYPES[kind]]
        coded = CODINGS_OF[coding](body)
        headers, sent = framing(random, coded)
        head += headers + ([b"Content-Encoding: " + coding] if coding else [])
        answer = b"\r\n".join(head) + b"\r\n\r\n" + sent
        given = Answer(answer, name=kind, body=body, whole_run=random.randrange(RUN_ONE_IN) == 0)
        piece = random.choice([0, 0, 1, 7, 100])
        begins = len(answer) - len(sent)
        match random.randrange(4):
            case 0 if framing is not _until_closed and len(sent) > 1:
                given.content, given.cut = answer[: random.randint(begins, len(answer) - 1)], True
            case 1 | 2:
                given.content, given.body = _spoil(random, head, sent), None
        given.piece = piece if len(given.content) < SHORT else 0
        return given

    def check(self, given: Answer) -> Read:
        self._sent(given)
        found = Read()
        try:
            response = self._client.send(HttpRequest(self.server.url + "/x", max_bytes=8 * MAX_BYTES))
        except EtlError as error:
            self._failed(error, given)
            found.error = error
            return found
        self._whole(given, response.content)
        response.text.encode("utf-8", "surrogatepass")
        for value in (*response.headers, *response.headers.values()):
            value.encode("utf-8", "surrogatepass")
        try:
            found.rows = [{"json": type(response.json()).__name__}]
        except EtlError as error:
            _check_error(error, "127.0.0.1")
            found.refused = 1
        return found

    def _sent(self, given: Answer) -> None:
        self.server.answer(given.content, given.piece)
        self._came.clear()

    def _failed(self, error: EtlError, given: Answer) -> None:
        assert isinstance(error, TransientError | PermanentError), repr(error)
        _check_error(error, "127.0.0.1")
        assert "within" not in error.what, "it waited for its timeout"
        if given.body is not None and not given.cut:
            raise AssertionError(f"a whole answer was refused: {error}") from error

    def _whole(self, given: Answer, content: bytes) -> None:
        assert not given.cut, "what was cut passes for whole"
        if given.body is not None:
            assert content == given.body, f"{len(content)} of {len(given.body)} bytes"


class _Noting:
    """A client that notes the bodies which nodes get."""

    def __init__(self, client: PolicyClient, came: list[bytes]) -> None:
        self._client = client
        self._came = came

    def send(self, request: HttpRequest) -> Any:
        return self.read(request, lambda _: None)[0]

    def read(self, request: HttpRequest, parse: Callable[[Any], Any]) -> Any:
        answer = self._client.read(request, parse)
        self._came.append(answer[0].content)
        return answer


class RestAnswers(Answers):
    """Any answer, read by REST API as a whole or as a stream."""

    bodies = ("json", "json", "ndjson", "sse")

    def make(self, random) -> Answer:
        given = super().make(random)
        streams = given.name != "json" and random.random() < 0.5
        given.settings = {"url": self.server.url + "/x"}
        if streams:
            given.settings |= {"format": given.name, "stream": {"quiet": 10}}
        return given

    def check(self, given: Answer) -> Read:
        self._sent(given)
        context = NodeContext(self.folder, http=_Noting(self._client, self._came), web=lambda **_: self._web())
        kind, given.name = given.name, "127.0.0.1"
        streams = "format" in given.settings
        with mock.patch.multiple(_rest_streaming, ATTEMPTS=0, DELAY=0.0):
            found = self._read(RestSource, given, context)
        if found.error is not None:
            assert isinstance(found.error, TransientError | PermanentError), repr(found.error)
            assert "within" not in found.error.what, "it waited for its timeout"
        else:
            assert not given.cut or (streams and b"[DONE]" in (given.body or b"")), "what was cut passes for whole"
            self._count(found, given, kind, streams=streams)
        if given.whole_run and not streams:
            self._sent(given)
            self._check_run(RestSource, given, found)
        given.name = kind
        return found

    def _web(self) -> NodeWeb:
        return NodeWeb(HttpSession(cookies=False), self._exchange, self._stopping)

    def _count(self, found: Read, given: Answer, kind: str, *, streams: bool) -> None:
        body = given.body if streams else self._came[-1] if self._came else None
        if body is None:
            return
        number = _records(body, given.settings.get("format") or ("json" if kind == "json" else None))
        if number is not None:
            assert len(found.rows) + found.refused == number, f"{len(found.rows)} + {found.refused} of {number} records"


class FeedAnswers(Answers):
    """Any answer, read by RSS feed."""

    bodies = ("rss",)

    def make(self, random) -> Answer:
        given = super().make(random)
        given.settings = {"urls": [self.server.url + "/x"]}
        return given

    def check(self, given: Answer) -> Read:
        self._sent(given)
        kind, given.name = given.name, "127.0.0.1"
        found = self._read(RssSource, given, NodeContext(self.folder, http=_Noting(self._client, self._came)))
        if found.error is not None:
            assert isinstance(found.error, TransientError | PermanentError), repr(found.error)
            assert "within" not in found.error.what, "it waited for its timeout"
        else:
            assert not given.cut, "what was cut passes for whole"
            number = _entries(self._came[-1])
            if number is not None:
                assert len(found.rows) + found.refused == number, f"{len(found.rows)} + {found.refused} of {number}"
        if given.whole_run:
            self._sent(given)
            self._check_run(RssSource, given, found)
        given.name = kind
        return found


def _records(body: bytes, form: str | None) -> int | None:
    """How many records a body holds, counted by hand; None where that is not clear."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if form == "ndjson":
        lines = io.StringIO(text, newline=None).read().split("\n")
        return sum(bool(line.strip()) for line in lines)
    if form == "json":
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return len(document) if isinstance(document, list) else 1
    return None


def _entries(body: bytes) -> int | None:
    """Different entries of a feed that another parser reads without a fault; None where it finds one."""
    from xml.etree import ElementTree as ET

    if b"<!" in body or b"urn:" in body:
        return None
    try:
        root = ET.fromstring(body)
    except (ET.ParseError, ValueError, LookupError):
        return None
    if root.tag != "rss" or len(root) != 1:
        return None
    names = [item.findtext("guid") for item in root[0] if item.tag == "item"]
    plain = all(name is not None and name.strip() == name != "" for name in names)
    inside = sum(1 for element in root.iter() if str(element.tag).rpartition("}")[2] in ("item", "entry"))
    return len(set(names)) if plain and inside == len(names) else None


def _spoil(random, head: list[bytes], sent: bytes) -> bytes:
    """An answer whose head, or whose chunks, are wrong."""
    head = list(head)
    for _ in range(random.choice([1, 1, 2, 3])):
        match random.randrange(6):
            case 0:
                head[0] = random.choice(STATUS_LINES)
            case 1 | 2:
                head.insert(random.randint(1, len(head)), random.choice(HEADERS))
            case 3:
                head.pop(random.randrange(len(head)))
                head = head or [b""]
            case 4:
                sent = spoiled(
                    random, sent, [b"0\r\n\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"-1\r\n", b"5;x=y\r\n", b"\r\n"], [sent]
                )
            case 5:
                whole = b"\r\n".join(head) + b"\r\n\r\n"
                return spoiled(random, whole, [b"\r\n", b"\n", b": ", b"\0", *HEADERS[:8]], [whole]) + sent
    return random.choice([b"\r\n", b"\r\n", b"\n"]).join(head) + b"\r\n\r\n" + sent


def _with_length(random, body: bytes) -> tuple[list[bytes], bytes]:
    return [b"Content-Length: %d" % len(body)], body


def _chunked(random, body: bytes) -> tuple[list[bytes], bytes]:
    sent, at = b"", 0
    while at < len(body):
        size = min(len(body) - at, random.choice([1, 10, 100, 5_000]) if len(body) < 2_000 else 50_000)
        sent += b"%x%s\r\n%s\r\n" % (size, random.choice([b"", b"", b";name=value"]), body[at : at + size])
        at += size
    return [b"Transfer-Encoding: chunked"], sent + b"0\r\n" + random.choice([b"", b"X-Late: 1\r\n"]) + b"\r\n"


def _until_closed(random, body: bytes) -> tuple[list[bytes], bytes]:
    return [b"Connection: close"], body


FRAMINGS = [_with_length, _with_length, _chunked, _until_closed]
CODINGS_OF = {
    b"": bytes, b"gzip": gzip.compress, b"deflate": zlib.compress, b"br": brotli.compress,
    b"gzip, deflate": lambda body: zlib.compress(gzip.compress(body)),
}  # fmt: skip
CODINGS = [b"", b"", b"", *CODINGS_OF]
DECODERS: dict[str, type[Decoder]] = {"answers": Answers, "rest": RestAnswers, "feed": FeedAnswers}
