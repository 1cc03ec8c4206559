"""A web site of a test: pages by path, and a log of what was asked, when, and how much at once."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    """A request: when it came, its path with the query, its headers, and how many were under way with it."""

    at: float
    path: str
    headers: dict
    together: int


@dataclass
class Page:
    """An answer."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict = field(default_factory=dict)
    wait: float = 0.0


class WebSite:
    """A site on loopback.

    Args:
        pages: ``Page``, text or bytes by path; or a function of the path that gives one, or None.
    """

    def __init__(self, pages):
        self.pages = pages
        self.asked = []
        self.reached = threading.Condition()
        self._under_way = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self):
                with site.reached:
                    site._under_way += 1
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    site.asked.append(Asked(time.monotonic(), self.path, headers, site._under_way))
                    site.reached.notify_all()
                try:
                    self.answer(site.page(self.path))
                except OSError:
                    self.close_connection = True
                finally:
                    with site.reached:
                        site._under_way -= 1

            def answer(self, page):
                time.sleep(page.wait)
                body = page.body.encode() if isinstance(page.body, str) else page.body
                self.send_response(page.status)
                self.send_header("Content-Type", page.content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                """A crawler that was killed leaves its connections."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"

    def page(self, path):
        found = self.pages(path) if callable(self.pages) else self.pages.get(path)
        if callable(found):
            found = found()
        if found is None:
            return Page("nothing here", 404, "text/plain")
        return found if isinstance(found, Page) else Page(found)

    @property
    def paths(self):
        """What was asked, in order."""
        return [each.path for each in self.asked]

    def wait_for(self, requests, process=None):
        """Wait until so many requests have come since the beginning; False: the process has ended before."""
        with self.reached:
            while len(self.asked) < requests:
                self.reached.wait(0.1)
                if process is not None and process.poll() is not None:
                    return False
        return True

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
