"""A site on loopback that answers as a function of the request says."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; ``path`` as it was sent, ``body`` is what its JSON says, or its text."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is answered: JSON, text or bytes; status 0 breaks the connection."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


class AnsweringSite:
    """Runs while the block lasts.

    Args:
        answer: gives an ``Answer``, or its body, for an ``Asked``.

    Attributes:
        asked: every request, in the order in which they arrived.
        most_at_once: requests that were under way at the same time.
    """

    def __init__(self, answer) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer_it(self):
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
                asked = Asked(self.command, path, query, dict(self.headers), _body(content))
                with site._lock:
                    site.asked.append(asked)
                    site._now += 1
                    site.most_at_once = max(site.most_at_once, site._now)
                try:
                    given = answer(asked)
                    given = given if isinstance(given, Answer) else Answer(given)
                    time.sleep(given.delay)
                finally:
                    with site._lock:
                        site._now -= 1
                if given.status == 0:
                    self.close_connection = True
                    return
                body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
                headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **given.headers}
                self.send_response(given.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer_it  # noqa: N815 - as the library calls them

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Clients may go at any time."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _body(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode()
