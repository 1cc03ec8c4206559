"""HTTP as a node uses it, under its policy: for threads that wait, and for coroutines of the node's own event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from etl_studio.engine.http_failures import from_status
from etl_studio.errors import Cancelled, EtlError, PermanentError, TransientError

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator
    from concurrent.futures import Future

    from etl_studio.engine.http import HttpService
    from etl_studio.engine.http_body import BodyStream
    from etl_studio.engine.http_changes import Changes
    from etl_studio.engine.http_session import HttpSession
    from etl_studio.engine.last_good import Fallback
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.sdk import HttpRequest, HttpResponse, Policy
    from etl_studio.sdk.http import Ask

T = TypeVar("T")

REQUEST_SECONDS = 30.0
"""Timeout of a web request where the policy gives none."""
STOP_CHECK = 0.02
"""Seconds between two looks at ``stopping`` while an event loop runs."""
FIRST_ERROR = 400


class Exchange:
    """Requests and answers of a node: fallback(retry(breaker(rate limit(timeout(request))))).

    Args:
        caller: retry, breaker and rate limit.
        policy: of the node.
        fallback: what to do without an answer; None: nothing.
        changes: tells answers that have not changed; None: each is taken.
    """

    def __init__(
        self,
        caller: PolicyCaller,
        policy: Policy,
        fallback: Fallback | None = None,
        changes: Changes | None = None,
    ) -> None:
        self._caller = caller
        self._policy_seconds = policy.timeout
        self._seconds = policy.timeout or REQUEST_SECONDS
        self._retry_on = policy.retry.on_status
        self._fallback = fallback
        self._changes = changes

    async def fetch(self, session: HttpSession, request: HttpRequest) -> HttpResponse:
        """One attempt."""
        if self._changes is None:
            return await session.fetch(request, self._seconds, self._retry_on)
        response = await session.fetch(self._changes.asking(request), self._seconds, self._retry_on)
        return self._changes.told(request, response)

    def read(
        self, request: HttpRequest, parse: Callable[[HttpResponse], T], fetch: Callable[[], HttpResponse]
    ) -> tuple[HttpResponse, T]:
        """One request of a thread; ``fetch`` makes an attempt."""

        def attempt() -> tuple[HttpResponse, T]:
            response = fetch()
            return response, parse(response)

        try:
            fresh = self._kept(request, self._caller.call(attempt, target=request.target))
        except EtlError as error:
            return self._instead(request, error, parse)
        self.took(request)
        return fresh

    async def aread(
        self,
        request: HttpRequest,
        parse: Callable[[HttpResponse], T],
        session: HttpSession,
        before: Callable[[], Awaitable[object]] | None = None,
        by: Ask | None = None,
    ) -> tuple[HttpResponse, T]:
        """One request of a coroutine, which says when it ``took`` the answer; ``by`` asks in place of the session."""

        async def attempt() -> tuple[HttpResponse, T]:
            response = await (self.fetch(session, request) if by is None else self._told(by, request))
            return response, parse(response)

        try:
            return self._kept(request, await self._caller.acall(attempt, target=request.target, before=before))
        except EtlError as error:
            return self._instead(request, error, parse)

    async def _told(self, by: Ask, request: HttpRequest) -> HttpResponse:
        response = await by(request, self._policy_seconds)
        if response.status >= FIRST_ERROR and not (request.accept is not None and request.accept(response)):
            raise from_status(response.status, response.headers.get("retry-after"), b"", request, self._retry_on)
        return response

    def took(self, request: HttpRequest) -> None:
        """The node has the answer: one that was only asked for early may never be looked at."""
        if self._changes is not None:
            self._changes.took(request)

    async def open(self, session: HttpSession, request: HttpRequest, idle: float | None) -> BodyStream:
        """An answer whose body is read as it comes."""

        async def attempt() -> BodyStream:
            return await session.open(request, self._seconds, self._retry_on, idle=idle)

        return await self._caller.acall(attempt, target=request.target)

    def _kept(self, request: HttpRequest, fresh: tuple[HttpResponse, T]) -> tuple[HttpResponse, T]:
        if self._fallback is not None:
            self._fallback.keep(request, fresh[0])
        return fresh

    def _instead(
        self, request: HttpRequest, error: EtlError, parse: Callable[[HttpResponse], T]
    ) -> tuple[HttpResponse, T]:
        if self._changes is not None:
            self._changes.failed(request)
        if self._fallback is None or not isinstance(error, TransientError):
            raise error
        response = self._fallback.instead(request, error)
        return response, parse(response)


class PolicyClient:
    """HTTP under a policy, for threads (``sdk.HttpClient``).

    Args:
        service: runs requests on its loop.
        session: talks to the network there.
        exchange: what surrounds each request.
        stopping: ends a waiting request.
    """

    def __init__(
        self, service: HttpService, session: HttpSession, exchange: Exchange, stopping: threading.Event
    ) -> None:
        self._service = service
        self._session = session
        self._exchange = exchange
        self._stopping = stopping

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        return self.read(request, lambda _: None)[0]

    def read(self, request: HttpRequest, parse: Callable[[HttpResponse], T]) -> tuple[HttpResponse, T]:
        """Send under the policy and parse inside each attempt."""

        def fetch() -> HttpResponse:
            if self._stopping.is_set():
                raise Cancelled("The run was stopped.")
            return self._service.wait(self._service.start(self._exchange.fetch(self._session, request)), self._stopping)

        return self._exchange.read(request, parse, fetch)

    def read_many(
        self, requests: Iterable[HttpRequest], parse: Callable[[HttpResponse], T], *, concurrency: int
    ) -> Iterator[tuple[HttpResponse, T] | TransientError | PermanentError]:
        """``read`` for many at once, in their order."""
        left = iter(requests)
        asked: deque[tuple[HttpRequest, Future[tuple[HttpResponse, T] | TransientError | PermanentError]]] = deque()
        try:
            while True:
                asked.extend(
                    (request, self._service.start(self._outcome(request, parse)))
                    for request in islice(left, concurrency - len(asked))
                )
                if not asked:
                    return
                request, answer = asked.popleft()
                outcome = self._service.wait(answer, self._stopping)
                self._exchange.took(request)
                yield outcome
        finally:
            for _, one in asked:
                one.cancel()

    async def _outcome(
        self, request: HttpRequest, parse: Callable[[HttpResponse], T]
    ) -> tuple[HttpResponse, T] | TransientError | PermanentError:
        try:
            return await self._exchange.aread(request, parse, self._session)
        except (TransientError, PermanentError) as error:
            return error


class NodeWeb:
    """An event loop of a node's own thread (``sdk.Web``). A context manager; leaving it ends tasks and connections.

    Args:
        session: talks to the network; closed at the end.
        exchange: what surrounds each request.
        stopping: ends ``run``.
    """

    def __init__(self, session: HttpSession, exchange: Exchange, stopping: threading.Event) -> None:
        self._session = session
        self._exchange = exchange
        self._stopping = stopping
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._loop.run_until_complete(self._shut_down())
        finally:
            self._loop.close()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine until it is done, or the run is stopped."""
        if self._stopping.is_set():
            main.close()
            raise Cancelled("The run was stopped.")
        task = self._loop.create_task(main)
        watch = self._loop.call_later(STOP_CHECK, self._look, task)
        try:
            return self._loop.run_until_complete(task)
        except asyncio.CancelledError:
            raise Cancelled("The run was stopped.") from None
        finally:
            watch.cancel()

    async def send(
        self,
        request: HttpRequest,
        *,
        before: Callable[[], Awaitable[object]] | None = None,
        by: Ask | None = None,
    ) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        response, _ = await self._exchange.aread(request, lambda _: None, self._session, before, by)
        self._exchange.took(request)
        return response

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, idle: float | None = None) -> AsyncGenerator[BodyStream]:
        """Send under the policy; the body is read as it comes."""
        stream = await self._exchange.open(self._session, request, idle)
        try:
            yield stream
        finally:
            await stream.close()

    def _look(self, task: asyncio.Task[Any]) -> None:
        if task.done():
            return
        if self._stopping.is_set():
            task.cancel()
        self._loop.call_later(STOP_CHECK, self._look, task)

    async def _shut_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._session.close()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
