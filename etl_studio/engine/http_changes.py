"""Which answers are the same as in the last run that went well: by ETag, Last-Modified and a hash of the body.

What a run has seen is kept when everything that it read has been loaded, never before: a page that was read and then
lost by a crash must be read again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from etl_studio.errors import EtlError, PermanentError
from etl_studio.sdk import Sink, shown_url
from etl_studio.sdk.auth import NoAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.engine.plan import Plan
    from etl_studio.sdk import HttpRequest, HttpResponse

NOT_MODIFIED = 304
CONDITIONS = ("if-none-match", "if-modified-since")
"""Headers that let a server answer with 304."""
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class PageState:
    """What tells whether an answer is another one.

    Attributes:
        etag, last_modified: the headers of these names, if there were any.
        body: hash of the decoded body.
    """

    etag: str | None
    last_modified: str | None
    body: bytes


class PageMemory(Protocol):
    """What the last runs of a pipeline have seen."""

    def find(self, node: str, key: bytes) -> PageState | None:
        """The state of an answer, if the last run that went well had it."""
        ...

    def keep(self, node: str, states: Mapping[bytes, PageState]) -> None:
        """Keep what a run has seen that went well."""
        ...


def what_matters(plan: Plan, node: str) -> str:
    """The settings of a source and where its rows go: with others, pages that were loaded must be read anew."""
    source = plan.nodes[node].node.config.model_dump(mode="json", exclude={"auth"})
    targets = {
        name: item.node.config.model_dump(mode="json", include=item.node.identity and set(item.node.identity))
        for name, item in plan.nodes.items()
        if isinstance(item.node, Sink)
    }
    return json.dumps([source, targets], sort_keys=True)


class Changes:
    """The answers of one node in one run. Any thread or event loop may ask, one at a time for each request.

    Args:
        node: its id.
        memory: of its pipeline.
        settings: of the node and of the targets, as text: with others, all is read anew.
    """

    def __init__(self, node: str, memory: PageMemory, settings: str) -> None:
        self._node = node
        self._memory = memory
        self._settings = settings
        self._arrived: dict[bytes, PageState] = {}
        self._taken: dict[bytes, PageState] = {}

    def asking(self, request: HttpRequest) -> HttpRequest:
        """The request with what lets a server answer that nothing has changed."""
        if request.unchanged != "skip" or any(name.lower() in CONDITIONS for name in request.headers):
            return request
        known = self._memory.find(self._node, self._key(request))
        if known is None:
            return request
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        headers = {name: value for name, value in conditions.items() if value is not None}
        return replace(request, headers={**headers, **request.headers})

    def told(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The answer, with ``unchanged`` as it is. ``request`` is as the node made it.

        Raises:
            PermanentError: it says that nothing has changed, and nothing is known of it.
        """
        if request.unchanged == "take":
            return response
        key = self._key(request)
        known = self._memory.find(self._node, key)
        if response.status == NOT_MODIFIED:
            if known is None:
                raise PermanentError(
                    f"{shown_url(request.url)} answered that it has not changed, and no run has loaded it yet.",
                    hint="Take If-None-Match and If-Modified-Since out of the headers.",
                    status=response.status,
                )
            self._arrived[key] = known
            return replace(response, unchanged=True)
        headers = response.headers
        body = hashlib.blake2b(response.content, digest_size=_DIGEST).digest()
        self._arrived[key] = PageState(headers.get("etag"), headers.get("last-modified"), body)
        return replace(response, unchanged=known is not None and known.body == body)

    def took(self, request: HttpRequest) -> None:
        """The node has its answer."""
        if request.unchanged != "take" and (state := self._arrived.pop(key := self._key(request), None)) is not None:
            self._taken[key] = state

    def failed(self, request: HttpRequest) -> None:
        """The node does not get what arrived."""
        if request.unchanged != "take":
            self._arrived.pop(self._key(request), None)

    def keep(self) -> None:
        """The run went well."""
        if self._taken:
            self._memory.keep(self._node, self._taken)

    def _key(self, request: HttpRequest) -> bytes:
        # Headers and sign-in belong to it: another language or account sees another page.
        asked = [
            self._settings,
            request.method,
            request.url,
            dict(request.params),
            dict(request.headers),
            request.body,
            dict(request.form or {}),
        ]
        if not isinstance(request.auth, NoAuth):
            # Without passwords: a short one could be guessed from a hash.
            asked.append(request.auth.model_dump(exclude={"password", "client_secret"}))
        text = json.dumps(asked, sort_keys=True, default=str).encode()
        return hashlib.blake2b(text + (request.content or b""), digest_size=_DIGEST).digest()


def keep_seen(changes: Mapping[str, Changes | None], log: Callable[[str, str, str], None]) -> None:
    """Keep what the nodes of a run have seen that went well; ``log`` takes level, message and node."""
    for node, seen in changes.items():
        try:
            if seen is not None:
                seen.keep()
        except EtlError as error:
            log("warning", f"The next run reads all pages anew, since what was seen is not kept: {error.what}", node)
