"""Counts of a node while it works. Written by the node's own worker, read by the sampler."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from etl_studio.engine.events import NodeCounts, NodeSample, NodeState

if TYPE_CHECKING:
    from etl_studio.engine.events import BreakerState
    from etl_studio.sdk import Loaded

RECENT = 256
"""How many of the last durations the percentiles look at."""


class Meter:
    """Mutable counts. Single additions are atomic enough: one writer, and a reader that may be a moment late.

    Attributes:
        calling: operations under the policy that are under way, their waits included.
    """

    def __init__(self) -> None:
        self.rows_in = 0
        self.rows_out = 0
        self.rejected = 0
        self.dead_letters = 0
        self.skipped = 0
        self.filtered = 0
        self.calls = 0
        self.errors = 0
        self.retries = 0
        self.refused = 0
        self.bytes_out = 0
        self.dropped = 0
        self.edited = 0
        self.inserted = 0
        self.updated = 0
        self.unchanged = 0
        self.superseded = 0
        self.deleted = 0
        self.stale = 0
        self.calling = 0
        self.state = NodeState.WAITING
        self.breaker: BreakerState | None = None
        self._counting = threading.Lock()
        self._durations: deque[float] = deque(maxlen=RECENT)

    @property
    def refused_rows(self) -> int:
        """Rows that did not go on: rejected, dead letters and skipped."""
        return self.rejected + self.dead_letters + self.skipped

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count that several threads of one node write."""
        with self._counting:
            setattr(self, name, getattr(self, name) + number)

    def took(self, seconds: float) -> None:
        """A call or batch took that long."""
        self._durations.append(seconds)

    def loaded(self, loaded: Loaded) -> None:
        """A sink committed."""
        self.rows_out += loaded.rows
        self.inserted += loaded.inserted
        self.updated += loaded.updated
        self.unchanged += loaded.unchanged
        self.superseded += loaded.superseded
        self.deleted += loaded.deleted
        self.stale += loaded.stale

    def restore(self, counts: NodeCounts) -> None:
        """Go on from the counts of a run that broke off."""
        for name in NodeCounts.__dataclass_fields__:
            setattr(self, name, getattr(counts, name))

    def counts(self) -> NodeCounts:
        """The counts now."""
        return NodeCounts(**{name: getattr(self, name) for name in NodeCounts.__dataclass_fields__})

    def sample(self) -> NodeSample:
        """State, counts and percentiles now."""
        recent = sorted(self._durations.copy())
        p50 = recent[len(recent) // 2] if recent else None
        p95 = recent[min(len(recent) - 1, len(recent) * 95 // 100)] if recent else None
        return NodeSample(self.state, self.counts(), p50, p95, self.breaker)
