"""F1 explains what a person is at; Ctrl+F finds where a word occurs; the outline selects what the canvas selects."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

pytestmark = pytest.mark.window

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def person(open_window, tmp_path, qtbot):
    (tmp_path / "orders.csv").write_text("id,quantity,status\n1,5,paid\n2,9,returned\n")
    (tmp_path / "orders.etl.yaml").write_text(
        "etl_studio: 1\nname: orders\nparameters:\n  least: {type: integer, default: 5}\n"
        "nodes:\n"
        "  read: {type: csv_source, title: Orders, config: {path: orders.csv}}\n"
        "  keep: {type: filter, title: Large, config: {where: 'quantity >= ${least}'}}\n"
        "  save: {type: sqlite_sink, config: {table: large_orders}}\n"
        "wires: [read -> keep, keep -> save]\n"
    )
    person = open_window(tmp_path / "orders.etl.yaml")
    person.window.activateWindow()
    qtbot.waitUntil(person.bench.canvas.hasFocus)
    return person


def help_window(person):
    return next(widget for widget in QApplication.topLevelWidgets() if widget.objectName() == "help")


def press_f1(person):
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F1)
    shown = help_window(person)
    assert shown.isVisible()
    return shown


def test_with_nothing_selected_f1_opens_the_overview(person):
    assert press_f1(person).address == "topic:overview"
    help_window(person).close()


def test_f1_on_a_selected_node_opens_its_page(person):
    person.click_node("keep")

    assert press_f1(person).title.text() == "Filter"
    help_window(person).close()


def test_f1_in_a_setting_goes_to_that_setting(person):
    person.click_node("save")
    line = person.editor("table").findChild(QLineEdit)
    line.setFocus()

    shown = press_f1(person)

    assert shown.address == "node:sqlite_sink"
    (mark,) = shown.text.extraSelections()
    assert mark.cursor.selectedText() == "Table table"
    shown.close()


def test_f1_in_the_policy_goes_to_that_part_of_a_policy(person):
    person.click_node("keep")
    person.bench.inspector.show_field("keep", "policy.retry")
    card = person.bench.inspector.node_page.policy
    card.findChildren(QLineEdit)[0].setFocus()

    assert press_f1(person).address == "topic:policies"
    help_window(person).close()


def test_f1_on_an_entry_of_the_palette_opens_its_page(person):
    nodes = person.bench.palette_panel.nodes
    nodes.setCurrentRow(nodes.row_of("join"))
    nodes.setFocus()

    assert press_f1(person).address == "node:join"
    help_window(person).close()


def test_the_help_lists_the_keys_of_this_window(person):
    shown = press_f1(person)
    shown.show_page("topic:keyboard")

    assert "Ctrl+Shift+N New window" in shown.text.toPlainText()
    shown.close()


def find(person, words):
    person.window.activateWindow()
    assert QTest.qWaitForWindowActive(person.window)
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F, CTRL)
    popup = QApplication.activePopupWidget()
    QTest.keyClicks(popup.field, words)
    return popup


def test_find_goes_to_the_setting_in_which_a_word_stands(person):
    popup = find(person, "quantity")
    QTest.keyClick(popup.field, Qt.Key.Key_Return)

    assert person.bench.inspector.selected == ("keep",)
    assert isinstance(QApplication.focusWidget(), QPlainTextEdit)
    assert "quantity" in QApplication.focusWidget().toPlainText()


def test_find_knows_columns_once_a_node_was_previewed(person, qtbot):
    assert find(person, "status").results.topLevelItemCount() == 0
    QApplication.activePopupWidget().close()
    person.click_node("read")
    person.bench.preview_selection()
    qtbot.waitUntil(lambda: bool(person.bench.columns.known("read")), timeout=10_000)

    popup = find(person, "status")
    assert popup.results.topLevelItem(0).text(1) == "column"
    QTest.keyClick(popup.field, Qt.Key.Key_Escape)


def test_find_goes_to_a_parameter_of_the_pipeline(person):
    person.click_node("read")
    popup = find(person, "least 5")
    QTest.keyClick(popup.field, Qt.Key.Key_Return)

    assert person.bench.inspector.selected == ()
    assert person.bench.inspector.pipeline_page.isVisible()


def test_in_the_dead_letters_the_same_key_filters_them(person):
    person.bench.tabs.show_panel(person.bench.dead_letters)
    person.bench.dead_letters.refresh_button.setFocus()

    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F, CTRL)

    assert QApplication.activePopupWidget() is None
    assert person.bench.dead_letters.isAncestorOf(QApplication.focusWidget())


def test_the_outline_and_the_canvas_select_the_same(person):
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_O, CTRL | Qt.KeyboardModifier.AltModifier)
    tree = person.bench.outline.tree
    assert tree.hasFocus()
    QTest.keyClicks(tree, "large")
    assert person.bench.inspector.selected == ("keep",)
    assert person.bench.canvas.pipeline_scene.chosen_nodes() == ["keep"]

    person.click_node("save")
    assert [item.text(0) for item in tree.selectedItems()] == ["SQLite table"]
    QTest.keyClick(tree, Qt.Key.Key_Return)
    assert person.bench.inspector.isAncestorOf(QApplication.focusWidget())


def test_the_outline_tells_the_states_of_a_run(person, run_to_its_end):
    person.bench.side.show_outline()
    run_to_its_end(person)

    tree = person.bench.outline.tree
    spoken = [tree.topLevelItem(row).data(0, Qt.ItemDataRole.AccessibleTextRole) for row in range(3)]
    assert spoken == ["Orders, CSV file, done", "Large, Filter, done", "SQLite table, done"]


def test_find_goes_to_a_note_on_the_canvas(person):
    note = person.bench.document.add_note((4000, 3000, 240, 120), "Ask **Ada** about returns")
    popup = find(person, "ada")
    QTest.keyClick(popup.field, Qt.Key.Key_Return)

    scene = person.bench.canvas.pipeline_scene
    assert scene.notes.chosen() == [note]
    assert person.bench.canvas.navigation.sight().intersects(scene.notes.items[note].sceneBoundingRect())


def test_a_key_that_was_changed_does_its_new_work(person):
    person.click_node("keep")
    person.window.shortcuts.set_keys("duplicate", [QKeySequence("F9")])

    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F9)

    assert len(person.bench.document.pipeline.nodes) == 4
