"""What flows cost: memory under a slow sink, and splits that rejoin. Each line is a process of its own.

    python tests/benchmarks/flow.py                 all
    python tests/benchmarks/flow.py --rows 300000   a shorter form

A sink 100 times slower than its source: how far the resident memory grows beside the sum of the wires' bounds, and
beside the same flow with a fast sink, which shows what the source itself and the libraries need.
Diamonds: CPU seconds, wall seconds and peak memory; with checkpoints where all of their nodes go on row by row.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.context import Places
from etl_studio.engine.events import CheckpointSaved
from etl_studio.engine.inbox import Bounds
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.nodes.transform.aggregate import Aggregate
from etl_studio.nodes.transform.filter import Filter
from etl_studio.nodes.transform.join import Join
from etl_studio.nodes.transform.union import Union
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.sdk import sandbox

PIECE = 65_536
MB = 2**20
SLOWER = 100


class Rows(sdk.Source):
    """Gives rows of a number, a group and a text of 40 characters, a new batch each time."""

    type = "rows_source"
    title = "Rows"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        rows: int

    @property
    def replays(self):
        return True

    def read(self, context):
        for start in range(0, self.config.rows, PIECE):
            numbers = range(start, min(start + PIECE, self.config.rows))
            began = time.perf_counter()
            rows = {
                "n": pa.array(numbers, pa.int64()),
                "kind": pa.array([n % 1000 for n in numbers], pa.int64()),
                "text": pa.array([f"{n:040d}" for n in numbers]),
            }
            Swallow.pace = SLOWER * (time.perf_counter() - began)
            yield pa.record_batch(rows)
            yield sdk.Cursor(start)


class Swallow(sdk.Sink):
    """Counts rows; a slow one takes 100 times as long for a batch as the source."""

    type = "swallow_sink"
    title = "Swallow"
    icon = "database"
    group = "load"
    pace = 0.0

    class Config(sdk.Config):
        slow: bool = False

    @property
    def commits_at_barriers(self):
        return True

    def open(self, schema, context):
        self.rows = 0

    def write(self, rows, context):
        if self.config.slow:
            context.stopping.wait(self.pace)
        self.rows += rows.num_rows
        return ()

    def commit(self, context, mark=None):
        rows, self.rows = self.rows, 0
        return sdk.Loaded(inserted=rows)

    def abort(self, context):
        self.rows = 0


NODES = {
    "read": ("rows_source", {}),
    "keep": ("filter", {"where": "n % 3 = 0"}),
    "sum": ("aggregate", {"by": ["kind"], "measures": {"total": "sum(n)"}}),
    "match": ("join", {"on": ["n"]}),
    "match_kind": ("join", {"on": ["kind"]}),
    "together": ("union", {}),
    "save": ("swallow_sink", {}),
    "save_slowly": ("swallow_sink", {"slow": True}),
}
FLOWS = {
    "a sink 100 times slower": ["read -> save_slowly"],
    "the same with a fast sink": ["read -> save"],
    "a filter, then a sink 100 times slower": ["read -> keep", "keep -> save_slowly"],
    "a filter, then a fast sink": ["read -> keep", "keep -> save"],
    "split, filter, join": ["read -> keep", "read -> match.left", "keep -> match.right", "match -> save"],
    "split, aggregate, join": [
        "read -> sum",
        "read -> match_kind.left",
        "sum -> match_kind.right",
        "match_kind -> save",
    ],
    "split, filter, union": ["read -> keep", "read -> together", "keep -> together", "together -> save"],
}


def resident():
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(name, rows, folder):
    """Run one flow in this process and print its figures as JSON."""
    pipeline = Pipeline("flow")
    for text in FLOWS[name]:
        source, target = text.split(" -> ")
        target, _, port = target.partition(".")
        for node in (source, target):
            kind, config = NODES[node]
            pipeline.nodes[node] = NodeSpec(node, kind, {**config, **({"rows": rows} if node == "read" else {})})
        pipeline.wires.append(Wire(source, "out", target, port or "input"))
    registry = sdk.Registry([Rows, Swallow, Filter, Aggregate, Join, Union])
    plan = make_plan(pipeline, registry, {node.id: (node.config, {}) for node in pipeline.nodes.values()})
    saved = []
    listeners = [lambda event: saved.append(event) if isinstance(event, CheckpointSaved) else None]
    places = Places(folder, folder / "data.db", folder / "scratch")
    # What the libraries themselves need is no growth.
    list(Rows(Rows.Config(rows=PIECE)).read(None))
    sandbox().sql("SELECT count(*) FROM range(100000)").to_arrow_table()
    before, began, cpu = resident(), time.monotonic(), time.process_time()
    ended = Run("run", plan, places, None, listeners, interval=Interval(rows=5 * PIECE)).execute()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        json.dumps(
            {
                "status": str(ended.status),
                "error": ended.error,
                "rows": ended.rows_out,
                "cpu": time.process_time() - cpu,
                "wall": time.monotonic() - began,
                "peak": peak / MB,
                "growth": (peak - before) / MB,
                "bounds": len(plan.wires) * Bounds().bytes / MB,
                "checkpoints": len(saved) - 1,
            }
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            run(given.one, given.rows, Path(folder))
        return
    header = f"{'rows in':>10} {'rows out':>10} {'CPU s':>6} {'wall s':>6} {'peak MB':>8} {'growth':>7} {'bounds':>7}"
    print(f"{'flow':40} {header} checkpoints")
    for name in FLOWS:
        rows = given.rows // 10 if name.endswith(("slower", "fast sink")) else given.rows
        command = [sys.executable, __file__, "--one", name, "--rows", str(rows)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if found["error"]:
            print(f"{name:40} {found['error']}")
            continue
        print(
            f"{name:40} {rows:10,} {found['rows']:10,} {found['cpu']:6.1f} {found['wall']:6.1f} {found['peak']:8.0f} "
            f"{found['growth']:7.0f} {found['bounds']:7.0f} {found['checkpoints']:11}"
        )


if __name__ == "__main__":
    main()
