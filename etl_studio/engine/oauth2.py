"""OAuth 2.0 (RFC 6749): access tokens that are asked for when they are needed, once for all who wait for them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus, urlsplit

from etl_studio.errors import PermanentError
from etl_studio.sdk.auth import OAuth2AuthorizationCode, OAuth2ClientCredentials, OAuth2RefreshToken
from etl_studio.sdk.http import HttpRequest, shown_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import httpx2

    from etl_studio.sdk.auth import OAuth2
    from etl_studio.sdk.http import HttpResponse

    Fetch = Callable[[HttpRequest], Awaitable[HttpResponse]]

EARLY = 30.0
"""Seconds before its end at which a token is renewed; half of its life where that is shorter."""
LOOK = 0.02
"""Seconds between two looks whether somebody else has the token by now."""
_ELSEWHERE = 300
_REFUSED = (400, 401)
"""What a token address answers where it refuses what it is given (RFC 6749, section 5.2)."""


class TokenStore(Protocol):
    """Keeps the tokens of people who signed in, encrypted or in memory; given by ``app``. Its calls may wait."""

    @property
    def lasts(self) -> bool:
        """Whether the next program finds what this one kept."""
        ...

    def load(self, name: str) -> str | None:
        """What was kept under a name."""
        ...

    def save(self, name: str, text: str) -> None:
        """Keep a text in place of what was there.

        Raises:
            EtlError: it cannot be kept.
        """
        ...

    def forget(self, name: str) -> None:
        """Keep it no more."""
        ...


class MemoryStore:
    """Keeps tokens as long as the program runs."""

    lasts = False

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def load(self, name: str) -> str | None:
        """What was kept under a name."""
        return self._texts.get(name)

    def save(self, name: str, text: str) -> None:
        """Keep a text."""
        self._texts[name] = text

    def forget(self, name: str) -> None:
        """Keep it no more."""
        self._texts.pop(name, None)


@dataclass(frozen=True, slots=True)
class Token:
    """What a server gave out.

    Attributes:
        access: goes with each request.
        ends: monotonic seconds; None: it does not say.
        refresh: gives the next one, where the server said so.
    """

    access: str = field(repr=False)
    ends: float | None = None
    refresh: str | None = field(default=None, repr=False)


class Tokens:
    """The token of one sign-in, for any number of threads and event loops.

    Args:
        auth: the setting, with its secrets put in.
        store: where tokens of people are kept.
        hide: is told each secret value that comes up.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        auth: OAuth2,
        store: TokenStore,
        hide: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = auth
        self._store = store
        self._hide = hide
        self._clock = clock
        self._busy = threading.Lock()
        self._token: Token | None = None
        self._renew_at: float | None = None

    async def token(self, fetch: Fetch, refused: Token | None = None) -> Token:
        """A token that is valid for a while.

        Args:
            fetch: asks the server.
            refused: the one that an API did not take; another is wanted.

        Raises:
            TransientError: the server did not answer.
            PermanentError: it refuses the sign-in, or nobody has signed in.
        """
        if self._is_good(refused):
            assert self._token is not None  # noqa: S101 - that is what good means
            return self._token
        async with self._alone():
            if not self._is_good(refused):
                self._take(await self._asked(fetch))
            assert self._token is not None  # noqa: S101 - just taken
            return self._token

    async def exchange(self, fetch: Fetch, form: Mapping[str, str]) -> None:
        """Trade what a browser brought for tokens, and keep them.

        Raises:
            EtlError: the server refuses it, or there is nowhere to keep them.
        """
        async with self._alone():
            token = await self._given(fetch, {"grant_type": "authorization_code", **form})
            await self._keep(token)
            self._take(token)

    async def sign_out(self) -> bool:
        """Forget the tokens; whether there were any."""
        async with self._alone():
            self._token = None
            known = await asyncio.to_thread(self._store.load, self.name) is not None
            await asyncio.to_thread(self._store.forget, self.name)
            return known

    @property
    def name(self) -> str:
        """Under which its tokens are kept: for people, with a hash of all that makes it another sign-in."""
        auth = self._auth
        facts = [auth.kind, auth.token_url, auth.client_id, auth.scope, auth.audience]
        if isinstance(auth, OAuth2RefreshToken):
            facts.append(auth.refresh_token)
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
        return f"{urlsplit(auth.token_url).hostname} {auth.client_id} {digest}"

    def _is_good(self, refused: Token | None) -> bool:
        token = self._token
        return token is not None and token is not refused and (self._renew_at is None or self._clock() < self._renew_at)

    def _take(self, token: Token) -> None:
        now = self._clock()
        self._renew_at = None if token.ends is None else token.ends - min(EARLY, (token.ends - now) / 2)
        self._token = token

    async def _asked(self, fetch: Fetch) -> Token:
        auth = self._auth
        if isinstance(auth, OAuth2ClientCredentials):
            return await self._given(fetch, {"grant_type": "client_credentials", **self._wanted()})
        kept = await asyncio.to_thread(self._store.load, self.name)
        if isinstance(auth, OAuth2AuthorizationCode) and kept is None:
            raise PermanentError(
                f"Nobody is signed in at {urlsplit(auth.token_url).hostname}.",
                hint="Sign in: etl-studio sign-in FILE NODE.",
            )
        while True:
            refresh, access = _read(kept) if kept else (getattr(auth, "refresh_token", None), None)
            if refresh is None:
                return self._only(access)
            try:
                token = await self._given(
                    fetch, {"grant_type": "refresh_token", "refresh_token": refresh, **self._wanted(scope=False)}
                )
            except PermanentError as error:
                if error.status not in _REFUSED:
                    raise
                # Another process may have renewed it: a server that gives new refresh tokens takes each one once.
                before, kept = kept, await asyncio.to_thread(self._store.load, self.name)
                if kept == before:
                    raise self._ended(error) from None
                continue
            if token.refresh not in (None, refresh):
                await self._keep(token)
            return token

    def _only(self, access: str | None) -> Token:
        """A token that cannot be renewed, as long as the API takes it."""
        if access is None or (self._token is not None and self._token.access == access):
            raise self._ended(None)
        self._hide(access)
        return Token(access)

    def _ended(self, error: PermanentError | None) -> PermanentError:
        host = urlsplit(self._auth.token_url).hostname
        by_person = isinstance(self._auth, OAuth2AuthorizationCode)
        return PermanentError(
            f"The sign-in at {host} does not count any more. {error.what if error else ''}".rstrip(),
            hint="Sign in again: etl-studio sign-in FILE NODE." if by_person else "Get a new refresh token.",
            status=error.status if error else None,
        )

    def _wanted(self, *, scope: bool = True) -> dict[str, str]:
        asked = {"scope": self._auth.scope if scope else "", "audience": self._auth.audience}
        return {name: value for name, value in asked.items() if value}

    async def _given(self, fetch: Fetch, form: Mapping[str, str]) -> Token:
        """Ask the token address."""
        auth, headers, sent = self._auth, {"Accept": "application/json"}, dict(form)
        if auth.client_secret and auth.client_auth == "header":
            pair = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            sent["client_id"] = auth.client_id
            if auth.client_secret:
                sent["client_secret"] = auth.client_secret
        now = self._clock()
        response = await fetch(HttpRequest(auth.token_url, "POST", headers=headers, form=sent, follow_redirects=False))
        if response.status >= _ELSEWHERE:
            raise PermanentError(
                f"{shown_url(auth.token_url)} leads to another address, and secrets do not follow.",
                hint="Write the address where tokens are given out now.",
                status=response.status,
            )
        answer = response.json()
        found = answer if isinstance(answer, dict) else {}
        access = found.get("access_token")
        if not isinstance(access, str) or not access:
            problem = found.get("error_description") or found.get("error")
            raise PermanentError(
                f"{shown_url(auth.token_url)} gave no access token"
                f"{f' (it says: {problem})' if isinstance(problem, str) else ''}.",
                hint="Check the token address and the client.",
            )
        refresh = found.get("refresh_token")
        refresh = refresh if isinstance(refresh, str) and refresh else None
        for secret in (access, refresh):
            if secret:
                self._hide(secret)
        lasts = _seconds(found.get("expires_in"))
        return Token(access, None if lasts is None else now + lasts, refresh)

    async def _keep(self, token: Token) -> None:
        # A refresh token alone is short enough for every keychain.
        facts = {"refresh_token": token.refresh} if token.refresh else {"access_token": token.access}
        await asyncio.to_thread(self._store.save, self.name, json.dumps(facts))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One at a time, whatever its event loop; a lock of asyncio belongs to one loop only."""
        while not self._busy.acquire(blocking=False):  # noqa: ASYNC110 - the holder may be in another thread
            await asyncio.sleep(LOOK)
        try:
            yield
        finally:
            self._busy.release()


class OAuth2Sign:
    """Signs one request with an access token (``engine.http_auth.Signature``)."""

    def __init__(self, tokens: Tokens, fetch: Fetch) -> None:
        self._tokens = tokens
        self._fetch = fetch
        self._used: Token | None = None

    async def sign(self, request: httpx2.Request) -> None:
        """Add a token."""
        self._used = await self._tokens.token(self._fetch)
        request.headers["Authorization"] = f"Bearer {self._used.access}"

    async def refused(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        """Take another token."""
        del response
        self._used = await self._tokens.token(self._fetch, self._used)
        request.headers["Authorization"] = f"Bearer {self._used.access}"
        return True

    def bare(self, url: str) -> str:
        """The address itself."""
        return url

    def strip(self, request: httpx2.Request) -> None:
        """Without the header."""
        request.headers.pop("Authorization", None)


def _read(kept: str) -> tuple[str | None, str | None]:
    """Refresh token and access token of what was kept."""
    try:
        facts: Any = json.loads(kept)
        return facts.get("refresh_token"), facts.get("access_token")
    except (ValueError, AttributeError):
        return None, None


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None
