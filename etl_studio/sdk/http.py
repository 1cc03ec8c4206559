"""What nodes see of HTTP. The run gives the client; policies surround every request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

from etl_studio.errors import PermanentError, TransientError
from etl_studio.sdk.auth import NoAuth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from etl_studio.errors import EtlError
    from etl_studio.sdk.auth import Auth

    Ask: TypeAlias = Callable[["HttpRequest", float | None], Awaitable["HttpResponse"]]

T = TypeVar("T")
Unchanged = Literal["take", "tell", "skip"]

SHOWN_URL = 300
"""Characters of an address that a message shows."""

_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_SECRET = re.compile(
    r"([?&;][^=&#\s]*(?:token|secret|passw|pwd|api[_-]?key|auth|sig|session|credential)[^=&#\s]*=|[?&;]key=)[^&#\s]*",
    re.IGNORECASE,
)


def shown_url(url: str) -> str:
    """An address as messages, logs and rows may show it: without user, password, tokens and keys, and not too long."""
    shown = _SECRET.sub(r"\1***", _USER.sub("***@", url))
    return shown if len(shown) <= SHOWN_URL else shown[: SHOWN_URL - 1] + "…"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. At most one of ``body``, ``content`` and ``form`` is given.

    Attributes:
        url: http or https.
        method: in capitals.
        params: added to the query of ``url``; None leaves one out.
        headers: besides those that every request has.
        body: sent as JSON.
        content: sent as it is; its ``Content-Type`` is in the headers.
        form: sent as a web form.
        auth: signs it.
        accept: asked about an answer with a status from 400, with the first 64 KB of its body: True makes it an answer
            as any other, otherwise it is an error.
        from_data: the address came from data: private addresses are refused, on each hop of a redirect, too. One of
            the settings may be private, and may lead to others; a public one leads to public ones only.
        follow_redirects: False: an answer that leads elsewhere is an answer as any other.
        max_bytes: the most bytes of the decoded body; None: 64 MB.
        reads: asked about the content type of an answer, empty where there is none: False leaves its body unread, and
            the answer has none.
        unchanged: what to do with an answer that is the same as in the last run that went well: ``take`` it, ``tell``
            it in ``HttpResponse.unchanged``, or ``skip`` it: then the server may also answer with 304 and no body. Only
            for a source that says ``only_new``; in previews, dry runs, replays and trials each answer is taken.
    """

    url: str
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    auth: Auth = field(default_factory=NoAuth)
    accept: Callable[[HttpResponse], bool] | None = field(default=None, repr=False, compare=False)
    from_data: bool = False
    follow_redirects: bool = True
    max_bytes: int | None = None
    reads: Callable[[str], bool] | None = field(default=None, repr=False, compare=False)
    unchanged: Unchanged = "take"

    @property
    def target(self) -> str:
        """Host and port: whom policies count this for."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer after redirects, with a status below 400 unless the request accepts others.

    Attributes:
        url: the last address, after redirects.
        status: HTTP status.
        headers: names in lower case.
        content: decoded body (gzip and the like undone).
        encoding: charset from the headers, if given.
        elapsed: seconds from the request to the last byte, redirects included.
        unchanged: it is the same as in the last run that went well; told where the request wants to know.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str | None = None
    elapsed: float = field(default=0.0, compare=False)
    unchanged: bool = False

    @property
    def text(self) -> str:
        """The body as text; bytes that do not fit become U+FFFD."""
        return self.content.decode(self.encoding or "utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            TransientError: it says that it is JSON, and is damaged.
            PermanentError: it is something else; the text quotes its beginning.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("content-type", "no content type")
            if "json" in kind:
                raise TransientError(
                    f"The JSON that {shown_url(self.url)} answered with is damaged: {error}.", status=self.status
                ) from error
            start = self.text[:60].replace("\n", " ").strip()
            raise PermanentError(
                f"{shown_url(self.url)} did not answer with JSON but with {kind}: {start!r}",
                hint="Check the address; a web page is read by the node Web page.",
                status=self.status,
            ) from error


class HttpClient(Protocol):
    """Sends requests under the node's policy (retry, breaker per host, rate limit, timeout)."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait.

        Raises:
            TransientError: still failing after the last attempt.
            PermanentError: an answer that will not change (404, bad certificate, ...).
            Cancelled: the run was stopped; ends a waiting request at once.
        """
        ...

    def read(self, request: HttpRequest, parse: Callable[[HttpResponse], T]) -> tuple[HttpResponse, T]:
        """``send``, with the answer parsed inside the attempt: one that arrived damaged is asked for again."""
        ...

    def read_many(
        self, requests: Iterable[HttpRequest], parse: Callable[[HttpResponse], T], *, concurrency: int
    ) -> Iterator[tuple[HttpResponse, T] | TransientError | PermanentError]:
        """``read`` for many requests at once; the answers come in the order of the requests.

        Args:
            requests: taken one by one, as late as possible.
            parse: as in ``read``; called on another thread, so it must not wait.
            concurrency: requests under way at most, those included whose answers were not taken yet.

        An error stands in the place of its answer; those behind it still come. Whoever needs no more closes the
        iterator.
        """
        ...


class HttpStream(Protocol):
    """An answer whose body is read as it comes, once.

    Attributes:
        url: the last address, after redirects.
        status: HTTP status.
        headers: names in lower case.
        encoding: charset from the headers, if given.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    encoding: str | None

    def chunks(self) -> AsyncIterator[bytes]:
        """The decoded body in pieces as they arrive.

        Raises:
            TransientError: the connection broke off.
            DeadlineError: nothing came for as long as may be.
            PermanentError: it is larger than the request allows, or a compression bomb.
        """
        ...

    def lines(self) -> AsyncIterator[str]:
        r"""The body line by line, without the ends of lines (``\n``, ``\r\n`` or ``\r``); raises as ``chunks`` does."""
        ...


