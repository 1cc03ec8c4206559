"""Ends SQL that takes too long, and SQL that a stopped run needs no more."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from etl_studio.errors import Cancelled, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Guard:
    """Surrounds the SQL of one thread; other threads may end it.

    Args:
        interrupt: ends the query that runs now; the thread gets ``Cancelled``.
        limit: seconds for one operation; None: no limit.
        clock: monotonic seconds.

    Attributes:
        busy_since: when the operation that runs now began, by the clock; None: nothing runs.
    """

    def __init__(
        self, interrupt: Callable[[], None], limit: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.busy_since: float | None = None
        self._interrupt = interrupt
        self._limit = limit
        self._clock = clock
        self._late = False
        self._cancelled = False
        # So that an operation is never ended for the one before it.
        self._changing = threading.Lock()

    def run(self, operation: Callable[..., T], *arguments: Any) -> T:
        """Run an operation.

        Raises:
            DeadlineError: it was ended because it took longer than the limit.
            Cancelled: the run is over.
        """
        with self._changing:
            if self._cancelled:
                raise Cancelled("The run was stopped.")
            self._late = False
            self.busy_since = self._clock()
        try:
            return operation(*arguments)
        except Cancelled:
            if self._late:
                raise DeadlineError(f"It took longer than {self._limit:g} s.") from None
            raise
        finally:
            with self._changing:
                self.busy_since = None

    def check(self, now: float) -> None:
        """End the operation if it is late or cancelled; called again and again, as one may fall between two queries."""
        with self._changing:
            if self.busy_since is None:
                return
            if self._limit is not None and now - self.busy_since > self._limit:
                self._late = True
            if self._late or self._cancelled:
                self._interrupt()

    def cancel(self) -> None:
        """End the operation that runs now, and let none begin."""
        with self._changing:
            self._cancelled = True
            if self.busy_since is not None:
                self._interrupt()
