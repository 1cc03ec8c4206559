"""Samples of the rows at nodes, kept in memory as long as there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows at the output ports of one node; at a sink those that arrive, by the port ``input``.

    Attributes:
        ports: rows by port. ``rejects`` tells the reasons in ``_error``.
        cut: sources, and nodes that make many rows of few, of which it holds the first rows only; empty: these are all.
        pinned: a person has kept these rows; the node did not run.
    """

    ports: Mapping[str, pa.Table]
    cut: frozenset[str] = frozenset()
    pinned: bool = False

    @property
    def nbytes(self) -> int:
        """What it takes of the memory."""
        return sum(table.nbytes for table in self.ports.values())


def own_rows(table: pa.Table) -> pa.Table:
    """A copy that does not hold the large batches that the rows are a part of."""
    return table.take(pa.array(range(table.num_rows), pa.int64())) if table.num_columns else table


class SampleCache:
    """Samples by key; those that nobody asked for longest go first. Several threads may use it.

    Args:
        most_bytes: of all samples together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._samples: OrderedDict[str, Sample] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """What all samples take together."""
        return self._bytes

    def get(self, key: str) -> Sample | None:
        """A sample, if it is still there."""
        with self._lock:
            if key in self._samples:
                self._samples.move_to_end(key)
            return self._samples.get(key)

    def keep(self, key: str, sample: Sample) -> None:
        """Keep a sample, and forget others where there is no room; one that is larger than all room is not kept."""
        with self._lock:
            self._drop(key)
            if sample.nbytes > self._most_bytes:
                return
            self._samples[key] = sample
            self._bytes += sample.nbytes
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._samples)))

    def _drop(self, key: str) -> None:
        if key in self._samples:
            self._bytes -= self._samples.pop(key).nbytes
