"""The seam to the HTTP library: one request becomes one answer or one error of ours."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from etl_studio import __version__
from etl_studio.engine.http_addresses import is_public_host
from etl_studio.engine.http_auth import SignIns, send_signed, stays
from etl_studio.engine.http_body import BodyStream, ByteCount, Opened, beginning, check_codings, content
from etl_studio.engine.http_changes import NOT_MODIFIED
from etl_studio.engine.http_failures import cannot_be_sent, failure, from_status
from etl_studio.errors import PermanentError
from etl_studio.sdk.http import shown_url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import httpx2

    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.http_auth import Signature
    from etl_studio.engine.http_session_client import SessionClient
    from etl_studio.engine.http_trust import Trust
    from etl_studio.sdk.http import HttpRequest, HttpResponse

MAX_BYTES = 64 * 2**20
"""Bytes that one answer may have after decompression, where the request does not say."""
MAX_REDIRECTS = 10

USER_AGENT = f"etl-studio/{__version__}"
LAST_PORT = 65_535
_FIRST_ERROR = 400
_FIRST_REDIRECT = 300
_NO_SECRETS = {"accept", "accept-language", "cookie", "user-agent"}
"""Headers that go along to another origin; a request's own cookies are not among what httpx2 takes there."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HttpSession:
    """A client with its connections and cookies, for one event loop; it is made at the first request.

    Args:
        max_bytes: the most bytes of one decoded answer.
        sign_ins: signs requests that ask for it.
        cookies: keep those that sites set and send them back.
        trust: which certificates are good; default: those that the system trusts.
        tape: keeps what comes, or answers in place of the network.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        sign_ins: SignIns | None = None,
        *,
        cookies: bool = True,
        trust: Trust | None = None,
        tape: Tape | None = None,
    ) -> None:
        self._tape = tape
        self._max_bytes = max_bytes
        self._sign_ins = sign_ins or SignIns()
        self._cookies = cookies
        self._trust = trust
        self._client: SessionClient | None = None

    async def fetch(
        self,
        request: HttpRequest,
        timeout: float | None,  # noqa: ASYNC109 - part of the request
        retry_on: Collection[int],
        *,
        taped: bool = True,
    ) -> HttpResponse:
        """Send a request and follow its redirects; ``HttpService.fetch`` tells arguments and errors.

        Args:
            request: what to ask.
            timeout: seconds for everything together.
            retry_on: statuses that may succeed when tried again.
            taped: False: no tape learns of it, as it is about tokens.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                opened = await self._follow(request, retry_on, request.accept, self._tape if taped else None)
                if opened.beginning is not None:
                    body = opened.beginning
                else:
                    size = ByteCount(opened.response, request.max_bytes or self._max_bytes)
                    kind = opened.response.headers.get("content-type", "")
                    try:
                        body = (
                            await content(opened.response, size)
                            if request.reads is None or request.reads(kind)
                            else b""
                        )
                    finally:
                        await opened.response.aclose()
        except Exception as error:  # noqa: BLE001 - told as what it means
            raise failure(error, request, timeout) from None
        return opened.answer(body, time.monotonic() - began)

    async def open(
        self,
        request: HttpRequest,
        timeout: float | None,  # noqa: ASYNC109 - part of the request
        retry_on: Collection[int],
        *,
        idle: float | None = None,
    ) -> BodyStream:
        """Send a request and follow its redirects; the body is left to the caller, who closes it.

        Args:
            request: what to ask.
            timeout: seconds until its headers are there.
            retry_on: statuses that may succeed when tried again.
            idle: seconds without a byte of the body after which it fails.
        """
        try:
            async with asyncio.timeout(timeout):
                opened = await self._follow(request, retry_on, None, self._tape)
        except Exception as error:  # noqa: BLE001 - told as what it means
            raise failure(error, request, timeout) from None
        return BodyStream(opened, request, idle)

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def _replays(self) -> bool:
        return self._tape is not None and self._tape.replays

    async def _follow(
        self,
        request: HttpRequest,
        retry_on: Collection[int],
        accept: Callable[[HttpResponse], bool] | None,
        tape: Tape | None,
    ) -> Opened:
        client = self._client = self._client or _new_client(self._trust, self._tape, cookies=self._cookies)
        outgoing = _outgoing(client, request)
        first = outgoing.url
        signature = None
        if not self._replays:
            ask = partial(self.fetch, timeout=None, retry_on=retry_on, taped=False)
            signature = self._sign_ins.signature(request.auth, ask)
        for _ in range(MAX_REDIRECTS + 1):
            _check_address(outgoing.url)
            signed = signature if stays(first, outgoing.url) else None
            if tape is not None:
                response = await _taped(tape, client, outgoing, signed)
            else:
                response = await _sent(client, outgoing, signed)
            try:
                status = response.status_code
                opened = Opened(response, _shown_by(signature, response))
                if status >= _FIRST_ERROR:
                    opened = replace(opened, beginning=await beginning(response))
                    if accept is not None and accept(opened.answer(opened.beginning or b"")):
                        return opened
                    raise from_status(
                        status,
                        response.headers.get("retry-after"),
                        opened.beginning or b"",
                        request,
                        retry_on,
                        self._sign_ins.secrets,
                    )
                asked_for = status == NOT_MODIFIED and request.unchanged == "skip"
                if status < _FIRST_REDIRECT or asked_for or not request.follow_redirects:
                    check_codings(response, client)
                    return opened
                if response.next_request is None:
                    raise PermanentError(
                        f"{shown_url(request.url)} answered {status} and no address to go on to.", status=status
                    )
                await beginning(response)
                following = response.next_request
                if signature is not None:
                    signature.strip(following)
                outgoing = await self._led(_redirected(following, outgoing.url, request), first)
            except BaseException:
                await response.aclose()
                raise
            await response.aclose()
        raise PermanentError(
            f"{shown_url(request.url)} leads through more than {MAX_REDIRECTS} redirects.",
            hint="Open the address in a browser; it may want cookies or a sign-in.",
        )

    async def _led(self, following: httpx2.Request, first: httpx2.URL) -> httpx2.Request:
        """The next request. Nobody but the site said where it goes: one of the internet leads to others of it."""
        if following.url.host != first.host and not self._replays and await is_public_host(first.host):
            following.extensions = {**following.extensions, "public": True}
        return following


