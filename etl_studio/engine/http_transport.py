"""Carries requests of httpx2's client over aiohttp: a third of the CPU time of httpx2's own transport.

httpx2 does cookies and decoding, ``HttpSession`` redirects and deadlines; here is only the way over the network. Errors
are told by what they mean, so that a bad certificate is never taken for a slow connection.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from typing import TYPE_CHECKING

import aiohttp
import httpx2
from multidict import CIMultiDict
from yarl import URL

from etl_studio.engine.http_addresses import PrivateAddressError, is_public, public_socket
from etl_studio.engine.http_proxies import SystemProxies
from etl_studio.engine.http_trust import Trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from aiohappyeyeballs import AddrInfoType

PUBLIC = "public"
"""Extension of a request that may reach addresses of the internet only."""
CONNECTIONS = 256
"""At the same time."""
IDLE_SECONDS = 5.0
"""How long an idle connection is kept: shorter than servers do, so that it is rarely closed under a request."""
HEADER_BYTES = 64 * 2**10
"""Of one header; the content security policy of some sites is longer than aiohttp's limit."""
HEADERS = 512

_ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_WITHOUT_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=None)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Connections for one event loop; they are opened at the first request.

    A request with the extension ``PUBLIC`` is only sent to addresses of the internet, over connections of its own: one
    that another request has opened may lead elsewhere.

    Args:
        trust: which certificates are good.
        proxies: which proxy a request goes through.
    """

    def __init__(self, trust: Trust | None = None, proxies: SystemProxies | None = None) -> None:
        self._trust = trust or Trust()
        self._proxies = proxies or SystemProxies()
        self._tls: ssl.SSLContext | None = None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._socks: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer as soon as its headers are there.

        Raises:
            httpx2.TransportError: of the class that tells what happened.
        """
        url = request.url
        if url.scheme not in {"http", "https"}:
            raise httpx2.UnsupportedProtocol(f"{url.scheme} is not spoken here.", request=request)
        proxy = self._proxies.for_address(url.scheme, url.host, url.port)
        public = bool(request.extensions.get(PUBLIC))
        if public and proxy is not None:
            await _check_behind_proxy(request)
            public = False  # the proxy itself may be near
        if proxy is not None and proxy.startswith("socks"):
            return await self._through_socks(proxy).handle_async_request(request)
        headers = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        if public not in self._sessions:
            self._sessions[public] = _open(public_socket if public else None)
        through, own = _through(proxy, url.scheme, headers) if proxy is not None else (None, None)
        try:
            answer = await self._sessions[public].request(
                request.method,
                URL(f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}", encoded=True),
                headers=headers,
                data=await request.aread() or None,
                allow_redirects=False,
                ssl=self._context() if url.scheme == "https" else True,
                proxy=through,
                proxy_headers=own,
            )
        except _FAILURES as error:
            raise _meaning(error, request) from error.__cause__ or error
        return httpx2.Response(
            answer.status,
            headers=list(answer.raw_headers),
            stream=_Body(answer, request),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": (answer.reason or "").encode("latin-1", "replace"),
            },
        )

    async def aclose(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        for transport in self._socks.values():
            await transport.aclose()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = self._trust.context()
        return self._tls

    def _through_socks(self, proxy: str) -> httpx2.AsyncHTTPTransport:
        if proxy not in self._socks:
            try:
                self._socks[proxy] = httpx2.AsyncHTTPTransport(verify=self._context(), proxy=proxy)
            except ImportError:
                raise httpx2.ProxyError("A SOCKS proxy needs the Python package socksio.") from None
        return self._socks[proxy]


class _Body(httpx2.AsyncByteStream):
    """What still comes of an answer, as it was sent."""

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx2.Request) -> None:
        self._answer = answer
        self._request = request
        self._closed = _closed(answer)
        if self._closed is not None:
            self._closed.add_done_callback(self._end)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except _FAILURES as error:
            raise _meaning(error, self._request) from error.__cause__ or error

    def _end(self, _: object) -> None:
        # A chunk that is no HTTP closes the connection, and aiohttp leaves whoever waits for the body waiting for ever.
        content = self._answer.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError())

    async def aclose(self) -> None:
        if self._closed is not None:
            self._closed.remove_done_callback(self._end)
        self._answer.release()  # a connection whose answer was not read to its end is closed by that


def _closed(answer: aiohttp.ClientResponse) -> asyncio.Future[None] | None:
    """Set when the connection of an answer is closed; None where all of it has come."""
    connection = answer.connection
    return None if connection is None or connection.protocol is None else connection.protocol.closed


async def _check_behind_proxy(request: httpx2.Request) -> None:
    """Refuse a host that means a private address here; what the proxy makes of another name is the proxy's."""
    host, loop = request.url.host, asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, request.url.port or 0, type=socket.SOCK_STREAM)
    except OSError:
        return
    if not all(is_public(str(address[0])) for *_, address in found):
        raise httpx2.ConnectError("No public address.", request=request) from PrivateAddressError()


def _open(socket_factory: Callable[[AddrInfoType], socket.socket] | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, socket_factory=socket_factory
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_ADDED_BY_CLIENT,
        timeout=_WITHOUT_LIMIT,
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        max_headers=HEADERS,
        middlewares=(_once,),
    )


class _LostError(Exception):
    """The connection broke before there was an answer."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # aiohttp would send a request again by itself when its connection breaks; that is for the policy to say.
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LostError from error


_FAILURES = (aiohttp.ClientError, _LostError, OSError, ValueError, TypeError)


def _meaning(error: BaseException, request: httpx2.Request) -> Exception:
    """The error as httpx2 tells it."""
    match error:
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            return httpx2.ProxyError("The proxy failed.", request=request)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectError("There is no connection.", request=request)
        case aiohttp.InvalidURL():
            return httpx2.InvalidURL("No address.")
        case aiohttp.ClientResponseError():
            return httpx2.RemoteProtocolError("The answer is no HTTP.", request=request)
        case aiohttp.ClientError() | _LostError() | OSError():
            return httpx2.ReadError("The connection broke off.", request=request)
        case _:
            return httpx2.LocalProtocolError("The request is no HTTP.", request=request)


def _through(proxy: str, scheme: str, headers: CIMultiDict[str]) -> tuple[URL, CIMultiDict[str]]:
    """A proxy and the headers that only it gets; user and password of its address are in these, or in ``headers``."""
    url = URL(proxy)
    own: CIMultiDict[str] = CIMultiDict()
    if url.user is not None:
        pair = base64.b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
        (own if scheme == "https" else headers)["Proxy-Authorization"] = f"Basic {pair}"
        url = url.with_user(None)
    return url, own
