"""A real server that wants to know who asks: Basic, Digest, Bearer, keys, and an OAuth 2.0 server beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

USER, PASSWORD = "ada", "l0vel:ace ü"
CLIENT, SECRET = "studio app", "s3cr&t/client"


class AuthServer:
    """Answers ``/basic``, ``/digest``, ``/bearer``, ``/header``, ``/query``, ``/oauth``; gives tokens at ``/token``.

    Attributes:
        seen: method, path with query, headers in lower case, body of each request.
        lives: seconds of an access token, as told.
        valid: access tokens that ``/oauth`` takes.
        refresh: the refresh token that is good; None: none is.
        rotates: each renewal gives another refresh token and ends the one before.
        slow: seconds that ``/token`` takes.
        redirect: where ``/away`` leads.
        codes: PKCE challenge and redirect address by authorization code.
    """

    def __init__(self, *, algorithm="SHA-256"):
        self.seen = []
        self.lives = 3600
        self.valid = set()
        self.given = 0
        self.refresh = None
        self.rotates = False
        self.slow = 0.0
        self.redirect = ""
        self.codes = {}
        self.algorithm = algorithm
        self.nonces = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((self.command, self.path, headers, body))
                path = urlsplit(self.path).path.strip("/")
                status, more, content = getattr(outer, f"_{path}")(self.command, self.path, headers, body)
                text = json.dumps(content).encode()
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(text)),
                    **more,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815 - the standard library's name

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, request, client_address):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def asked(self, path):
        """The requests for a path."""
        return [one for one in self.seen if urlsplit(one[1]).path == path]

    def _basic(self, method, path, headers, body):
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self._judge(headers.get("authorization") == f"Basic {wanted}", headers, challenge='Basic realm="r"')

    def _bearer(self, method, path, headers, body):
        return self._judge(headers.get("authorization") == "Bearer t0ken-of-ada", headers)

    def _header(self, method, path, headers, body):
        return self._judge(headers.get("x-shop") == "k3y-of-ada", headers)

    def _query(self, method, path, headers, body):
        return self._judge(dict(parse_qsl(urlsplit(path).query)).get("appid") == "k3y&of ada", headers)

    def _oauth(self, method, path, headers, body):
        token = headers.get("authorization", "").removeprefix("Bearer ")
        return self._judge(token in self.valid, headers)

    def _away(self, method, path, headers, body):
        return 302, {"Location": self.redirect}, {}

    def _anybody(self, method, path, headers, body):
        return 200, {}, {"items": []}

    def _digest(self, method, path, headers, body):
        given = headers.get("authorization", "")
        challenge = f'Digest realm="shop", qop="auth", algorithm={self.algorithm}, nonce="%s", opaque="o"'
        if given.startswith("Digest "):
            facts = parse_keqv_list(parse_http_list(given[7:]))
            if self._digest_is_right(method, path, facts):
                return 200, {}, {"items": [{"who": USER}]}
        with self._lock:
            nonce = f"n{len(self.nonces)}"
            self.nonces[nonce] = 0
        return 401, {"WWW-Authenticate": challenge % nonce}, {}

    def _digest_is_right(self, method, path, facts):
        def hashed(text):
            return hashlib.new(self.algorithm.replace("-", ""), text.encode()).hexdigest()

        ha1 = hashed(f"{USER}:shop:{PASSWORD}")
        ha2 = hashed(f"{method}:{path}")
        wanted = hashed(f"{ha1}:{facts['nonce']}:{facts['nc']}:{facts['cnonce']}:auth:{ha2}")
        count = int(facts["nc"], 16)
        with self._lock:
            fresh = count > self.nonces.get(facts["nonce"], 1 << 40)
            if fresh:
                self.nonces[facts["nonce"]] = count
        return fresh and facts["uri"] == path and facts["response"] == wanted

    def _judge(self, known, headers, challenge="Bearer"):
        if known:
            return 200, {}, {"items": [{"who": USER}]}
        sent = headers.get("authorization", "")
        return 401, {"WWW-Authenticate": challenge}, {"error": f"not with {sent}"}

    def _token(self, method, path, headers, body):
        time.sleep(self.slow)
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if not self._client_is_right(headers, form):
            return 401, {}, {"error": "invalid_client"}
        refused = self._refused(form)
        if refused:
            return 400, {}, {"error": "invalid_grant", "error_description": refused}
        with self._lock:
            self.given += 1
            access = f"access-token-{self.given}"
            self.valid.add(access)
            answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.lives}
            if form["grant_type"] == "authorization_code" or self.rotates:
                self.refresh = f"refresh-token-{self.given}"
                answer["refresh_token"] = self.refresh
        return 200, {}, answer

    def _client_is_right(self, headers, form):
        if "authorization" in headers:
            pair = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
            return tuple(map(unquote_plus, pair.split(":"))) == (CLIENT, SECRET)
        return form.get("client_id") == CLIENT and form.get("client_secret", SECRET) == SECRET

    def _refused(self, form):
        match form["grant_type"]:
            case "client_credentials":
                return None
            case "refresh_token":
                return None if form["refresh_token"] == self.refresh else "the refresh token is not known"
            case "authorization_code":
                challenge, redirect = self.codes.pop(form["code"], (None, None))
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                verified = base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
                return None if verified and form["redirect_uri"] == redirect else "the code is not known"
        return "no such grant"

    def _authorize(self, method, path, headers, body):
        """What the browser of a person who agrees is led through."""
        asked = dict(parse_qsl(urlsplit(path).query))
        code = f"code-{len(self.codes) + 1}-{time.monotonic_ns()}"
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"])
        return 302, {"Location": f"{asked['redirect_uri']}?code={code}&state={asked['state']}"}, {}
