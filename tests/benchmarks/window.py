"""How fast the window is there, and how calm it stays while a million rows run through it.

    python tests/benchmarks/window.py                 both measurements, offscreen and on an X server (Xvfb)
    python tests/benchmarks/window.py --rows 200000   a shorter job
    python tests/benchmarks/window.py --platforms offscreen

Start: from the start of the process to the first paint of the window, and until it is whole; median of five warm
starts. Lateness: a precise timer of 5 ms in the window's thread, how late it is called while the job of ``jobs.py``
runs with the charts in sight. Goals: first paint under 1.0 s, lateness p99 under 30 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK = 5
"""Milliseconds between two calls of the timer."""
STARTS = 5
SCREEN = "1600x1000x24"


def start_window(folder: Path) -> None:
    """The child of the first measurement: open the window as the application does, print two times, end."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from etl_studio.ui import application, opening

    told: dict[str, float] = {}
    begin = opening.Opening._begin

    def on_painted(self: opening.Opening) -> None:
        told["painted"] = time.time()
        self.finished.connect(lambda: (told.update(whole=time.time()), QTimer.singleShot(0, QApplication.exit)))
        begin(self)

    opening.Opening._begin = on_painted
    application._settings = lambda: _settings(folder)
    application.open_window(None)
    print(json.dumps(told))


def run_job(folder: Path) -> None:
    """The child of the second measurement: run the job in the window, print how late the timer was."""
    from PySide6.QtCore import QObject, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from etl_studio.ui import application, opening

    class Lateness(QObject):
        """Measures from the first to the last event of the run."""

        def __init__(self, shell: opening.Opening) -> None:
            super().__init__()
            self.bench = shell._window.workbench
            self.late: list[float] = []
            self.report = None
            self._due = 0.0
            self._timer = QTimer(self, interval=TICK)
            self._timer.setTimerType(Qt.TimerType.PreciseTimer)
            self._timer.timeout.connect(self._tick)
            self._waiting = QTimer(self, interval=20)
            self._waiting.timeout.connect(self._begin)
            self._waiting.start()
            self.bench.controller.ended.connect(self._end)

        def _begin(self) -> None:
            if self.bench.monitor.is_ready:
                self._waiting.stop()
                self.bench.run()
                self._due = time.perf_counter() + TICK / 1000
                self._timer.start()

        def _tick(self) -> None:
            now = time.perf_counter()
            self.late.append(max(now - self._due, 0.0) * 1000)
            self._due = now + TICK / 1000

        def _end(self, report: object) -> None:
            self._timer.stop()
            self.report = report
            QTimer.singleShot(0, QApplication.exit)

    kept: list[Lateness] = []
    make = opening.Opening.__init__

    def with_lateness(self: opening.Opening, *arguments: object) -> None:
        make(self, *arguments)
        self.finished.connect(lambda: kept.append(Lateness(self)))

    opening.Opening.__init__ = with_lateness
    application._settings = lambda: _settings(folder)
    application.open_window(folder / "job.etl.yaml")
    (lateness,) = kept
    report, bench = lateness.report, lateness.bench
    told = {
        "status": str(report.status), "error": report.error, "rows": report.rows_out, "seconds": report.duration,
        "samples": len(bench.monitor.samples), "late": lateness.late,
    }  # fmt: skip
    print(json.dumps(told))


def _settings(folder: Path):
    from PySide6.QtCore import QSettings

    return QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)


@contextmanager
def display(platform: str) -> Iterator[dict[str, str]]:
    """The environment of a platform; for ``xcb`` with an X server of its own."""
    # As where the program is installed: with its modules compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["QT_QPA_PLATFORM"] = platform
    if platform != "xcb":
        yield environment
        return
    if shutil.which("Xvfb") is None:
        raise SystemExit("Xvfb is missing: apt-get install xvfb, or --platforms offscreen")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            environment["DISPLAY"] = f":{told.readline().strip()}"
        yield environment
    finally:
        server.terminate()
        server.wait()


def child(what: str, folder: Path, environment: dict[str, str]) -> tuple[float, dict]:
    """Run one of the two children; gives when it was started and what it told."""
    started = time.time()
    done = subprocess.run(
        [sys.executable, __file__, "--child", what, "--folder", str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"The window ended with {done.returncode}: {done.stderr}")
    return started, json.loads(done.stdout.splitlines()[-1])


def measure_start(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until the first paint and until the window is whole: medians, after one start that warms up."""
    painted, whole = [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(STARTS + 1):
            started, told = child("start", Path(name), environment)
            if number:
                painted.append(told["painted"] - started)
                whole.append(told["whole"] - started)
    return statistics.median(painted), statistics.median(whole)


def measure_lateness(environment: dict[str, str], rows: int) -> dict:
    """What the child told of the job."""
    sys.path.insert(0, str(Path(__file__).parent))
    from jobs import PIPELINE, make_orders

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_orders(folder / "orders.csv", rows)
        (folder / "job.etl.yaml").write_text(PIPELINE)
        return child("job", folder, environment)[1]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--platforms", nargs="+", default=["offscreen", "xcb"])
    parser.add_argument("--child", choices=["start", "job"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        {"start": start_window, "job": run_job}[options.child](options.folder)
        return
    print(f"{'platform':10} {'first paint s':>14} {'whole s':>8}")
    for platform in options.platforms:
        with display(platform) as environment:
            painted, whole = measure_start(environment)
            print(f"{platform:10} {painted:14.2f} {whole:8.2f}", flush=True)
    print(f"\n{'platform':10} {'job s':>6} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8} {'ticks':>7}")
    for platform in options.platforms:
        with display(platform) as environment:
            told = measure_lateness(environment, options.rows)
            if told["status"] != "done":
                raise SystemExit(f"The job ended with {told['status']}: {told['error']}")
            late = sorted(told["late"])
            shown = [late[min(int(len(late) * part), len(late) - 1)] for part in (0.5, 0.95, 0.99, 1.0)]
            numbers = " ".join(f"{value:8.1f}" for value in shown)
            print(f"{platform:10} {told['seconds']:6.1f} {numbers} {len(late):7,}", flush=True)


if __name__ == "__main__":
    main()
