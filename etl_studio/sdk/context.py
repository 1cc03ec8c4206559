"""The run, as a node sees it: fifteen methods and four facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from etl_studio.sdk.database import Database, Reader
    from etl_studio.sdk.emissions import Rejected
    from etl_studio.sdk.frontier import Frontier
    from etl_studio.sdk.http import Gate, HttpClient, Web
    from etl_studio.sdk.mailbox import Mailbox
    from etl_studio.sdk.memory import Memory

T = TypeVar("T")


class RunContext(Protocol):
    """Given to every call of a node.

    Attributes:
        run: id of the run (the correlation id).
        node: id of the node.
        resume: value of the ``Cursor`` from which a source begins; None: at the beginning.
        stopping: set when the run ends early; long loops look at it, waits use ``stopping.wait(seconds)``.
    """

    run: str
    node: str
    resume: Any | None
    stopping: threading.Event

    def call(self, operation: Callable[[], T], *, target: str = "") -> T:
        """Run ``operation`` under the node's policy: retry(breaker(rate limit(timeout))).

        Args:
            operation: raises ``TransientError`` for what may succeed when tried again.
            target: what is called, such as a host; each target has a breaker of its own.
        """
        ...

    def http(self) -> HttpClient:
        """The run's HTTP client; each request goes through ``call``."""
        ...

    def web(self, *, cookies: bool = False) -> AbstractContextManager[Web]:
        """An event loop of this thread, with connections and cookies of its own, while the block lasts.

        Args:
            cookies: keep those that sites set, and send them back.
        """
        ...

    def bookmark(self, of: str) -> Any | None:
        """The value of the last ``Bookmark`` of this node for what it reads; None: there is none."""
        ...

    def gate(self, own: Collection[str]) -> AbstractContextManager[Gate]:
        """A way to the web for another program while the block lasts; it leads to public addresses only.

        Args:
            own: hosts, such as ``shop.example.org`` or ``127.0.0.1:8750``, that may be anywhere, with their subdomains.
        """
        ...

    def scratch(self) -> Path:
        """A folder of this node for what nobody needs after the run; it is removed at its end."""
        ...

    def database(self, path: str | None = None) -> Database:
        """An SQLite file (relative to the pipeline file), or the workspace's ``data.db``."""
        ...

    def reading(self, path: str | None = None) -> AbstractContextManager[Reader]:
        """Open such a file only to read it, while the block lasts."""
        ...

    def frontier(self) -> AbstractContextManager[Frontier]:
        """The queue of a source that crawls, kept with the run until it has succeeded."""
        ...

    def mailbox(self) -> Mailbox:
        """The deliveries to a listening source, over all runs of its pipeline."""
        ...

    def committed(self, run: str | None = None) -> Any | None:
        """For a source that replays: value of the last ``Cursor`` up to which every sink has loaded its rows.

        Args:
            run: an earlier run of the pipeline, which may have broken off; default: this one.

        Returns:
            None where no sink has loaded anything, or one of them is new.

        Raises:
            PermanentError: a sink has not delivered yet what it committed in that run.
        """
        ...

    def memory(self) -> Memory:
        """What runs of this workspace leave for later ones."""
        ...

    def refuse(self, rejected: Rejected, about: str) -> Mapping[str, Any]:
        """For a sink that commits: rows that cannot be delivered. They are dead letters, durably, when this returns.

        Args:
            rejected: the rows.
            about: names what was refused (``Sink.unfinished``).

        Returns:
            The facts of the mark of this commit, as they are with these rows counted.

        Raises:
            PermanentError: the policy wants no row refused, or no more than were before these.
        """
        ...

    def path(self, text: str) -> Path:
        """A path from the settings: relative ones start at the pipeline file's folder."""
        ...

    def log(self, level: str, message: str, **facts: Any) -> None:
        """Write to the run's log. ``level``: debug, info, warning or error."""
        ...
