"""An API that takes rows, does each idempotency key once, and fails on purpose."""

from __future__ import annotations

import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Receiver:
    """Runs while the block lasts.

    Args:
        answers: statuses of the first requests, in order; 0: the row is taken, and the connection breaks.
        faults: chance of each later request to fail, half of the time after its rows were taken.
        refuses: says of a row whether a request with it is refused.

    Attributes:
        bodies: what was taken, each key once.
        requests: (method, headers, body) of every request.
    """

    def __init__(self, answers: tuple[int, ...] = (), faults: float = 0.0, refuses=lambda row: False) -> None:
        self.bodies: list = []
        self.requests: list = []
        self._keys: set[str] = set()
        self._answers = list(answers)
        self._chance = random.Random(1)
        self._faults = faults
        self._refuses = refuses
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_rows(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._lock:
                    status = outer._take(self.command, dict(self.headers), json.loads(body))
                if status == 0:
                    self.close_connection = True
                    return
                answer = b'{"message": "no such customer"}' if status == 422 else b"{}"
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_PUT = do_PATCH = handle_rows  # noqa: N815 - as the library calls them

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Clients are killed on purpose."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/rows"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, method, headers, body) -> int:
        self.requests.append((method, headers, body))
        status = 200
        if self._answers:
            status = self._answers.pop(0)
        elif self._chance.random() < self._faults:
            status = self._chance.choice((0, 503))
        if status in (0, 200) and any(map(self._refuses, body if isinstance(body, list) else [body])):
            return 422
        key = headers.get("Idempotency-Key")
        if status in (0, 200) and (key is None or key not in self._keys):
            self.bodies.append(body)
            self._keys.add(key)
        return status
