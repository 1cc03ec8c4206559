"""From the first paint to the whole window: what has no Qt is imported in a thread, what has on the window's own."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.ui.left_behind import LeftBehind
    from etl_studio.ui.main_window import MainWindow


PARTS = (
    "etl_studio.ui.document",
    "etl_studio.ui.canvas.view",
    "etl_studio.ui.palette",
    "etl_studio.ui.inspector",
    "etl_studio.ui.forms.node_page",
    "etl_studio.ui.charts.monitor",
    "etl_studio.ui.results.panel",
    "etl_studio.ui.workbench",
    "etl_studio.ui.document_tabs",
    "etl_studio.ui.pipeline_opener",
    "etl_studio.ui.help.guide",
    "etl_studio.ui.start.beginning",
)
"""Modules of the window, imported one by one so that it answers in between."""


def make_studio() -> Studio:
    """Import what runs pipelines, and build the studio; called in a thread, so that it must not use Qt."""
    from etl_studio.app.studio import Studio, check_sql

    check_sql("1", "sql")  # the first one loads DuckDB; the window's own are to be quick
    return Studio()


class Opening(QObject):
    """Builds the studio after the window's first paint and fills the window with it.

    Args:
        window: what is filled.
        path: a pipeline file to open in it.
        make: builds the studio; called in a thread.

    Attributes:
        studio: the studio, once it is there.
        left_behind: offers what a killed program had not saved.
        finished: the window is whole.
    """

    finished = Signal()
    _made = Signal(object)

    def __init__(self, window: MainWindow, path: Path | None, make: Callable[[], Studio] = make_studio) -> None:
        super().__init__(window)
        self._window = window
        self._path = path
        self._make = make
        self._parts = iter(PARTS)
        self.studio: Studio | None = None
        self.left_behind: LeftBehind | None = None
        self._made.connect(self._take)
        window.painted.connect(self._begin)

    def close(self) -> None:
        """Close the studio's databases."""
        if self.studio is not None:
            self.studio.close()

    def _begin(self) -> None:
        threading.Thread(target=self._work, name="opening", daemon=True).start()

    def _work(self) -> None:
        studio = self._make()
        try:
            self._made.emit(studio)
        except RuntimeError:  # the window is closed already
            studio.close()

    def _take(self, studio: Studio) -> None:
        self.studio = studio
        self._import_next()

    def _import_next(self) -> None:
        part = next(self._parts, None)
        if part is not None:
            # PySide's types are made when they are first used, and only one thread may do that: see charts.loader.
            import_module(part)
            QTimer.singleShot(0, self, self._import_next)
            return
        from etl_studio.ui.left_behind import LeftBehind

        self._window.open_studio(self.studio, self._path)
        for bench in self._window.benches:
            bench.monitor.warm_up()
        self.left_behind = LeftBehind(self._window)
        self.finished.emit()
