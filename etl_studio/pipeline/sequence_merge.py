"""Merges two versions of a list that began as the same one (diff3)."""

from __future__ import annotations

from dataclasses import dataclass
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
    for part in _parts(*sides):
        merged += theirs[part.theirs] if part.from_theirs else ours[part.ours]
        merged += ours[part.same]
        clashes += part.clashes
    return merged, clashes


def merge_lines(base: str, ours: str, theirs: str) -> tuple[str, int]:
    """The text of both sides, and how often both changed the same lines; there both stand between git's marks.

    For texts that are no pipelines, of which nothing is known but their lines.
    """
    lines = [text.splitlines(keepends=True) for text in (base, ours, theirs)]
    _, mine, other = lines
    merged: list[str] = []
    clashes = 0
    for part in _parts(*lines):
        if part.clashes:
            clashes += 1
            merged += ["<<<<<<< ours\n", *_ended(mine[part.ours]), "=======\n", *_ended(other[part.theirs])]
            merged.append(">>>>>>> theirs\n")
        else:
            merged += other[part.theirs] if part.from_theirs else mine[part.ours]
        merged += mine[part.same]
    return "".join(merged), clashes


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two runs of items that all sides have, and the run behind it (``same``, of ours)."""

    ours: slice
    theirs: slice
    same: slice
    from_theirs: bool
    clashes: bool


def _parts(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> Iterator[_Part]:
    at = (0, 0, 0)
    for start, mine, other, length in _in_all(base, ours, theirs):
        old, one, two = base[at[0] : start], ours[at[1] : mine], theirs[at[2] : other]
        yield _Part(
            slice(at[1], mine),
            slice(at[2], other),
            slice(mine, mine + length),
            from_theirs=one == old,
            clashes=one != old and two not in (old, one),
        )
        at = (start + length, mine + length, other + length)


def _ended(lines: list[str]) -> list[str]:
    """Lines of which the last one is ended, too, so that a mark stands on a line of its own."""
    return [line if line.endswith("\n") else line + "\n" for line in lines]


def _in_all(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
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


def _blocks(base: Sequence[str], side: Sequence[str]) -> list[Block]:
    # What comes very often in a long list (lines such as "type: filter") is no place to meet: each with each is slow.
    return [(a, b, size) for a, b, size in SequenceMatcher(None, base, side, autojunk=True).get_matching_blocks()]
