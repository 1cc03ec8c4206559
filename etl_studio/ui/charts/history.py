"""The samples of one run as columns of numbers, thinned as the run grows, so that all of it can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from etl_studio.engine.events import NodeCounts, Sampled

Kind = Literal["rows", "errors", "p50", "p95", "fill"]
COUNTS: frozenset[str] = frozenset({"rows", "errors"})
"""Kinds that only grow; of the others the highest of the thinned values stays."""

CAPACITY = 2_400
RATE_SECONDS = 1.0
"""A rate is taken over this long, so that a chart is calm at ten samples a second."""


def troubles(counts: NodeCounts) -> int:
    """What went wrong at a node: failed attempts and rows that were not processed."""
    return counts.errors + counts.rejected + counts.dead_letters + counts.skipped


class History:
    """Samples of one run.

    Args:
        started: when it began, seconds since the epoch; default: its first sample.
        capacity: how many samples are kept; when they are full, every second one is given up.
    """

    def __init__(self, started: float | None = None, capacity: int = CAPACITY) -> None:
        self.nodes: list[str] = []
        self.wires: list[str] = []
        self.latest: Sampled | None = None
        self._started = started
        self._capacity = capacity
        self._length = 0
        self._times = np.zeros(capacity)
        self._columns: dict[tuple[str, str], np.ndarray] = {}

    def __len__(self) -> int:
        return self._length

    def add(self, sampled: Sampled) -> None:
        """Take a sample."""
        if self._started is None:
            self._started = sampled.at
        if self._length == self._capacity:
            self._thin()
        index, self._length = self._length, self._length + 1
        self._times[index] = max(sampled.at - self._started, 0.0)
        self.latest = sampled
        for name, node in sampled.nodes.items():
            if name not in self.nodes:
                self.nodes.append(name)
            self._put("rows", name, index, node.counts.rows_in)
            self._put("errors", name, index, troubles(node.counts))
            self._put("p50", name, index, node.p50)
            self._put("p95", name, index, node.p95)
        for text, wire in sampled.wires.items():
            if text not in self.wires:
                self.wires.append(text)
            self._put("fill", text, index, wire.fill)

    @property
    def times(self) -> np.ndarray:
        """Seconds since the start, shape (n,)."""
        return self._times[: self._length]

    def column(self, kind: Kind, name: str) -> np.ndarray:
        """Values of a node or wire, shape (n,); NaN where there is none. Counts are cumulative, latencies seconds."""
        column = self._columns.get((kind, name))
        return np.full(self._length, np.nan) if column is None else column[: self._length]

    def rates(self, kind: Kind, name: str) -> np.ndarray:
        """A cumulative column per second, over the last second at each moment; shape (n,)."""
        times, counts = self.times, np.nan_to_num(self.column(kind, name))
        if not self._length:
            return counts
        before = np.searchsorted(times, times - RATE_SECONDS, side="left")
        # Within the first second everything since the start counts: nothing had come before it.
        earlier_count = np.where(times > RATE_SECONDS, counts[before], 0.0)
        earlier_time = np.where(times > RATE_SECONDS, times[before], 0.0)
        return (counts - earlier_count) / np.maximum(times - earlier_time, 0.1)

    def sources(self) -> list[str]:
        """Nodes that no wire leads to."""
        targets = {text.partition(" -> ")[2].rpartition(".")[0] for text in self.wires}
        return [name for name in self.nodes if name not in targets]

    def _put(self, kind: Kind, name: str, index: int, value: float | None) -> None:
        column = self._columns.get((kind, name))
        if column is None:
            column = self._columns[kind, name] = np.full(self._capacity, np.nan)
        column[index] = np.nan if value is None else value

    def _thin(self) -> None:
        half = self._capacity // 2
        self._times[:half] = self._times[1 : 2 * half : 2]
        for (kind, _), column in self._columns.items():
            pairs = column[: 2 * half].reshape(half, 2)
            column[:half] = pairs[:, 1] if kind in COUNTS else np.fmax(pairs[:, 0], pairs[:, 1])
            column[half:] = np.nan
        self._length = half
