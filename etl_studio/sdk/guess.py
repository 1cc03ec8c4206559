"""Guesses at what a person meant, for "Did you mean ...?"."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 100
"""Characters of a name that a person may have mistyped; to compare longer ones takes square time."""
MOST_NAMES = 1_000
COMPARED = 5
"""Names that are compared with care, which is fifty times dearer than to count common pairs of letters."""


def closest(word: str, names: Iterable[str]) -> str | None:
    """The name that is most like a word; None where none is, or all are too long."""
    if len(word) > LONGEST:
        return None
    parts = _parts(word)
    candidates = (name for name in islice(names, MOST_NAMES) if len(name) <= LONGEST)
    likely = nlargest(COMPARED, candidates, key=lambda name: _likeness(parts, _parts(name)))
    return next(iter(get_close_matches(word, likely, n=1)), None)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one) + len(other) or 1)


@lru_cache(2 * MOST_NAMES)
def _parts(word: str) -> frozenset[str]:
    """Its letters, and its pairs of letters."""
    return frozenset(word) | {word[place : place + 2] for place in range(len(word) - 1)}
