"""Notes, groups and disabled nodes by the keys of the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

CONTROL = Qt.KeyboardModifier.ControlModifier
PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: quantity >= 5}}
  save: {type: sqlite_sink, config: {table: orders}}
wires: [read -> keep, keep -> save]
"""


@pytest.fixture
def person(open_window, tmp_path):
    path = tmp_path / "orders.yaml"
    path.write_text(PIPELINE)
    return open_window(path)


@pytest.fixture
def canvas(person):
    person.bench.canvas.setFocus()
    return person.bench.canvas


def test_d_and_control_slash_disable_and_enable_what_is_selected(person, canvas):
    nodes = person.bench.document.pipeline.nodes
    person.click_node("keep")
    QTest.keyClick(canvas, Qt.Key.Key_D)
    assert [name for name, spec in nodes.items() if spec.disabled] == ["keep"]
    assert person.window.actions_by_name["disable"].text().replace("&", "") == "Enable"
    QTest.keyClick(canvas, Qt.Key.Key_Slash, CONTROL)
    assert not any(spec.disabled for spec in nodes.values())


def test_control_g_groups_what_is_selected_and_letters_in_the_title_are_letters(person, canvas):
    document = person.bench.document
    assert not person.window.actions_by_name["group"].isEnabled()
    QTest.keyClick(canvas, Qt.Key.Key_A, CONTROL)
    QTest.keyClick(canvas, Qt.Key.Key_G, CONTROL)
    QTest.keyClicks(canvas.in_place.editor, "Dinner")
    QTest.keyClick(canvas.in_place.editor, Qt.Key.Key_Return)
    assert [group.title for group in document.pipeline.groups.values()] == ["Dinner"]
    assert document.pipeline.notes == {}
    assert not any(spec.disabled for spec in document.pipeline.nodes.values())
    QTest.keyClick(canvas, Qt.Key.Key_G, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert document.pipeline.groups == {}
    assert not person.window.actions_by_name["ungroup"].isEnabled()


def test_n_adds_a_note_and_delete_removes_it(person, canvas):
    document = person.bench.document
    QTest.keyClick(canvas, Qt.Key.Key_N)
    QTest.keyClicks(canvas.in_place.editor, "no new notes")
    QTest.keyClick(canvas.in_place.editor, Qt.Key.Key_Escape)
    assert [note.text for note in document.pipeline.notes.values()] == ["no new notes"]
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert document.pipeline.notes == {}


def test_letters_in_the_search_for_a_node_are_no_keys_of_the_canvas(person, canvas):
    person.click_node("keep")
    canvas.quick_add.open_here()
    QTest.keyClicks(QApplication.focusWidget(), "nd")
    assert person.bench.document.pipeline.notes == {}
    assert not person.bench.document.pipeline.nodes["keep"].disabled
    canvas.quick_add.popup.hide()


def test_what_is_being_written_is_in_the_file_when_it_is_saved(person, canvas):
    QTest.keyClick(canvas, Qt.Key.Key_N)
    QTest.keyClicks(canvas.in_place.editor, "Kept")
    QTest.keyClick(canvas.in_place.editor, Qt.Key.Key_S, CONTROL)
    assert "text: Kept" in person.bench.document.path.read_text()
