"""The run as nodes see it (``sdk.RunContext``)."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from etl_studio.engine.events import LogWritten
from etl_studio.engine.last_good import LastGood
from etl_studio.errors import PermanentError, TransientError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from etl_studio.engine.events import Listener
    from etl_studio.engine.http import HttpService
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.sdk import Database, HttpClient, HttpRequest, HttpResponse, Policy, Reader
    from etl_studio.sdk.frontier import Frontier

T = TypeVar("T")

FIRST_ERROR = 400
REQUEST_SECONDS = 30.0
"""Timeout of a web request where the policy gives none."""


class OpenDatabase(Protocol):
    """How the run opens SQLite files; given by ``app``, done by ``storage``."""

    def open(self, path: Path) -> Database:
        """Open or create a file."""
        ...

    def reading(self, path: Path, stopping: threading.Event) -> AbstractContextManager[Reader]:
        """Open a file only to read it."""
        ...

    def frontier(self, folder: Path, run: str, node: str) -> Frontier:
        """Open or create the queue of a crawl."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run reads and writes.

    Attributes:
        folder: where relative paths of settings start: the pipeline file's folder.
        data: the workspace's ``data.db``.
        scratch: for spilling; removed at the end of the run.
    """

    folder: Path
    data: Path
    scratch: Path

    @property
    def crawls(self) -> Path:
        """Where crawls keep their queues."""
        return self.data.parent / "crawls"


class NodeContext:
    """Given to every call of one node.

    Attributes:
        stale: an old answer was used in place of one that did not come (fallback ``last_good``).
    """

    def __init__(  # noqa: PLR0913 - what a node may touch
        self,
        run: str,
        node: str,
        policy: Policy,
        caller: PolicyCaller,
        places: Places,
        databases: OpenDatabase,
        http: Callable[[], HttpService],
        stopping: threading.Event,
        emit: Listener,
    ) -> None:
        self.run = run
        self.node = node
        self.stopping = stopping
        self.stale = False
        self.resume: Any | None = None
        self._policy = policy
        self._caller = caller
        self._places = places
        self._databases = databases
        self._http = http
        self._emit = emit

    def call(self, operation: Callable[[], T], *, target: str = "") -> T:
        """Run an operation under the node's policy."""
        return self._caller.call(operation, target=target)

    def http(self) -> HttpClient:
        """The HTTP client under the node's policy."""
        kept = LastGood(self._places.data.parent) if self._policy.fallback == "last_good" else None
        return _PolicyClient(self, self._http(), self._policy, kept)

    def database(self, path: str | None = None) -> Database:
        """An SQLite file, or the workspace's ``data.db``."""
        return self._databases.open(self._places.data if path is None else self.path(path))

    def reading(self, path: str | None = None) -> AbstractContextManager[Reader]:
        """Open such a file only to read it, while the block lasts."""
        return self._databases.reading(self._places.data if path is None else self.path(path), self.stopping)

    def frontier(self) -> AbstractContextManager[Frontier]:
        """The queue of a source that crawls."""
        return closing(self._databases.frontier(self._places.crawls, self.run, self.node))

    def path(self, text: str) -> Path:
        """A path from the settings."""
        return self._places.folder / text

    def log(self, level: str, message: str, **facts: Any) -> None:
        """Write to the run's log."""
        self._emit(LogWritten(self.run, time.time(), level, self.node, message, facts))


class _PolicyClient:
    """fallback(retry(breaker(rate limit(timeout(request)))))."""

    def __init__(self, context: NodeContext, service: HttpService, policy: Policy, kept: LastGood | None) -> None:
        self._context = context
        self._service = service
        self._policy = policy
        self._kept = kept

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        return self.read(request, lambda _: None)[0]

    def read(self, request: HttpRequest, parse: Callable[[HttpResponse], T]) -> tuple[HttpResponse, T]:
        """Send under the policy and parse inside each attempt."""
        host = urlsplit(request.url).netloc.rpartition("@")[2]

        def attempt() -> tuple[HttpResponse, T]:
            response = self._service.fetch(
                request,
                timeout=self._policy.timeout or REQUEST_SECONDS,
                stopping=self._context.stopping,
                retry_on=self._policy.retry.on_status,
            )
            return response, parse(response)

        if self._kept is None:
            return self._context.call(attempt, target=host)
        try:
            fresh = self._context.call(attempt, target=host)
        except TransientError as error:
            found = self._kept.find(request)
            if found is None:
                raise
            response, kept_at = found
            self._context.stale = True
            self._context.log("warning", f"{error.what} The answer of {kept_at:%Y-%m-%d %H:%M} UTC is used instead.")
            return response, parse(response)
        if fresh[0].status < FIRST_ERROR:  # an error that the request accepts is no good answer
            self._keep(self._kept, request, fresh[0])
        return fresh

    def read_many(
        self, requests: Iterable[HttpRequest], parse: Callable[[HttpResponse], T], *, concurrency: int
    ) -> Iterator[tuple[HttpResponse, T] | TransientError | PermanentError]:
        """Each request in a thread, at most ``concurrency`` ahead of whoever takes the answers."""

        def outcome(request: HttpRequest) -> tuple[HttpResponse, T] | TransientError | PermanentError:
            try:
                return self.read(request, parse)
            except (TransientError, PermanentError) as error:
                return error

        waiting, left = deque[Future[Any]](), iter(requests)
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix=f"http of {self._context.node}")
        try:
            while True:
                waiting.extend(pool.submit(outcome, request) for request in islice(left, concurrency - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _keep(self, kept: LastGood, request: HttpRequest, response: HttpResponse) -> None:
        try:
            kept.keep(request, response)
        except OSError as error:
            self._context.log("warning", f"The answer could not be kept as a fallback: {error.strerror}.")
