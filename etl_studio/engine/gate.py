"""Where sinks meet before they commit, so that a run that fails changes nothing."""

from __future__ import annotations

import threading

from etl_studio.errors import Cancelled


class CommitGate:
    """Opens when every sink has taken its last row; closed for good when the run fails.

    Args:
        sinks: how many sinks there are.
    """

    def __init__(self, sinks: int) -> None:
        self._missing = sinks
        self._changed = threading.Condition()
        self._cancelled = False

    def arrive(self) -> None:
        """A sink has all its rows; waits for the others.

        Raises:
            Cancelled: the run failed or was stopped meanwhile.
        """
        with self._changed:
            self._missing -= 1
            self._changed.notify_all()
            while self._missing > 0 and not self._cancelled:
                self._changed.wait()
            if self._cancelled:
                raise Cancelled("The run was stopped.")

    def leave(self) -> None:
        """A sink gave up in a graceful stop; the others need not wait for it."""
        with self._changed:
            self._missing -= 1
            self._changed.notify_all()

    def cancel(self) -> None:
        """Nobody commits any more."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()
