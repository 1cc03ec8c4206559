"""Several pipelines in one window, and several windows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QTabBar

from etl_studio.engine.events import RunStatus
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme
from etl_studio.ui.windows import Windows

pytestmark = pytest.mark.window

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
WAIT = 30_000

PIPELINE = """\
etl_studio: 1
name: {name}
nodes:
  make: {{type: generate_source, config: {{rows: {rows}}}}}
  save: {{type: csv_sink, config: {{path: {name}.csv}}}}
wires: [make -> save]
"""


@pytest.fixture
def files(tmp_path):
    """Pipelines a and b of 100 rows, and long, which does not end by itself."""
    for name, rows in (("a", 100), ("b", 100), ("long", 100_000_000)):
        (tmp_path / f"{name}.etl.yaml").write_text(PIPELINE.format(name=name, rows=rows))
    return {name: tmp_path / f"{name}.etl.yaml" for name in ("a", "b", "long")}


@pytest.fixture
def windows(qtbot, tmp_path):
    """All windows of a program that was opened with nothing."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(Theme("light"), settings, tmp_path / "data")
    opening = Opening(window, None)
    every = Windows(window)
    with qtbot.waitSignal(opening.finished, timeout=WAIT):
        window.show()
    yield every
    for one in list(every.all):
        for bench in one.benches:
            bench.controller.shut_down()
            QApplication.processEvents()
            bench.document.undo_stack.setClean()
        one.close()
    opening.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def window(windows):
    return windows.all[0]


def titles(window: MainWindow) -> list[str]:
    bar = window.tabs.bar
    return [bar.tabText(index) for index in range(bar.count())]


def click_tab(window: MainWindow, number: int, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseClick(window.tabs.bar, button, pos=window.tabs.bar.tabRect(number).center())


def answer(button: QMessageBox.StandardButton) -> list[str]:
    """Click a button of the next question; gives its text."""
    asked: list[str] = []

    def click() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, click)
            return
        asked.append(box.text())
        QTest.mouseClick(box.button(button), LEFT)

    QTimer.singleShot(0, click)
    return asked


def test_a_file_opens_in_place_of_an_untouched_pipeline_and_the_next_in_a_tab_of_its_own(window, files):
    window.opener.open(files["a"])
    assert titles(window) == ["a.etl.yaml"]

    window.opener.open(files["b"])

    assert titles(window) == ["a.etl.yaml", "b.etl.yaml"]
    assert window.windowTitle() == "b.etl.yaml[*] — ETL Studio"


def test_a_file_that_is_open_is_shown_and_not_opened_again(window, files):
    window.opener.open(files["a"])
    window.opener.open(files["b"])

    window.opener.open(files["a"])

    assert titles(window) == ["a.etl.yaml", "b.etl.yaml"]
    assert window.workbench.document.path == files["a"]


def test_a_file_that_cannot_be_opened_leaves_no_tab(window, files, tmp_path):
    window.opener.open(files["a"])
    (tmp_path / "bad.yaml").write_text("nodes: [")
    asked = answer(QMessageBox.StandardButton.Ok)

    assert not window.opener.open(tmp_path / "bad.yaml")

    assert asked == ["This pipeline cannot be opened."]
    assert titles(window) == ["a.etl.yaml"]


def test_each_tab_has_its_own_undo_and_the_actions_are_those_of_the_tab_in_front(window, files):
    window.opener.open(files["a"])
    first = window.workbench
    first.document.set_setting("make", "rows", 5)
    window.opener.open(files["b"])
    assert not window.actions_by_name["undo"].isEnabled()
    assert titles(window) == ["● a.etl.yaml", "b.etl.yaml"]

    click_tab(window, 0)
    window.actions_by_name["undo"].trigger()

    assert window.workbench is first
    assert first.document.pipeline.nodes["make"].config == {"rows": 100}
    assert titles(window) == ["a.etl.yaml", "b.etl.yaml"]


