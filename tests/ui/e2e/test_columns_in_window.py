"""A column is followed over the canvas and renamed everywhere, in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from etl_studio.ui.canvas.items.wire import FADED
from etl_studio.ui.columns.rename_dialog import RenameDialog

LEFT, CONTROL, SHIFT, ALT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: price > 1 -- the dear ones}}
  compute: {type: derive, config: {columns: {total: price * quantity}}}
  other: {type: sort, config: {by: [{column: quantity}]}}
  save: {type: csv_sink, config: {path: out.csv}}
notes:
  why: {text: The `price` is in euros.}
wires: [read -> keep, keep -> compute, compute -> save, read -> other]
layout: {read: [0, 0], keep: [260, 0], compute: [520, 0], other: [260, 160], save: [780, 0], why: [0, 200, 200, 80]}
"""
WAIT = 20_000


@pytest.fixture
def person(open_window, tmp_path):
    (tmp_path / "orders.csv").write_text("id,price,quantity\n1,2.5,3\n2,1,1\n")
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    person = open_window(file)
    person.window.activateWindow()
    return person


@pytest.fixture
def preview(qtbot, person):
    """Shows the rows of a node and gives the position of a column's head."""

    def show(node, column):
        person.click_node(node)
        person.bench.preview_selection()
        table = person.bench.preview.table
        qtbot.waitUntil(lambda: person.bench.preview.node == node and table.samples.table is not None, timeout=WAIT)
        section = table.samples.table.column_names.index(column)
        header = table.horizontalHeader()
        return header, header.sectionViewportPosition(section) + 8

    return show


def choose(menu_name, text):
    """Click an entry of the menu that is open."""
    menu = next(
        one
        for one in QApplication.topLevelWidgets()
        if isinstance(one, QMenu) and one.objectName() == menu_name and one.isVisible()
    )
    action = next(one for one in menu.actions() if one.text().startswith(text))
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def open_dialog(person):
    return next(one for one in person.window.findChildren(RenameDialog) if one.isVisible())


def type_name(qtbot, dialog, name):
    with qtbot.waitSignal(dialog._fetcher.fetched, timeout=WAIT):
        QTest.keyClicks(dialog.name, name)
    return [dialog.tree.topLevelItem(number).text(0) for number in range(dialog.tree.topLevelItemCount())]


def test_a_column_is_renamed_from_the_head_of_the_preview_and_undone_in_one_step(qtbot, person, preview):
    pipeline = person.bench.document.pipeline
    before = {node: dict(spec.config) for node, spec in pipeline.nodes.items()}
    header, x = preview("keep", "price")
    header.customContextMenuRequested.emit(QPoint(x, 8))
    choose("column", "Rename")
    dialog = open_dialog(person)
    assert not dialog.rename.isEnabled()
    heads = type_name(qtbot, dialog, "unit_price")
    assert heads == ["New node Select behind CSV file (read)", "Filter", "Derive", "Note why"]
    assert dialog.summary.text() == "4 changes in 4 nodes."
    assert "writes it as unit_price" in dialog.doubts.text()
    QTest.mouseClick(dialog.rename, LEFT)

    assert pipeline.nodes["keep"].config["where"] == "unit_price > 1 -- the dear ones"
    assert pipeline.nodes["compute"].config["columns"] == {"total": "unit_price * quantity"}
    assert pipeline.nodes["rename"].config == {"rename": {"price": "unit_price"}}
    assert pipeline.notes["why"].text == "The `unit_price` is in euros."
    assert "rename" in person.bench.canvas.pipeline_scene.nodes

    person.bench.document.undo_stack.undo()
    assert {node: spec.config for node, spec in pipeline.nodes.items()} == before
    assert pipeline.notes["why"].text == "The `price` is in euros."


def test_a_change_without_its_check_mark_is_not_made(qtbot, person, preview):
    header, x = preview("keep", "price")
    header.customContextMenuRequested.emit(QPoint(x, 8))
    choose("column", "Rename")
    dialog = open_dialog(person)
    type_name(qtbot, dialog, "cost")
    note = dialog.tree.topLevelItem(3).child(0)
    place = dialog.tree.visualItemRect(note)
    QTest.mouseClick(dialog.tree.viewport(), LEFT, pos=QPoint(place.left() + 8, place.center().y()))
    assert note.checkState(0) == Qt.CheckState.Unchecked
    assert dialog.summary.text() == "3 changes in 4 nodes, 1 left out."
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert person.bench.document.pipeline.notes["why"].text == "The `price` is in euros."
    assert person.bench.document.pipeline.nodes["keep"].config["where"].startswith("cost > 1")


def test_a_name_that_is_taken_cannot_be_given(qtbot, person, preview):
    header, x = preview("keep", "price")
    header.customContextMenuRequested.emit(QPoint(x, 8))
    choose("column", "Rename")
    dialog = open_dialog(person)
    type_name(qtbot, dialog, "quantity")
    assert 'has a column "quantity" already' in dialog.obstacles.text()
    assert not dialog.rename.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not person.bench.document.is_modified


