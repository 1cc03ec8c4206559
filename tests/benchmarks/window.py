"""How fast the window is there, and how calm it stays while a million rows run through it.

    python tests/benchmarks/window.py                 both measurements, offscreen and on an X server (Xvfb)
    python tests/benchmarks/window.py --rows 200000   a shorter job
    python tests/benchmarks/window.py --platforms offscreen
    python tests/benchmarks/window.py --rounds 9 --skip-start

Start: from the start of the process to the first paint of the window, and until it is whole; median of five warm
starts. Lateness: a precise timer of 5 ms in the window's thread, how late it is called while the window does nothing
and then while the job of ``jobs.py`` runs with the charts in sight; medians of the rounds. The idle window and the
load average are the reference: where they are high, other programs use the machine, and the job's numbers tell of them.
Goals: first paint under 1.0 s, lateness p99 under 30 ms.
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
IDLE = 3.0
"""Seconds of the reference."""
STARTS = 5
PARTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
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
    """The child of the second measurement: wait, then run the job in the window; print how late the timer was."""
    from PySide6.QtCore import QObject, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from etl_studio.ui import application, opening

    class Lateness(QObject):
        """Measures an idle window first, then from the first to the last event of the run."""

        def __init__(self, shell: opening.Opening) -> None:
            super().__init__()
            self.bench = shell._window.workbench
            self.late: dict[str, list[float]] = {"idle": [], "job": []}
            self.report = None
            self._what = "idle"
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
                self._due = time.perf_counter() + TICK / 1000
                self._timer.start()
                QTimer.singleShot(int(IDLE * 1000), self._run)

        def _run(self) -> None:
            self._what = "job"
            self.bench.run()

        def _tick(self) -> None:
            now = time.perf_counter()
            self.late[self._what].append(max(now - self._due, 0.0) * 1000)
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
    """What the child told of the idle window and the job, and the load of the machine before."""
    sys.path.insert(0, str(Path(__file__).parent))
    from jobs import PIPELINE, make_orders

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_orders(folder / "orders.csv", rows)
        (folder / "job.etl.yaml").write_text(PIPELINE)
        load = os.getloadavg()[0]
        told = child("job", folder, environment)[1]
        if told["status"] != "done":
            raise SystemExit(f"The job ended with {told['status']}: {told['error']}")
        return told | {"load": load}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--platforms", nargs="+", default=["offscreen", "xcb"])
    parser.add_argument("--rounds", type=int, default=3, help="of the job")
    parser.add_argument("--skip-start", action="store_true", help="measure lateness only")
    parser.add_argument("--child", choices=["start", "job"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        {"start": start_window, "job": run_job}[options.child](options.folder)
        return
    if not options.skip_start:
        print(f"{'platform':10} {'first paint s':>14} {'whole s':>8}")
        for platform in options.platforms:
            with display(platform) as environment:
                painted, whole = measure_start(environment)
                print(f"{platform:10} {painted:14.2f} {whole:8.2f}", flush=True)
        print()
    titles = " ".join(f"{name + ' ms':>8}" for name in PARTS)
    print(f"{'platform':10} {'window':6} {'load':>6} {'job s':>6} {titles} {'ticks':>7}")
    for platform in options.platforms:
        with display(platform) as environment:
            show_lateness(platform, [measure_lateness(environment, options.rows) for _ in range(options.rounds)])


def show_lateness(platform: str, rounds: list[dict]) -> None:
    """Print the medians of the rounds, of the idle window and of the one with the job."""
    for what in ("idle", "job"):
        load = statistics.median(told["load"] for told in rounds)
        seconds = statistics.median(told["seconds"] for told in rounds) if what == "job" else IDLE
        late = [sorted(told["late"][what]) for told in rounds]
        shown = [statistics.median(part_of(values, part) for values in late) for part in PARTS.values()]
        numbers = " ".join(f"{value:8.1f}" for value in shown)
        ticks = statistics.median(len(values) for values in late)
        print(f"{platform:10} {what:6} {load:6.2f} {seconds:6.1f} {numbers} {ticks:7,.0f}", flush=True)


def part_of(values: list[float], part: float) -> float:
    """The value at or below which a part of the sorted values lies."""
    return values[min(int(len(values) * part), len(values) - 1)]


if __name__ == "__main__":
    main()