def test_nodes_are_copied_from_one_tab_into_another_by_the_keys(window, files):
    window.opener.open(files["a"])
    window.workbench.canvas.pipeline_scene.choose(["make"])
    QTest.keyClick(window.workbench.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    window.opener.new()

    QTest.keyClick(window.workbench.canvas, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    assert window.workbench.document.pipeline.nodes["make"].config == {"rows": 100}


def test_tabs_are_walked_by_keys_round_and_round(window, files):
    window.opener.open(files["a"])
    window.opener.open(files["b"])

    window.actions_by_name["next_tab"].trigger()
    assert window.workbench.document.path == files["a"]
    window.actions_by_name["previous_tab"].trigger()
    assert window.workbench.document.path == files["b"]


def test_two_tabs_run_at_once_and_each_shows_its_own_run(qtbot, window, files):
    window.opener.open(files["long"])
    long = window.workbench
    QTest.mouseClick(window._run_button, LEFT)
    qtbot.waitUntil(lambda: len(long.monitor.samples) > 0, timeout=WAIT)
    window.opener.open(files["a"])
    short = window.workbench
    assert window._run_button.text() == "Run"

    with qtbot.waitSignal(short.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(window._run_button, LEFT)

    assert (ended.args[0].status, ended.args[0].rows_out) == (RunStatus.DONE, 100)
    assert short.status.text.startswith("Done")
    assert long.controller.is_running
    click_tab(window, 0)
    assert window._run_button.text() == "Stop"
    with qtbot.waitSignal(long.controller.ended, timeout=WAIT):
        QTest.mouseClick(window._run_button, LEFT)


def test_closing_a_tab_with_unsaved_changes_asks_and_cancel_keeps_it(window, files):
    window.opener.open(files["a"])
    window.workbench.document.set_setting("make", "rows", 5)
    window.opener.open(files["b"])
    asked = answer(QMessageBox.StandardButton.Cancel)

    click_tab(window, 0, MIDDLE)

    assert asked == ['Save the changes to "a.etl.yaml"?']
    assert titles(window) == ["● a.etl.yaml", "b.etl.yaml"]
    assert window.workbench.document.path == files["a"]


def test_the_cross_of_a_tab_closes_it(window, files):
    window.opener.open(files["a"])
    window.opener.open(files["b"])
    cross = window.tabs.bar.tabButton(0, QTabBar.ButtonPosition.RightSide)

    QTest.mouseClick(cross, LEFT)

    assert titles(window) == ["b.etl.yaml"]


def test_closing_the_last_tab_shows_the_start_page(window, files):
    window.opener.open(files["a"])

    window.actions_by_name["close_tab"].trigger()

    assert titles(window) == ["Start page"]
    assert window.workbench is None
    assert not window.actions_by_name["run"].isEnabled()


def test_closing_a_tab_whose_pipeline_runs_asks_and_stops_it(qtbot, window, files):
    window.opener.open(files["long"])
    QTest.mouseClick(window._run_button, LEFT)
    bench = window.workbench
    qtbot.waitUntil(lambda: len(bench.monitor.samples) > 0, timeout=WAIT)
    asked = answer(QMessageBox.StandardButton.Yes)

    window.actions_by_name["close_tab"].trigger()

    assert asked == ["A run is going on. Stop it and close the pipeline?"]
    assert titles(window) == ["Start page"]
    assert not (files["long"].parent / "long.csv").exists()


def test_hidden_parts_are_hidden_in_every_tab(window, files):
    window.opener.open(files["a"])
    window.actions_by_name["show_palette"].trigger()
    window.opener.open(files["b"])

    assert not window.workbench.palette_panel.isVisible()
    click_tab(window, 0)
    assert not window.workbench.palette_panel.isVisible()


def test_a_second_window_has_its_own_tabs_and_closes_alone(qtbot, windows, window, files):
    window.opener.open(files["a"])
    window.actions_by_name["new_window"].trigger()
    second = windows.all[1]
    qtbot.waitExposed(second)
    second.opener.open(files["b"])

    assert (titles(window), titles(second)) == (["a.etl.yaml"], ["b.etl.yaml"])
    with qtbot.waitSignal(second.workbench.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(second._run_button, LEFT)
    assert ended.args[0].rows_out == 100
    second.close()
    assert windows.all == [window]
    assert window.isVisible()
    assert titles(window) == ["a.etl.yaml"]
