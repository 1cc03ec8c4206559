"""A small site that gives prepared answers in turn."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class ScriptedSite:
    """Answers on loopback; the last answer is given for ever.

    Attributes:
        answers: each a body, or ``(status, body)``; a body is bytes or becomes JSON.
        asked: the query of each request.
        headers: sent with each answer.
    """

    def __init__(self):
        self.answers = []
        self.asked = []
        self.seen = []
        self.headers = {"Content-Type": "application/json"}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.asked.append(dict(parse_qsl(urlsplit(self.path).query)))
                site.seen.append({name.lower(): value for name, value in self.headers.items()})
                answer = site.answers.pop(0) if len(site.answers) > 1 else site.answers[0]
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **site.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 - the standard library's name

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/things"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
