"""HTTP as a node uses it, under its policy: for threads that wait, and for coroutines of the node's own event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from etl_studio.errors import Cancelled, PermanentError, TransientError

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator
    from concurrent.futures import Future

    from etl_studio.engine.http import HttpService
    from etl_studio.engine.http_body import BodyStream
    from etl_studio.engine.http_session import HttpSession
    from etl_studio.engine.last_good import Fallback
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.sdk import HttpRequest, HttpResponse, Policy

T = TypeVar("T")

REQUEST_SECONDS = 30.0
"""Timeout of a web request where the policy gives none."""
STOP_CHECK = 0.02
"""Seconds between two looks at ``stopping`` while an event loop runs."""


class PolicyClient:
    """fallback(retry(breaker(rate limit(timeout(request))))), for threads.

    Args:
        service: runs them on its loop.
        session: talks to the network there.
        caller: surrounds each.
        policy: of the node.
        stopping: ends a waiting request.
        fallback: what to do without an answer; None: nothing.
    """

    def __init__(  # noqa: PLR0913 - all that surrounds a request
        self,
        service: HttpService,
        session: HttpSession,
        caller: PolicyCaller,
        policy: Policy,
        stopping: threading.Event,
        fallback: Fallback | None = None,
    ) -> None:
        self._service = service
        self._session = session
        self._caller = caller
        self._policy = policy
        self._stopping = stopping
        self._fallback = fallback

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        return self.read(request, lambda _: None)[0]

    def read(self, request: HttpRequest, parse: Callable[[HttpResponse], T]) -> tuple[HttpResponse, T]:
        """Send under the policy and parse inside each attempt."""
        seconds, retry_on = self._policy.timeout or REQUEST_SECONDS, self._policy.retry.on_status

        def attempt() -> tuple[HttpResponse, T]:
            if self._stopping.is_set():
                raise Cancelled("The run was stopped.")
            fetching = self._session.fetch(request, seconds, retry_on)
            response = self._service.wait(self._service.start(fetching), self._stopping)
            return response, parse(response)

        try:
            fresh = self._caller.call(attempt, target=request.target)
        except TransientError as error:
            if self._fallback is None:
                raise
            response = self._fallback.instead(request, error)
            return response, parse(response)
        if self._fallback is not None:
            self._fallback.keep(request, fresh[0])
        return fresh

    def read_many(
        self, requests: Iterable[HttpRequest], parse: Callable[[HttpResponse], T], *, concurrency: int
    ) -> Iterator[tuple[HttpResponse, T] | TransientError | PermanentError]:
        """``read`` for many at once, in their order."""
        left = iter(requests)
        asked: deque[Future[tuple[HttpResponse, T] | TransientError | PermanentError]] = deque()
        try:
            while True:
                asked.extend(
                    self._service.start(self._outcome(request, parse))
                    for request in islice(left, concurrency - len(asked))
                )
                if not asked:
                    return
                yield self._service.wait(asked.popleft(), self._stopping)
        finally:
            for one in asked:
                one.cancel()

    async def _outcome(
        self, request: HttpRequest, parse: Callable[[HttpResponse], T]
    ) -> tuple[HttpResponse, T] | TransientError | PermanentError:
        try:
            return await read(self._session, self._caller, self._policy, request, parse, self._fallback)
        except (TransientError, PermanentError) as error:
            return error


class NodeWeb:
    """An event loop of a node's own thread (``sdk.Web``). A context manager; leaving it ends tasks and connections.

    Args:
        session: what talks to the network; closed at the end.
        caller: surrounds each request.
        policy: of the node.
        stopping: ends ``run``.
        fallback: what to do without an answer; None: nothing.
    """

    def __init__(
        self,
        session: HttpSession,
        caller: PolicyCaller,
        policy: Policy,
        stopping: threading.Event,
        fallback: Fallback | None = None,
    ) -> None:
        self._session = session
        self._caller = caller
        self._policy = policy
        self._stopping = stopping
        self._fallback = fallback
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
        self, request: HttpRequest, *, before: Callable[[], Awaitable[object]] | None = None
    ) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        answer = await read(
            self._session, self._caller, self._policy, request, lambda _: None, self._fallback, before=before
        )
        return answer[0]

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, idle: float | None = None) -> AsyncGenerator[BodyStream]:
        """Send under the policy; the body is read as it comes."""
        seconds, retry_on = self._policy.timeout or REQUEST_SECONDS, self._policy.retry.on_status

        async def attempt() -> BodyStream:
            return await self._session.open(request, seconds, retry_on, idle=idle)

        stream = await self._caller.acall(attempt, target=request.target)
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


async def read(  # noqa: PLR0913 - all that surrounds a request
    session: HttpSession,
    caller: PolicyCaller,
    policy: Policy,
    request: HttpRequest,
    parse: Callable[[HttpResponse], T],
    fallback: Fallback | None,
    *,
    before: Callable[[], Awaitable[object]] | None = None,
) -> tuple[HttpResponse, T]:
    """One request on an event loop under a policy, parsed inside each attempt."""
    seconds, retry_on = policy.timeout or REQUEST_SECONDS, policy.retry.on_status

    async def attempt() -> tuple[HttpResponse, T]:
        response = await session.fetch(request, seconds, retry_on)
        return response, parse(response)

    try:
        fresh = await caller.acall(attempt, target=request.target, before=before)
    except TransientError as error:
        if fallback is None:
            raise
        response = fallback.instead(request, error)
        return response, parse(response)
    if fallback is not None:
        fallback.keep(request, fresh[0])
    return fresh
