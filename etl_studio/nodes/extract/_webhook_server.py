"""The listener of a webhook: answers only after a delivery is kept, whatever clients and the run do."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from etl_studio.errors import EtlError, PermanentError
from etl_studio.nodes.extract import _webhook_bodies as bodies
from etl_studio.sdk.mailbox import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from etl_studio.nodes.extract._webhook_checks import Check
    from etl_studio.sdk.mailbox import Mailbox

HEADER_SECONDS = 10.0
"""Within which the headers of a request must have come."""
BODY_SECONDS = 30.0
"""Within which a body must have come."""
MOST_CONNECTIONS = 500
"""With more, the one that has been silent for the longest goes."""
STOP_SECONDS = 2.0
"""For which requests under way may go on when the listener stops."""
MOST_BODIES = 128 * 2**20
"""Bytes of all bodies that are being received."""
RETRY_AFTER = "5"
"""Seconds after which a sender may try again."""

_PUT_BACK = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is taken.

    Attributes:
        host, port, path: where it listens.
        method: of deliveries.
        check: who may send.
        id_header: where the id of a delivery stands; empty: nowhere.
        most_bytes: of one body.
        most_waiting: bytes that may wait to be loaded.
    """

    host: str
    port: int
    path: str
    method: str
    check: Check
    id_header: str
    most_bytes: int
    most_waiting: int


