"""A real server over ``PagedApi``: it pages in any of the usual ways, and notes what was asked."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from etl_studio import sdk
from etl_studio.errors import TransientError
from tests.nodes.extract.paged_api import PagedApi


class ProbedSite:
    """Runs while the block lasts.

    Args:
        style: how it pages; one of ``paged_api.STYLES``.
        count: how many items there are.
        size: items of a page.
        statuses: of answers in place of pages, by number of the request from 1 on.

    Attributes:
        asked: path and headers of each request.
        gate: answers wait for it.
    """

    def __init__(self, style="cursor", count=100, size=10, statuses=None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.gate = threading.Event()
        self.gate.set()
        api, outer = PagedApi(count, size, style), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append((self.path, headers))
                outer.gate.wait(20)
                status, more, body = (statuses or {}).get(len(outer.asked), 200), {}, b"{}"
                if status == 200:
                    url = f"http://api.example{self.path}"
                    request = sdk.HttpRequest(url, self.command, headers=headers, body=json.loads(sent or "null"))
                    try:
                        found = api.answer(request)
                    except TransientError:
                        status = 503
                    else:
                        body = found.content.replace(b"http://api.example", outer.url.encode())
                        more = {
                            name: value.replace("http://api.example", outer.url)
                            for name, value in found.headers.items()
                        }
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Set-Cookie": "sid=c00kie-value",
                    **more,
                }.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                with suppress(ConnectionError):  # who asked has gone
                    self.end_headers()
                    self.wfile.write(body)

            def do_POST(self):
                self.do_GET()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
