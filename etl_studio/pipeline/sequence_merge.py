"""Merges two versions of a list that began as the same one (diff3)."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Block = tuple[int, int, int]


def merge_sequence(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[list[Any], int]:
    """The items of both sides, and how often both changed the same or neighbouring ones; there ours are kept.

    Items are the same when they look the same (``1`` and ``true`` do not).
    """
    sides = [[repr(item) for item in side] for side in (base, ours, theirs)]
    merged: list[Any] = []
    clashes = 0
    at = (0, 0, 0)
    for start, mine, other, length in _in_all(*sides):
        old, one, two = sides[0][at[0] : start], sides[1][at[1] : mine], sides[2][at[2] : other]
        if one == old:
            merged += theirs[at[2] : other]
        else:
            merged += ours[at[1] : mine]
            clashes += two not in (old, one)
        merged += ours[mine : mine + length]
        at = (start + length, mine + length, other + length)
    return merged, clashes


def _in_all(base: list[str], ours: list[str], theirs: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where runs of equal items stand in all three, and how long they are; at the end an empty one."""
    mine, other = _blocks(base, ours), _blocks(base, theirs)
    while mine and other:
        (start, at, length), (other_start, other_at, other_length) = mine[0], other[0]
        low, high = max(start, other_start), min(start + length, other_start + other_length)
        if low < high:
            yield low, at + low - start, other_at + low - other_start, high - low
        # The one that ends first cannot meet any more.
        (mine if start + length < other_start + other_length else other).pop(0)
    yield len(base), len(ours), len(theirs), 0


def _blocks(base: list[str], side: list[str]) -> list[Block]:
    # What comes very often in a long list (lines such as "type: filter") is no place to meet: each with each is slow.
    return [(a, b, size) for a, b, size in SequenceMatcher(None, base, side, autojunk=True).get_matching_blocks()]
