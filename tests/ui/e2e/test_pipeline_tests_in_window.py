"""The tests of the open pipeline: listed, run, what differs shown, and the expected rows renewed."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
WAIT = 20_000
PIPELINE = """\
etl_studio: 1
name: shop
nodes:
  read: {type: csv_source, config: {path: shop.csv}}
  keep: {type: filter, config: {where: price > 1}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> keep, keep -> save]
layout: {read: [0, 0], keep: [300, 0], save: [600, 0]}
"""
GIVEN = [{"name": "lamp", "price": 3}, {"name": "rug", "price": 1}, {"name": "vase", "price": 2}]
KEPT = [{"name": "lamp", "price": 3}, {"name": "vase", "price": 2}]


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    (tmp_path / "shop.csv").write_text("name,price\nlamp,3\nrug,1\nvase,2\n")
    return file


@pytest.fixture
def make_case(tmp_path):
    """``make_case(name, expected)``: write a test of the node ``keep``."""

    def make(name, expected, given=GIVEN):
        for path, rows in (("given/read.json", given), ("expected/keep.json", expected)):
            written = tmp_path / "shop.tests" / name / path
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(json.dumps(rows))
        return tmp_path / "shop.tests" / name

    return make


@pytest.fixture
def open_tests(qtbot, open_window, file):
    """``open_tests(n)``: the window with the panel in front, which lists so many tests."""

    def do(number):
        person = open_window(file)
        tabs = person.bench.tabs
        QTest.mouseClick(tabs.tabBar(), LEFT, pos=tabs.tabBar().tabRect(tabs.indexOf(person.bench.tests)).center())
        qtbot.waitUntil(lambda: len(person.bench.tests.model.rows) == number, timeout=WAIT)
        return person

    return do


def shown(model):
    return [
        tuple(model.index(row, column).data() for column in range(model.columnCount()))
        for row in range(model.rowCount())
    ]


def select(panel, row):
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualRect(panel.model.index(row, 0)).center())


def run_all(qtbot, person):
    QTest.mouseClick(person.bench.tests.run_all_button, LEFT)
    ended(qtbot, person)


def ended(qtbot, person):
    panel = person.bench.tests
    qtbot.waitUntil(lambda: not panel.runner.is_busy and all(case.outcome for case in panel.runner.cases), timeout=WAIT)


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


def test_tests_beside_the_file_are_listed_and_run_and_the_failures_are_counted_on_the_tab(
    qtbot, make_case, open_tests, tmp_path
):
    make_case("bad", [{"name": "lamp", "price": 4}, KEPT[1]])
    make_case("good", KEPT)
    make_case("impossible", KEPT)
    (tmp_path / "shop.tests" / "impossible" / "given" / "read.json").unlink()
    person = open_tests(3)
    panel = person.bench.tests
    assert shown(panel.model) == [("bad", "not run"), ("good", "not run"), ("impossible", "not run")]
    assert person.bench.tabs.count_of(panel) == 0
    run_all(qtbot, person)
    assert shown(panel.model) == [("bad", "failed"), ("good", "passed"), ("impossible", "cannot run")]
    assert panel.count.text() == "1 of 3 passed, 2 failed"
    assert person.bench.tabs.count_of(panel) == 2
    select(panel, 1)
    assert panel.verdict.headline.text() == "Passed"
    assert panel.verdict.text.text() == "keep: 2 rows as expected"
    select(panel, 2)
    assert 'The case gives no rows for the source "read"' in panel.verdict.text.text()
    assert not (tmp_path / "out.csv").exists()


def test_each_value_that_differs_is_shown_with_its_row_and_column(qtbot, make_case, open_tests):
    make_case("bad", [{"name": "lamp", "price": 4}, KEPT[1], {"name": "", "price": None}])
    person = open_tests(1)
    run_all(qtbot, person)
    panel = person.bench.tests
    assert shown(panel.differences) == [
        ("keep", "1", "changed", "price", "4", "3"),
        ("keep", "3", "missing", "name", '""', ""),
        ("keep", "3", "missing", "price", "null", ""),
    ]
    assert panel.difference_table.isVisible()
    assert panel.said.text() == "keep: 2 rows differ (2 rows came)"


def test_a_column_of_another_type_and_one_that_did_not_come_are_shown(qtbot, make_case, open_tests):
    folder = make_case("bad", KEPT)
    typed = {"columns": {"name": "text", "price": "text", "size": "text"}, "rows": []}
    (folder / "expected" / "keep.json").write_text(json.dumps(typed))
    person = open_tests(1)
    run_all(qtbot, person)
    about = [line[2:] for line in shown(person.bench.tests.differences) if not line[1]]
    assert about == [("column changed", "price", "text", "integer"), ("column missing", "size", "text", "")]


def test_right_rows_in_another_order_are_told_with_what_allows_it(qtbot, make_case, open_tests):
    make_case("bad", KEPT[::-1])
    person = open_tests(1)
    run_all(qtbot, person)
    assert "any_order: [keep]" in person.bench.tests.said.text()


def test_one_test_is_run_alone(qtbot, make_case, open_tests):
    make_case("a", KEPT)
    make_case("b", KEPT)
    person = open_tests(2)
    panel = person.bench.tests
    select(panel, 1)
    QTest.mouseClick(panel.run_button, LEFT)
    qtbot.waitUntil(lambda: shown(panel.model) == [("a", "not run"), ("b", "passed")], timeout=WAIT)


def test_what_is_on_the_screen_is_tested_and_an_outcome_from_before_a_change_says_so(qtbot, make_case, open_tests):
    make_case("a", KEPT)
    person = open_tests(1)
    panel = person.bench.tests
    run_all(qtbot, person)
    person.click_node("keep")
    editor = person.editor("where")
    editor.setFocus()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), "price > 2")
    QTest.mouseClick(panel.run_all_button, LEFT)  # what is typed counts, though it is not yet in the document
    qtbot.waitUntil(lambda: shown(panel.model) == [("a", "failed")], timeout=WAIT)
    assert panel.update_button.isEnabled()
    person.click_menu("Edit", "Undo")
    assert shown(panel.model) == [("a", "failed, before changes")]
    assert not panel.update_button.isEnabled()
    person.click_menu("Edit", "Redo")
    assert shown(panel.model) == [("a", "failed")]


def test_the_expected_rows_are_updated_after_a_question_and_the_test_passes(qtbot, make_case, open_tests):
    folder = make_case("bad", [{"name": "lamp", "price": 4}])
    before = (folder / "expected" / "keep.json").read_text()
    person = open_tests(1)
    panel = person.bench.tests
    assert not panel.update_button.isEnabled()
    run_all(qtbot, person)
    asked = answer("Cancel")
    QTest.mouseClick(panel.update_button, LEFT)
    qtbot.waitUntil(lambda: bool(asked) and QApplication.activeModalWidget() is None, timeout=WAIT)
    assert asked[0] == 'Update "bad"?'
    assert "keep: 2 rows differ" in asked[1]
    assert (folder / "expected" / "keep.json").read_text() == before
    answer("Update the expected rows")
    QTest.mouseClick(panel.update_button, LEFT)
    qtbot.waitUntil(lambda: shown(panel.model) == [("bad", "passed")], timeout=WAIT)
    assert json.loads((folder / "expected" / "keep.json").read_text())["rows"] == KEPT
    assert person.bench.tabs.count_of(panel) == 0


def test_keys_run_the_tests_from_anywhere(qtbot, make_case, open_window, file):
    make_case("a", KEPT)
    person = open_window(file)
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_T, keys)
    panel = person.bench.tests
    qtbot.waitUntil(lambda: shown(panel.model) == [("a", "passed")], timeout=WAIT)
    assert person.bench.tabs.currentWidget() is panel


def test_tests_are_stopped_and_those_that_did_not_end_count_as_not_run(qtbot, make_case, open_tests, file):
    endless = "(SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range < b.range - 7.5) = 0"
    file.write_text(PIPELINE.replace("where: price > 1", f'where: "{endless}"'))
    make_case("a", KEPT)
    make_case("b", KEPT)
    person = open_tests(2)
    panel = person.bench.tests
    QTest.mouseClick(panel.run_all_button, LEFT)
    qtbot.waitUntil(lambda: shown(panel.model) == [("a", "running"), ("b", "waiting")], timeout=WAIT)
    QTest.mouseClick(panel.stop_button, LEFT)
    assert shown(panel.model) == [("a", "not run"), ("b", "not run")]
    assert panel.run_all_button.isVisible()


def test_a_test_that_the_preview_makes_is_listed(qtbot, open_tests):
    person = open_tests(0)
    panel = person.bench.tests
    assert panel.notice.text.text().startswith("Select a node")
    person.click_node("keep")
    person.click_menu("Run", "Preview the selected node")
    qtbot.waitUntil(person.bench.preview.bar.test.isVisible, timeout=WAIT)
    QTest.mouseClick(person.bench.preview.bar.test, LEFT)
    qtbot.waitUntil(lambda: shown(panel.model) == [("keep", "not run")], timeout=WAIT)


def test_the_files_of_a_test_are_shown(make_case, open_tests, monkeypatch):
    folder = make_case("a", KEPT)
    panel = open_tests(1).bench.tests
    opened = []
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile()))
    QTest.mouseClick(panel.folder_button, LEFT)
    assert opened == [folder.as_posix()]


def test_another_file_has_other_tests(qtbot, make_case, open_tests, tmp_path):
    make_case("a", [])
    person = open_tests(1)
    run_all(qtbot, person)
    assert person.bench.tabs.count_of(person.bench.tests) == 1
    other = tmp_path / "other.etl.yaml"
    person.answer_file_dialog(other)
    person.click_menu("File", "Save as")
    qtbot.waitUntil(other.exists, timeout=WAIT)
    qtbot.waitUntil(lambda: person.bench.tests.model.rows == [], timeout=WAIT)
    assert person.bench.tabs.count_of(person.bench.tests) == 0


def test_without_a_file_it_says_where_tests_are_kept(open_window):
    person = open_window()
    assert person.bench.tests.notice.text.text().startswith("Save the pipeline first")
    assert not person.window.actions_by_name["run_tests"].isEnabled()
