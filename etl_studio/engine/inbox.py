"""What arrives at a node: its wires, each a queue bounded by rows and bytes.

A node with several inputs takes whatever has come on any of them, so that a split that rejoins cannot stand still. A
wire that has given a barrier waits until all others have given it, too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from etl_studio.engine.checkpoints import Barrier
from etl_studio.engine.events import WireSample
from etl_studio.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from etl_studio.pipeline.model import Wire


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may wait on one wire; one batch always fits, a barrier too."""

    rows: int = 262_144
    bytes: int = 32 * 1024 * 1024


class _Queue:
    """One wire's batches. Guarded by the inbox's condition."""

    def __init__(self) -> None:
        self.items: deque[pa.RecordBatch | Barrier] = deque()
        self.arrivals: deque[float] = deque()
        self.rows = 0
        self.bytes = 0
        self.put = 0
        self.taken = 0
        self.closed = False
        self.senders = 0

    def add(self, item: pa.RecordBatch | Barrier) -> None:
        self.items.append(item)
        self.arrivals.append(time.monotonic())

    def pop(self) -> pa.RecordBatch | Barrier:
        self.arrivals.popleft()
        return self.items.popleft()

    @property
    def age(self) -> float:
        """Seconds that the first item has waited."""
        try:
            return time.monotonic() - self.arrivals[0]
        except IndexError:
            return 0.0

    def full(self, bounds: Bounds) -> bool:
        return bool(self.rows or self.bytes) and (self.rows >= bounds.rows or self.bytes >= bounds.bytes)

    def take(self) -> pa.RecordBatch | None:
        """The next batch; None where there is none, or a barrier stands before it."""
        if not self.items or isinstance(self.items[0], Barrier):
            return None
        batch = cast("pa.RecordBatch", self.pop())
        self.rows -= batch.num_rows
        self.bytes -= batch.nbytes
        self.taken += batch.num_rows
        return batch


class Inbox:
    """The wires into one node.

    Args:
        wires: those that end at the node.
        bounds: of each wire.

    Attributes:
        hungry: the node waits for something to come.
    """

    def __init__(self, wires: Iterable[Wire], bounds: Bounds | None = None) -> None:
        self._queues = {wire: _Queue() for wire in wires}
        self._order = deque(self._queues)
        self._bounds = bounds or Bounds()
        self._changed = threading.Condition()
        self._cancelled = False
        self._abandoned = False
        self.hungry = False

    def put(self, wire: Wire, batch: pa.RecordBatch) -> None:
        """Send a batch; waits while the wire is full.

        Raises:
            Cancelled: the run is over.
        """
        queue = self._queues[wire]
        size = batch.nbytes
        with self._changed:
            queue.senders += 1
            while queue.full(self._bounds) and not (self._cancelled or self._abandoned):
                self._changed.wait()
            queue.senders -= 1
            if self._cancelled:
                raise Cancelled("The run was stopped.")
            if self._abandoned:
                return
            queue.add(batch)
            queue.rows += batch.num_rows
            queue.bytes += size
            queue.put += batch.num_rows
            self._changed.notify_all()

    def put_barrier(self, wire: Wire, barrier: Barrier) -> None:
        """Send a barrier; a full wire takes it, too."""
        with self._changed:
            self._queues[wire].add(barrier)
            self._changed.notify_all()

    def close(self, wire: Wire) -> None:
        """No more batches will come on this wire."""
        with self._changed:
            self._queues[wire].closed = True
            self._changed.notify_all()

    def take(self) -> tuple[Wire, pa.RecordBatch] | Barrier | None:
        """The next batch of any wire, in turn, or the barrier that all wires have come to; waits for one.

        None: all wires are closed and empty.

        Raises:
            Cancelled: the run is over.
        """
        with self._changed:
            while True:
                if self._cancelled:
                    raise Cancelled("The run was stopped.")
                for wire in self._order:
                    batch = self._queues[wire].take()
                    if batch is not None:
                        self._order.rotate(-1 - self._order.index(wire))
                        self._changed.notify_all()
                        return wire, batch
                open_queues = [queue for queue in self._queues.values() if queue.items or not queue.closed]
                if not open_queues:
                    return None
                if all(queue.items for queue in open_queues):
                    barriers = [queue.pop() for queue in open_queues]
                    return cast("Barrier", barriers[0])
                self.hungry = True
                self._changed.wait()
                self.hungry = False

    def cancel(self) -> None:
        """Wake everybody who waits; they get ``Cancelled``."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody takes any more, and the run drains: what is sent from now on is dropped, so that no sender waits."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def blocks(self, wire: Wire) -> bool:
        """Whether the sender of a wire waits for room."""
        return bool(self._queues[wire].senders)

    def is_open(self, wire: Wire) -> bool:
        """Whether something waits on a wire or may still come."""
        queue = self._queues[wire]
        return bool(queue.items) or not queue.closed

    def samples(self) -> dict[str, WireSample]:
        """Each wire now."""
        return {
            str(wire): WireSample(
                queue.taken,
                queue.rows,
                min(1.0, max(queue.rows / self._bounds.rows, queue.bytes / self._bounds.bytes)),
                queue.age,
            )
            for wire, queue in self._queues.items()
        }

    def lost(self) -> list[tuple[Wire, int]]:
        """Wires on which fewer rows were taken than put, with the difference."""
        return [(wire, q.put - q.taken) for wire, q in self._queues.items() if q.put != q.taken]
