"""What is kept too long goes at the end of a run: dead letters, of which the log tells, and queues of crawls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from etl_studio.engine.events import LogWritten, RunEnded
from etl_studio.errors import EtlError
from etl_studio.storage.letters import KEEP_BYTES, KEEP_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.engine.events import Event, Listener
    from etl_studio.storage.workspace import Workspace

MEGABYTE = 1024 * 1024


class Retention:
    """A listener of one run that prunes the dead letters when it has ended.

    Args:
        workspace: where they are.
        listeners: are told what went, after the report.
        days, size: how long and how many bytes of rows are kept.
    """

    def __init__(
        self, workspace: Workspace, listeners: Sequence[Listener], *, days: float = KEEP_DAYS, size: int = KEEP_BYTES
    ) -> None:
        self._workspace = workspace
        self._listeners = tuple(listeners)
        self._days = days
        self._size = size

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if not isinstance(event, RunEnded):
            return
        try:
            old, large = self._workspace.letters.prune(self._days, self._size)
        except EtlError as error:
            self._warn(event.run, f"Old dead letters could not be removed: {error}")
            return
        finally:
            self._workspace.forget_crawls(self._days, {event.run: event.status})
            self._workspace.release()
        if old:
            self._warn(event.run, f"{old:,} dead letters older than {self._days:g} days were removed.", removed=old)
        if large:
            self._warn(
                event.run,
                f"{large:,} dead letters were removed, the oldest first: their rows took more than "
                f"{self._size / MEGABYTE:,.0f} MB.",
                removed=large,
            )

    def _warn(self, run: str, message: str, **facts: int) -> None:
        for listener in self._listeners:
            listener(LogWritten(run, time.time(), "warning", None, message, facts))
