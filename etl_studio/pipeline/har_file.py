"""Recorded traffic of a browser (HTTP Archive 1.2): the requests that an API answered with JSON."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import CurlRequest, json_object
from etl_studio.sdk.json_path import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_THE_BROWSER = (":", "sec-", "upgrade-insecure-requests", "priority", "dnt", "pragma", "cache-control", "if-")
"""Beginnings of headers that say nothing about the request."""
METHODS = ("GET", "POST")
FIRST_GOOD, FIRST_ERROR = 200, 400
DEEPEST = 4
"""Keys above a list of items, at most."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


@dataclass(slots=True)
class Recorded:
    """One request of a recording.

    Attributes:
        request: what was asked, the first time.
        items: objects in the longest list of an answer; None: the recording was saved without contents.
        size: bytes of the largest answer.
        times: how often it was asked, with other parameters.
    """

    request: CurlRequest
    items: int | None
    size: int
    times: int = 1

    @property
    def operation(self) -> str:
        """Name of a GraphQL operation, all of which have one address; empty: it is none, or has no name."""
        name = (json_object(self.request.data) or {}).get("operationName")
        return name if isinstance(name, str) else ""

    def add(self, other: Recorded) -> None:
        """The same was asked again."""
        self.times += 1
        self.size = max(self.size, other.size)
        self.items = max((one for one in (self.items, other.items) if one is not None), default=None)


def is_har(text: str) -> bool:
    """Whether a text looks like a recording."""
    start = text[:2000].lstrip("\ufeff \r\n\t")
    return start.startswith("{") and '"log"' in start and ('"version"' in start or '"entries"' in start)


def read_har(text: str) -> list[Recorded]:
    """The requests with JSON answers, those with the most items first; repeated ones count once.

    Raises:
        UsageError: it is no recording, or no answer in it is JSON.
    """
    together: dict[tuple[str, ...], Recorded] = {}
    for found in filter(None, map(_recorded, _entries(text))):
        address = urlsplit(found.request.url)
        key = (found.request.method, address.scheme, address.netloc, address.path, found.operation)
        known = together.setdefault(key, found)
        if known is not found:
            known.add(found)
    if not together:
        raise UsageError(
            "No answer in this recording is JSON.",
            hint="Record while the page loads its data, with contents (Save all as HAR with content).",
        )
    return sorted(together.values(), key=lambda one: (-(one.items or 0), -one.size))


def _entries(text: str) -> Iterator[Any]:
    """Entries one by one. All at once would hold up every other thread for as long as it takes."""
    number = None
    try:
        at = _member(text, 1 if text.startswith("\ufeff") else 0, "log")
        at = _skip(text, _member(text, at, "entries"))
        number = 0
        if text[at] != "[":
            raise ValueError("no list")
        at = _skip(text, at + 1)
        while text[at] != "]":
            entry, at = _DECODER.raw_decode(text, at)
            yield entry
            number += 1
            at = _skip(text, at)
            if text[at] == ",":
                at = _skip(text, at + 1)
    except (ValueError, IndexError, RecursionError):
        if number:
            raise UsageError(
                f"This recording breaks off, or is damaged, behind {number} requests.", hint="Save it once more."
            ) from None
        raise UsageError("This is no HTTP Archive.", hint="In the browser: Network, Save all as HAR.") from None


def _member(text: str, at: int, name: str) -> int:
    """Where the value of a key begins, in the object that begins at a place."""
    at = _skip(text, at)
    if text[at] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while True:
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError("no key")
        at = _skip(text, at + 1)
        if key == name:
            return at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ",":
            raise ValueError("the key is missing")
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _recorded(entry: Any) -> Recorded | None:
    asked, answer = _object(_object(entry).get("request")), _object(_object(entry).get("response"))
    status, content = answer.get("status"), _object(answer.get("content"))
    if not isinstance(status, int) or not FIRST_GOOD <= status < FIRST_ERROR:
        return None
    request = _request(asked)
    if request is None:
        return None
    text, says_json = content.get("text"), "json" in str(content.get("mimeType")).lower()
    size = content.get("size")
    size = size if isinstance(size, int) and size > 0 else len(text) if isinstance(text, str) else 0
    if not isinstance(text, str) or not text:
        return Recorded(request, None, size) if says_json else None
    body = _json(text, encoded=content.get("encoding") == "base64", must_look=not says_json)
    return None if body is MISSING else Recorded(request, _longest(body), size)


def _request(asked: dict[str, Any]) -> CurlRequest | None:
    url, method = asked.get("url"), str(asked.get("method") or "GET").upper()
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or method not in METHODS:
        return None
    try:
        address = urlsplit(url)
        _ = address.port
    except ValueError:
        return None
    data = _object(asked.get("postData")).get("text")
    headers = {}
    for one in _list(asked.get("headers")):
        name, value = _object(one).get("name"), _object(one).get("value", "")
        if isinstance(name, str) and isinstance(value, str) and not name.lower().startswith(OF_THE_BROWSER):
            headers[name.lower()] = value
    return CurlRequest(url, method, headers, data if isinstance(data, str) else None) if address.hostname else None


def _json(text: str, *, encoded: bool, must_look: bool) -> Any:
    try:
        if encoded:
            text = base64.b64decode(text).decode()
        if must_look and not text.lstrip().startswith(("{", "[")):
            return MISSING
        found = json.loads(text)
    except (ValueError, RecursionError, binascii.Error):
        return MISSING
    return found if isinstance(found, dict | list) else MISSING


def _longest(value: Any, depth: int = 0) -> int:
    """How many objects the longest list holds."""
    if isinstance(value, list):
        return sum(isinstance(one, dict) for one in value)
    if not isinstance(value, dict) or depth == DEEPEST:
        return 0
    return max((_longest(inner, depth + 1) for inner in value.values()), default=0)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
