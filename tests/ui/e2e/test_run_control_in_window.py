"""Runs that broke off, are paused, stopped and run in part, by a person at the window."""

from __future__ import annotations

import signal

import pytest
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from etl_studio.engine.events import RunStatus
from etl_studio.ui.canvas.scene import Hit
from tests.delivery.scenarios import ROWS, OneTable, query
from tests.ui.e2e.person import LEFT

pytestmark = pytest.mark.window

WAIT = 60_000
WANTED = [n for n in range(ROWS) if n % 7 != 3]
ENDLESS = """\
etl_studio: 1
name: numbers
nodes:
  make: {type: generate_source, config: {rows: 1000000000, columns: {n: i}, rows_per_second: 1000}}
  save: {type: sqlite_sink, config: {table: numbers}}
wires: [make -> save]
layout:
  make: [0, 0]
  save: [280, 0]
"""


@pytest.fixture
def killed(tmp_path):
    """A run that SIGKILL ended after its first checkpoint had been committed."""
    scenario = OneTable(tmp_path)
    process = scenario.start(resume=False, point="committed", hit=1)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return scenario


@pytest.fixture
def going(open_window, qtbot, tmp_path):
    """The window with a run that has no end."""
    file = tmp_path / "numbers.yaml"
    file.write_text(ENDLESS)
    person = open_window(file)
    person.click_run()
    qtbot.waitUntil(lambda: person.bench.controller.can_pause, timeout=WAIT)
    qtbot.waitUntil(lambda: person.card("save").partition(" ")[0] not in ("", "0"), timeout=WAIT)
    return person


def numbers(scenario):
    return sorted(n for (n,) in query(scenario.folder / ".etl_studio" / "data.db", "SELECT n FROM numbers"))


def answer(button):
    """Click a button of the next question, as soon as it is there; gives its text."""
    asked = []

    def click():
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, click)
            return
        asked.append(box.text())
        QTest.mouseClick(box.button(button), LEFT)

    QTimer.singleShot(0, click)
    return asked


def test_a_killed_run_is_offered_when_its_file_is_opened_and_a_click_completes_it(qtbot, open_window, killed):
    before = len(numbers(killed))
    assert 0 < before < len(WANTED)
    person = open_window(killed.file)
    qtbot.waitUntil(person.bench.banner.isVisible, timeout=WAIT)
    assert person.bench.banner.text.endswith("was broken off after checkpoint 1.")

    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(person.bench.banner.go, LEFT)

    assert ended.args[0].status is RunStatus.DONE, ended.args[0].error
    assert not person.bench.banner.isVisible()
    assert numbers(killed) == WANTED
    person.bench.runs.refresh()
    person.bench.tabs.show_panel(person.bench.runs)
    qtbot.waitUntil(lambda: [run.status for run in person.bench.runs.model.rows] == [RunStatus.DONE], timeout=WAIT)
    person.bench.runs.table.selectRow(0)
    qtbot.waitUntil(lambda: "inserted" in person.bench.runs.details.toPlainText(), timeout=WAIT)
    lines = person.bench.runs.details.toPlainText().splitlines()
    assert lines[0] == "attempt 2, resumed after checkpoint 1"
    assert lines[-1] == f"save: {len(WANTED):,} read = {len(WANTED):,} inserted"
    assert not person.bench.runs.resume_button.isEnabled()


def test_a_dismissed_offer_is_gone_and_the_runs_panel_still_resumes_the_run(qtbot, open_window, killed):
    person = open_window(killed.file)
    qtbot.waitUntil(person.bench.banner.isVisible, timeout=WAIT)
    QTest.mouseClick(person.bench.banner.dismiss, LEFT)
    assert not person.bench.banner.isVisible()
    person.bench.tabs.show_panel(person.bench.runs)
    qtbot.waitUntil(lambda: person.bench.runs.model.rowCount() == 1, timeout=WAIT)
    person.bench.runs.table.selectRow(0)
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT):
        QTest.mouseClick(person.bench.runs.resume_button, LEFT)
    assert numbers(killed) == WANTED


def test_a_source_that_has_changed_is_asked_about(qtbot, open_window, killed):
    with (killed.folder / "numbers.csv").open("a") as file:
        file.write("150000,late,1\n")
    person = open_window(killed.file)
    qtbot.waitUntil(person.bench.banner.isVisible, timeout=WAIT)
    asked = answer(QMessageBox.StandardButton.Yes)
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(person.bench.banner.go, LEFT)
    assert 'the source "read" reads something that has changed since' in asked[0]
    assert ended.args[0].status is RunStatus.DONE, ended.args[0].error
    assert numbers(killed) == [*WANTED, 150_000]


def test_a_run_is_paused_shown_as_paused_and_goes_on(qtbot, going):
    window, bench = going.window, going.bench
    QTest.mouseClick(window._pause_button, LEFT)
    qtbot.waitUntil(lambda: window.workbench.status.text.startswith("Paused"), timeout=WAIT)
    assert going.card("make").endswith("paused")
    assert window._pause_button.text() == "Continue"
    QTest.mouseClick(window._pause_button, LEFT)
    qtbot.waitUntil(lambda: window.workbench.status.text.startswith("Running"), timeout=WAIT)
    assert "paused" not in going.card("make")
    with qtbot.waitSignal(bench.controller.ended, timeout=WAIT):
        going.click_run()
    assert not window.actions_by_name["pause"].isEnabled()


def test_the_second_click_on_stop_is_for_a_stop_at_once(qtbot, going):
    stops = []
    run = going.bench.controller._run
    stop = run.stop
    run.stop = lambda *, hard=False: stops.append(hard) or (stop(hard=True) if hard else None)
    going.click_run()
    assert going.window._run_button.text() == "Stop now"
    with qtbot.waitSignal(going.bench.controller.ended, timeout=WAIT) as ended:
        going.click_run()
    assert stops == [False, True]
    assert ended.args[0].status is RunStatus.STOPPED


def test_the_runs_panel_pauses_and_stops_a_run_of_whatever_process(qtbot, going):
    panel = going.bench.runs
    going.bench.tabs.show_panel(panel)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1, timeout=WAIT)
    panel.table.selectRow(0)
    QTest.mouseClick(panel.pause_button, LEFT)
    qtbot.waitUntil(lambda: going.window.workbench.status.text.startswith("Paused"), timeout=WAIT)
    qtbot.waitUntil(panel.continue_button.isEnabled, timeout=WAIT)
    with qtbot.waitSignal(going.bench.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(panel.stop_button, LEFT)
    assert ended.args[0].status is RunStatus.STOPPED


def test_run_to_here_runs_the_node_and_what_feeds_it(qtbot, open_window, tmp_path):
    file = tmp_path / "numbers.yaml"
    file.write_text(ENDLESS.replace("1000000000", "30").replace(", rows_per_second: 1000", ""))
    person = open_window(file)
    menu = person.bench.canvas.menu_for(Hit("make"), QPointF())
    entry = next(action for action in menu.actions() if action.text().startswith("Run to here"))
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        entry.trigger()
    assert list(ended.args[0].nodes) == ["make"]
    assert ended.args[0].nodes["make"].rows_out == 30
