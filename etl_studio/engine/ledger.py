"""Where the facts of a run are kept, and where other processes leave what they ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from etl_studio.engine.checkpoints import Checkpoint
    from etl_studio.engine.events import Event
    from etl_studio.errors import EtlError


class Ledger(Protocol):
    """Given by ``app``, done by ``storage``."""

    def __call__(self, event: Event) -> None:
        """Take an event."""
        ...

    def flush(self) -> EtlError | None:
        """Wait until all is kept; the error, if that failed."""
        ...

    def save(self, run: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint and everything told before it, so that a power cut cannot take it away.

        Raises:
            EtlError: that failed.
        """
        ...

    def command(self) -> str | None:
        """What another process asks of the run, once (``Run.obey``); returns at once."""
        ...

    def close(self) -> None:
        """The run has ended."""
        ...


def keep(ledger: Ledger | None) -> None:
    """Wait until everything told so far is on disk.

    Raises:
        EtlError: that failed.
    """
    if ledger is not None and (lost := ledger.flush()) is not None:
        raise lost
