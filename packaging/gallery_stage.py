"""A window for a scene of the gallery, and what a scene does with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QEventLoop, QPoint, QSettings, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench

PATIENCE = 60.0
"""Seconds in which each step must come about."""


class Stage:
    """One window.

    Args:
        theme: its colours.
        place: an empty folder for pipelines, data and results.
        target: where pictures go.
        name: of the scene, and its pictures.
        size: of the window.
    """

    def __init__(self, theme: Theme, place: Path, target: Path, name: str, size: QSize) -> None:
        self.theme, self.place, self.name = theme, place, name
        self._target, self._size = target, size
        self._opening: Opening | None = None
        self.window: MainWindow | None = None

    @property
    def bench(self) -> Workbench:
        """The workbench in front."""
        return self.window.workbench

    def open(self, path: Path | None = None) -> None:
        """Open the window, with a pipeline in it."""
        settings = QSettings(str(self.place / "settings.ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(self.theme, settings, self.place / "data")
        self.window.resize(self._size)
        self._opening = Opening(self.window, path)
        done: list[bool] = []
        self._opening.finished.connect(lambda: done.append(True))
        self.window.show()
        self.wait(lambda: bool(done))
        if path is not None:
            self.spin()
            self.bench.canvas.navigation.fit()

    def write(self, name: str, text: str) -> Path:
        """Write a file beside the pipeline."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self) -> None:
        """Run the pipeline to its end."""
        ended: list[object] = []
        self.bench.controller.ended.connect(ended.append)
        self.bench.run()
        self.wait(lambda: bool(ended) and not self.bench.controller.is_running)

    def choose(self, *nodes: str) -> None:
        """Select nodes."""
        self.bench.canvas.pipeline_scene.choose(nodes)
        self.spin()

    def do(self, action: str) -> None:
        """Do an action of the menus."""
        self.window.actions_by_name[action].trigger()
        self.spin()

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, keys)
        self.spin()

    def type(self, text: str) -> None:
        """Type where the focus is."""
        QTest.keyClicks(QApplication.focusWidget(), text)
        self.spin()

    def take(self, part: str = "", widget: QWidget | None = None) -> None:
        """Take a picture of the window with its dialogs and menus, or of a widget alone."""
        self.spin()
        picture = widget.grab() if widget is not None else self._whole()
        ending = "dark" if self.theme.is_dark else "light"
        path = self._target / f"{'-'.join(filter(None, (self.name, part)))}-{ending}.png"
        if not picture.save(str(path)):
            raise SystemExit(f"{path} cannot be written.")
        print(path)

    def spin(self, seconds: float = 0.35) -> None:
        """Let the window work for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window work until something is so.

        Raises:
            TimeoutError: it does not come about.
        """
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("The window did not get there in time.")
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)

    def close(self) -> None:
        """Close the window without questions."""
        if self.window is None:
            return
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window:
                widget.close()
        for bench in self.window.benches:
            bench.controller.shut_down()
            QApplication.processEvents()
            bench.document.undo_stack.setClean()
        self.window.close()
        self._opening.close()
        self.window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()

    def _whole(self) -> QPixmap:
        picture = self.window.grab()
        painter = QPainter(picture)
        origin = self.window.mapToGlobal(QPoint(0, 0))
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and widget is not self.window and widget.width() > 1:
                painter.drawPixmap(widget.mapToGlobal(QPoint(0, 0)) - origin, widget.grab())
        painter.end()
        return picture
