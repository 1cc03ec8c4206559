"""A site that answers each path with what a test has put there."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class FeedSite:
    """Runs while the block lasts.

    Args:
        answers: by path: a body, or a list of bodies of which each is given once and the last for ever; an int is
            the status of an answer without a body.
        content_type: of every answer.

    Attributes:
        asked: the paths, in order.
    """

    def __init__(self, answers, content_type="application/xml") -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append(self.path)
                found = answers.get(self.path, 404)
                if isinstance(found, list):
                    found = found.pop(0) if len(found) > 1 else found[0]
                status, body = (found, b"") if isinstance(found, int) else (200, found)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
