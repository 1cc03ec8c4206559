"""A recording of a run: every batch that left a node or entered one, in one order, within a budget of disk.

A recording is a folder. It is divided into **parts**; each is ``NNNN.jsonl``, its moments in order, and ``NNNN.rows``,
the batches, each an Arrow IPC stream of its own. A part begins with the state of everything, so that what is between
two parts may be missing: where the budget is used up, the first half of the recording stays, and of the rest the last
parts.

A moment is a line of JSON: its number ``n`` (across all nodes and wires), the time ``at``, what happened (``gave``,
``took``, ``state``), the node, its counts and state afterwards, and for ``gave`` the port, the rows, and the offset of
the batch in ``NNNN.rows``.
"""

from __future__ import annotations

import json
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import pyarrow as pa

from etl_studio.engine.events import NodeChanged, RunEnded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import Event
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.outlet import Tap
    from etl_studio.engine.plan import Plan

BUDGET = 256 * 2**20
"""Bytes of one recording."""
PARTS = 8
"""How many parts the budget is divided into; half of them are the first ones of the run."""
MOMENTS = 20_000
"""Moments of one part at most: a run of tiny batches has many."""
WAITING = 64 * 2**20
"""Bytes of batches that may wait to be written; past it, the run waits for the disk."""
COUNTS = ("rows_in", "rows_out", "filtered", "rejected", "dead_letters", "skipped", "dropped", "edited")
"""Those that a canvas shows."""


class Recording:
    """Given to one run; its methods are called by the threads of the nodes. Also a listener of the run's events.

    Args:
        folder: made here.
        plan: of the run.
        facts: kept beside the moments.
        budget: bytes.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        facts: dict[str, Any],
        *,
        budget: int = BUDGET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._writer = _Writer(folder, budget // PARTS)
        self._lock = threading.Lock()
        self._number = 0
        self._nodes: dict[str, dict[str, Any]] = {name: {"state": "waiting"} for name in plan.nodes}
        self._wires = {
            (name, port): [str(wire) for wire in wires]
            for name, item in plan.nodes.items()
            for port, wires in item.outputs.items()
        }
        self._passed: dict[str, list[int]] = {str(wire): [0, 0] for wire in plan.wires}
        wires = [str(wire) for wire in plan.wires]
        self._writer.begin({**facts, "nodes": list(plan.nodes), "wires": wires, "began": clock()})

    def gave(self, node: str, port: str, batch: pa.RecordBatch, meter: Meter) -> None:
        """A batch leaves a node."""
        with self._lock:
            wires = self._wires.get((node, port), [])
            for wire in wires:
                self._passed[wire][0] += batch.num_rows
            moment = {"what": "gave", "node": node, "port": port, "wires": wires, "rows": batch.num_rows}
            self._add(moment, meter, batch)

    def took(self, node: str, wire: str, rows: int, meter: Meter) -> None:
        """Rows of a wire enter a node."""
        with self._lock:
            self._passed[wire][1] += rows
            self._add({"what": "took", "node": node, "wires": [wire], "rows": rows}, meter)

    def __call__(self, event: Event) -> None:
        """Keep states of nodes, and the end."""
        if isinstance(event, NodeChanged) and event.node in self._nodes:
            with self._lock:
                self._nodes[event.node]["state"] = str(event.state)
                self._add({"what": "state", "node": event.node, "detail": event.detail})
        elif isinstance(event, RunEnded):
            with self._lock:
                for node, counts in event.nodes.items():
                    self._nodes[node].update({name: getattr(counts, name) for name in COUNTS})
                self._add({"what": "end", "node": "", "status": str(event.status), "all": self._nodes})
            self._writer.close()

    @property
    def error(self) -> str:
        """Why nothing more was recorded; empty: all is."""
        return self._writer.error

    def _add(self, moment: dict[str, Any], meter: Meter | None = None, batch: pa.RecordBatch | None = None) -> None:
        self._number += 1
        node = self._nodes.get(moment["node"], {})
        if meter is not None:
            node.update({name: getattr(meter, name) for name in COUNTS})
        moment |= {"n": self._number, "at": self._clock(), "counts": dict(node)}
        moment["passed"] = {wire: list(self._passed[wire]) for wire in moment.get("wires", ())}
        self._writer.put(moment, batch, self._state)

    def _state(self) -> dict[str, Any]:
        return {"nodes": {name: dict(node) for name, node in self._nodes.items()}, "wires": dict(self._passed)}


def tap(meter: Meter, debugger: Debugger | None, recording: Recording | None) -> Tap | None:
    """Who looks at what leaves a node; None: nobody does."""
    if recording is None:
        return debugger.saw if debugger is not None else None

    def look(node: str, port: str, batch: pa.RecordBatch) -> None:
        recording.gave(node, port, batch, meter)
        if debugger is not None:
            debugger.saw(node, port, batch)

    return look


class _Writer:
    """Writes in a thread of its own, so that nodes do not wait for the disk as long as it keeps up."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._queue: SimpleQueue[tuple[str, pa.RecordBatch | None, str | None] | None] = SimpleQueue()
        self._room = threading.Condition()
        self._waiting = 0
        self._part = 0
        self._in_part = self._bytes = 0
        self._lines: TextIO | None = None
        self._rows: BinaryIO | None = None
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        self.error = ""

    def begin(self, facts: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "run.json").write_text(json.dumps(facts, default=str), "utf-8")
        self._thread.start()

    def put(self, moment: dict[str, Any], batch: pa.RecordBatch | None, state: Callable[[], dict[str, Any]]) -> None:
        """Called one at a time; ``state`` is asked where a part begins."""
        if self.error:
            return
        size = 0 if batch is None else batch.nbytes
        first = None
        if self._in_part >= MOMENTS or self._bytes >= self._most or not self._part:
            self._part += 1
            self._in_part = self._bytes = 0
            first = json.dumps(state())
        self._in_part += 1
        self._bytes += size + 300
        with self._room:
            while self._waiting > WAITING and not self.error:
                self._room.wait()
            self._waiting += size
        self._queue.put((json.dumps(moment), batch, first))

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        part = 0
        try:
            while (item := self._queue.get()) is not None:
                line, batch, first = item
                if first is not None:
                    part += 1
                    self._turn(part, first)
                self._write(line, batch)
                if batch is not None:
                    with self._room:
                        self._waiting -= batch.nbytes
                        self._room.notify_all()
        except OSError as error:
            self.error = f"The recording ends early: {error.strerror or error}."
            with self._room:
                self._room.notify_all()
        finally:
            for file in (self._lines, self._rows):
                if file is not None:
                    file.close()

    def _turn(self, part: int, first: str) -> None:
        for file in (self._lines, self._rows):
            if file is not None:
                file.close()
        self._lines = (self._folder / f"{part:04}.jsonl").open("w", encoding="utf-8")
        self._rows = (self._folder / f"{part:04}.rows").open("wb")
        self._lines.write(first + "\n")
        gone = part - PARTS // 2
        if gone > PARTS // 2:
            for ending in ("jsonl", "rows"):
                (self._folder / f"{gone:04}.{ending}").unlink(missing_ok=True)

    def _write(self, line: str, batch: pa.RecordBatch | None) -> None:
        assert self._lines is not None and self._rows is not None  # noqa: S101, PT018 - a part has begun
        if batch is not None and batch.num_columns:
            line = f'{line[:-1]}, "offset": {self._rows.tell()}}}'
            with pa.ipc.new_stream(self._rows, batch.schema) as stream:
                stream.write_batch(batch)
        self._lines.write(line + "\n")
