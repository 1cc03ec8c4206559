"""The rows that arrive at a node beside those that leave it: which became which, and what changed in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOTHING = -1
"""In the place of a row's number: there is none on that side."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Rows side by side.

    Attributes:
        before, after: the rows that arrive and those that leave, in their own order.
        pairs: numbers of a row before and of what became of it; ``NOTHING`` where a side has none.
        refused: why rows were refused, by their number before.
        changed: for each column that both sides have, the numbers of the pairs in which its value differs.
        added, removed: columns that only one side has.
        matched: whether rows are matched at all; otherwise both sides stand beside each other as they are.
        reason: why they are not, for people.
    """

    before: pa.Table
    after: pa.Table
    pairs: Sequence[tuple[int, int]]
    refused: Mapping[int, str] = field(default_factory=dict)
    changed: Mapping[str, frozenset[int]] = field(default_factory=dict)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    matched: bool = True
    reason: str = ""


def aligned(before: pa.Table, after: pa.Table, origins: Sequence[int], refused: Mapping[int, str]) -> Alignment:
    """Put rows beside those that they came from.

    Args:
        before: the rows that arrive.
        after: the rows that leave.
        origins: for each row after, the number of its row before; no number twice.
        refused: why rows were refused, by their number before.

    Returns:
        Rows in the order in which they arrive where the node keeps it; otherwise in the order in which they leave, with
        those that do not at the end.
    """
    kept = dict(zip(origins, range(len(origins)), strict=True))
    if all(first < second for first, second in pairwise(origins)):
        pairs = [(number, kept.get(number, NOTHING)) for number in range(before.num_rows)]
    else:
        pairs = [(origin, number) for number, origin in enumerate(origins)]
        pairs += [(number, NOTHING) for number in range(before.num_rows) if number not in kept]
    return Alignment(before, after, pairs, refused, _changed(before, after, pairs), *_columns(before, after))


def side_by_side(before: pa.Table, after: pa.Table, reason: str) -> Alignment:
    """Both sides as they are, row by row, without a word about what became of which.

    Args:
        before: the rows that arrive.
        after: the rows that leave.
        reason: why they cannot be matched.
    """
    longest = max(before.num_rows, after.num_rows)
    pairs = [
        (row if row < before.num_rows else NOTHING, row if row < after.num_rows else NOTHING) for row in range(longest)
    ]
    return Alignment(before, after, pairs, {}, {}, *_columns(before, after), matched=False, reason=reason)


def _columns(before: pa.Table, after: pa.Table) -> tuple[frozenset[str], frozenset[str]]:
    old, new = set(before.column_names), set(after.column_names)
    return frozenset(new - old), frozenset(old - new)


def _changed(before: pa.Table, after: pa.Table, pairs: Sequence[tuple[int, int]]) -> dict[str, frozenset[int]]:
    both = [(number, old, new) for number, (old, new) in enumerate(pairs) if NOTHING not in (old, new)]
    olds, news = (pa.array([pair[side] for pair in both], pa.int64()) for side in (1, 2))
    found = {}
    for name in after.column_names:
        if name in before.column_names and before.column_names.count(name) == after.column_names.count(name) == 1:
            differs = _differs(before.column(name).take(olds), after.column(name).take(news))
            found[name] = frozenset(both[at][0] for at in differs)
    return found


def _differs(old: pa.ChunkedArray, new: pa.ChunkedArray) -> list[int]:
    """Where two columns of one length differ; values of different types by how they are written."""
    if not len(old):
        return []
    if old.type != new.type or pa.types.is_nested(old.type) or pa.types.is_null(old.type):
        old, new = _texts(old), _texts(new)
    same = pc.or_(pc.fill_null(pc.equal(old, new), False), pc.and_(pc.is_null(old), pc.is_null(new)))
    if pa.types.is_floating(old.type):
        same = pc.or_(same, pc.fill_null(pc.and_(pc.is_nan(old), pc.is_nan(new)), False))
    found: list[int] = pc.indices_nonzero(pc.invert(same)).to_pylist()
    return found


def _texts(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str) if isinstance(value, dict | list | bool) else str(value)
