"""A person gives a node another id: what else changes is shown first, and all of it is one step."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.ui.columns.rename_dialog import RenameDialog
from tests.ui.e2e.person import LEFT

WAIT = 20_000
PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: qty > 1}}
  all: {type: union}
  mine: {type: filter, config: {where: "_node = 'keep'"}}
  save: {type: csv_sink, config: {path: out.csv}}
notes:
  why: {text: What keep keeps.}
wires: [read -> keep, keep -> save, keep.rejects -> all.input, all -> mine]
layout: {read: [0, 0], keep: [260, 0], save: [520, 0], all: [260, 160], mine: [520, 160], why: [0, 260, 200, 80]}
"""
ROWS = '{"rows": [{"id": 1, "qty": 5}]}\n'


@pytest.fixture
def file(tmp_path):
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n2,1\n")
    for name in ("given/read.json", "expected/keep.json"):
        path = tmp_path / "shop.tests" / "one" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROWS)
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def person(open_window, file):
    person = open_window(file)
    person.window.activateWindow()
    person.bench.canvas.navigation.fit()
    return person


def type_id(person, name):
    """Type another id into the header of the selected node, and press Return."""
    line = person.bench.inspector.node_page.header.id
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, name)
    QTest.keyClick(line, Qt.Key.Key_Return)


def dialog_of(person):
    return next((one for one in person.window.findChildren(RenameDialog) if one.isVisible()), None)


def listed(dialog):
    heads = [dialog.tree.topLevelItem(number) for number in range(dialog.tree.topLevelItemCount())]
    return {head.text(0): [head.child(row).text(0) for row in range(head.childCount())] for head in heads}


def expected_of(file):
    return sorted(path.stem for path in (file.parent / "shop.tests" / "one" / "expected").iterdir())


def settled(qtbot, person):
    qtbot.waitUntil(lambda: not person.bench.tests.followed.is_busy, timeout=WAIT)


def test_a_node_that_nothing_else_mentions_is_renamed_at_once(qtbot, person):
    person.click_node("save")
    type_id(person, "target")
    qtbot.waitUntil(lambda: "target" in person.bench.document.pipeline.nodes, timeout=WAIT)
    assert dialog_of(person) is None
    assert person.bench.document.undo_stack.count() == 1


def test_the_list_comes_first_and_all_is_one_step_that_undo_takes_back_with_the_files(qtbot, person, file):
    document = person.bench.document
    person.click_node("keep")
    type_id(person, "many")
    qtbot.waitUntil(lambda: dialog_of(person) is not None, timeout=WAIT)
    dialog = dialog_of(person)
    qtbot.waitUntil(lambda: dialog.renaming is not None, timeout=WAIT)

    assert "keep" in document.pipeline.nodes
    assert expected_of(file) == ["keep"]
    assert listed(dialog) == {
        "Filter (mine)": ["where"], "Note why": ["text (look at it)"], "Test shop: one": ["name of its file"],
    }  # fmt: skip
    assert dialog.summary.text() == "1 change in 2 nodes, 1 left out. 1 change in tests."
    note = dialog.tree.topLevelItem(1).child(0)
    note.setCheckState(0, Qt.CheckState.Checked)
    QTest.mouseClick(dialog.rename, LEFT)
    settled(qtbot, person)

    assert document.undo_stack.count() == 1
    assert document.pipeline.nodes["mine"].config["where"] == "_node = 'many'"
    assert document.pipeline.notes["why"].text == "What many keeps."
    assert expected_of(file) == ["many"]
    qtbot.waitUntil(lambda: [case.name for case in person.bench.tests.runner.cases] == ["one"], timeout=WAIT)

    person.click_menu("Edit", "Undo")
    settled(qtbot, person)
    assert document.pipeline.nodes["mine"].config["where"] == "_node = 'keep'"
    assert document.pipeline.notes["why"].text == "What keep keeps."
    assert expected_of(file) == ["keep"]
    assert (file.parent / "shop.tests/one/expected/keep.json").read_text() == ROWS
    assert not document.is_modified


def test_who_changes_their_mind_finds_the_old_name_in_the_field(qtbot, person, file):
    person.click_node("keep")
    type_id(person, "many")
    qtbot.waitUntil(lambda: dialog_of(person) is not None, timeout=WAIT)
    QTest.keyClick(dialog_of(person), Qt.Key.Key_Escape)
    assert person.bench.inspector.node_page.header.id.text() == "keep"
    assert person.bench.document.undo_stack.count() == 0
    assert expected_of(file) == ["keep"]


def test_f2_on_the_canvas_asks_for_the_name(qtbot, person, file):
    person.click_node("save")
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F2)
    dialog = dialog_of(person)
    with qtbot.waitSignal(dialog._fetcher.fetched, timeout=WAIT):
        QTest.keyClicks(dialog.name, "target")
    assert dialog.summary.text() == "Nothing else mentions it."
    QTest.mouseClick(dialog.rename, LEFT)
    assert "target" in person.bench.document.pipeline.nodes
    person.click_menu("Edit", "Rename the node")
    dialog = dialog_of(person)
    with qtbot.waitSignal(dialog._fetcher.failed, timeout=WAIT):
        QTest.keyClicks(dialog.name, "keep")
    assert dialog.obstacles.text().startswith('There is a node called "keep" already.')
    assert not dialog.rename.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)


def test_what_is_not_saved_in_the_end_leaves_the_tests_as_the_file_needs_them(qtbot, person, file):
    person.click_node("keep")
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F2)
    dialog = dialog_of(person)
    with qtbot.waitSignal(dialog._fetcher.fetched, timeout=WAIT):
        QTest.keyClicks(dialog.name, "many")
    QTest.mouseClick(dialog.rename, LEFT)
    settled(qtbot, person)
    assert expected_of(file) == ["many"]

    person.bench.document.undo_stack.setClean()  # as if a person said that nothing is to be saved
    person.window.close()
    assert expected_of(file) == ["keep"]


def test_what_is_saved_stays(qtbot, person, file):
    person.click_node("keep")
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F2)
    dialog = dialog_of(person)
    with qtbot.waitSignal(dialog._fetcher.fetched, timeout=WAIT):
        QTest.keyClicks(dialog.name, "many")
    QTest.mouseClick(dialog.rename, LEFT)
    settled(qtbot, person)
    person.click_menu("File", "Save")
    person.window.close()
    assert expected_of(file) == ["many"]
    assert "many" in file.read_text()


def test_what_is_there_already_under_the_new_name_is_told_in_the_list(qtbot, person, file):
    (file.parent / "shop.tests/one/expected/many.json").write_text(ROWS)
    person.click_node("keep")
    type_id(person, "many")
    qtbot.waitUntil(lambda: dialog_of(person) is not None, timeout=WAIT)
    dialog = dialog_of(person)
    qtbot.waitUntil(lambda: "many.json is there already" in dialog.obstacles.text(), timeout=WAIT)
    assert not dialog.rename.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
