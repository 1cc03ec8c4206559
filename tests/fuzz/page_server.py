"""A web server that answers the first request with the bytes given and others with a good page."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from etl_studio.engine.http import HttpService
from tests.fuzz.corpus import shop

RETRY_ON = frozenset({429, 503})
SECOND_PAGE_CARDS = 2
SECOND_PAGE = shop(SECOND_PAGE_CARDS).replace(b'class="next"', b"")


class PageServer:
    """Give an answer, read; ``asked`` counts the requests since."""

    def __init__(self) -> None:
        self._content, self._kind = b"", ""
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked += 1
                content, kind = (outer._content, outer._kind) if outer.asked == 1 else (SECOND_PAGE, "text/html")
                self.send_response(200)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._service = HttpService()
        self._stopping = threading.Event()
        self.client = self

    def answer(self, content: bytes, kind: str) -> None:
        """What to answer from now on."""
        self._content, self._kind, self.asked = content, kind, 0

    def send(self, request):
        return self._service.fetch(request, timeout=30, stopping=self._stopping, retry_on=RETRY_ON)

    def close(self) -> None:
        self._service.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
