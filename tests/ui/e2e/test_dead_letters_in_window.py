"""A bad row is mended and replayed in the window, and one that fails again stays."""

from __future__ import annotations

import sqlite3

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from etl_studio.engine.events import RunStatus
from etl_studio.ui.panels.letter_row import VALUE
from etl_studio.ui.panels.replay_menu import ReplayMenu

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
PATIENCE = 30_000
PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  each: {type: derive, config: {columns: {share: 100 // qty}}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: append}}
wires: [read -> each, each -> save]
"""


@pytest.fixture
def person(open_window, run_to_its_end, qtbot, tmp_path):
    """The window after a run in which the second of three rows divided by zero."""
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n2,0\n3,8\n")
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    person = open_window(tmp_path / "orders.yaml")
    assert run_to_its_end(person).status is RunStatus.DONE_WITH_DEAD_LETTERS
    letters = person.bench.dead_letters
    person.bench.tabs.show_panel(letters)
    qtbot.waitUntil(lambda: letters.model.rowCount() == 1)
    return person


@pytest.fixture
def rows(tmp_path):
    """``rows()``: what is in the table."""

    def read():
        with sqlite3.connect(tmp_path / ".etl_studio" / "data.db") as data:
            found = sorted(data.execute("SELECT id, qty, share FROM orders"))
        data.close()
        return found

    return read


def click_replay(qtbot, person) -> None:
    with qtbot.waitSignal(person.bench.controller.replayed, timeout=PATIENCE):
        QTest.mouseClick(person.bench.dead_letters.replay_button, LEFT)
    qtbot.waitUntil(lambda: not person.bench.dead_letters._fetcher.is_busy)


def test_a_row_that_was_mended_by_mouse_arrives_and_leaves_the_panel_empty(qtbot, person, rows):
    letters = person.bench.dead_letters
    QTest.mouseClick(letters.table.viewport(), LEFT, pos=letters.table.visualRect(letters.model.index(0, 0)).center())
    table = letters.editor.table
    center = table.visualRect(letters.editor.model.index(1, VALUE)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=center)
    QTest.mouseDClick(table.viewport(), LEFT, pos=center)
    line = table.findChild(QLineEdit)
    QTest.keyClick(line, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(line, "4")
    QTest.mouseClick(letters.editor.save_button, LEFT)
    qtbot.waitUntil(lambda: letters.model.index(0, 4).data() == "edited")
    click_replay(qtbot, person)

    assert rows() == [(1, 5, 20), (2, 4, 25), (3, 8, 12)]
    assert letters.model.rowCount() == 0
    assert letters.notice.isVisible()
    assert letters.said.text() == "1 dead letter of 1 left the queue."
    assert person.bench.tabs.count_of(letters) == 0
    assert "1 loaded" in person.window.workbench.status.text


def test_a_replay_that_fails_again_keeps_one_letter_tried_twice(qtbot, person, rows):
    letters = person.bench.dead_letters
    click_replay(qtbot, person)

    assert letters.model.rowCount() == 1
    assert letters.model.index(0, 3).data() == "2"
    assert letters.said.text().endswith("1 failed again, with the message that is shown now.")
    assert person.bench.tabs.count_of(letters) == 1
    assert len(rows()) == 2


CHECKED = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: id < 10}}
  each: {type: derive, config: {columns: {share: 100 // qty}}}
  last: {type: derive, config: {columns: {again: 1 // (share - 20)}}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: append}}
wires: [read -> keep, keep -> each, each -> last, last -> save]
"""


@pytest.fixture
def checked(open_window, run_to_its_end, qtbot, tmp_path):
    """The window after a run in which row 2 failed behind a filter, and row 1 behind the node that makes columns."""
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n2,0\n3,8\n")
    (tmp_path / "orders.yaml").write_text(CHECKED)
    person = open_window(tmp_path / "orders.yaml")
    assert run_to_its_end(person).status is RunStatus.DONE_WITH_DEAD_LETTERS
    letters = person.bench.dead_letters
    person.bench.tabs.show_panel(letters)
    qtbot.waitUntil(lambda: letters.model.rowCount() == 2)
    return person


def click_letter(letters, node) -> None:
    row = next(row for row in range(2) if letters.model.rows[row].node == node)
    QTest.mouseClick(letters.table.viewport(), LEFT, pos=letters.table.visualRect(letters.model.index(row, 0)).center())


def opened_menu(qtbot, letters) -> ReplayMenu:
    QTest.mouseClick(letters.ways_button, LEFT)
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), ReplayMenu), timeout=PATIENCE)
    return QApplication.activePopupWidget()


