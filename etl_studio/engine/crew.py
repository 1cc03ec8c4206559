"""Several threads for one node: each takes a batch, and what they give goes out one batch at a time."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from etl_studio.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from etl_studio.engine.checkpoints import Barrier
    from etl_studio.engine.station import Station

AUTO_LIMIT = 16
GROW_SECONDS = 0.1
"""How long the load is watched before another thread starts."""

WAITING = 2
"""Batches of a part: one in work, and one so that its thread need not wait."""

ONE_PROCESSOR = 0.8, 1.2
"""CPU seconds in a second that look like Python code which keeps one processor busy."""


class Crew:
    """The threads of one node. The node's own worker hands out the batches and lets barriers pass.

    Args:
        station: the node's.
        work: what each thread does with a batch, under the policy.
        deliver: sends a result on; never called by two threads at once.
    """

    def __init__(self, station: Station, work: Callable[[pa.RecordBatch], Any], deliver: Callable[[Any], None]) -> None:
        policy = station.planned.policy
        self._station = station
        self._work = work
        self._deliver = deliver
        # What a node remembers must not depend on which batch was done first.
        self._in_order = policy.keep_order or getattr(station.planned.node, "holds_rows", False)
        self._most = policy.workers or AUTO_LIMIT
        self._width = policy.workers or 1
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._pools: list[ThreadPoolExecutor] = []
        self._working: Counter[int] = Counter()  # batches that a pool has not done, by its number
        self._in_flight = 0
        self._handed = 0
        self._next = 0
        self._ready: dict[int, Any] = {}
        self._error: BaseException | None = None
        self._looked, self._used = time.monotonic(), time.process_time()

    @property
    def width(self) -> int:
        """How many threads may work now."""
        return self._width

    def run(self) -> None:
        """Work on all that arrives, to the end.

        Raises:
            Exception: the first that a thread met.
        """
        station = self._station
        before = station.on_barrier or station.pass_on
        station.on_barrier = lambda barrier: self._pass_on(barrier, before)
        with ExitStack() as stack:
            self._pools = [
                stack.enter_context(ThreadPoolExecutor(size, thread_name_prefix=f"node {station.planned.id}"))
                for size in self._pool_sizes()
            ]
            try:
                for _, batch in station.batches():
                    self._hand_out(batch)
                self._wait_for_all()
            except BaseException as error:  # noqa: BLE001 - the first one is raised
                # The first failure has cancelled the run, so that nobody waits for it: that is what to tell.
                self._fail(error)
                raise (self._error or error) from None

    def _pool_sizes(self) -> Sequence[int]:
        return [self._most]

    def _hand_out(self, batch: pa.RecordBatch) -> None:
        with self._changed:
            while self._error is None and (self._working[0] >= self._width or self._in_flight >= 2 * self._width):
                # Where all wait to send, more of them would only hold more rows.
                if self._working[0] >= self._width < self._most and self._should_grow():
                    self._width += 1
                else:
                    self._changed.wait(GROW_SECONDS if self._width < self._most else None)
        self._submit(0, batch)

    def _submit(self, pool: int, batch: pa.RecordBatch) -> None:
        with self._changed:
            self._raise()
            self._working[pool] += 1
            self._in_flight += 1
        self._pools[pool].submit(self._one, pool, self._handed, batch)
        self._handed += 1

    def _pass_on(self, barrier: Barrier, before: Callable[[Barrier], None]) -> None:
        self._wait_for_all()
        before(barrier)

    def _wait_for_all(self) -> None:
        with self._changed:
            while self._in_flight and self._error is None:
                self._changed.wait()
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _should_grow(self) -> bool:
        """Whether all threads were busy for a while, and processors were idle meanwhile."""
        now, used = time.monotonic(), time.process_time()
        passed = now - self._looked
        if passed < GROW_SECONDS:
            return False
        busy = (used - self._used) / passed
        self._looked, self._used = now, used
        # All Python code together takes one processor at most: another thread would only wait for its turn.
        if self._width > 1 and ONE_PROCESSOR[0] <= busy <= ONE_PROCESSOR[1]:
            return False
        return busy < (os.cpu_count() or 1) - 0.5

    def _one(self, pool: int, number: int, batch: pa.RecordBatch) -> None:
        try:
            if self._error is not None:
                return  # it waited while another one failed
            result = self._work(batch)
            with self._changed:
                self._ready[number] = result
                self._working[pool] -= 1
                self._changed.notify_all()
            self._send_ready()
        except BaseException as error:  # noqa: BLE001 - the node's worker raises it
            self._fail(error)

    def _send_ready(self) -> None:
        with self._sending:
            while (number := self._first_ready()) is not None:
                self._deliver(self._ready.pop(number))
                with self._changed:
                    self._next += 1
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _first_ready(self) -> int | None:
        with self._changed:
            if self._error is not None:
                return None
            if self._in_order:
                return self._next if self._next in self._ready else None
            return next(iter(self._ready), None)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()
        if not isinstance(error, Cancelled):
            self._station.fail(error)


class PartitionedCrew(Crew):
    """Divides each batch by the values of some columns; a part has a thread of its own, so that it keeps its order."""

    def __init__(self, station: Station, work: Callable[[pa.RecordBatch], Any], deliver: Callable[[Any], None]) -> None:
        super().__init__(station, work, deliver)
        self._in_order = False
        self._partition = station.sql().partition(station.planned.policy.partition_by)

    def run(self) -> None:
        """Work on all that arrives, to the end.

        Raises:
            Exception: the first that a thread met.
        """
        try:
            super().run()
        finally:
            self._partition.close()

    def _pool_sizes(self) -> Sequence[int]:
        return [1] * self._most

    def _hand_out(self, batch: pa.RecordBatch) -> None:
        all_busy = sum(self._working.values()) >= self._width and not self._sending.locked()
        if all_busy and self._width < self._most and self._should_grow():
            self._wait_for_all()  # rows may change their thread only while none of them is under way
            self._width += 1
        for part, rows in self._partition.divide(batch, self._width):
            with self._changed:
                while self._error is None and self._working[part] >= WAITING:
                    self._changed.wait()
            self._submit(part, rows)
