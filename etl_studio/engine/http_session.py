"""The seam to the HTTP library: one request becomes one answer or one error of ours."""

from __future__ import annotations

import asyncio
import codecs
from functools import partial
from typing import TYPE_CHECKING

from etl_studio import __version__
from etl_studio.engine.http_auth import SignIns, send_signed, stays
from etl_studio.engine.http_failures import cannot_be_sent, from_status, from_transport
from etl_studio.errors import DeadlineError, PermanentError
from etl_studio.sdk.http import HttpResponse, shown_url

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx2

    from etl_studio.engine.http_auth import Signature
    from etl_studio.sdk.http import HttpRequest

MAX_BYTES = 64 * 2**20
"""Bytes that one answer may have after decompression."""
MAX_RATIO = 200
"""How many times larger than its compressed form an answer may be ..."""
RATIO_FLOOR = 2**20
"""... once it has grown to so many bytes."""
MAX_REDIRECTS = 10
MAX_CODINGS = 2
MAX_ERROR_BYTES = 64 * 2**10
"""Bytes that are read of a redirect or an error; reading them lets the connection be used again."""

USER_AGENT = f"etl-studio/{__version__}"
LAST_PORT = 65_535
_FIRST_ERROR = 400
_FIRST_REDIRECT = 300
_NO_SECRETS = {"accept", "accept-language", "user-agent"}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class HttpSession:
    """A client with its connections and cookies, for one event loop; it is made at the first request.

    Args:
        max_bytes: the most bytes of one decoded answer.
        sign_ins: signs requests that ask for it.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, sign_ins: SignIns | None = None) -> None:
        self._max_bytes = max_bytes
        self._sign_ins = sign_ins or SignIns()
        self._client: httpx2.AsyncClient | None = None

    async def fetch(self, request: HttpRequest, timeout: float | None, retry_on: Collection[int]) -> HttpResponse:  # noqa: ASYNC109 - part of the request
        """Send a request and follow its redirects; ``HttpService.fetch`` tells arguments and errors."""
        import httpx2

        try:
            async with asyncio.timeout(timeout):
                return await self._follow(request, retry_on)
        except TimeoutError:
            raise DeadlineError(
                f"{shown_url(request.url)} did not answer in full within {timeout:g} s.",
                hint="Raise the timeout in the node's policy, or ask for fewer items at a time.",
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # The library's errors may quote headers, and headers hold passwords.
            raise from_transport(error, request.url) from None

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _follow(self, request: HttpRequest, retry_on: Collection[int]) -> HttpResponse:
        client = self._client = self._client or _new_client()
        outgoing = _outgoing(client, request)
        first = outgoing.url
        signature = self._sign_ins.signature(request.auth, partial(self.fetch, timeout=None, retry_on=retry_on))
        for _ in range(MAX_REDIRECTS + 1):
            _check_address(outgoing.url)
            response = await send_signed(client, outgoing, signature if stays(first, outgoing.url) else None)
            try:
                status = response.status_code
                if status >= _FIRST_ERROR:
                    body = await _beginning(response)
                    if request.accept is not None:
                        answer = self._answer(response, body, _shown_by(signature, response))
                        if request.accept(answer):
                            return answer
                    secrets = self._sign_ins.secrets
                    raise from_status(status, response.headers.get("retry-after"), body, request, retry_on, secrets)
                if response.next_request is not None:
                    await _beginning(response)
                    following = response.next_request
                    if signature is not None:
                        signature.strip(following)
                    outgoing = _redirected(following, outgoing.url, request)
                    continue
                if status >= _FIRST_REDIRECT:
                    raise PermanentError(
                        f"{shown_url(request.url)} answered {status} and no address to go on to.", status=status
                    )
                return self._answer(response, await self._content(response, client), _shown_by(signature, response))
            finally:
                await response.aclose()
        raise PermanentError(
            f"{shown_url(request.url)} leads through more than {MAX_REDIRECTS} redirects.",
            hint="Open the address in a browser; it may want cookies or a sign-in.",
        )

    async def _content(self, response: httpx2.Response, client: httpx2.AsyncClient) -> bytes:
        _check_codings(response, client)
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise PermanentError(
                    f"The answer of {shown_url(str(response.url))} is larger than {self._max_bytes // 2**20} MB.",
                    hint="Ask for fewer items at a time.",
                )
            if size > RATIO_FLOOR and size > MAX_RATIO * response.num_bytes_downloaded:
                raise PermanentError(
                    f"The compressed answer of {shown_url(str(response.url))} grows to more than {MAX_RATIO} times "
                    "its size. It was not unpacked further, as it may be an attack.",
                    hint="Ask the owner of the site, or for fewer items at a time.",
                )
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _answer(self, response: httpx2.Response, content: bytes, url: str) -> HttpResponse:
        encoding = response.charset_encoding
        return HttpResponse(
            url=url,
            status=response.status_code,
            headers=dict(response.headers),
            content=content,
            encoding=encoding if encoding and _is_known(encoding) else None,
        )


def _shown_by(signature: Signature | None, response: httpx2.Response) -> str:
    """The address of an answer without the key that a signature put there."""
    url = str(response.url)
    return url if signature is None else signature.bare(url)


def _new_client() -> httpx2.AsyncClient:
    import httpx2

    return httpx2.AsyncClient(
        headers={"user-agent": USER_AGENT},
        timeout=None,
        mounts={f"all://{host}": None for host in _LOOPBACK},  # a proxy of the system cannot reach this computer
    )


def _outgoing(client: httpx2.AsyncClient, request: HttpRequest) -> httpx2.Request:
    import httpx2

    url = httpx2.URL(request.url)
    params = {name: value for name, value in request.params.items() if value is not None}
    try:
        return client.build_request(
            request.method,
            url.copy_merge_params(params) if params else url,
            headers=dict(request.headers) or None,
            json=request.body,
            data=dict(request.form) if request.form is not None else None,
        )
    except (TypeError, ValueError):
        raise cannot_be_sent(request.url) from None


def _redirected(following: httpx2.Request, url: httpx2.URL, request: HttpRequest) -> httpx2.Request:
    """The next request; on another host it carries nothing that could be a secret."""
    leaves = following.url.host != url.host or (url.scheme == "https" and following.url.scheme == "http")
    if leaves or (following.url.port != url.port and following.url.scheme == url.scheme):
        for name in ("authorization", "cookie", *request.headers):
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


def _check_codings(response: httpx2.Response, client: httpx2.AsyncClient) -> None:
    codings = [coding.strip().lower() for coding in response.headers.get("content-encoding", "").split(",")]
    codings = [coding for coding in codings if coding and coding != "identity"]
    known = client.headers["accept-encoding"]
    if len(codings) > MAX_CODINGS or any(coding.removeprefix("x-") not in known for coding in codings):
        raise PermanentError(
            f"{shown_url(str(response.url))} answered with the compression {', '.join(codings)}, "
            "which cannot be undone here.",
            hint=f"Supported: {known}, at most {MAX_CODINGS} at once.",
        )


async def _beginning(response: httpx2.Response) -> bytes:
    """The first bytes of a body that is read for its message only; b"" when it breaks off."""
    import httpx2

    body = b""
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= MAX_ERROR_BYTES:
                break
    except httpx2.HTTPError:
        return b""
    return body


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
