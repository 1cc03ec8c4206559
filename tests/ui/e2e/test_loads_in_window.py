"""A load is taken back by a person at the window, or refused with the reason."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from etl_studio.engine.events import RunStatus
from tests.ui.e2e.person import LEFT

pytestmark = pytest.mark.window

WAIT = 30_000
PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {{type: csv_source, config: {{path: orders.csv}}}}
  save: {{type: sqlite_sink, config: {{table: orders, write_disposition: merge, key: [id]{more}}}}}
wires: [read -> save]
"""
LOCK = """
import sqlite3, sys
data = sqlite3.connect(sys.argv[1], isolation_level=None)
data.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
FIRST, SECOND, THIRD = "1,Ada\n2,Bob\n", "2,Bill\n3,Cyd\n", "3,Cleo\n"


@pytest.fixture
def person(open_window, run_to_its_end, tmp_path):
    """``person(texts)``: the window after a run for each text of the file that it reads."""

    def begin(*texts, more=""):
        (tmp_path / "orders.yaml").write_text(PIPELINE.format(more=more))
        person = open_window(tmp_path / "orders.yaml")
        for text in texts:
            (tmp_path / "orders.csv").write_text("id,name\n" + text)
            assert run_to_its_end(person).status is RunStatus.DONE
        return person

    return begin


def rows(file):
    with sqlite3.connect(file) as data:
        found = data.execute("SELECT id, name FROM orders ORDER BY id").fetchall()
    data.close()
    return found


def open_tab(qtbot, person, panel):
    bar = person.bench.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, pos=bar.tabRect(person.bench.tabs.indexOf(panel)).center())
    qtbot.waitUntil(panel.isVisible)


def listed(panel):
    model = panel.model
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]


def choose(qtbot, person, load, expected):
    panel = person.bench.loads
    open_tab(qtbot, person, panel)
    qtbot.waitUntil(lambda: panel.model.rowCount() == expected, timeout=WAIT)
    row = next(row for row, cells in enumerate(listed(panel)) if cells[0] == str(load))
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualRect(panel.model.index(row, 1)).center())
    assert panel.undo_button.isEnabled()
    return panel


def answer(text):
    """Click the button of the next question that has this text; gives what was asked."""
    asked = []

    def click():
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, click)
            return
        asked.extend((box.text(), box.informativeText()))
        QTest.mouseClick(next(button for button in box.buttons() if button.text().replace("&", "") == text), LEFT)

    QTimer.singleShot(0, click)
    return asked


def test_every_load_is_listed_with_what_it_did(qtbot, person):
    window = person(FIRST, SECOND)
    bench = window.bench
    open_tab(qtbot, window, bench.loads)
    qtbot.waitUntil(lambda: bench.loads.model.rowCount() == 2, timeout=WAIT)
    second, first = listed(bench.loads)
    assert second[:2] == ["2", "orders"]
    assert second[2].startswith("today ")
    assert second[3:8] == ["upsert", "1", "1", "0", "save"]
    assert first[3:8] == ["upsert", "2", "0", "0", "save"]
    assert [second[9], first[9]] == ["loaded", "loaded"]
    bench.runs.refresh()
    qtbot.waitUntil(lambda: bench.runs.model.rowCount() == 2, timeout=WAIT)
    assert [second[8], first[8]] == [run.id for run in bench.runs.model.rows]


def test_an_undo_says_what_comes_back_asks_and_brings_it_back(qtbot, person, tmp_path):
    window = person(FIRST, SECOND)
    open_tab(qtbot, window, window.bench.results)
    panel = choose(qtbot, window, 2, 2)
    asked = answer("Undo this load")
    with qtbot.waitSignal(panel.undone, timeout=WAIT):
        QTest.mouseClick(panel.undo_button, LEFT)

    assert asked[0] == 'Undo load 2 of the table "orders"?'
    assert asked[1] == "2 rows that it wrote go. 1 row that it changed or deleted comes back as it was."
    assert rows(tmp_path / ".etl_studio" / "data.db") == [(1, "Ada"), (2, "Bob")]
    assert panel.said.text() == 'Load 2 of the table "orders" is undone: 2 rows went, 1 row came back.'
    qtbot.waitUntil(lambda: listed(panel)[0][9].startswith("undone today "), timeout=WAIT)
    assert not panel.undo_button.isEnabled()
    open_tab(qtbot, window, window.bench.results)
    qtbot.waitUntil(lambda: window.rows() == [("1", "Ada"), ("2", "Bob")], timeout=WAIT)


def test_who_says_no_changes_nothing(qtbot, person, tmp_path):
    window = person(FIRST, SECOND)
    panel = choose(qtbot, window, 2, 2)
    asked = answer("Cancel")
    QTest.mouseClick(panel.undo_button, LEFT)
    qtbot.waitUntil(lambda: len(asked) == 2 and panel.undo_button.isEnabled(), timeout=WAIT)
    assert rows(tmp_path / ".etl_studio" / "data.db") == [(1, "Ada"), (2, "Bill"), (3, "Cyd")]
    assert [cells[9] for cells in listed(panel)] == ["loaded", "loaded"]


def test_a_load_whose_rows_a_later_one_has_touched_is_refused_before_anybody_is_asked(qtbot, person, tmp_path):
    window = person(FIRST, SECOND, THIRD)
    panel = choose(qtbot, window, 2, 3)
    QTest.mouseClick(panel.undo_button, LEFT)
    qtbot.waitUntil(lambda: "cannot be undone" in panel.said.text(), timeout=WAIT)
    assert QApplication.activeModalWidget() is None
    assert panel.said.text().startswith('Load 2 of the table "orders" cannot be undone: load 3 (')
    assert panel.said.text().endswith("has written to the same rows since. Undo load 3 first.")
    assert panel.said.property("role") == "danger"
    assert rows(tmp_path / ".etl_studio" / "data.db") == [(1, "Ada"), (2, "Bill"), (3, "Cleo")]


def test_a_load_that_made_the_table_takes_it_along(qtbot, person):
    window = person(FIRST)
    panel = choose(qtbot, window, 1, 1)
    asked = answer("Undo this load")
    with qtbot.waitSignal(panel.undone, timeout=WAIT):
        panel.undo_button.setFocus()
        QTest.keyClick(panel.undo_button, Qt.Key.Key_Space)
    assert asked[1] == 'The table "orders" goes, with 2 rows: this load made it, and it has no others.'
    open_tab(qtbot, window, window.bench.results)
    qtbot.waitUntil(window.bench.results.notice.isVisible, timeout=WAIT)
    assert window.bench.results.notice.headline.text() == "No results yet"


def test_loads_of_another_database_of_the_pipeline_are_listed_and_undone_there(qtbot, person, tmp_path):
    window = person(FIRST, SECOND, more=", database: shop.db")
    panel = choose(qtbot, window, 2, 2)
    assert listed(panel)[0][1] == "orders in shop.db"
    asked = answer("Undo this load")
    with qtbot.waitSignal(panel.undone, timeout=WAIT):
        QTest.mouseClick(panel.undo_button, LEFT)
    assert asked[0] == 'Undo load 2 of the table "orders" in shop.db?'
    assert rows(tmp_path / "shop.db") == [(1, "Ada"), (2, "Bob")]


def test_the_window_works_on_while_another_program_keeps_the_database_locked(qtbot, person, tmp_path):
    window = person(FIRST, SECOND)
    panel = choose(qtbot, window, 2, 2)
    command = [sys.executable, "-c", LOCK, str(tmp_path / ".etl_studio" / "data.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        beats = []
        heart = QTimer(interval=10)
        heart.timeout.connect(lambda: beats.append(panel.undo_button.isEnabled()))
        asked = answer("Undo this load")
        QTest.mouseClick(panel.undo_button, LEFT)
        heart.start()
        qtbot.waitUntil(lambda: len(beats) > 20, timeout=WAIT)
        heart.stop()
        assert not any(beats)
        assert not asked
        with qtbot.waitSignal(panel.undone, timeout=WAIT):
            other.communicate()
    assert rows(tmp_path / ".etl_studio" / "data.db") == [(1, "Ada"), (2, "Bob")]


def test_while_a_run_goes_on_nothing_is_undone(qtbot, person):
    window = person(FIRST)
    panel = choose(qtbot, window, 1, 1)
    window.bench.controller.running_changed.connect(lambda: seen.append(panel.undo_button.isEnabled()))
    seen = []
    with qtbot.waitSignal(window.bench.controller.ended, timeout=WAIT):
        window.click_run()
    assert seen == [False, True]