def _shown_by(signature: Signature | None, response: httpx2.Response) -> str:
    """The address of an answer without the key that a signature put there."""
    url = str(response.url)
    return url if signature is None else signature.bare(url)


async def _sent(client: SessionClient, request: httpx2.Request, signature: Signature | None) -> httpx2.Response:
    if signature is None and not request.url.userinfo:
        return await client.send_directly(request)
    return await send_signed(client, request, signature)


async def _taped(
    tape: Tape, client: httpx2.AsyncClient, request: httpx2.Request, signature: Signature | None
) -> httpx2.Response:
    await request.aread()
    take = tape.asking(request)
    if take is None:
        return await send_signed(client, request, signature)
    try:
        response = await send_signed(client, request, signature)
    except Exception as error:
        take.failed(error)
        raise
    take.answered(response)
    return response


def _new_client(trust: Trust | None, tape: Tape | None, *, cookies: bool) -> SessionClient:
    from etl_studio.engine.http_session_client import SessionClient
    from etl_studio.engine.http_transport import AiohttpTransport

    network = partial(AiohttpTransport, trust)
    return SessionClient(network() if tape is None else tape.transport(network), USER_AGENT, cookies=cookies)


def _outgoing(client: SessionClient, request: HttpRequest) -> httpx2.Request:
    import httpx2

    url = httpx2.URL(request.url)
    params = {name: value for name, value in request.params.items() if value is not None}
    if not all(map(_HEADER_NAME.fullmatch, request.headers)):
        raise cannot_be_sent(request.url)
    own = {name.lower() for name in request.headers}
    try:
        outgoing = httpx2.Request(
            request.method,
            url.copy_merge_params(params) if params else url,
            headers=[*(pair for name, pair in client.common.items() if name not in own), *request.headers.items()],
            json=request.body,
            content=request.content,
            data=dict(request.form) if request.form is not None else None,
            extensions={"public": True} if request.from_data else None,
        )
    except (TypeError, ValueError):
        raise cannot_be_sent(request.url) from None
    client.jar.add_to(outgoing, client.cookies)
    return outgoing


def _redirected(following: httpx2.Request, url: httpx2.URL, request: HttpRequest) -> httpx2.Request:
    """The next request; at another origin it carries nothing of the request's own that could be a secret.

    Cookies that sites have set are put in by httpx2, for the hosts that they are for.
    """
    if stays(url, following.url):
        own = next((value for name, value in request.headers.items() if name.lower() == "cookie"), None)
        if own is not None:
            following.headers["Cookie"] = "; ".join(filter(None, (own, following.headers.get("Cookie"))))
        return following
    following.headers.pop("Authorization", None)
    for name in request.headers:
        if name.lower() not in _NO_SECRETS:
            following.headers.pop(name, None)
    return following


def _check_address(url: httpx2.URL) -> None:
    if url.scheme not in {"http", "https"}:
        raise PermanentError(
            f'"{shown_url(str(url))}" is no web address.',
            hint="A web address begins with http:// or https://.",
        )
    if not url.host or not 0 < (url.port or 1) <= LAST_PORT:
        raise PermanentError(
            f'"{shown_url(str(url))}" names no host, or no port from 1 to {LAST_PORT}.',
            hint="Write it as https://host/path.",
        )