def opacities(person):
    return {name: round(item.opacity(), 2) for name, item in person.bench.canvas.pipeline_scene.nodes.items()}


def test_the_way_of_a_column_is_lit_and_its_uses_lead_to_their_fields(qtbot, person, preview):
    header, x = preview("read", "price")
    header.customContextMenuRequested.emit(QPoint(x, 8))
    with qtbot.waitSignal(person.bench.column_work._fetcher.fetched, timeout=WAIT):
        choose("column", "Find")
    uses = person.bench.column_work.uses
    assert uses.heading.text() == "price"
    assert uses.summary.text() == "Comes from CSV file (read). 2 uses in 2 nodes."
    assert set(opacities(person).values()) == {1.0}

    keep = uses.tree.topLevelItem(0).child(0)
    QTest.mouseClick(uses.tree.viewport(), LEFT, pos=uses.tree.visualItemRect(keep).center())
    assert person.bench.inspector.selected == ("keep",)
    assert person.window.focusWidget() is person.editor("where").text


def test_what_does_not_carry_the_column_fades_until_escape(qtbot, person, preview):
    header, x = preview("compute", "total")
    header.customContextMenuRequested.emit(QPoint(x, 8))
    with qtbot.waitSignal(person.bench.column_work._fetcher.fetched, timeout=WAIT):
        choose("column", "Find")
    assert opacities(person) == {"read": FADED, "keep": FADED, "compute": 1.0, "other": FADED, "save": 1.0}
    wires = person.bench.canvas.pipeline_scene.wires
    assert {str(wire): item.opacity() for wire, item in wires.items()}["compute.out -> save.input"] == 1.0
    assert {str(wire): item.opacity() for wire, item in wires.items()}["read.out -> keep.input"] == FADED
    person.bench.canvas.setFocus()
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_Escape)
    assert set(opacities(person).values()) == {1.0}
    assert person.bench.column_work.followed is None


def test_the_column_under_the_cursor_is_followed_by_its_key_and_kept_in_step(qtbot, person):
    person.click_node("keep")
    text = person.editor("where").text
    text.setFocus()
    text.moveCursor(text.textCursor().MoveOperation.Start)
    work = person.bench.column_work
    with qtbot.waitSignal(work._fetcher.fetched, timeout=WAIT):
        QTest.keyClick(text, Qt.Key.Key_F7, ALT)
    assert (work.followed.node, work.followed.column) == ("keep", "price")
    with qtbot.waitSignal(work._fetcher.fetched, timeout=WAIT):
        person.bench.document.set_setting("other", "by", [{"column": "price"}])
    assert opacities(person)["other"] == 1.0
    assert "3 uses in 3 nodes" in person.bench.column_work.uses.summary.text()


def test_a_column_of_the_selected_node_is_chosen_by_the_keyboard(qtbot, person):
    person.click_node("compute")
    with qtbot.waitSignal(person.bench.column_work._names.fetched, timeout=WAIT):
        QTest.keyClick(person.bench.canvas, Qt.Key.Key_R, CONTROL | SHIFT)
    choose("columns", "total")
    dialog = open_dialog(person)
    assert dialog.old == "total"
    type_name(qtbot, dialog, "sum")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert person.bench.document.pipeline.nodes["compute"].config["columns"] == {"sum": "price * quantity"}


def test_a_parameter_is_renamed_wherever_it_is_used(qtbot, open_window, tmp_path):
    file = tmp_path / "p.etl.yaml"
    file.write_text(
        PIPELINE.replace("etl_studio: 1", "etl_studio: 1\nparameters: {least: {type: number, default: 1}}").replace(
            "{where: price > 1 -- the dear ones}", '{where: "price > ${least}"}'
        )
    )
    person = open_window(file)
    person.bench.inspector.show_nodes(())
    row = person.bench.inspector.pipeline_page.parameters.rows[0].content
    QTest.mouseClick(row.rename, LEFT)
    dialog = open_dialog(person)
    assert type_name(qtbot, dialog, "minimum") == ["Filter"]
    QTest.mouseClick(dialog.rename, LEFT)
    pipeline = person.bench.document.pipeline
    assert list(pipeline.parameters) == ["minimum"]
    assert pipeline.nodes["keep"].config["where"] == "price > ${minimum}"
    assert row.name.text() == "minimum"
    person.bench.document.undo_stack.undo()
    assert list(pipeline.parameters) == ["least"]


def test_f2_renames_the_column_of_the_cell_in_the_preview(person, preview):
    preview("keep", "price")
    table = person.bench.preview.table
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, 1))
    QTest.keyClick(table, Qt.Key.Key_F2)
    dialog = open_dialog(person)
    assert dialog.old == "price"
    dialog.reject()
