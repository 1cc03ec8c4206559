"""Recording what sites answer onto a cassette, and answering from one."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Protocol

import httpx2

from etl_studio.engine.cassette import MOST_BYTES, Answered, Asked, Bookmarks, Cassette, text_or_base64
from etl_studio.engine.cassette_masks import Masks
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

FIRST_OTHER = 300
_NOT_ASKED = {
    "accept", "accept-encoding", "authorization", "connection", "content-length", "cookie", "host", "if-modified-since",
    "if-none-match", "proxy-authorization", "transfer-encoding", "user-agent",
}  # fmt: skip
"""Headers that do not tell requests apart, or that must not be kept."""
_NOT_KEPT = {"connection", "keep-alive", "content-length", "set-cookie", "set-cookie2", "transfer-encoding"}
_CONDITIONS = ("if-none-match", "if-modified-since")


class Tape(Protocol):
    """What stands between a session and the network."""

    replays: bool
    """Whether it answers by itself: then nothing is asked, and nobody signs in."""

    def transport(self, real: Callable[[], httpx2.AsyncBaseTransport]) -> httpx2.AsyncBaseTransport:
        """What carries requests; ``real`` makes what goes over the network."""
        ...

    def asking(self, request: httpx2.Request) -> Take | None:
        """Called with each request before it is signed; what takes its answer."""
        ...

    def begin(self, secrets: Callable[[], Iterable[str]], bookmarks: Bookmarks) -> Bookmarks:
        """A run begins: the secrets that are known at any time, and where sources begin; gives where they do."""
        ...


class Take:
    """Keeps the answer to one request.

    Args:
        recorder: gets it.
        number: of the request.
    """

    def __init__(self, recorder: CassetteRecorder, number: int) -> None:
        self._recorder = recorder
        self._number = number

    def failed(self, error: Exception) -> None:
        """There was no answer."""
        if isinstance(error, httpx2.TransportError):
            self._recorder.keep(self._number, lambda _: Answered(0, failure=type(error).__name__))

    def answered(self, response: httpx2.Response) -> None:
        """Its headers are there; the body is kept while it is read."""
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - that of an AsyncClient
        response.stream = _Tee(response.stream, self._recorder.room, partial(self._end, response))

    def _end(self, response: httpx2.Response, body: list[bytes] | None, *, ended: bool) -> None:
        if body is None:  # there was no room for it
            return
        status, headers = response.status_code, response.headers.multi_items()
        self._recorder.keep(
            self._number,
            lambda masks: Answered(
                status, masks.headers(headers, _NOT_KEPT), masks.content(b"".join(body)), cut=not ended
            ),
        )


class CassetteRecorder:
    """Keeps what sites answer, without secrets.

    Requests are sent without conditions and ask for bodies that are not compressed, so that these can be read.

    Args:
        pipeline: its name.
    """

    replays = False

    def __init__(self, pipeline: str = "") -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()
        self._bookmarks: Bookmarks = {}
        self._secrets: Callable[[], Iterable[str]] = tuple
        self._asked: list[Callable[[Masks], Asked]] = []
        self._answers: dict[int, Callable[[Masks], Answered]] = {}
        self._left = MOST_BYTES
        self._full = False

    def begin(self, secrets: Callable[[], Iterable[str]], bookmarks: Bookmarks) -> Bookmarks:
        """The run begins; where its sources do is kept, since their requests tell of it."""
        self._secrets, self._bookmarks = secrets, bookmarks
        return bookmarks

    def transport(self, real: Callable[[], httpx2.AsyncBaseTransport]) -> httpx2.AsyncBaseTransport:
        """The network."""
        return real()

    def asking(self, request: httpx2.Request) -> Take | None:
        """What takes the answer."""
        for name in _CONDITIONS:
            request.headers.pop(name, None)
        request.headers["Accept-Encoding"] = "identity"
        facts = _facts(request)
        with self._lock:
            self._asked.append(facts)
            return Take(self, len(self._asked) - 1)

    def room(self, number: int) -> bool:
        """Whether there is room for so many bytes more, which are then taken."""
        with self._lock:
            self._full = self._full or self._left < number
            self._left -= number
            return not self._full

    def keep(self, number: int, answer: Callable[[Masks], Answered]) -> None:
        """Keep the answer to a request; secrets are masked when all of them are known."""
        with self._lock:
            self._answers[number] = answer

    def cassette(self) -> Cassette:
        """All that came. What failed or was cut and came in full later is left out."""
        masks = Masks(self._secrets)
        with self._lock:
            numbers = sorted(self._answers)
            requests = [self._asked[number](masks) for number in numbers]
            masks = masks.for_answers()
            found = list(zip(requests, (self._answers[number](masks) for number in numbers), strict=True))
        last: dict[tuple[str, str, str], int] = {}
        for place, (asked, answered) in enumerate(found):
            if not answered.failure and not answered.cut:
                last[asked.key] = place
        kept = [
            (asked, answered)
            for place, (asked, answered) in enumerate(found)
            if last.get(asked.key, -1) <= place or not (answered.failure or answered.cut)
        ]
        return Cassette(self._pipeline, kept, self._bookmarks, full=self._full)


class CassettePlayer:
    """Answers one run from a cassette.

    The answers to equal requests come in their order, and then the last one again and again.

    Args:
        cassette: what was recorded.
        shown: its name, for errors; empty: there is none, and a test asks nobody.
    """

    replays = True

    def __init__(self, cassette: Cassette, shown: str) -> None:
        self.shown = shown
        self.full = cassette.full
        self._bookmarks = cassette.bookmarks
        self._lock = threading.Lock()
        self._masks = Masks()
        self._left: dict[tuple[str, str, str], list[tuple[Asked, Answered]]] = defaultdict(list)
        for exchange in cassette.exchanges:
            self._left[exchange[0].key].append(exchange)

    def begin(self, secrets: Callable[[], Iterable[str]], bookmarks: Bookmarks) -> Bookmarks:
        """The run begins where the recorded one did."""
        del bookmarks
        self._masks = Masks(secrets)
        return self._bookmarks

    def transport(self, real: Callable[[], httpx2.AsyncBaseTransport]) -> httpx2.AsyncBaseTransport:
        """The cassette."""
        del real
        return _CassetteTransport(self)

    def asking(self, request: httpx2.Request) -> Take | None:
        """Nothing is to be kept."""
        del request
        return None

    def answer(self, request: httpx2.Request) -> Answered:
        """What came when it was recorded.

        Raises:
            UsageError: it was not.
        """
        asked = _facts(request)(self._masks)
        with self._lock:
            left = self._left.get(asked.key)
            if not left:
                raise self._missing(asked)
            alike = [one for one in left if one[0].headers == asked.headers] or left
            found = alike[0]
            if len(alike) > 1:
                left.remove(found)
            return found[1]

    def _missing(self, asked: Asked) -> UsageError:
        if not self.shown:
            return UsageError(
                f"{asked.method} {asked.url} was asked for, and a test asks no site.",
                hint="Make a test with its answers: etl-studio test FILE --record NAME --cassette.",
            )
        why = " It was full." if self.full else ""
        return UsageError(
            f"{asked.method} {asked.url} is not on the cassette {self.shown}.{why}",
            hint="What the pipeline asks has changed: record it anew.",
        )


class _CassetteTransport(httpx2.AsyncBaseTransport):
    def __init__(self, player: CassettePlayer) -> None:
        self._player = player

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        answered = self._player.answer(request)
        if answered.failure:
            kind = getattr(httpx2, answered.failure, httpx2.ReadError)
            raise kind("So it was recorded.", request=request)
        quiet = answered.cut and answered.status < FIRST_OTHER
        return httpx2.Response(
            answered.status, headers=dict(answered.headers), stream=_Recorded(answered.content, quiet=quiet)
        )


class _Recorded(httpx2.AsyncByteStream):
    """A body; one that was not read to its end says no more, as a stream does that goes on."""

    def __init__(self, content: bytes, *, quiet: bool) -> None:
        self._content = content
        self._quiet = quiet

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        if self._quiet:
            await asyncio.get_running_loop().create_future()


class _Tee(httpx2.AsyncByteStream):
    """A body that is kept while it is read."""

    def __init__(self, stream: httpx2.AsyncByteStream, room: Callable[[int], bool], ends: Callable[..., None]) -> None:
        self._stream = stream
        self._room = room
        self._ends = ends
        self._body: list[bytes] | None = []
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            if self._body is not None:
                self._body.append(chunk)
                if not self._room(len(chunk)):
                    self._body = None
            yield chunk
        self._ended = True

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._ends(self._body, ended=self._ended)


def _facts(request: httpx2.Request) -> Callable[[Masks], Asked]:
    """What tells a request from others, once its secrets are known."""
    method, url, headers = request.method, str(request.url), request.headers.multi_items()
    body, kind = request.content, request.headers.get("content-type", "")
    return lambda masks: Asked(
        method, masks.url(url), masks.headers(headers, _NOT_ASKED), text_or_base64(masks.body(body, kind))
    )