class Refused(Exception):  # noqa: N818 - an answer
    """A request that is not taken.

    Args:
        status: of the answer.
        why: in it.
        headers: of it.
    """

    def __init__(self, status: HTTPStatus, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status, self.why, self.headers = status, why, headers


class Listener:
    """Listens on a thread of its own while the block lasts; leaving it ends the thread.

    Args:
        terms: what is taken.
        mailbox: keeps it.
        log: takes ``(level, message)``; called on the listener's thread.

    Attributes:
        url: where it listens.
        arrived: set when something was kept.
        last: when something was kept last, monotonic seconds; before that, when it began.
    """

    def __init__(self, terms: Terms, mailbox: Mailbox, log: Callable[[str, str], None]) -> None:
        self._terms, self._mailbox, self._log = terms, mailbox, log
        self.url = ""
        self.arrived = threading.Event()
        self.last = time.monotonic()
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._closing = False
        self._waiting: list[tuple[Delivery, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._silent: dict[web.RequestHandler, float] = {}
        self._refusals: dict[str, int] = {}
        self._requests = self._receiving = self._too_many = 0
        self._thread = threading.Thread(target=self._run, name="webhook")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._end is not None:
            self._closing = True
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def check(self) -> None:
        """Raise what ended the listener, if anything did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - told to who waits
            self._error = error
        finally:
            self._mailbox.release()
            self._ready.set()
            self.arrived.set()

    async def _serve(self) -> None:
        from aiohttp import web

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        quiet = logging.getLogger(f"{__name__}.server")
        quiet.setLevel(logging.CRITICAL)  # what strangers send is no news
        app = web.Application(client_max_size=0, logger=quiet)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=quiet,
            auto_decompress=False,
            keepalive_timeout=15.0,
            lingering_time=1.0,
            shutdown_timeout=STOP_SECONDS,
        )
        await runner.setup()
        try:
            server = await self._listen(runner)
            try:
                self._ready.set()
                watch = asyncio.create_task(self._drop_silent())
                await self._end.wait()
                watch.cancel()
            finally:
                server.close()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        loop, terms = asyncio.get_running_loop(), self._terms
        try:
            server = await loop.create_server(
                lambda: self._connected(runner), terms.host, terms.port, backlog=256, reuse_address=True
            )
        except (OSError, socket.gaierror) as error:
            reason = (error.strerror or str(error)).partition(":")[0]
            raise PermanentError(
                f"Nobody can listen on {terms.host}, port {terms.port}: {reason}.",
                hint="Another program or run may use this port: end it, or choose another port.",
                column="port",
            ) from None
        address = server.sockets[0].getsockname()
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.url = f"http://{host}:{address[1]}{terms.path}"
        return server

    def _connected(self, runner: web.AppRunner) -> web.RequestHandler:
        assert runner.server is not None  # noqa: S101 - it was set up
        now = time.monotonic()
        if len(self._silent) - self._too_many >= MOST_CONNECTIONS:
            # Its socket may not be there yet, when many come in one moment.
            oldest = next((one for one, until in self._silent.items() if until > now), None)
            if oldest is not None:
                self._silent[oldest] = now
                self._too_many += 1
        connection = runner.server()
        self._silent[connection] = now + HEADER_SECONDS
        return connection

    async def _drop_silent(self) -> None:
        """End connections whose first request does not come."""
        while True:
            await asyncio.sleep(HEADER_SECONDS / 20)
            now = time.monotonic()
            for connection, until in list(self._silent.items()):
                if now >= until and (connection.transport is not None or now >= until + HEADER_SECONDS):
                    del self._silent[connection]
                    if connection.transport is not None:
                        connection.transport.abort()
            self._too_many = sum(now >= until for until in self._silent.values())

    async def _handle(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self._silent.pop(request.protocol, None)
        self._requests += 1
        try:
            received = await self._received(request)
        except Refused as refused:
            answer = web.json_response({"error": refused.why}, status=refused.status, headers=refused.headers)
            if refused.status in _PUT_BACK:
                answer.force_close()
            self._count(refused)
            return answer
        finally:
            self._requests -= 1
        return web.json_response(received, status=HTTPStatus.ACCEPTED)

    async def _received(self, request: web.Request) -> Mapping[str, Any]:
        """Take a request.

        Raises:
            Refused: it is not taken.
        """
        terms = self._terms
        kind = self._kind(request)
        body = await self._body(request)
        now = time.time()
        if (why := terms.check.why_not(request.headers, body, now)) is not None:
            raise Refused(HTTPStatus.UNAUTHORIZED, f"Not signed as it should be: {why}.")
        try:
            count = len(bodies.values(kind, body))
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"Not taken: {error}.") from None
        name = request.headers.get(terms.id_header, "") if terms.id_header else ""
        is_new = await self._kept(Delivery(kind, body, now, name[:200]))
        return {"received": count} if is_new else {"received": 0, "known": True}

    def _kind(self, request: web.Request) -> str:
        """How the body is to be read, after all that can be judged before it came."""
        terms = self._terms
        if self._closing:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The listener stops.", **{"Retry-After": RETRY_AFTER})
        if request.path != terms.path:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if request.method != terms.method:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Not this method.", Allow=terms.method)
        if terms.check.kind == "none" and "Origin" in request.headers:
            # Any page that a person looks at could send from within the browser.
            raise Refused(HTTPStatus.FORBIDDEN, "Pages of a browser may not send here.")
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body without compression.")
        kind = bodies.kind_of(request.headers.get("Content-Type", ""))
        if kind is None:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, lines of JSON or a form.")
        if (request.content_length or 0) > terms.most_bytes:
            raise self._too_large()
        if self._requests > MOST_CONNECTIONS or self._receiving > MOST_BODIES:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many at once.", **{"Retry-After": RETRY_AFTER})
        if self._mailbox.size() >= terms.most_waiting:
            why = "Too much waits to be loaded."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, why, **{"Retry-After": RETRY_AFTER})
        return kind

    async def _body(self, request: web.Request) -> bytes:
        from aiohttp import ClientError
        from aiohttp.http_exceptions import HttpProcessingError

        parts, size = [], 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while part := await request.content.readany():
                    parts.append(part)
                    size += len(part)
                    self._receiving += len(part)
                    if size > self._terms.most_bytes:
                        raise self._too_large()
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time.") from None
        except (ClientError, HttpProcessingError, ConnectionError):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is damaged.") from None
        finally:
            self._receiving -= size
        return b"".join(parts)

    def _too_large(self) -> Refused:
        return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {self._terms.most_bytes:,} bytes are taken.")

    async def _kept(self, delivery: Delivery) -> bool:
        """Keep a delivery together with those that come in the same moment; whether it is new."""
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        try:
            return await kept
        except EtlError as error:
            why = "It cannot be kept now."
            self._log("error", f"A delivery was not taken: {error}")
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, why, **{"Retry-After": RETRY_AFTER}) from None

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                new = self._mailbox.put([delivery for delivery, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever waits for it must hear of it
                told = error if isinstance(error, EtlError) else PermanentError(f"{type(error).__name__}: {error}")
                for _, kept in batch:
                    if not kept.done():
                        kept.set_exception(told)
            else:
                for (_, kept), is_new in zip(batch, new, strict=True):
                    if not kept.done():
                        kept.set_result(is_new)
                self.last = time.monotonic()
                self.arrived.set()
            await asyncio.sleep(0)

    def _count(self, refused: Refused) -> None:
        """Say the first time, and at each power of ten, that requests are refused."""
        text = f"{int(refused.status)} {refused.why}"
        number = self._refusals[text] = self._refusals.get(text, 0) + 1
        if number == 10 ** (len(str(number)) - 1):
            times = "" if number == 1 else f", {number:,} times so far"
            self._log("warning", f"A delivery was not taken{times}: {text}")
