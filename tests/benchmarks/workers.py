"""What several workers of a node bring: wall and CPU seconds of a transform that waits, and of one that computes.

``python tests/benchmarks/workers.py`` prints a table. The one that waits stands for a call to another system.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pyarrow as pa

from etl_studio import sdk
from etl_studio.engine.context import Places
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire

BATCHES = 200
SECONDS = 0.02


class Batches(sdk.Source):
    """Gives batches of 100 numbers."""

    type = "batches_source"
    title = "Batches"
    icon = "dice"
    group = "extract"

    def read(self, context):
        for start in range(0, BATCHES * 100, 100):
            yield pa.record_batch({"n": pa.array(range(start, start + 100))})


class Waits(sdk.Transform):
    """Waits as for an answer."""

    type = "waits"
    title = "Waits"
    icon = "globe"
    group = "transform"

    def process(self, rows, context):
        time.sleep(SECONDS)
        yield rows


class Computes(sdk.Transform):
    """Computes in Python."""

    type = "computes"
    title = "Computes"
    icon = "function"
    group = "transform"

    def process(self, rows, context):
        sum(n * n for n in range(200_000))
        yield rows


class Order(sdk.Sink):
    """Looks whether the rows come in order."""

    type = "order_sink"
    title = "Order"
    icon = "database"
    group = "load"

    def open(self, schema, context):
        self.rows = 0

    def write(self, rows, context):
        assert rows.column("n")[0].as_py() == self.rows
        self.rows += rows.num_rows
        return ()

    def commit(self, context, mark=None):
        return sdk.Loaded(inserted=self.rows)

    def abort(self, context):
        self.rows = 0


def run(kind, workers):
    """Wall and CPU seconds, and rows loaded."""
    pipeline = Pipeline("workers")
    for node, node_type in (("read", "batches_source"), ("work", kind), ("save", "order_sink")):
        pipeline.nodes[node] = NodeSpec(node, node_type, {}, {"workers": workers} if node == "work" else {})
    pipeline.wires += [Wire("read", "out", "work", "input"), Wire("work", "out", "save", "input")]
    registry = sdk.Registry([Batches, Waits, Computes, Order])
    plan = make_plan(pipeline, registry, {node.id: ({}, node.policy) for node in pipeline.nodes.values()})
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder), Path(folder) / "data.db", Path(folder) / "scratch")
        began, cpu = time.monotonic(), time.process_time()
        ended = Run("run", plan, places, None, ()).execute()
        return time.monotonic() - began, time.process_time() - cpu, ended.rows_out


def main():
    print(f"{BATCHES} batches, rows kept in order")
    print(f"{'':34} {'wall s':>7} {'CPU s':>6} {'rows':>7}")
    for kind, name in (("waits", f"waits {SECONDS * 1000:.0f} ms for each batch"), ("computes", "computes in Python")):
        for workers in (1, 2, 4, 8, 0):
            wall, cpu, rows = run(kind, workers)
            label = f"{name}, {workers or 'auto'}"
            print(f"{label:34} {wall:7.2f} {cpu:6.2f} {rows:7,}")


if __name__ == "__main__":
    main()
