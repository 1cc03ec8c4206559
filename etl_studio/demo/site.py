"""The demo site: a small HTTP/1.1 server on loopback."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import struct
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from etl_studio.demo.answers import Address, Answer, json_answer
from etl_studio.demo.api import Api
from etl_studio.demo.faults import Fault, FaultInjector, Faults
from etl_studio.demo.feeds import Feeds
from etl_studio.demo.goods import make_goods
from etl_studio.demo.pages import Shop, missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


HOST = "127.0.0.1"
DRIP_SECONDS = 0.05
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class LoggedRequest(NamedTuple):
    """One line of the site's log.

    Attributes:
        time: seconds since the epoch at which it came.
        method: HTTP method.
        path: path and query as sent.
        status: status of the answer; 0 where the connection was reset or no answer came.
    """

    time: float
    method: str
    path: str
    status: int


class DemoSite:
    """A web shop and its API on ``127.0.0.1``, the same for the same seed.

    ::

        with DemoSite(products=60) as site:
            urlopen(site.url + "/api/products")

    Args:
        seed: chooses goods and faults.
        products: how many it sells; there are twice as many orders.
        port: 0 takes a free one.
        faults: how it misbehaves; may be changed while it runs.
        on_request: told of each request, from the thread that answers it.
    """

    def __init__(
        self,
        seed: int = 7,
        products: int = 240,
        port: int = 0,
        faults: Faults | None = None,
        on_request: Callable[[LoggedRequest], None] | None = None,
    ) -> None:
        self.goods = make_goods(seed, products)
        self.port = port
        self._shop = Shop(self.goods)
        self._api = Api(self.goods)
        self._feeds = Feeds(self.goods)
        self._injector = FaultInjector(faults or Faults(), seed)
        self._on_request = on_request
        self._requests: list[LoggedRequest] = []
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests so far, a copy; those to ``/_faults`` are left out."""
        return self._requests.copy()

    @property
    def faults(self) -> Faults:
        """How it misbehaves; setting it takes effect at the next request."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._injector.set(faults)

    def begin_outage(self, seconds: float) -> None:
        """Answer each request with 503 for so many seconds, from now; 0 ends an outage."""
        self._injector.begin_outage(seconds)

    def start(self) -> Self:
        """Listen. A stopped site may be started again, on the same port.

        Raises:
            OSError: the port is taken.
        """
        self.stopping.clear()
        self._server = _Server((HOST, self.port), self)
        self.port = self._server.server_address[1]
        self._injector.start()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="demo-site")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self.stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server.end_connections()
        self._server = self._thread = None

    def serve_forever(self) -> None:
        """Serve until interrupted (Ctrl+C) or stopped by another thread."""
        if self._server is None:
            self.start()
        try:
            self.stopping.wait()
        finally:
            self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def choose_fault(self, target: str, address: Address) -> tuple[float, Fault | None]:
        """Latency and fault of the next request; raises ValueError for a fault that does not exist."""
        return self._injector.choose(target, address.query)

    def record(self, request: LoggedRequest) -> None:
        """Write a request to the log."""
        self._requests.append(request)
        if self._on_request:
            self._on_request(request)

    def answer(self, method: str, address: Address, body: bytes) -> Answer:
        """The answer of a site without faults."""
        found = self._api.answer(method, address, body) or self._feeds.answer(address) or self._shop.answer(address)
        if found is None and address.path.startswith("/api"):
            return json_answer({"error": {"message": f"There is nothing at {address.path}."}}, 404)
        return found or missing(address)

    def control(self, method: str, body: bytes) -> Answer:
        """Tell or change the faults (``/_faults``)."""
        if method == "POST":
            try:
                asked: dict[str, Any] = json.loads(body or b"{}")
                outage = asked.pop("outage", None)
                if asked:
                    self.faults = dataclasses.replace(self.faults, **asked)
                if outage is not None:
                    self.begin_outage(float(outage))
            except (ValueError, TypeError, AttributeError) as error:
                return json_answer({"error": {"message": str(error)}}, 400)
        return json_answer(dataclasses.asdict(self.faults))


class _Server(TCPServer):
    """Accepts connections; each is served by a thread of its own."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: DemoSite) -> None:
        self.site = site
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._served = 0
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._served += 1
        thread = threading.Thread(target=self._serve, args=(request, client_address), name=f"demo-site-{self._served}")
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:  # noqa: BLE001 - tells of a defect of ours, a client that went away is none
            if not isinstance(sys.exception(), OSError):
                self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def end_connections(self) -> None:
        """Wake the threads that wait for a next request, and wait for their end."""
        with self._lock:
            connections = dict(self._open)
        for connection in connections.values():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has just ended by itself
                continue
        for thread in connections:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection and sends the answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer; the method's name is that of the standard library."""
        site, came = self.server.site, time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = Address.parse(self.path)
        if address.path == "/_faults":
            self._send(site.control(self.command, body))
            return
        try:
            latency, fault = site.choose_fault(self.path, address)
        except ValueError as error:
            self._log(came, 400)
            self._send(json_answer({"error": {"message": str(error)}}, 400))
            return
        if latency and site.stopping.wait(latency):
            self.close_connection = True
            return
        if fault is None:
            answer = site.answer(self.command, address, body)
            self._log(came, answer.status)
            self._send(answer)
        else:
            self._fail(fault, came, address, body)

    do_POST = do_HEAD = do_GET  # noqa: N815 - the standard library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: the site keeps its own log."""

    def _log(self, came: float, status: int) -> None:
        self.server.site.record(LoggedRequest(came, self.command, self.path, status))

    def _send(self, answer: Answer) -> None:
        body = b"" if self.command == "HEAD" else answer.body
        self.connection.sendall(self._head(answer) + body)

    def _head(self, answer: Answer) -> bytes:
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Server": "etl-studio-demo",
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _fail(self, fault: Fault, came: float, address: Address, body: bytes) -> None:
        site = self.server.site
        if fault.kind == "status":
            headers = {} if fault.retry_after is None else {"Retry_After": f"{fault.retry_after:g}"}
            self._log(came, fault.status)
            self._send(json_answer({"error": {"message": "A fault was asked for."}}, fault.status, **headers))
            return
        if fault.kind == "damage":
            whole = site.answer(self.command, address, body)
            self._log(came, whole.status)
            self._send(dataclasses.replace(whole, body=whole.body[: len(whole.body) // 2]))
            return
        self.close_connection = True
        if fault.kind == "reset":
            self._log(came, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            os.close(self.connection.detach())  # the only close that sends RST: no shutdown before it
            return
        if fault.kind == "hang":
            self._log(came, 0)
            site.stopping.wait()
            return
        answer = site.answer(self.command, address, body)
        self._log(came, answer.status)
        half = len(answer.body) // 2
        if fault.kind == "truncate":
            self.connection.sendall(self._head(answer) + answer.body[:half])
            return
        self.connection.sendall(self._head(answer))
        for position in range(len(answer.body)):
            self.connection.sendall(answer.body[position : position + 1])
            if site.stopping.wait(DRIP_SECONDS):
                return
