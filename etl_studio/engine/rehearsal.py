"""A dry run: everything happens but the commits; each sink tells what it would do instead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from etl_studio.sdk import Loaded, Sink

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.engine.context import OpenDatabase
    from etl_studio.engine.plan import Plan
    from etl_studio.sdk import Database, Mark, Reader, Rejected, RunContext
    from etl_studio.sdk.database import Diff
    from etl_studio.sdk.frontier import Frontier
    from etl_studio.sdk.mailbox import Mailbox
    from etl_studio.sdk.memory import Memory
    from etl_studio.sdk.node import Group

    Tell = Callable[[str, int, Diff | None], None]


class _Rehearsed(Sink):
    """A sink that is given all rows and never told to commit.

    Args:
        inner: the sink.
        tell: takes its id, the rows that it would load, and what they would change, where it can tell.
        limit: changes of each kind that are shown.
    """

    type: ClassVar[str] = "rehearsed_sink"
    title: ClassVar[str] = "Dry run"
    icon: ClassVar[str] = "eye"
    group: ClassVar[Group] = "load"

    def __init__(self, inner: Sink, tell: Tell, limit: int) -> None:
        super().__init__(inner.config)
        self.outputs = inner.outputs  # type: ignore[misc] # those of the sink, for this one
        self._inner = inner
        self._tell = tell
        self._limit = limit
        self._rows = 0

    def open(self, schema: pa.Schema, context: RunContext) -> None:
        """As the sink."""
        self._inner.open(schema, context)

    def write(self, batch: pa.RecordBatch, context: RunContext) -> Iterable[Rejected]:
        """As the sink."""
        refused = list(self._inner.write(batch, context))
        self._rows += batch.num_rows - sum(rows.rows.num_rows for rows in refused)
        return refused

    def commit(self, context: RunContext, mark: Mark | None = None) -> Loaded:
        """Ask what would happen, and forget it all."""
        del mark
        diff = self._inner.diff(context, self._limit)
        self._inner.abort(context)
        self._tell(context.node, self._rows, diff)
        return diff.loaded if diff is not None else Loaded(inserted=self._rows)

    def abort(self, context: RunContext) -> None:
        """As the sink."""
        self._inner.abort(context)


def rehearsed(plan: Plan, tell: Tell, limit: int) -> Plan:
    """A plan whose sinks commit nothing."""
    nodes = {
        node_id: replace(item, node=_Rehearsed(item.node, tell, limit)) if isinstance(item.node, Sink) else item
        for node_id, item in plan.nodes.items()
    }
    return replace(plan, nodes=nodes)


class NothingNew:
    """Opens databases that are there; in the place of one that is not, an empty one that is thrown away.

    Args:
        databases: opens the files.
        folder: for those that are thrown away.
    """

    def __init__(self, databases: OpenDatabase, folder: Path) -> None:
        self._databases = databases
        self._folder = folder
        self._stand_ins: dict[Path, Path] = {}

    def open(self, path: Path) -> Database:
        """Open a file, or what stands in for it."""
        if path.exists():
            return self._databases.open(path)
        stand_in = self._folder / f"{len(self._stand_ins)}.db"
        return self._databases.open(self._stand_ins.setdefault(path, stand_in))

    def reading(self, path: Path, stopping: threading.Event) -> AbstractContextManager[Reader]:
        """Open a file that is there only to read it."""
        return self._databases.reading(path, stopping)

    def frontier(self, folder: Path, run: str, node: str) -> Frontier:
        """A queue that is thrown away."""
        del folder
        return self._databases.frontier(self._folder / "crawls", run, node)

    def has_mailbox(self, folder: Path, node: str) -> bool:
        """Whether a node has one."""
        return self._databases.has_mailbox(folder, node)

    def mailbox(self, folder: Path, node: str, *, keeps: bool) -> Mailbox:
        """What waits in a mailbox; nothing is taken and nothing goes."""
        del keeps
        there = self._databases.has_mailbox(folder, node)
        return self._databases.mailbox(folder if there else self._folder / "mailboxes", node, keeps=False)

    def memory(self, folder: Path) -> Memory:
        """A memory that is thrown away."""
        del folder
        return self._databases.memory(self._folder)
