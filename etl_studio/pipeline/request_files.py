"""Files that tell of requests (HTTP Archive, OpenAPI): what a person may choose of, each as a node to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from etl_studio.errors import UsageError
from etl_studio.pipeline.har_file import is_har, read_har
from etl_studio.pipeline.openapi_file import is_openapi, read_openapi
from etl_studio.pipeline.web_drafts import rest_draft
from etl_studio.sdk.http import shown_url

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.pipeline.web_drafts import WebDraft

LARGEST = 300 * 2**20
LARGEST_DESCRIPTION = 50 * 2**20
"""Bytes of files that are read whole."""
BEGINNING = 4096
"""Bytes that tell whether a file is a recording."""


@dataclass(frozen=True, slots=True)
class RequestChoice:
    """One request or operation.

    Attributes:
        method: GET or POST.
        address: as it is shown, without secrets and without query.
        words: what it is about.
        draft: the node that sends it.
        items: objects in its answer, where they were recorded.
        size: bytes of its answer, where it was recorded.
        times: how often it was recorded.
        lists: whether its answer holds a list of objects, as far as is known.
    """

    method: str
    address: str
    words: str
    draft: WebDraft
    items: int | None = None
    size: int | None = None
    times: int = 1
    lists: bool = True


def is_request_file(text: str) -> bool:
    """Whether a text looks like a recording or the description of an API."""
    return is_har(text) or is_openapi(text)


def read_requests(text: str, source: str = "") -> list[RequestChoice]:
    """What a recording or description tells of; what most likely is wanted comes first.

    Args:
        text: of the file.
        source: its web address, if it has one.

    Raises:
        UsageError: it is neither, or it holds nothing that can be read.
    """
    return _recorded(text) if is_har(text) else _described(text, source)


def read_request_file(path: Path) -> list[RequestChoice] | None:
    """What a file tells of; None: it is something else, such as data.

    Raises:
        UsageError: it cannot be read, or holds nothing that can be.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(BEGINNING)
            recording = is_har(_decoded(start))
            if not recording and (size > LARGEST_DESCRIPTION or not _is_text(start)):
                return None
            if size > LARGEST:
                raise UsageError(
                    f"{path.name} is too large to be read ({size // 2**20} MB).",
                    hint="Record less, or copy the one request as cURL.",
                )
            text = _decoded(start + file.read())
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from None
    if not recording and not is_openapi(text):
        return None
    return read_requests(text)


def _decoded(content: bytes) -> str:
    return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "replace")


def _is_text(start: bytes) -> bool:
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in start


def _recorded(text: str) -> list[RequestChoice]:
    choices = []
    for one in read_har(text):
        address = shown_url(urlsplit(one.request.url)._replace(query="", fragment="").geturl())
        words = one.operation
        draft = rest_draft(one.request)
        choices.append(RequestChoice(one.request.method, address, words, draft, one.items, one.size, one.times))
    return choices


def _described(text: str, source: str) -> list[RequestChoice]:
    return [
        RequestChoice(one.method, one.path, one.words, one.draft, lists=one.lists) for one in read_openapi(text, source)
    ]
