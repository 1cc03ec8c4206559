"""The JSON of an answer, however it is wrapped."""

from __future__ import annotations

import re
import zlib
from typing import Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._rest_stream import events_of, received

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
EVENTS = ("text/event-stream",)
MOST_BYTES = 256 * 2**20
"""Bytes to which a compressed body may grow."""

_GZIP = b"\x1f\x8b"
_GUARD = b")]}'"
"""What some APIs put before their JSON so that no web page can run it."""


def json_of(response: sdk.HttpResponse, *, streams: bool = False) -> Any:
    """The JSON of an answer, also where it is compressed twice, guarded or surrounded by NULs and byte order marks.

    Args:
        response: the answer.
        streams: JSON lines and events are the list of their values, where the header of the answer tells them.
    """
    content = response.content
    if content.startswith(_GZIP):
        content = _unpacked(content, response)
    content = content.strip(b"\0")
    if content.startswith(_GUARD):
        content = content.removeprefix(_GUARD).lstrip(b",\r\n")
    kind = response.headers.get("content-type", "")
    # What begins as a JSON document does holds no event, whatever the header says.
    events = kind.startswith(EVENTS) and not content.lstrip().startswith((b"[", b"{"))
    if streams and (events or kind.startswith(LINES)):
        return _values(content.decode(response.encoding or "utf-8", "replace"), events=events)
    if content is response.content:
        return response.json()
    return sdk.HttpResponse(response.url, response.status, response.headers, content, response.encoding).json()


def _values(text: str, *, events: bool) -> list[Any]:
    """The values of a stream that has come as a whole; a text that is no JSON stands for itself."""
    lines = re.split(r"\r\n|\n|\r", text) if events else text.split("\n")
    found = events_of(lines) if events else (received(1, line) for line in lines if line.strip())
    return [one.text if one.problem else one.value for one in found]


def _unpacked(content: bytes, response: sdk.HttpResponse) -> bytes:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = unpacking.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise TransientError(
            f"The compressed answer of {sdk.shown_url(response.url)} is damaged: {error}.", status=response.status
        ) from error
    if unpacking.unconsumed_tail:
        raise PermanentError(
            f"The compressed answer of {sdk.shown_url(response.url)} grows beyond {MOST_BYTES // 2**20} MB.",
            hint="Ask for fewer items at a time.",
        )
    if not unpacking.eof:
        raise TransientError(
            f"The compressed answer of {sdk.shown_url(response.url)} breaks off.", status=response.status
        )
    return found
