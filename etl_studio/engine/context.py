"""The run as nodes see it (``sdk.RunContext``)."""

from __future__ import annotations

import copy
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

from etl_studio.engine.events import LogWritten
from etl_studio.engine.last_good import Fallback, LastGood
from etl_studio.errors import Cancelled, UsageError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from etl_studio.engine.events import Listener
    from etl_studio.engine.http import HttpService
    from etl_studio.engine.http_changes import Changes
    from etl_studio.engine.http_client import Exchange
    from etl_studio.engine.http_trust import Trust
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.sdk import Database, HttpClient, Policy, Reader, Rejected, Web
    from etl_studio.sdk.frontier import Frontier
    from etl_studio.sdk.http import Gate
    from etl_studio.sdk.mailbox import Mailbox
    from etl_studio.sdk.memory import Memory

T = TypeVar("T")


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

    def has_mailbox(self, folder: Path, node: str) -> bool:
        """Whether a node has one."""
        ...

    def mailbox(self, folder: Path, node: str, *, keeps: bool) -> Mailbox:
        """Open or create the mailbox of a listening source."""
        ...

    def memory(self, folder: Path) -> Memory:
        """Open what runs leave for later ones."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run reads and writes.

    Attributes:
        folder: where relative paths of settings start: the pipeline file's folder.
        data: the workspace's ``data.db``.
        scratch: for spilling; removed at the end of the run.
        mailboxes: where deliveries to this pipeline are kept; None: none may be taken.
    """

    folder: Path
    data: Path
    scratch: Path
    mailboxes: Path | None = None

    @property
    def crawls(self) -> Path:
        """Where crawls keep their queues."""
        return self.data.parent / "crawls"


class NodeContext:
    """Given to every call of one node.

    Attributes:
        stale: an old answer was used in place of one that did not come (fallback ``last_good``).
        refusing: of a sink that commits: takes rows that it cannot deliver.
        loaded: of a source: the cursor up to which every sink has loaded what it gave, in this run or an earlier one.
        bookmarks: values by node and what it reads.
        changes: tells answers that are as in the last run; None: they do not matter here.
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
        self.loaded: Callable[[str | None], Any] = lambda _: None
        self.refusing: Callable[[Rejected, str], Mapping[str, Any]] | None = None
        self.resume: Any | None = None
        self.bookmarks: Mapping[tuple[str, str], Any] = {}
        self.changes: Changes | None = None
        self._policy = policy
        self._caller = caller
        self._places = places
        self._databases = databases
        self._http = http
        self._emit = emit
        self._warned = False

    def call(self, operation: Callable[[], T], *, target: str = "") -> T:
        """Run an operation under the node's policy."""
        return self._caller.call(operation, target=target)

    def http(self) -> HttpClient:
        """The HTTP client under the node's policy."""
        from etl_studio.engine.http_client import PolicyClient

        service = self._http()
        session = service.session_for(self._trust())
        return PolicyClient(service, session, self._exchange(), self.stopping)

    @contextmanager
    def web(self, *, cookies: bool = False) -> Iterator[Web]:
        """An event loop of this thread for requests under the node's policy."""
        from etl_studio.engine.http_client import NodeWeb

        session = self._http().another_session(self._trust(), cookies=cookies)
        with NodeWeb(session, self._exchange(), self.stopping) as web:
            yield web

    def bookmark(self, of: str) -> Any | None:
        """The value of the last bookmark of the node for what it reads."""
        return self.bookmarks.get((self.node, of))

    @contextmanager
    def gate(self, own: Collection[str]) -> Iterator[Gate]:
        """A way to the web for another program; it leads to public addresses only, but for these hosts.

        Raises:
            UsageError: answers come from a cassette, which holds none for other programs.
        """
        from etl_studio.engine.http_gate import HttpGate

        service, gate = self._http(), HttpGate(own, self._trust())
        if service.replays:
            raise UsageError(
                "A browser asks sites by itself: no cassette answers it.",
                hint="Pin its rows, or give them to the test; or run without --replay.",
            )
        service.start(gate.open()).result()
        try:
            yield gate
        finally:
            with suppress(Cancelled):  # the run has ended, and its connections with it
                service.start(gate.close()).result()

    def scratch(self) -> Path:
        """A folder of this node that goes at the end of the run."""
        folder = self._places.scratch / quote(self.node, safe="")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def database(self, path: str | None = None) -> Database:
        """An SQLite file, or the workspace's ``data.db``."""
        return self._databases.open(self._places.data if path is None else self.path(path))

    def reading(self, path: str | None = None) -> AbstractContextManager[Reader]:
        """Open such a file only to read it, while the block lasts."""
        return self._databases.reading(self._places.data if path is None else self.path(path), self.stopping)

    def frontier(self) -> AbstractContextManager[Frontier]:
        """The queue of a source that crawls."""
        return closing(self._databases.frontier(self._places.crawls, self.run, self.node))

    def mailbox(self) -> Mailbox:
        """The deliveries to this node."""
        kept = self._places.mailboxes
        return self._databases.mailbox(kept or self._places.scratch / "mailboxes", self.node, keeps=kept is not None)

    def committed(self, run: str | None = None) -> Any | None:
        """How far every sink has loaded what this source gave."""
        return self.loaded(run)

    def memory(self) -> Memory:
        """What runs of this workspace leave for later ones."""
        return self._databases.memory(self._places.data.parent)

    def refuse(self, rejected: Rejected, about: str) -> Mapping[str, Any]:
        """Rows that a commit cannot deliver."""
        assert self.refusing is not None, "rows are refused in a commit"  # noqa: S101 - of sinks only
        return self.refusing(rejected, about)

    def path(self, text: str) -> Path:
        """A path from the settings."""
        return self._places.folder / text

    def log(self, level: str, message: str, **facts: Any) -> None:
        """Write to the run's log."""
        self._emit(LogWritten(self.run, time.time(), level, self.node, message, facts))

    def _trust(self) -> Trust:
        from etl_studio.engine.http_trust import Trust

        if not self._policy.check_certificate and not self._warned:
            self._warned = True
            self.log(
                "warning",
                "Certificates are not checked: anybody on the way could read and change what is sent. "
                "Name the CA of the server in the policy's ca_file instead.",
            )
        ca_file = self._policy.ca_file
        return Trust(self.path(ca_file) if ca_file else None, check=self._policy.check_certificate)

    def _exchange(self) -> Exchange:
        from etl_studio.engine.http_client import Exchange

        fallback = None
        if self._policy.fallback == "last_good" and not self._http().replays:
            fallback = Fallback(LastGood(self._places.data.parent), self.log, self._use_stale)
        return Exchange(self._caller, self._policy, fallback, self.changes)

    def _use_stale(self) -> None:
        self.stale = True


def as_of(context: Any, run: str) -> Any:
    """A context, for a look at what another run left."""
    other = copy.copy(context)
    other.run = run
    return other