class Gate(Protocol):
    """A way to the web for another program, such as a browser: a SOCKS5 proxy on this machine (``RunContext.gate``).

    Attributes:
        url: its address, such as ``socks5://127.0.0.1:4711``.
        check_certificate: whether the node's policy wants certificates checked.
        ca_file: what the node's policy names; None: nothing.
    """

    url: str
    check_certificate: bool
    ca_file: Path | None

    @property
    def received(self) -> int:
        """Bytes that came through it so far."""
        ...

    def failure(self, url: str) -> EtlError | None:
        """Why the last connection to the host of an address could not be made; None: it was made, or never tried."""
        ...


class Web(Protocol):
    """An event loop of the calling thread, for nodes that do much at once. Use it in this thread only.

    ::

        with context.web() as web:
            while (rows := web.run(self.next_rows(web))) is not None:
                yield rows
    """

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine until it is done. Tasks that it starts stand still between two calls.

        Raises:
            Cancelled: the run was stopped; raised within 50 ms.
        """
        ...

    async def send(
        self,
        request: HttpRequest,
        *,
        before: Callable[[], Awaitable[object]] | None = None,
        by: Ask | None = None,
    ) -> HttpResponse:
        """Send under the node's policy, without a thread; raises as ``HttpClient.send`` does.

        Args:
            request: what to ask.
            before: awaited before each attempt, such as for a place in a queue; its time is not that of the attempt.
            by: asks in place of this client, such as a browser. It is given the seconds that the policy allows for an
                attempt, None where it says nothing, and a status that it answers with counts as the client's would.
        """
        ...

    def stream(self, request: HttpRequest, *, idle: float | None = None) -> AbstractAsyncContextManager[HttpStream]:
        """Send under the node's policy and read the body as it comes.

        The policy is about the way to the first byte; who reads on after a failure asks anew.

        Args:
            request: what to ask; ``max_bytes`` None means no limit here, and ``accept`` is not asked.
            idle: seconds without a byte after which it fails; None: it may be quiet for ever.
        """
        ...
