"""The run as nodes see it (``sdk.RunContext``)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from etl_studio.engine.events import LogWritten

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.engine.events import Listener
    from etl_studio.engine.http import HttpService
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.sdk import Database, HttpClient, HttpRequest, HttpResponse, Policy

T = TypeVar("T")

REQUEST_SECONDS = 30.0
"""Timeout of a web request where the policy gives none."""


class OpenDatabase(Protocol):
    """How the run opens SQLite files; given by ``app``, done by ``storage``."""

    def open(self, path: Path) -> Database:
        """Open or create a file."""
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


class NodeContext:
    """Given to every call of one node."""

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
        return _PolicyClient(self, self._http(), self._policy)

    def database(self, path: str | None = None) -> Database:
        """An SQLite file, or the workspace's ``data.db``."""
        return self._databases.open(self._places.data if path is None else self.path(path))

    def path(self, text: str) -> Path:
        """A path from the settings."""
        return self._places.folder / text

    def log(self, level: str, message: str, **facts: Any) -> None:
        """Write to the run's log."""
        self._emit(LogWritten(self.run, time.time(), level, self.node, message, facts))


class _PolicyClient:
    def __init__(self, context: NodeContext, service: HttpService, policy: Policy) -> None:
        self._context = context
        self._service = service
        self._policy = policy

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send under the policy; each host has a breaker of its own."""
        host = urlsplit(request.url).netloc.rpartition("@")[2]

        def attempt() -> HttpResponse:
            return self._service.fetch(
                request,
                timeout=self._policy.timeout or REQUEST_SECONDS,
                stopping=self._context.stopping,
                retry_on=self._policy.retry.on_status,
            )

        return self._context.call(attempt, target=host)
