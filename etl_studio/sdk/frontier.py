"""The queue of a crawl, kept in a file so that a crawl that was killed goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Link:
    """An address to visit.

    Attributes:
        key: 16 bytes; the same for addresses that lead to the same page.
        host: whose queue it belongs to.
        url: what is asked for.
        depth: links from a start address.
        parent: number of the page on which it was found; None for a start address.
        kind: what the crawler makes of it, such as ``page`` or ``sitemap``.
    """

    key: bytes
    host: str
    url: str
    depth: int = 0
    parent: int | None = None
    kind: str = "page"


@dataclass(frozen=True, slots=True)
class Visit:
    """A link that was taken out of the queue.

    Attributes:
        number: in the order in which links came, from 1.
        parent: address of the page on which it was found.
    """

    number: int
    host: str
    url: str
    depth: int
    parent: str | None
    kind: str


class Frontier(Protocol):
    """The links of one source in one run, and what the source has given out; for one thread.

    What is added and what is done counts from the next ``commit`` on: after a kill, links that were visited since the
    last one wait again.
    """

    def add(self, links: Iterable[Link]) -> int:
        """Put links at the end of their queues; how many were new. A link whose key is known is left out."""
        ...

    def take(self, host: str, after: int, count: int) -> list[Visit]:
        """The oldest waiting links of a host with a number above ``after``; they wait until they are done."""
        ...

    def hosts(self) -> dict[str, int]:
        """How many links wait for each host, those that came first in front."""
        ...

    def commit(self, done: Iterable[int], entry: bytes | None, facts: Mapping[str, Any]) -> int:
        """Keep, all or nothing and durably: which links are done, what was given out for them, and facts.

        Returns:
            The number of the last entry, from 1; 0 as long as there is none.
        """
        ...

    def entries(self, after: int) -> Iterator[tuple[int, bytes]]:
        """What was given out behind an entry, in order, each with its number."""
        ...

    def facts(self) -> dict[str, Any]:
        """The facts of the last commit."""
        ...

    def close(self) -> None:
        """Take back what was not committed. May be called twice."""
        ...
