"""A small, real run context for the tests of nodes: no policy, paths start at the test's own folder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from etl_studio.sdk import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from etl_studio import sdk


class NodeContext:
    """Runs each operation once.

    Args:
        folder: where relative paths start.
        http: client that ``http()`` gives; without one, asking for it fails the test.
        web: makes what ``web()`` gives; without it, asking for it fails the test.
        database: what ``database(path)`` gives, made by a function of the path; without it, asking fails the test.

    Attributes:
        logged: ``(level, message, facts)`` of each call of ``log``.
        kept: what was remembered, by key.
        called: the target of each ``call``.
        refused: what was given to ``refuse``.
        mail: what ``mailbox`` gives.
        loaded: what ``committed`` gives, by run.
    """

    def __init__(
        self,
        folder: Path,
        *,
        http: sdk.HttpClient | None = None,
        web: Callable[..., AbstractContextManager[sdk.Web]] | None = None,
        database: Callable[[str | None], sdk.Database] | None = None,
    ) -> None:
        self.run = "test-run"
        self.node = "node"
        self.resume: Any = None
        self.bookmarks: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.stopping = threading.Event()
        self.folder = folder
        self.logged: list[tuple[str, str, dict[str, Any]]] = []
        self.called: list[str] = []
        self.mail: Any = None
        self.loaded: dict[str | None, Any] = {}
        self.refused: list[tuple[sdk.Rejected, str]] = []
        self._http = http
        self._web = web
        self._database = database

    def call(self, operation: Callable[[], Any], *, target: str = "") -> Any:
        self.called.append(target)
        return operation()

    def http(self) -> sdk.HttpClient:
        assert self._http is not None, "this node must not use HTTP"
        return self._http

    def web(self, *, cookies: bool = False) -> AbstractContextManager[sdk.Web]:
        assert self._web is not None, "this node must not use an event loop"
        return self._web(cookies=cookies)

    def reading(self, path: str | None = None) -> AbstractContextManager[sdk.Reader]:
        from etl_studio.storage.reading import reading

        return reading(self.folder / (path or "data.db"), 0.1, self.stopping)

    def database(self, path: str | None = None) -> sdk.Database:
        assert self._database is not None, "this node must not use a database"
        return self._database(path)

    def memory(self) -> NodeContext:
        return self

    def remembered(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)

    def remember(self, key: str, facts: dict[str, Any]) -> None:
        self.kept[key] = facts

    def bookmark(self, of: str) -> Any:
        return self.bookmarks.get(of)

    def mailbox(self) -> sdk.mailbox.Mailbox:
        assert self.mail is not None, "this node must not listen"
        return self.mail

    def committed(self, run: str | None = None) -> Any:
        return self.loaded.get(run)

    def refuse(self, rejected: sdk.Rejected, about: str) -> dict[str, Any]:
        self.refused.append((rejected, about))
        return {"counts": {"dead_letters": sum(one.rows.num_rows for one, _ in self.refused)}}

    def path(self, text: str) -> Path:
        return self.folder / text

    def log(self, level: str, message: str, **facts: Any) -> None:
        self.logged.append((level, message, facts))


@pytest.fixture
def context(tmp_path: Path) -> NodeContext:
    """The context of most tests: ``tmp_path`` is the pipeline's folder."""
    return NodeContext(tmp_path)


@pytest.fixture
def node_context() -> type[NodeContext]:
    """The class, for tests that need another folder, a client or a database."""
    return NodeContext


def rows_of(source: sdk.Source, context: Any) -> Iterator[Any]:
    """What a source gives, without its cursors."""
    return (emission for emission in source.read(context) if not isinstance(emission, Cursor))


@pytest.fixture
def stopping_after() -> Iterator[Callable[[sdk.RunContext, float], None]]:
    """A function that stops a context after so many seconds, from another thread."""
    timers: list[threading.Timer] = []

    def start(context: sdk.RunContext, seconds: float) -> None:
        timer = threading.Timer(seconds, context.stopping.set)
        timers.append(timer)
        timer.start()

    yield start
    for timer in timers:
        timer.cancel()
        timer.join()
