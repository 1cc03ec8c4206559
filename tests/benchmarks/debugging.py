"""What a debugger that never halts, and a recording, cost a run: CPU seconds beside the same run without.

Small batches go from a source to a sink that do nothing, so that what is paid for each batch shows.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.engine.debugger import Debugger
from etl_studio.engine.recording import Recording
from tests.engine.small_nodes import REGISTRY, Bench, Collect, Numbers, batch

BATCHES, ROWS, TIMES = 20_000, 1_000, 7


class Same(Numbers):
    """Gives one batch again and again."""

    type = "same_source"

    def read(self, context):
        rows = batch(*range(self.config.size))
        for _ in range(self.config.batches):
            yield rows


class Void(Collect):
    """Forgets its rows."""

    type = "void_sink"

    def write(self, rows, context):
        return ()


REGISTRY.add(Same)
REGISTRY.add(Void)


def cpu_seconds(debugger: Debugger | None, *, record: bool = False) -> float:
    """One run."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.node("numbers", "same_source", batches=BATCHES, size=ROWS).node("sink", "void_sink")
        plan = bench.wire("numbers -> sink").run().plan
        recording = Recording(Path(folder) / "recorded", plan, {}) if record else None
        run = bench.run(debugger=debugger, recording=recording)
        started = time.process_time()
        run.execute()
        return time.process_time() - started


def main() -> None:
    """Print medians and ratios."""
    ways = {
        "no debugger": lambda: None,
        "debugger without breakpoints": Debugger,
        "breakpoint elsewhere": lambda: Debugger([Breakpoint(node="other")]),
        "condition that no row meets": lambda: Debugger([Breakpoint(node="sink", condition="n < 0")]),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    found["recording"] = []
    for _ in range(TIMES):
        for name, make in ways.items():
            found[name].append(cpu_seconds(make()))
        found["recording"].append(cpu_seconds(None, record=True))
    base = statistics.median(found["no debugger"])
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        print(f"{name:30} {middle:6.2f} CPU s  {middle / base:5.2f} x  {middle / BATCHES * 1e6:7.0f} us a batch")


if __name__ == "__main__":
    sys.exit(main())
