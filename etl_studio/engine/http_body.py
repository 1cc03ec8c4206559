"""The body of an answer: how much of it may come, as one piece or bit by bit."""

from __future__ import annotations

import asyncio
import codecs
import email.message
import io
from collections.abc import AsyncIterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from etl_studio.engine.http_failures import failure
from etl_studio.errors import PermanentError
from etl_studio.sdk.http import HttpResponse, shown_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx2

    from etl_studio.sdk.http import HttpRequest

MAX_RATIO = 200
"""How many times larger than its compressed form an answer may be ..."""
RATIO_FLOOR = 2**20
"""... once it has grown to so many bytes."""
MAX_CODINGS = 2
MAX_ERROR_BYTES = 64 * 2**10
"""Bytes that are read of a redirect or an error; reading them lets the connection be used again."""
MAX_LINE = 16 * 2**20
"""Characters of one line of a stream."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose headers are there.

    Attributes:
        response: with the body still to be read.
        url: its address without a key that a signature put there.
        beginning: of the body of an error that the request accepts; then there is no more to read.
    """

    response: httpx2.Response
    url: str
    beginning: bytes | None = None

    @property
    def encoding(self) -> str | None:
        """The charset of the headers, if there is such a one."""
        return _charset(self.response.headers.get("content-type", ""))

    def answer(self, content: bytes, elapsed: float = 0.0) -> HttpResponse:
        """As nodes see it."""
        response = self.response
        return HttpResponse(self.url, response.status_code, _as_dict(response), content, self.encoding, elapsed)


class ByteCount:
    """Bytes of a body that were unpacked.

    Args:
        response: whose body it is.
        most: bytes that it may have; None: no limit.
    """

    def __init__(self, response: httpx2.Response, most: int | None) -> None:
        self._response = response
        self._compressed = "content-encoding" in response.headers
        self._most = most
        self._size = 0

    def add(self, number: int) -> None:
        """Count bytes.

        Raises:
            PermanentError: there are too many of them, or far more than were sent.
        """
        self._size += number
        if self._most is not None and self._size > self._most:
            raise PermanentError(
                f"The answer of {self._where} is larger than {_amount(self._most)}.",
                hint="Ask for fewer items at a time.",
            )
        sent = self._response.num_bytes_downloaded
        if self._compressed and self._size > RATIO_FLOOR and self._size > MAX_RATIO * sent:
            raise PermanentError(
                f"The compressed answer of {self._where} grows to more than {MAX_RATIO} times its size. It was not "
                "unpacked further, as it may be an attack.",
                hint="Ask the owner of the site, or for fewer items at a time.",
            )

    @property
    def _where(self) -> str:
        return shown_url(str(self._response.url))


class BodyStream:
    """An answer whose body is read as it comes (``sdk.HttpStream``).

    Args:
        opened: the answer.
        request: what was asked.
        idle: seconds without a byte after which it fails.
    """

    def __init__(self, opened: Opened, request: HttpRequest, idle: float | None) -> None:
        self.url = opened.url
        self.status = opened.response.status_code
        self.headers: Mapping[str, str] = dict(opened.response.headers)
        self.encoding = opened.encoding
        self._response = opened.response
        self._request = request
        self._idle = idle

    async def chunks(self) -> AsyncIterator[bytes]:
        """The decoded body in pieces as they arrive."""
        size = ByteCount(self._response, self._request.max_bytes)
        chunks = self._response.aiter_bytes()
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    chunk = await anext(chunks, None)
            except Exception as error:  # noqa: BLE001 - told as what it means
                raise failure(error, self._request, self._idle) from None
            if chunk is None:
                return
            size.add(len(chunk))
            yield chunk

    async def lines(self) -> AsyncIterator[str]:
        """The body line by line."""
        decode = codecs.getincrementaldecoder(self.encoding or "utf-8")(errors="replace")
        # Not str.splitlines: it would also cut at characters that may stand inside of a text of JSON.
        newlines = io.IncrementalNewlineDecoder(decode, translate=True)
        rest = ""
        async for chunk in self.chunks():
            try:
                text = newlines.decode(chunk)
            except UnicodeError:  # UTF-16 must say how it begins
                raise PermanentError(
                    f"{shown_url(self.url)} is not written in {self.encoding}, as it says.",
                    hint="Ask the owner of the site.",
                ) from None
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                yield line
            if len(rest) > MAX_LINE:
                raise PermanentError(
                    f"A line of {shown_url(self.url)} is longer than {_amount(MAX_LINE)}.",
                    hint="What it sends may be no stream of lines.",
                )
        rest += newlines.decode(b"", final=True)
        if rest:
            yield rest.removesuffix("\n")

    async def close(self) -> None:
        """Close the connection, unless all was read."""
        await self._response.aclose()


async def content(response: httpx2.Response, size: ByteCount) -> bytes:
    """The whole body, decoded."""
    chunks: list[bytes] = []
    async for chunk in _decoded(response):
        size.add(len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _decoded(response: httpx2.Response) -> AsyncIterable[bytes]:
    stream = response.stream
    if "content-encoding" not in response.headers and isinstance(stream, AsyncIterable):
        return stream  # httpx2 would only pass the bytes through
    return response.aiter_bytes()


async def beginning(response: httpx2.Response) -> bytes:
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


def check_codings(response: httpx2.Response, client: httpx2.AsyncClient) -> None:
    """Refuse what cannot be unpacked.

    Raises:
        PermanentError: with the names of the codings.
    """
    told = response.headers.get("content-encoding")
    if not told:
        return
    codings = [coding.strip().lower() for coding in told.split(",")]
    codings = [coding for coding in codings if coding and coding != "identity"]
    known = client.headers["accept-encoding"]
    if len(codings) > MAX_CODINGS or any(coding.removeprefix("x-") not in known for coding in codings):
        raise PermanentError(
            f"{shown_url(str(response.url))} answered with the compression {', '.join(codings)}, "
            "which cannot be undone here.",
            hint=f"Supported: {known}, at most {MAX_CODINGS} at once.",
        )


def _amount(number: int) -> str:
    return f"{number // 2**20} MB" if number >= 2**20 else f"{number:,} bytes"


def _as_dict(response: httpx2.Response) -> dict[str, str]:
    """The headers, names in lower case; those that came several times with commas between."""
    found: dict[str, str] = {}
    encoding = response.headers.encoding
    for name, value in response.headers.raw:
        key, text = name.decode(encoding).lower(), value.decode(encoding)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


@lru_cache(maxsize=256)
def _charset(content_type: str) -> str | None:
    """The charset of a content type, if it is one: Python has codecs that are none, such as hex."""
    message = email.message.Message()
    message["content-type"] = content_type
    encoding = message.get_content_charset(failobj=None)
    try:
        b"a".decode(encoding or "", "replace")
    except (LookupError, ValueError):
        return None
    return encoding
