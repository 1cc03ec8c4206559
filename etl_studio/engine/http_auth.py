"""Signs requests as the setting ``auth`` of a node says (``sdk.auth``); credentials stay at the origin they are for."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any, Protocol

from etl_studio.engine.oauth2 import MemoryStore, OAuth2Sign, Tokens
from etl_studio.errors import PermanentError
from etl_studio.sdk.auth import ApiKeyAuth, BasicAuth, BearerAuth, DigestAuth, NoAuth
from etl_studio.sdk.config import editor_of
from etl_studio.sdk.http import shown_url

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    import httpx2

    from etl_studio.engine.oauth2 import Fetch, TokenStore
    from etl_studio.sdk.auth import Auth, OAuth2

UNAUTHORIZED = 401
_PORTS = {"http": 80, "https": 443}
_SHORTEST_SECRET = 4
"""Characters from which on a value is hidden: hiding shorter ones would garble every text."""


class Signature(Protocol):
    """What signs one request, and again on each hop that stays at its origin."""

    async def sign(self, request: httpx2.Request) -> None:
        """Add the credentials."""
        ...

    async def refused(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        """The server answered 401: sign anew and say whether that may help. Called once."""
        ...

    def bare(self, url: str) -> str:
        """An address without the credentials that ``sign`` put into it."""
        ...

    def strip(self, request: httpx2.Request) -> None:
        """Take the credentials away."""
        ...


class SignIns:
    """Who is signed in where: shared by runs and their threads.

    Args:
        store: keeps the tokens of people who signed in with a browser; by default memory.
    """

    def __init__(self, store: TokenStore | None = None) -> None:
        self._store = store or MemoryStore()
        self._lock = threading.Lock()
        self._digests: dict[str, Any] = {}
        self._tokens: dict[str, Tokens] = {}
        self._secrets: dict[str, None] = {}

    @property
    def lasts(self) -> bool:
        """Whether the sign-in of a person outlasts the program."""
        return self._store.lasts

    @property
    def secrets(self) -> Collection[str]:
        """Secrets that were used and what came of them, such as access tokens; hidden in all that is shown."""
        with self._lock:
            return tuple(self._secrets)

    def signature(self, auth: Auth, fetch: Fetch) -> Signature | None:
        """What signs a request; None: nothing does.

        Args:
            auth: the setting, with its secrets put in.
            fetch: asks for tokens.
        """
        if isinstance(auth, NoAuth):
            return None
        for name, field in type(auth).model_fields.items():
            if editor_of(field) == "secret":
                self._hide(getattr(auth, name))
        match auth:
            case BasicAuth():
                pair = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
                self._hide(pair)
                return _Fixed("Authorization", f"Basic {pair}")
            case DigestAuth():
                return _Digest(self._digest(auth))
            case BearerAuth():
                return _Fixed("Authorization", f"Bearer {auth.token}")
            case ApiKeyAuth(send_in="query"):
                return _InQuery(auth.name, auth.key)
            case ApiKeyAuth():
                return _Fixed(auth.name, auth.key)
            case _:
                return OAuth2Sign(self.tokens(auth), fetch)

    def tokens(self, auth: OAuth2) -> Tokens:
        """The tokens of a sign-in."""
        with self._lock:
            return self._tokens.setdefault(auth.model_dump_json(), Tokens(auth, self._store, self._hide))

    def _digest(self, auth: DigestAuth) -> Any:
        import httpx2

        # One for all requests: it remembers the server's challenge, so that only the first one is refused.
        with self._lock:
            return self._digests.setdefault(auth.model_dump_json(), httpx2.DigestAuth(auth.username, auth.password))

    def _hide(self, secret: str) -> None:
        if len(secret) >= _SHORTEST_SECRET:
            with self._lock:
                self._secrets[secret] = None


def stays(first: httpx2.URL, url: httpx2.URL) -> bool:
    """Whether credentials for an address may go to another: the same origin, or its https at the usual ports."""
    if first.host != url.host:
        return False
    ports = (first.port or _PORTS.get(first.scheme), url.port or _PORTS.get(url.scheme))
    return (first.scheme == url.scheme and ports[0] == ports[1]) or (
        (first.scheme, url.scheme) == ("http", "https") and ports == (80, 443)
    )


async def send_signed(
    client: httpx2.AsyncClient, request: httpx2.Request, signature: Signature | None
) -> httpx2.Response:
    """Send a request; where it is refused and that may help, sign it anew, once. The body is still to be read."""
    if signature is None:
        return await client.send(request, stream=True)
    await signature.sign(request)
    response = await client.send(request, stream=True)
    if response.status_code == UNAUTHORIZED:
        try:
            again = await signature.refused(request, response)
        except BaseException:
            await response.aclose()
            raise
        if again:
            await response.aclose()
            response = await client.send(request, stream=True)
    return response


class _Fixed:
    """The same header with each request."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    async def sign(self, request: httpx2.Request) -> None:
        request.headers[self._name] = self._value

    async def refused(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        del request, response
        return False

    def bare(self, url: str) -> str:
        return url

    def strip(self, request: httpx2.Request) -> None:
        request.headers.pop(self._name, None)


class _InQuery(_Fixed):
    """A parameter of the address."""

    async def sign(self, request: httpx2.Request) -> None:
        request.url = request.url.copy_set_param(self._name, self._value)

    def bare(self, url: str) -> str:
        import httpx2

        return str(self._without(httpx2.URL(url)))

    def strip(self, request: httpx2.Request) -> None:
        request.url = self._without(request.url)

    def _without(self, url: httpx2.URL) -> httpx2.URL:
        return url.copy_remove_param(self._name) if self._name in url.params else url


class _Digest:
    """A hash over password, address and the server's challenge."""

    def __init__(self, auth: httpx2.DigestAuth) -> None:
        self._auth = auth
        self._flow: Generator[httpx2.Request, httpx2.Response, None] | None = None

    async def sign(self, request: httpx2.Request) -> None:
        self.strip(request)
        self._flow = self._auth.auth_flow(request)
        next(self._flow)

    async def refused(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        import httpx2

        assert self._flow is not None  # noqa: S101 - signed before
        try:
            self._flow.send(response)
        except StopIteration:
            return False  # it wants something else than a digest
        except (ValueError, NotImplementedError, httpx2.ProtocolError):
            raise PermanentError(
                f"{shown_url(str(request.url))} asks for a kind of digest sign-in that is not known here.",
                hint="Known are MD5, SHA and SHA-256 with qop=auth. Does the API take another sign-in?",
                status=UNAUTHORIZED,
            ) from None
        return True

    def bare(self, url: str) -> str:
        return url

    def strip(self, request: httpx2.Request) -> None:
        request.headers.pop("Authorization", None)
