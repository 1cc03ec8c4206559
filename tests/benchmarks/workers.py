"""What several workers of a node bring: wall and CPU seconds by number of workers.

``python tests/benchmarks/workers.py`` prints a table: a transform that waits stands for a call to another system, one
computes in Python, one in SQL with regular expressions, and one adds a number in SQL. ``gain``: wall seconds of one
worker by those of several, the best of three runs each. Where nothing else is said the order is kept; ``by key``:
``partition_by: [n]``. That divides each batch, so it is not tried where a call costs the same for few rows as for many.
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
from etl_studio.nodes.transform.derive import Derive
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire

SECONDS = 0.02


class Batches(sdk.Source):
    """Gives batches of numbers, and texts beside them; the same array again and again, so that it costs nothing."""

    type = "batches_source"
    title = "Batches"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        batches: int
        size: int

    def read(self, context):
        size = self.config.size
        texts = pa.array([f"user{n}@shop-{n % 97}.example.org, order {n * 7919}" for n in range(size)])
        for number in range(self.config.batches):
            numbers = pa.array(range(number * size, (number + 1) * size))
            yield pa.record_batch({"n": numbers, "text": texts})


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
    """Looks whether the rows come in order, where that is asked for."""

    type = "order_sink"
    title = "Order"
    icon = "database"
    group = "load"

    class Config(sdk.Config):
        look: bool = True

    def open(self, schema, context):
        self.rows = 0

    def write(self, rows, context):
        assert not self.config.look or rows.column("n")[0].as_py() == self.rows
        self.rows += rows.num_rows
        return ()

    def commit(self, context, mark=None):
        return sdk.Loaded(inserted=self.rows)

    def abort(self, context):
        self.rows = 0


def run(kind, config, batches, size, policy):
    """Wall and CPU seconds, and rows loaded."""
    pipeline = Pipeline("workers")
    source = {"batches": batches, "size": size}
    pipeline.nodes["read"] = NodeSpec("read", "batches_source", source)
    pipeline.nodes["work"] = NodeSpec("work", kind, config, policy)
    pipeline.nodes["save"] = NodeSpec("save", "order_sink", {"look": "partition_by" not in policy})
    pipeline.wires += [Wire("read", "out", "work", "input"), Wire("work", "out", "save", "input")]
    registry = sdk.Registry([Batches, Waits, Computes, Derive, Order])
    plan = make_plan(pipeline, registry, {node.id: (node.config, node.policy) for node in pipeline.nodes.values()})
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder), Path(folder) / "data.db", Path(folder) / "scratch")
        began, cpu = time.monotonic(), time.process_time()
        ended = Run("run", plan, places, None, ()).execute()
        assert ended.error is None, ended.error
        return time.monotonic() - began, time.process_time() - cpu, ended.rows_out


REGEX = {
    "user": "regexp_extract(text, '^([a-z]+[0-9]+)@', 1)",
    "host": "regexp_replace(regexp_extract(text, '@([a-z0-9.-]+)', 1), '[^a-z0-9]+', '_', 'g')",
    "digits": "regexp_replace(text, '[^0-9]', '', 'g')",
}

CASES = (
    (f"waits {SECONDS * 1000:.0f} ms for each batch", "waits", {}, 200, 100),
    ("computes in Python", "computes", {}, 200, 100),
    ("regular expressions in SQL", "derive", {"columns": REGEX}, 12, 65_536),
    ("a sum in SQL", "derive", {"columns": {"m": "n + 1"}}, 60, 65_536),
)


HOW = (
    ("1", {}),
    ("2", {"workers": 2}),
    ("4", {"workers": 4}),
    ("8", {"workers": 8}),
    ("auto", {"workers": 0}),
)
BY_KEY = (
    ("2 by key", {"workers": 2, "partition_by": ["n"]}),
    ("auto by key", {"workers": 0, "partition_by": ["n"]}),
)


def main():
    print(f"{'':40} {'wall s':>7} {'CPU s':>6} {'gain':>5} {'rows':>10}")
    for name, kind, config, batches, size in CASES:
        one = None
        for how, policy in HOW + BY_KEY * (kind == "derive"):
            wall, cpu, rows = min(run(kind, config, batches, size, policy) for _ in range(3))
            one = one or wall
            print(f"{name + ', ' + how:40} {wall:7.2f} {cpu:6.2f} {one / wall:5.2f} {rows:10,}", flush=True)


if __name__ == "__main__":
    main()
