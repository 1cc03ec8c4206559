"""A way to the web for another program, such as a browser: a SOCKS5 proxy on this machine that looks where it leads.

A browser resolves names and follows redirects by itself, and its pages ask for whatever they like. So that a page from
the internet reaches no router, database or metadata service, each connection is made here: to public addresses only,
but for hosts that the settings name.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from etl_studio.engine.http_addresses import PrivateAddressError, public_socket
from etl_studio.engine.http_failures import from_transport
from etl_studio.engine.http_proxies import SystemProxies
from etl_studio.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine

    from etl_studio.engine.http_trust import Trust
    from etl_studio.errors import EtlError

CHUNK = 64 * 1024
CONNECT_SECONDS = 20.0
HELLO_SECONDS = 10.0
MOST_REMEMBERED = 1_000
"""Hosts whose failures are kept."""
VERSION, NO_PASSWORD, CONNECT, NAME = 5, 0, 1, 3
LENGTHS = {1: 4, 4: 16}
"""Bytes of an address, by its kind."""
DONE, NOT_ALLOWED, UNREACHABLE = 0, 2, 4
HTTP, HTTPS = 80, 443
OK = 200


class HttpGate:
    """The proxy (``sdk.http.Gate``); ``open`` and ``close`` belong to one event loop.

    Args:
        own: hosts that may be anywhere, with their subdomains: a name, or name and port.
        trust: of the node's policy.
        proxies: of the system, through which it goes on.
    """

    def __init__(self, own: Collection[str], trust: Trust, proxies: SystemProxies | None = None) -> None:
        self.url = ""
        self.check_certificate, self.ca_file = trust.check, trust.ca_file
        self.received = 0
        self.reached: set[str] = set()
        self._own = tuple(name.lower().lstrip(".") for name in own)
        self._proxies = proxies or SystemProxies()
        self._failures: dict[tuple[str, int], EtlError] = {}
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def failure(self, url: str) -> EtlError | None:
        """Why the last connection to the host and port of an address could not be made."""
        parts = urlsplit(url)
        port = parts.port or (HTTPS if parts.scheme == "https" else HTTP)
        return self._failures.get(((parts.hostname or "").lower(), port))

    async def open(self) -> None:
        """Wait for connections on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"socks5://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        self._under_way.add(task)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                wanted = await _hello(reader, writer)
            if wanted is None:
                return
            host, port = wanted
            try:
                far = await self._connect(host, port)
            except OSError as error:
                writer.write(_reply(NOT_ALLOWED if isinstance(error, PrivateAddressError) else UNREACHABLE))
                await writer.drain()
                return
            writer.write(_reply(DONE))
            await _both(self._down(far[0], writer), _up(reader, far[1]))
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever went away knows
        finally:
            self._under_way.discard(task)
            writer.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, and keep why it could not be.

        Raises:
            OSError: it could not.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self._way(host, port)
        except (OSError, UnicodeError) as error:  # a name may be none
            if len(self._failures) < MOST_REMEMBERED:
                self._failures[host, port] = _meaning(error, host, port)
            if isinstance(error, OSError):
                raise
            raise OSError("no name") from error
        self._failures.pop((host, port), None)
        if len(self.reached) < MOST_REMEMBERED:
            self.reached.add(host)
        return found

    async def _way(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        own = self._is_own(host, port)
        scheme = "https" if port == HTTPS else "http"
        proxy = self._proxies.for_address(scheme, host, port)
        if proxy is None:
            return await asyncio.open_connection(sock=await _reach(host, port, anywhere=own), limit=CHUNK)
        if not own:
            await _check_behind_proxy(host, port)
        return await _through(proxy, host, port)

    def _is_own(self, host: str, port: int) -> bool:
        return any(one in (host, f"{host}:{port}") or host.endswith(f".{one}") for one in self._own)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            self.received += len(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _both(*ways: Coroutine[None, None, None]) -> None:
    """Both directions, until one of them has ended with an error or both have ended."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int] | None:
    """Where a client wants to go (RFC 1928); None: it is none, or wants something else."""
    version, count = await reader.readexactly(2)
    if version != VERSION or NO_PASSWORD not in await reader.readexactly(count):
        return None
    writer.write(bytes([VERSION, NO_PASSWORD]))
    _, command, _, kind = await reader.readexactly(4)
    length = LENGTHS.get(kind) or (await reader.readexactly(1))[0]
    address, port = await reader.readexactly(length), int.from_bytes(await reader.readexactly(2), "big")
    if command != CONNECT or kind not in (*LENGTHS, NAME):
        return None
    host = address.decode("ascii", "replace") if kind == NAME else str(ipaddress.ip_address(address))
    return host.lower().rstrip("."), port


def _reply(code: int) -> bytes:
    return bytes([VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0])


async def _reach(host: str, port: int, *, anywhere: bool) -> socket.socket:
    loop = asyncio.get_running_loop()
    last: OSError = OSError("no address")
    for info in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            one = socket.socket(*info[:3]) if anywhere else public_socket(info)
        except OSError as error:
            last = error
            continue
        try:
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(one, info[4])
        except OSError as error:
            last = error
            one.close()
        except BaseException:
            one.close()
            raise
        else:
            return one
    raise last


async def _check_behind_proxy(host: str, port: int) -> None:
    """Refuse a host that means a private address here; what the proxy makes of another name is the proxy's."""
    with suppress(socket.gaierror):
        for info in await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM):
            public_socket(info).close()


async def _through(proxy: str, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A tunnel of an HTTP proxy.

    Raises:
        OSError: it makes none, or is of another kind.
    """
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise OSError("The proxy of this computer is no HTTP proxy.")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or HTTP, limit=CHUNK)
    try:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        if int(head.split(b" ", 2)[1]) != OK:
            raise OSError("The proxy refused the connection.")
    except (ValueError, IndexError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        writer.close()
        raise OSError("The proxy did not answer as one.") from None
    except BaseException:
        writer.close()
        raise
    return reader, writer


def _meaning(error: OSError | UnicodeError, host: str, port: int) -> EtlError:
    import httpx2

    if isinstance(error, TimeoutError):
        return TransientError(f"{host} did not take the connection within {CONNECT_SECONDS:g} s.")
    lost = httpx2.ConnectError("There is no connection.")
    lost.__cause__ = error
    return from_transport(lost, f"http://{host}:{port}")
