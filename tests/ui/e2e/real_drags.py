"""Drags three nodes from the palette of the real window with a real QDrag; prints their types.

The offscreen platform has no drag and drop: run it with ``QT_QPA_PLATFORM=minimal:enable_fonts`` or on an X server.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.ui.main_window import SIZE, MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme

LEFT = Qt.MouseButton.LeftButton
WANTED = {"web_page_source": QPoint(60, 80), "filter": QPoint(300, 80), "sqlite_sink": QPoint(540, 80)}
STEPS, STEP = 12, 25
"""Moves of one drag, and the milliseconds between two of them."""
PATIENCE = 30_000


class Dragging(QObject):
    """Drags one type after the other, each when the one before has landed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._left = iter(WANTED.items())
        self._acts = []
        self._acting = 0

    def begin(self) -> None:
        """The window is whole."""
        self._window.opener.new()
        self._bench = self._window.workbench
        self._bench.document.node_added.connect(self._landed)
        self._landed()  # the window is laid out when its posted events are done

    def _landed(self) -> None:
        QTimer.singleShot(4 * STEP, self._next)

    def _next(self) -> None:
        if self._acting:  # the drag before is still in its event loop
            self._landed()
            return
        kind, pixel = next(self._left, (None, None))
        if kind is None:
            QApplication.exit()  # quit would ask about unsaved changes
            return
        rows, canvas, handle = self._bench.palette_panel.nodes, self._bench.canvas, self._window.windowHandle()
        item = rows.item(rows.row_of(kind))
        rows.scrollToItem(item)
        start = rows.viewport().mapTo(self._window, rows.visualItemRect(item).center())
        end = canvas.viewport().mapTo(self._window, pixel)
        self._acts = [lambda: QTest.mousePress(handle, LEFT, pos=start)]
        self._acts += [
            lambda at=start + (end - start) * step / STEPS: QTest.mouseMove(handle, at) for step in range(STEPS + 1)
        ]
        self._acts += [lambda: QTest.mouseRelease(handle, LEFT, pos=end)]
        self._act()

    def _act(self) -> None:
        act = self._acts.pop(0)
        if self._acts:
            QTimer.singleShot(STEP, self._act)  # before acting: the drag has an event loop of its own
        self._acting += 1
        act()
        self._acting -= 1


def main() -> None:
    """Open the window, drag, print."""
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        theme = Theme("light")
        theme.apply(app)
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(theme, settings, Path(folder))
        window.resize(SIZE)
        opening = Opening(window, None)
        opening.finished.connect(Dragging(window).begin)
        QTimer.singleShot(PATIENCE, app.exit)
        window.show()
        app.exec()
        document = window.workbench.document
        sys.stdout.write(" ".join(spec.type for spec in document.pipeline.nodes.values()) + "\n")
        document.undo_stack.setClean()
        window.close()
        opening.close()


if __name__ == "__main__":
    main()
