"""Makes the pictures of the README: the shop example while the shop fails, and its results, light and dark.

    python packaging/screenshots.py                    into resources/screenshots
    python packaging/screenshots.py --to FOLDER        elsewhere
    python packaging/screenshots.py --themes light     one theme only

The run is real: a demo shop on a free port, an outage in the middle, the breaker open on the node. It works on any
platform of Qt (``QT_QPA_PLATFORM=offscreen`` where there is no display) and ends with 1 when Qt warned of anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QSettings, QSize, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from etl_studio.app.resources import resource
from etl_studio.demo import DemoSite, Faults
from etl_studio.engine.events import NodeState, RunStatus
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
SIZE = QSize(1440, 900)
THEMES = ("light", "dark")
PRODUCTS = 1600
DEFAULT_SITE = "http://127.0.0.1:8750"
POLITE = "rate_limit: {calls: 20, period: 1}"
PATIENT = f"{POLITE}\n      retry: {{attempts: 50, max_delay: 0.5}}"
"""The example's policy, and one that outlives the outage."""
PATIENCE = 60.0
"""Seconds in which each step must come about."""
OFFSCREEN_LACKS = "This plugin does not support"


def main() -> int:
    """Make the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "resources" / "screenshots", metavar="FOLDER")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    options = parser.parse_args()
    warnings: list[str] = []

    def on_message(kind: QtMsgType, _context: object, text: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and not text.startswith(OFFSCREEN_LACKS):
            warnings.append(text)

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    qInstallMessageHandler(on_message)
    app = QApplication([])
    options.to.mkdir(parents=True, exist_ok=True)
    for mode in options.themes:
        theme = Theme(mode)
        theme.apply(app)
        with tempfile.TemporaryDirectory() as folder:
            picture_a_run(theme, Path(folder), options.to)
    for text in warnings:
        print(f"Qt warned: {text}", file=sys.stderr)
    return 1 if warnings else 0


def picture_a_run(theme: Theme, folder: Path, target: Path) -> None:
    """Open the shop example, run it, take a picture while the breaker is open and one of the results."""
    suffix = "-dark" if theme.is_dark else ""
    with DemoSite(products=PRODUCTS, faults=Faults(latency=0.01)) as site:
        window, opening = open_shop(theme, folder, site.url)
        bench = window.workbench
        ended: list[object] = []
        bench.controller.ended.connect(ended.append)
        wait(lambda: bench.monitor.is_ready)
        bench.canvas.pipeline_scene.choose(["clean"])
        bench.canvas.navigation.fit()
        bench.run()
        wait(lambda: rows_read(bench) > 0.6 * PRODUCTS)
        site.begin_outage(PATIENCE)
        wait(lambda: breaker_is_open(bench))
        spin(0.3)
        take(window, target / f"running{suffix}.png")
        site.begin_outage(0)
        wait(lambda: bool(ended))
        if ended[0].status is not RunStatus.DONE:
            raise SystemExit(f"The run ended with {ended[0].status}: {ended[0].error}")
        bench.tabs.show_panel(bench.results)
        wait(lambda: bench.results.shown is not None and bench.results.model.rowCount() > 0)
        spin(0.5)
        take(window, target / f"results{suffix}.png")
        bench.document.undo_stack.setClean()
        window.close()
        opening.close()
        window.deleteLater()


def open_shop(theme: Theme, folder: Path, site: str) -> tuple[MainWindow, Opening]:
    """The window with a copy of the example that reads from ``site``; whole and painted."""
    file = folder / "shop" / "shop.etl.yaml"
    shutil.copytree(resource("examples", "shop"), file.parent)
    text = file.read_text(encoding="utf-8").replace(DEFAULT_SITE, site).replace(POLITE, PATIENT)
    file.write_text(text, encoding="utf-8")
    window = MainWindow(theme, QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
    window.resize(SIZE)
    opening = Opening(window, file)
    window.show()
    wait(lambda: window.workbench is not None and window.workbench.isVisible())
    return window, opening


def rows_read(bench: Workbench) -> int:
    """Rows that the shop's pages have given so far."""
    live = bench.canvas.pipeline_scene.live.nodes.get("pages")
    return live.counts.rows_out if live else 0


def breaker_is_open(bench: Workbench) -> bool:
    """Whether the node waits for an open breaker."""
    live = bench.canvas.pipeline_scene.live.nodes.get("pages")
    return live is not None and live.state is NodeState.OPEN


def take(window: MainWindow, path: Path) -> None:
    """Save a picture of the window."""
    if not window.grab().save(str(path)):
        raise SystemExit(f"{path} cannot be written.")
    print(f"{path} ({path.stat().st_size / 1024:.0f} KB)")


def spin(seconds: float) -> None:
    """Let the window work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.005)


def wait(condition: Callable[[], bool]) -> None:
    """Let the window work until something is so.

    Raises:
        SystemExit: it does not come about.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("The window did not get there in time.")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.005)


if __name__ == "__main__":
    raise SystemExit(main())
