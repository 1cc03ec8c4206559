"""Loads the charts' library without stopping the window, and without killing it.

PySide makes its Python types when they are first asked for, and that is not safe in two threads: while pyqtgraph, which
asks for every name of QtCore, QtGui and QtWidgets, was imported in a thread, one start in fifteen died in the window's
paint, on a type that was half made. So all names are asked for on the window's thread, in slices that nobody feels,
and only then the import begins in a thread of its own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

PLOTS = "etl_studio.ui.charts.plots"
SLICE_SECONDS = 0.004


def make_qt_types() -> Iterator[str]:
    """Make PySide's types one by one; give the name of each."""
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            getattr(module, name)
            yield name


class PlotLoader(QObject):
    """Loads ``plots``, once.

    Attributes:
        loaded: it can be imported without delay; told on the thread of this object.
    """

    loaded = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._types: Iterator[str] | None = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._make_some)

    def start(self) -> None:
        """Begin."""
        if self._types is None:
            self._types = make_qt_types()
            self._timer.start()

    def _make_some(self) -> None:
        until = time.monotonic() + SLICE_SECONDS
        for _ in self._types:
            if time.monotonic() > until:
                return
        self._timer.stop()
        threading.Thread(target=self._load, name="charts", daemon=True).start()

    def _load(self) -> None:
        import_module(PLOTS)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self.loaded.emit()
