"""Which keys have come before, in 16 bytes for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from etl_studio.sdk.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BYTES = 16


def fingerprint(columns: Iterable[pa.Field]) -> str:
    """SQL that gives 16 bytes for the values of some columns: the same for rows that are equal there, NULL included.

    The bytes are the MD5 of the values as text, so that two different rows would share them once in 10^19 rows
    (the birthday bound of 128 bits), and nobody reads the values out of a checkpoint.
    """
    texts = [_text(column) for column in columns]
    if len(texts) == 1:
        return f"coalesce(unhex(md5({texts[0]})), unhex('{'00' * _BYTES}'))"
    # As JSON, since a and bc would be ab and c when they only stood in a row.
    return f"unhex(md5(CAST(to_json([{', '.join(texts)}]) AS VARCHAR)))"


def _text(column: pa.Field) -> str:
    name = identifier(column.name)
    if pa.types.is_nested(column.type):
        return f"CAST(to_json({name}) AS VARCHAR)"
    if pa.types.is_floating(column.type):
        name = f"{name} + 0"  # zero has two signs, but they are equal
    return f"CAST({name} AS VARCHAR)"


class SeenKeys:
    """Remembers keys by their fingerprints, and tells which are new.

    Fingerprints are kept in sorted runs that are merged as they grow (as in a log-structured merge tree: O'Neil et al.,
    1996), since a Python set of the same keys takes five to ten times the memory.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._fresh: list[np.ndarray] = []

    def __len__(self) -> int:
        return sum(len(run.low) for run in self._runs)

    def first(self, prints: pa.Array) -> pa.Array:
        """Remember a batch.

        Args:
            prints: a ``fingerprint`` for each row; none is NULL.

        Returns:
            A mask that is true where a row is the first one with its key, in this batch and all before.
        """
        found = _halves(prints)
        if not len(found):
            return pa.array([], pa.bool_())
        firsts = _firsts(found)
        low, high = found[firsts, 0], found[firsts, 1]
        fresh = np.ones(len(low), bool)
        for run in self._runs:
            fresh &= ~run.holds(low, high)
        mask = np.zeros(len(found), bool)
        mask[firsts[fresh]] = True
        if fresh.any():
            self._add(_Run(low[fresh], high[fresh]))
            self._fresh.append(found[firsts[fresh]])
        return pa.array(mask)

    def snapshot(self) -> bytes:
        """The keys that are new since the last snapshot."""
        fresh, self._fresh = self._fresh, []
        return b"".join(halves.tobytes() for halves in fresh)

    def restore(self, snapshots: Sequence[bytes]) -> None:
        """Remember the keys of snapshots instead of what it holds."""
        halves = np.frombuffer(b"".join(snapshots), np.uint64).reshape(-1, 2)
        order = np.argsort(halves[:, 0], kind="stable")
        self._runs = [_Run(halves[order, 0], halves[order, 1])] if len(order) else []
        self._fresh = []

    def _add(self, run: _Run) -> None:
        while self._runs and len(self._runs[-1].low) <= 2 * len(run.low):
            run = self._runs.pop().merged(run)
        self._runs.append(run)


@dataclass(frozen=True, slots=True)
class _Run:
    """Fingerprints in the order of their low halves."""

    low: np.ndarray
    high: np.ndarray

    def holds(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Which of some fingerprints are here."""
        at = np.searchsorted(self.low, low)
        found = np.zeros(len(low), bool)
        while True:
            near = np.minimum(at, len(self.low) - 1)
            same = (at < len(self.low)) & (self.low[near] == low)
            found |= same & (self.high[near] == high)
            searching = same & ~found
            if not searching.any():
                return found
            at = at + searching  # another fingerprint with the same low half

    def merged(self, other: _Run) -> _Run:
        low, high = np.concatenate((self.low, other.low)), np.concatenate((self.high, other.high))
        order = np.argsort(low, kind="stable")  # two sorted runs: linear
        return _Run(low[order], high[order])


def _firsts(halves: np.ndarray) -> np.ndarray:
    """Where each different fingerprint comes first, in the order of the low halves."""
    low, high = halves[:, 0], halves[:, 1]
    order = np.argsort(low)
    same = low[order[1:]] == low[order[:-1]]
    if (same & (high[order[1:]] != high[order[:-1]])).any():
        order = np.lexsort((high, low))
        same = (low[order[1:]] == low[order[:-1]]) & (high[order[1:]] == high[order[:-1]])
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    firsts: np.ndarray = np.minimum.reduceat(order, starts)
    return firsts


def _halves(prints: pa.Array) -> np.ndarray:
    """Fingerprints as pairs of 64-bit numbers."""
    fixed = prints.cast(pa.binary(_BYTES))
    buffer = fixed.buffers()[1]
    start = fixed.offset * _BYTES
    return np.frombuffer(buffer, np.uint64, offset=start, count=2 * len(fixed)).reshape(-1, 2)
