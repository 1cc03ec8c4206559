"""A person signs in with the system's browser: authorization code with PKCE, back to a loopback address (RFC 8252)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
import webbrowser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from etl_studio.errors import Cancelled, PermanentError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from etl_studio.engine.http_auth import SignIns
    from etl_studio.sdk.auth import OAuth2AuthorizationCode

SIGN_IN_SECONDS = 300.0
"""How long a person has to sign in."""
EXCHANGE_SECONDS = 30.0
LOOK = 0.1
"""Seconds between two looks whether somebody gave up."""


def sign_in(
    auth: OAuth2AuthorizationCode,
    sign_ins: SignIns,
    stopping: threading.Event,
    *,
    open_page: Callable[[str], object] = webbrowser.open,
    seconds: float = SIGN_IN_SECONDS,
) -> None:
    """Open the sign-in page, wait until the person has come back, and keep the tokens; not on a window's thread.

    Args:
        auth: the setting, with its secrets put in.
        sign_ins: takes the tokens.
        stopping: ends the wait.
        open_page: shows an address to the person.
        seconds: how long to wait.

    Raises:
        Cancelled: ``stopping`` was set.
        PermanentError: nobody came back in time, or the server refused.
        TransientError: the server did not answer.
    """
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with _Loopback(auth.redirect_port, state) as loopback:
        open_page(_page(auth, loopback.url, state, verifier))
        code = loopback.wait(time.monotonic() + seconds, stopping, urlsplit(auth.authorization_url).hostname or "")
    form = {"code": code, "redirect_uri": loopback.url, "code_verifier": verifier}
    asyncio.run(_exchange(auth, sign_ins, form))


def sign_out(auth: OAuth2AuthorizationCode, sign_ins: SignIns) -> bool:
    """Forget the tokens of a sign-in; whether there were any."""
    return asyncio.run(sign_ins.tokens(auth).sign_out())


def _page(auth: OAuth2AuthorizationCode, redirect: str, state: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": auth.client_id,
        "redirect_uri": redirect,
        "scope": auth.scope,
        "audience": auth.audience,
        **auth.parameters,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    parts = urlsplit(auth.authorization_url)
    query = urlencode([*parse_qsl(parts.query), *((name, value) for name, value in asked.items() if value)])
    return urlunsplit(parts._replace(query=query))


async def _exchange(auth: OAuth2AuthorizationCode, sign_ins: SignIns, form: dict[str, str]) -> None:
    from etl_studio.engine.http_session import HttpSession

    session = HttpSession(sign_ins=sign_ins)
    try:
        tokens = sign_ins.tokens(auth)
        await tokens.exchange(lambda request: session.fetch(request, EXCHANGE_SECONDS, ()), form)
    finally:
        await session.close()


class _Loopback:
    """A server on this computer that waits for the browser to come back; strangers and wrong states do not end it."""

    def __init__(self, port: int, state: str) -> None:
        self._state = state
        self._answer: dict[str, str] = {}
        try:
            # Threads: browsers open connections in advance on which nothing comes.
            self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            raise PermanentError(
                f"The port {port} of this computer is taken, so the browser cannot come back ({error.strerror}).",
                hint="Close the program that uses it, or set another redirect_port.",
            ) from None
        self._server.daemon_threads = True
        self._server.timeout = LOOK
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, until: float, stopping: threading.Event, host: str) -> str:
        """The code that the browser brings."""
        while not self._answer:
            if stopping.is_set():
                raise Cancelled("The sign-in was stopped.")
            if time.monotonic() > until:
                raise PermanentError(f"Nobody signed in at {host} in time.", hint="Try again.")
            self._server.handle_request()
        if "code" in self._answer:
            return self._answer["code"]
        why = self._answer.get("error_description") or self._answer["error"]
        raise PermanentError(f"{host} did not let anybody sign in: {why[:200]}.", hint="Try again.")

    def _brought(self, path: str) -> dict[str, str]:
        """What a request brings, if it is the browser that we sent out."""
        parts = urlsplit(path)
        found = {name: values[0] for name, values in parse_qs(parts.query).items()}
        mine = parts.path == "/" and hmac.compare_digest(found.get("state", "").encode(), self._state.encode())
        return found if mine and found.keys() & {"code", "error"} else {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5.0

            def do_GET(self) -> None:
                brought = loopback._brought(self.path)
                status = HTTPStatus.OK if brought else HTTPStatus.NOT_FOUND
                text = b"You can close this page.\n" if brought else b"There is nothing here.\n"
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("X-Content-Type-Options", "nosniff")
                self.end_headers()
                self.wfile.write(text)
                # After the page is out, as the server closes then.
                loopback._answer = loopback._answer or brought

            def log_message(self, *_: Any) -> None:
                """Say nothing: the address holds the code."""

        return Handler
