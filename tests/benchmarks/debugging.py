"""What a debugger costs a run in which it never halts: CPU seconds beside the same run without one.

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


def cpu_seconds(debugger: Debugger | None) -> float:
    """One run."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.node("numbers", "same_source", batches=BATCHES, size=ROWS).node("sink", "void_sink")
        run = bench.wire("numbers -> sink").run(debugger=debugger)
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
    for _ in range(TIMES):
        for name, make in ways.items():
            found[name].append(cpu_seconds(make()))
    base = statistics.median(found["no debugger"])
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        print(f"{name:30} {middle:6.2f} CPU s  {middle / base:5.2f} x  {middle / BATCHES * 1e6:7.0f} us a batch")


if __name__ == "__main__":
    sys.exit(main())
