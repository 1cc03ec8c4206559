"""The elements of a page by what they are known by, so that most candidates are judged without a look at the page."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from etl_studio.app.scraping.candidates import known_by
from etl_studio.errors import Cancelled

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from etl_studio.app.scraping.candidates import Candidate

LOOKS = 2_000
"""Elements after which is looked whether somebody still waits."""
_NONE: frozenset[Any] = frozenset()


class Index:
    """Tells what candidates would find; selectors themselves have the last word.

    Args:
        root: the lxml element of the page.
        stopping: ends what is computed with the index; None: nothing does.

    Attributes:
        root: as given.
        elements: how many there are.
    """

    def __init__(self, root: Any, stopping: threading.Event | None = None) -> None:
        self.root = root
        self._stopping = stopping
        self.elements = 0
        self._having: dict[str, set[Any]] = defaultdict(set)
        for element in root.iter():
            if isinstance(element.tag, str):
                self.elements += 1
                if self.elements % LOOKS == 0:
                    self.check()
                for test in known_by(element):
                    self._having[test].add(element)

    def check(self) -> None:
        """Go on only while somebody wants to know.

        Raises:
            Cancelled: nobody does.
        """
        if self._stopping is not None and self._stopping.is_set():
            raise Cancelled("Nobody waits for it any more.")

    def found_by(self, candidate: Candidate) -> set[Any]:
        """The elements that a candidate finds; one that counts positions finds them among others."""
        inner = self._all_having(candidate.inner)
        if not candidate.outer:
            return inner
        outer = self._all_having(candidate.outer)
        return {element for element in inner if _stands_in(element, outer, child=candidate.child)}

    def may_be(self, candidate: Candidate, wanted: set[Any]) -> bool:
        """Whether a candidate may find just these elements."""
        inner = self._all_having(candidate.inner)
        if not wanted <= inner:
            return False
        if candidate.counts:
            return True
        if not candidate.outer:
            return len(inner) == len(wanted)
        outer = self._all_having(candidate.outer)
        return not any(_stands_in(element, outer, child=candidate.child) for element in inner - wanted)

    def _all_having(self, tests: Iterable[str]) -> set[Any]:
        found = sorted((self._having.get(test, _NONE) for test in tests), key=len)
        return set(found[0]).intersection(*found[1:]) if found else set()


def _stands_in(element: Any, outer: set[Any], *, child: bool) -> bool:
    if child:
        return element.getparent() in outer
    element = element.getparent()
    while element is not None:
        if element in outer:
            return True
        element = element.getparent()
    return False
