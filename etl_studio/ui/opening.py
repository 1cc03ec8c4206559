"""From the first paint to the whole window: the studio is imported and built in a thread meanwhile."""

from __future__ import annotations

import contextlib
import threading
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.ui.main_window import MainWindow


def make_studio() -> Studio:
    """Import what the workbench needs and build the studio; called in a thread."""
    import_module("etl_studio.ui.workbench")
    from etl_studio.app.studio import Studio

    return Studio()


class Opening(QObject):
    """Builds the studio after the window's first paint and fills the window with it.

    Args:
        window: what is filled.
        path: a pipeline file to open in it.
        make: builds the studio; called in a thread.

    Attributes:
        studio: the studio, once it is there.
        finished: the window is whole.
    """

    finished = Signal()
    _made = Signal(object)

    def __init__(self, window: MainWindow, path: Path | None, make: Callable[[], Studio] = make_studio) -> None:
        super().__init__(window)
        self._window = window
        self._path = path
        self._make = make
        self.studio: Studio | None = None
        self._made.connect(self._fill)
        window.painted.connect(self._begin)

    def close(self) -> None:
        """Close the studio's databases."""
        if self.studio is not None:
            self.studio.close()

    def _begin(self) -> None:
        threading.Thread(target=self._work, name="opening", daemon=True).start()

    def _work(self) -> None:
        # Plain imports in a plain thread: the window stands still for some 30 ms at worst.
        studio = self._make()
        with contextlib.suppress(RuntimeError):  # the window may be closed already
            self._made.emit(studio)

    def _fill(self, studio: Studio) -> None:
        self.studio = studio
        self._window.open_studio(studio, self._path)
        self._window.workbench.monitor.warm_up()
        self.finished.emit()
