"""All windows of the program, on one studio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.ui.main_window import MainWindow

if TYPE_CHECKING:
    from etl_studio.app.studio import Studio

STEP = 32
"""Pixels by which a further window lies lower and more to the right."""


class Windows(QObject):
    """Opens further windows and keeps them until they are closed.

    Args:
        first: the window that the program has opened.

    Attributes:
        all: the windows.
    """

    def __init__(self, first: MainWindow) -> None:
        super().__init__(first)
        self.all: list[MainWindow] = []
        self._keep(first)

    def open(self, beside: MainWindow) -> MainWindow:
        """Open a window beside another, with an empty pipeline in it."""
        window = MainWindow(beside.theme, beside.settings, beside.data_folder, beside.shortcuts)
        self._keep(window)
        studio: Studio | None = beside.studio
        if studio is not None:
            window.open_studio(studio)
        window.resize(beside.size())
        window.move(beside.pos().x() + STEP, beside.pos().y() + STEP)
        window.show()
        return window

    def _keep(self, window: MainWindow) -> None:
        self.all.append(window)
        window.window_wanted.connect(self._open)
        window.closed.connect(self._forget)

    def _open(self) -> None:
        beside = self.sender()
        assert isinstance(beside, MainWindow)  # noqa: S101 - only windows are connected
        self.open(beside)

    def _forget(self) -> None:
        window = self.sender()
        assert isinstance(window, MainWindow)  # noqa: S101 - only windows are connected
        self.all.remove(window)
        if window is not self.parent():
            window.deleteLater()
