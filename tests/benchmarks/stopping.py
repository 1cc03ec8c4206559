"""How long a run on the terminal takes from SIGTERM to its exit, and that ``run --resume`` completes it.

``python tests/benchmarks/stopping.py [RUNS]`` prints seconds (wall time); default: 20 runs of a slow pipeline.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from etl_studio.app.studio import Studio

ROOT = Path(__file__).resolve().parents[2]
ROWS, PER_SECOND = 50_000, 10_000
PIPELINE = f"""\
etl_studio: 1
name: slow
checkpoint: {{rows: 2000}}
nodes:
  make: {{type: generate_source, config: {{rows: {ROWS}, columns: {{n: i}}, rows_per_second: {PER_SECOND}}}}}
  keep: {{type: filter, config: {{where: n % 2 = 0}}}}
  save: {{type: sqlite_sink, config: {{table: numbers}}}}
wires: [make -> keep, keep -> save]
"""
INTERRUPTED = 130


def start(file: Path, *options: str) -> subprocess.Popen[str]:
    """The command, as a process of its own."""
    command = [sys.executable, "-m", "etl_studio", "run", str(file), *options]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def stopped(folder: Path) -> tuple[float, int]:
    """Seconds from SIGTERM in the middle of a run to its exit, and the rows of the table after a resume."""
    file = folder / "slow.yaml"
    file.write_text(PIPELINE)
    process = start(file)
    for line in process.stderr or ():
        if line.startswith("rows: make ") and not line.startswith("rows: make 0"):
            break
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    seconds = time.monotonic() - began
    if process.returncode != INTERRUPTED:
        raise SystemExit(f"exit code {process.returncode}")
    again = start(file, "--resume")
    _, told = again.communicate(timeout=120)
    if again.returncode != 0:
        raise SystemExit(f"the resume ended with {again.returncode}:\n{told}")
    with Studio() as studio:
        tables = studio.workspace(studio.workspace_folder(file)).results.tables()
    return seconds, next(table.rows for table in tables if table.name == "numbers")


def main(runs: int) -> None:
    """Print the percentiles."""
    times = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            seconds, rows = stopped(Path(folder))
        if rows != ROWS // 2:
            raise SystemExit(f"{rows:,} rows instead of {ROWS // 2:,}")
        times.append(seconds)
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
    print(
        f"SIGTERM to exit, {runs} runs: p50 {statistics.median(times):.2f} s, p95 {p95:.2f} s, max {max(times):.2f} s"
    )
    print(f"exit code {INTERRUPTED} and a complete table after --resume: {runs} of {runs}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
