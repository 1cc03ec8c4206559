"""Recorded traffic of a browser (HTTP Archive 1.2): the requests that an API answered with JSON."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import CurlRequest
from etl_studio.sdk.http import shown_url
from etl_studio.sdk.json_path import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 200 * 2**20
"""Bytes of a file that is read."""
OF_THE_BROWSER = ("sec-", "upgrade-insecure-requests", "priority", "dnt", "pragma", "cache-control", "if-")
"""Beginnings of headers that say nothing about the request."""
FIRST_ERROR = 400
DEEPEST = 4
"""Keys above a list of items, at most."""


@dataclass(slots=True)
class Recorded:
    """One request of a recording.

    Attributes:
        request: what was asked, the first time.
        items: objects in the longest list of an answer.
        times: how often it was asked, with other parameters.
    """

    request: CurlRequest
    items: int
    times: int = 1

    @property
    def title(self) -> str:
        """``GET https://shop.example/api/products, 24 items, 3 times``; without secrets."""
        url = shown_url(self.request.url).partition("?")[0]
        items = f"{self.items} item{'s' if self.items != 1 else ''}"
        return f"{self.request.method} {url}, {items}" + (f", {self.times} times" if self.times > 1 else "")


def is_har(text: str) -> bool:
    """Whether a text looks like a recording."""
    start = text[:2000].lstrip("\ufeff \r\n\t")
    return start.startswith("{") and '"log"' in start and ('"version"' in start or '"entries"' in start)


def read_har(text: str) -> list[Recorded]:
    """The requests with JSON answers, those with the most items first; repeated ones count once.

    Raises:
        UsageError: it is no recording, or no answer in it is JSON.
    """
    if len(text) > LARGEST:
        raise UsageError("This recording is too large.", hint="Record less, or save the one request as cURL.")
    try:
        entries = json.loads(text.lstrip("\ufeff"))["log"]["entries"]
        found = list(_answered(entries if isinstance(entries, list) else []))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("This is no HTTP Archive.", hint="In the browser: Network, Save all as HAR.") from None
    if not found:
        raise UsageError(
            "No answer in this recording is JSON.",
            hint="Record while the page loads its data, with contents (Save all as HAR with content).",
        )
    together: dict[tuple[str, ...], Recorded] = {}
    for one in found:
        address = urlsplit(one.request.url)
        known = together.setdefault((one.request.method, address.scheme, address.netloc, address.path), one)
        if known is not one:
            known.times += 1
            known.items = max(known.items, one.items)
    return sorted(together.values(), key=lambda one: -one.items)


def _answered(entries: list[Any]) -> Iterator[Recorded]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        asked, answer = entry.get("request") or {}, entry.get("response") or {}
        body = _body(answer.get("content") or {})
        if body is MISSING or not 0 < int(answer.get("status") or 0) < FIRST_ERROR:
            continue
        request = _request(asked)
        if request is None:
            continue
        yield Recorded(request, _longest(body))


def _longest(value: Any, depth: int = 0) -> int:
    """How many objects the longest list holds."""
    if isinstance(value, list):
        return sum(isinstance(one, dict) for one in value)
    if not isinstance(value, dict) or depth == DEEPEST:
        return 0
    return max((_longest(inner, depth + 1) for inner in value.values()), default=0)


def _request(asked: Mapping[str, Any]) -> CurlRequest | None:
    url, method = asked.get("url"), str(asked.get("method") or "GET").upper()
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or method not in ("GET", "POST"):
        return None
    data = (asked.get("postData") or {}).get("text")
    headers = {name: value for name, value in _headers(asked).items() if not name.startswith((":", *OF_THE_BROWSER))}
    return CurlRequest(url, method, headers, data if isinstance(data, str) else None)


def _headers(message: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(one["name"]).lower(): str(one.get("value", ""))
        for one in message.get("headers") or []
        if isinstance(one, dict) and one.get("name")
    }


def _body(content: Mapping[str, Any]) -> Any:
    text = content.get("text")
    if "json" not in str(content.get("mimeType")).lower() or not isinstance(text, str):
        return MISSING
    try:
        if content.get("encoding") == "base64":
            text = base64.b64decode(text).decode()
        found = json.loads(text)
    except (ValueError, RecursionError, binascii.Error):
        return MISSING
    return found if isinstance(found, dict | list) else MISSING
