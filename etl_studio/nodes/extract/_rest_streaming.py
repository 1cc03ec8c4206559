"""Reads a stream of an API, and goes on behind what has come when the connection breaks."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._rest_stream import EventParser, Received, received

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from etl_studio.nodes.extract._rest_stream import Streaming

AT_ONCE = 1_000
"""Values that are given together."""
PATIENCE = 0.25
"""Seconds after which those that have come are given, also when they are none."""
AHEAD = 4_000
"""Values that may wait for whoever takes them; then the connection is not read any more."""
ATTEMPTS = 5
"""Connections in a row that may break before anything new has come."""
DELAY = 1.0
LONGEST_DELAY = 30.0
NO_CONTENT = 204


class StreamReader:
    """Reads one stream.

    Args:
        web: the node's event loop.
        request: what to ask; further headers tell where to begin.
        settings: how long, and what.
        log: takes level and message.
        events: server-sent events; otherwise JSON lines.

    Attributes:
        connection: address and status of the connection that is open, or was the last.
    """

    def __init__(
        self, web: sdk.Web, request: sdk.HttpRequest, settings: Streaming, log: Callable[..., None], *, events: bool
    ) -> None:
        self.connection = (request.url, 0)
        self._web = web
        self._request = request
        self._settings = settings
        self._log = log
        self._events = EventParser() if events else None
        self._lines = _Lines()
        self._came = 0
        self._reason = "it has ended"
        self._failure: BaseException | None = None

    def read(self) -> Iterator[list[Received]]:
        """Values in the order in which they come; an empty list where none came for a quarter of a second."""
        queue: asyncio.Queue[Received | None] = asyncio.Queue(AHEAD)
        reading = self._web.run(_started(self._read(queue)))
        settings, given, goes_on = self._settings, 0, True
        until = None if settings.max_seconds is None else time.monotonic() + settings.max_seconds
        try:
            while goes_on:
                values, goes_on = self._web.run(_next(queue, until))
                if settings.max_items is not None and given + len(values) >= settings.max_items:
                    values, goes_on = values[: settings.max_items - given], False
                    self._reason, self._failure = f"at most {settings.max_items} items are wanted", None
                elif until is not None and time.monotonic() >= until:
                    goes_on, self._reason = False, f"{settings.max_seconds:g} seconds have passed"
                given += len(values)
                yield values
        finally:
            reading.cancel()
        if self._failure is not None:
            raise self._failure
        self._log("info", f"Read {given} items of the stream; the end: {self._reason}.")

    async def _read(self, queue: asyncio.Queue[Received | None]) -> None:
        """Put into the queue what comes, over as many connections as it takes, and at last None."""
        failures = 0
        try:
            while True:
                before = self._came
                try:
                    if await self._connect(queue):
                        break
                except TransientError as error:
                    failures = 1 if self._came > before else failures + 1
                    if failures > ATTEMPTS:
                        raise
                    self._log("warning", f"{error.what} The stream is read on behind what has come.")
                retry = DELAY if self._events is None or self._events.retry is None else self._events.retry
                await asyncio.sleep(min(retry * 2 ** max(0, failures - 1), LONGEST_DELAY))
        except Exception as error:  # noqa: BLE001 - raised again where the rows before it have been given
            self._failure = error
        await queue.put(None)

    async def _connect(self, queue: asyncio.Queue[Received | None]) -> bool:
        """Read one connection. Whether nothing is to follow it."""
        headers = {"Accept": "application/x-ndjson, application/json;q=0.5"}
        if self._events is not None:
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
            if self._events.last_id:
                headers["Last-Event-ID"] = self._events.last_id
        request = replace(self._request, headers=headers | dict(self._request.headers))
        async with self._web.stream(request, idle=self._settings.quiet) as stream:
            self.connection = stream.url, stream.status
            if stream.status == NO_CONTENT:
                return True
            _check(stream)
            self._lines.begin(sdk.shown_url(stream.url))
            async for line in stream.lines():
                if self._settings.end and line.removeprefix("data:").strip() == self._settings.end:
                    return True
                await self._put(queue, self._lines.take(line) if self._events is None else self._events.take(line))
            if self._events is not None:
                await self._put(queue, self._events.finish())
        # A server that closes an endless stream expects its listeners to come back.
        return self._events is None or (self._settings.max_items is None and self._settings.max_seconds is None)

    async def _put(self, queue: asyncio.Queue[Received | None], found: Received | None) -> None:
        wanted = self._settings.events
        if found is not None and (not wanted or found.event is None or found.event in wanted):
            self._came += 1
            await queue.put(found)


class _Lines:
    """JSON lines. A new connection gives them all again: those that have come are skipped when they are the same."""

    def __init__(self) -> None:
        self._url = ""
        self._known = self._number = 0
        self._known_digest = self._digest = 0

    def begin(self, url: str) -> None:
        """A connection begins with the first line."""
        self._url, self._number, self._digest = url, 0, 0

    def take(self, line: str) -> Received | None:
        """The value of a line, unless it is empty or has come before.

        Raises:
            PermanentError: those that came before are others now.
        """
        self._number += 1
        self._digest = zlib.crc32(line.encode("utf-8", "surrogatepass"), self._digest)
        if self._number > self._known:
            self._known, self._known_digest = self._number, self._digest
            return received(self._number, line) if line.strip() else None
        if self._number == self._known and self._digest != self._known_digest:
            raise PermanentError(
                f"The stream of {self._url} broke off, and its first {self._known:,} lines are others now.",
                hint="What has come cannot be told from what has not: run it again.",
            )
        return None


def _check(stream: sdk.HttpStream) -> None:
    kind = stream.headers.get("content-type", "")
    if kind.startswith("text/html"):
        raise PermanentError(
            f"{sdk.shown_url(stream.url)} did not answer with a stream but with {kind}.",
            hint="Check the address and the sign-in.",
            status=stream.status,
        )


async def _started(reading: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(reading)


async def _next(queue: asyncio.Queue[Received | None], until: float | None) -> tuple[list[Received], bool]:
    """What has come, after a moment, and whether more may come."""
    values: list[Received] = []
    patience = PATIENCE if until is None else max(0.0, min(PATIENCE, until - time.monotonic()))
    try:
        async with asyncio.timeout(patience):
            while len(values) < AT_ONCE:
                found = await queue.get()
                if found is None:
                    return values, False
                values.append(found)
    except TimeoutError:
        pass
    return values, True
