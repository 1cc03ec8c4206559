"""Deliveries that came to a listening source, kept from before they are acknowledged until they are loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that was taken.

    Attributes:
        kind: how the body is to be read: ``json``, ``ndjson`` or ``form``.
        body: as it came.
        at: when it came, seconds since the epoch.
        id: what the sender calls it; empty: nothing.
        number: given by the mailbox, from 1, in the order in which deliveries were kept.
    """

    kind: str
    body: bytes = field(repr=False)
    at: float
    id: str = ""
    number: int = 0


class Mailbox(Protocol):
    """The deliveries of one source of a pipeline, over all its runs; for any thread.

    Attributes:
        keeps: deliveries may be taken; False in a preview and in a dry run, which only look.
    """

    keeps: bool

    def put(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Keep deliveries, all or none, durably when this returns; False for each whose id has come before."""
        ...

    def size(self) -> int:
        """Bytes of all bodies that are kept."""
        ...

    def take(self, after: int, count: int, most_bytes: int, until: int | None = None) -> list[Delivery]:
        """The deliveries behind a number, in order: at least one where there is any.

        Args:
            after: number of the last one before them.
            count: at most so many.
            most_bytes: of their bodies together, about.
            until: number of the last one that is wanted.
        """
        ...

    def begin(self, run: str) -> str | None:
        """Tell that a run begins to read; the run that read before, unless it is the same."""
        ...

    def done(self) -> int:
        """Number up to which deliveries have been loaded."""
        ...

    def forget(self, number: int) -> None:
        """Deliveries up to a number have been loaded: they go; their ids are remembered for a month."""
        ...

    def group(self, run: str, last: int) -> None:
        """Remember, durably, that a run gives out deliveries up to a number together."""
        ...

    def groups(self, run: str, after: int) -> list[int]:
        """The last numbers of the groups of a run, behind a number."""
        ...

    def release(self) -> None:
        """This thread has done with it."""
        ...