def click_entry(menu, text) -> None:
    entry = next(action for action in menu.actions() if action.text().startswith(text))
    assert entry.isEnabled()
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())


def test_a_row_that_was_mended_passes_the_nodes_before_the_failing_one_when_it_comes_out_of_its_source(
    qtbot, checked, tmp_path
):
    letters = checked.bench.dead_letters
    click_letter(letters, "each")
    letters.edit()
    table = letters.editor.table
    table.setCurrentIndex(letters.editor.model.index(0, VALUE))
    QTest.keyClick(table, Qt.Key.Key_Escape)
    QTest.keyClick(table, Qt.Key.Key_Return)
    line = table.findChildren(QLineEdit)[-1]
    QTest.keyClick(line, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(line, "12")
    QTest.keyClick(line, Qt.Key.Key_Return)
    menu = opened_menu(qtbot, letters)
    assert menu.reason is None
    with qtbot.waitSignal(checked.bench.controller.replayed, timeout=PATIENCE):
        click_entry(menu, "Out of the source, through every node")
    qtbot.waitUntil(lambda: letters.model.rowCount() == 1)

    assert letters.said.text() == "1 dead letter of 1 left the queue."
    with sqlite3.connect(tmp_path / ".etl_studio" / "data.db") as data:
        assert data.execute("SELECT id FROM orders ORDER BY id").fetchall() == [(3,)]
    data.close()
    assert letters.model.rows[0].node == "last"


def test_where_the_rows_have_no_way_from_their_source_the_menu_says_why(qtbot, checked):
    letters = checked.bench.dead_letters
    click_letter(letters, "last")
    menu = opened_menu(qtbot, letters)
    whole = next(action for action in menu.actions() if action.text().startswith("Out of the source"))
    assert not whole.isEnabled()
    assert menu.reason.isVisible()
    assert menu.reason.text() == '"each" makes other columns, so the rows cannot be what the source gave.'
    QTest.keyClick(menu, Qt.Key.Key_Escape)

    letters.table.setFocus()
    QTest.keyClick(letters.table, Qt.Key.Key_Return, CTRL | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: "makes other columns" in letters.said.text(), timeout=PATIENCE)
    assert not checked.bench.controller.is_running


def test_of_letters_of_several_nodes_those_are_replayed_that_have_a_way(qtbot, checked):
    letters = checked.bench.dead_letters
    letters.table.clearSelection()
    menu = opened_menu(qtbot, letters)
    assert menu.reason.text().startswith('Not the others: "each" makes other columns')
    with qtbot.waitSignal(checked.bench.controller.replayed, timeout=PATIENCE):
        click_entry(menu, "Out of the source, through every node (1 of 2)")
    qtbot.waitUntil(lambda: not letters._fetcher.is_busy)
    assert sorted((letter.node, letter.attempts) for letter in letters.model.rows) == [("each", 2), ("last", 1)]


def test_the_pipeline_on_the_screen_decides_whether_there_is_a_way(qtbot, checked):
    letters = checked.bench.dead_letters
    click_letter(letters, "each")
    checked.bench.document.remove(["keep"], [])
    menu = opened_menu(qtbot, letters)
    assert menu.reason is not None
    QTest.keyClick(menu, Qt.Key.Key_Escape)


def test_what_was_typed_is_saved_by_the_replay(qtbot, person, rows):
    letters = person.bench.dead_letters
    letters.table.setFocus()
    QTest.keyClick(letters.table, Qt.Key.Key_Return)
    table = letters.editor.table
    with qtbot.waitSignal(table.itemDelegateForColumn(VALUE).closeEditor):
        QTest.keyClick(table.findChild(QLineEdit), Qt.Key.Key_Return)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Return)
    line = table.findChildren(QLineEdit)[-1]
    QTest.keyClick(line, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(line, "10")
    with qtbot.waitSignal(person.bench.controller.replayed, timeout=PATIENCE):
        QTest.keyClick(line, Qt.Key.Key_Return, CTRL)

    assert (2, 10, 10) in rows()


def test_a_pipeline_that_cannot_run_refuses_the_replay_with_its_problem(qtbot, person):
    letters = person.bench.dead_letters
    person.bench.document.set_setting("each", "columns", {"share": "100 //"})
    click_replay(qtbot, person)

    assert person.bench.banner.isVisible()
    assert letters.model.rowCount() == 1
    assert letters.replay_button.isEnabled()
    assert "No dead letter arrived." in letters.said.text()
