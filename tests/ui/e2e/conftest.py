"""The real window with the whole studio in it, and a person at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme
from tests.ui.e2e.person import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENING = 30_000
"""Milliseconds in which the window must be whole."""


@pytest.fixture(autouse=True)
def _no_run_reaches_the_users_own_data(tmp_path, monkeypatch):
    """A pipeline without a file keeps its results in the user's data folder."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")


@pytest.fixture
def open_window(qtbot, tmp_path) -> Iterator[Callable[..., Person]]:
    """``open_window(path)``: the window as the application opens it; closed without questions at the end.

    Without a path a new pipeline is begun on the start page; with ``stay=True`` nothing is clicked there.
    """
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    opened = []

    def make(path: Path | None = None, *, stay: bool = False) -> Person:
        window = MainWindow(Theme("light"), settings, tmp_path / "data")
        opening = Opening(window, path)
        opened.append((window, opening))
        with qtbot.waitSignal(opening.finished, timeout=OPENING):
            window.show()
        if path is None and not stay:
            QTest.mouseClick(window.beginning.page.new, Qt.MouseButton.LeftButton)
        if not stay:
            qtbot.waitUntil(window.workbench.isVisible)
        return Person(window)

    yield make
    for window, opening in reversed(opened):
        _leave_no_question(window)
        window.close()
        opening.close()
        window.deleteLater()
        QApplication.sendPostedEvents(None, 0)
        QApplication.processEvents()


def _leave_no_question(window: MainWindow) -> None:
    for bench in window.benches:
        bench.controller.shut_down()
        QApplication.processEvents()
        bench.document.undo_stack.setClean()


@pytest.fixture
def run_to_its_end(qtbot):
    """``run_to_its_end(person)``: click Run and wait for the report."""

    def run(person: Person, timeout: int = 30_000):
        with qtbot.waitSignal(person.bench.controller.ended, timeout=timeout) as ended:
            person.click_run()
        return ended.args[0]

    return run
