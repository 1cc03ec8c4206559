"""The rows of a webhook: groups of deliveries, each with a cursor, the same again after a crash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etl_studio.nodes.extract._rest_records import Flattener
    from etl_studio.nodes.extract._webhook_server import Listener
    from etl_studio.sdk.mailbox import Delivery, Mailbox

GIVE_SECONDS, SETTLE_SECONDS = 0.25, 2.0
"""How long deliveries wait for others: later on, and before the columns are known."""
LOOK_SECONDS = 0.05
"""Between two looks at a stop."""
MOST_DELIVERIES, MOST_BYTES = 1_000, 8 * 2**20
"""Given out together."""
FORGET_SECONDS = 5.0
"""Between two looks at what has been loaded."""


class Receives(Protocol):
    """What the source knows of its settings.

    Attributes:
        config: has ``rows`` and ``idle``.
        declared: columns whose types are known.
    """

    config: Any

    @property
    def declared(self) -> dict[str, str]: ...

    def flattener(self, nested: Sequence[str] = ()) -> Flattener:
        """What is done with nested objects."""
        ...

    def records(self, taken: Sequence[Delivery]) -> tuple[list[dict[str, Any]], list[sdk.Rejected]]:
        """The items of deliveries that are objects, and the others."""
        ...


class Reading:
    """What one run gives of a mailbox.

    Which deliveries go out together is remembered, so that a resumed run gives the same rows in the same order.

    Args:
        source: makes records of deliveries.
        mailbox: holds them.
        context: of the run.
    """

    def __init__(self, source: Receives, mailbox: Mailbox, context: sdk.RunContext) -> None:
        resumed = context.resume or {}
        self._source, self._mailbox, self._context = source, mailbox, context
        earlier = mailbox.begin(context.run)
        if earlier is not None and (loaded := context.committed(earlier)) is not None:
            mailbox.forget(loaded["number"])
        self._last: int = max(resumed.get("number", 0), mailbox.done())
        self._rows: int = resumed.get("rows", 0)
        columns = {**(resumed.get("columns") or {}), **source.declared}
        fixed = resumed.get("columns") is not None
        # Its clock stands still: only what is given together decides.
        self._builder = sdk.RecordBuilder(columns, fixed=fixed, clock=lambda: 0.0)
        self._flattened = source.flattener(resumed.get("nested", ()))
        self._looked = time.monotonic()

    @property
    def is_full(self) -> bool:
        """As many rows have come as are wanted."""
        most = self._source.config.rows
        return most is not None and self._rows >= most

    def again(self) -> Iterator[sdk.node.SourceEmission]:
        """The groups that this run gave before it broke off, behind its last checkpoint."""
        for last in self._mailbox.groups(self._context.run, self._last):
            yield from self._give(self._mailbox.take(self._last, MOST_DELIVERIES, 2**62, until=last))

    def listen(self, listener: Listener) -> Iterator[sdk.node.SourceEmission]:
        """What comes, until enough has come, nothing has for long, or the run is stopped."""
        idle, stopping = self._source.config.idle, self._context.stopping
        since: float | None = None
        while not stopping.is_set() and not self.is_full:
            listener.check()
            listener.arrived.clear()
            taken = self._mailbox.take(self._last, MOST_DELIVERIES, MOST_BYTES)
            now = time.monotonic()
            if taken:
                since = now if since is None else since
                known = self._builder.schema is not None
                if len(taken) == MOST_DELIVERIES or now - since >= (GIVE_SECONDS if known else SETTLE_SECONDS):
                    since = None
                    yield from self._give(taken)
                    continue
                stopping.wait(LOOK_SECONDS)
            elif idle is not None and now - listener.last >= idle:
                return
            else:
                self._forget(now)
                listener.arrived.wait(LOOK_SECONDS)

    def rest(self) -> Iterator[sdk.node.SourceEmission]:
        """One group of what is there when listening has ended; what is behind it waits for the next run."""
        if not self.is_full and (taken := self._mailbox.take(self._last, MOST_DELIVERIES, MOST_BYTES)):
            yield from self._give(taken)

    def finish(self) -> Iterator[sdk.node.SourceEmission]:
        """The columns, where no rows have come."""
        yield from (part for part in self._builder.finish() if not isinstance(part, sdk.Rejected))

    def _give(self, taken: Sequence[Delivery]) -> Iterator[sdk.node.SourceEmission]:
        last = taken[-1].number
        self._mailbox.group(self._context.run, last)
        records, refused = self._source.records(taken)
        if records:
            yield from self._builder.add(self._flattened(records))
            yield from self._builder.finish()
        yield from refused
        self._last = last
        self._rows += len(records)
        columns = self._builder.columns
        yield sdk.Cursor({"number": last, "rows": self._rows, "columns": columns, "nested": self._flattened.names})
        self._forget(time.monotonic())

    def _forget(self, now: float) -> None:
        """Let go what all sinks have loaded."""
        if now - self._looked < FORGET_SECONDS:
            return
        self._looked = now
        loaded = self._context.committed()
        if loaded is not None and loaded["number"] > self._mailbox.done():
            self._mailbox.forget(loaded["number"])
