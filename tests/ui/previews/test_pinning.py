"""Rows are pinned by a button, edited in their table, and follow their node."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def saved(orders, tmp_path):
    orders.save(tmp_path / "shop.etl.yaml")
    return tmp_path / "shop.pins"


@pytest.fixture
def pinned(qtbot, panel, saved):
    """The rows of the filter are pinned."""
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    QTest.mouseClick(panel.bar.pin, LEFT)
    qtbot.waitUntil(lambda: "pinned" in panel.bar.state.text())
    return panel


def cells(panel, column=1):
    return [panel.model.index(row, column).data() for row in range(panel.model.rowCount())]


def type_into_cell(panel, row, column, text):
    index = panel.model.index(row, column)
    at = panel.table.visualRect(index).center()
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=at)
    QTest.mouseDClick(panel.table.viewport(), LEFT, pos=at)
    editor = panel.table.viewport().findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_pinned_rows_are_kept_beside_the_pipeline_and_the_panel_says_what_they_are_for(pinned, saved):
    kept = json.loads((saved / "filter.json").read_text())
    assert kept["rows"] == [{"id": 2, "qty": 7}, {"id": 3, "qty": 9}]
    assert pinned.bar.state.text() == "2 rows, 2 columns, pinned: previews use them, runs do not"
    assert pinned.bar.pin.isChecked()
    assert "Unpin" in pinned.bar.pin.toolTip()


def test_other_settings_of_a_pinned_node_change_nothing_until_it_is_unpinned(qtbot, pinned, orders):
    orders.set_setting("filter", "where", "qty > 7")
    qtbot.waitUntil(lambda: not pinned.model.pale)
    assert cells(pinned) == ["7", "9"]
    QTest.mouseClick(pinned.bar.pin, LEFT)
    qtbot.waitUntil(lambda: cells(pinned) == ["9"])
    assert not pinned.bar.pin.isChecked()


def test_a_node_behind_says_that_its_rows_come_from_pinned_ones(qtbot, pinned, orders):
    from etl_studio.pipeline.model import Wire

    last = orders.add_node("sort", 600, 0, {"by": [{"column": "qty"}]})
    orders.connect_ports(Wire("filter", "out", last, "input"))
    pinned.show_node(last)
    qtbot.waitUntil(lambda: pinned.bar.state.text() == '2 rows, 2 columns, from pinned rows of "Filter"')


def test_a_double_click_edits_a_pinned_value(qtbot, pinned, saved):
    type_into_cell(pinned, 0, 1, "70")
    qtbot.waitUntil(lambda: cells(pinned) == ["70", "9"])
    assert json.loads((saved / "filter.json").read_text())["rows"][0] == {"id": 2, "qty": 70}


def test_a_value_of_another_type_is_refused_with_a_reason(qtbot, pinned, saved):
    type_into_cell(pinned, 0, 1, "many")
    qtbot.waitUntil(lambda: pinned.bar.state.property("role") == "danger")
    assert "integer" in pinned.bar.state.text()
    assert cells(pinned) == ["7", "9"]


def test_rows_that_are_not_pinned_cannot_be_edited(qtbot, panel, saved):
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    QTest.mouseDClick(panel.table.viewport(), LEFT, pos=panel.table.visualRect(panel.model.index(0, 1)).center())
    assert panel.table.viewport().findChild(QLineEdit) is None


def test_pins_follow_a_rename_and_its_undo(qtbot, pinned, orders, saved):
    orders.rename_node("filter", "keep")
    qtbot.waitUntil(lambda: (saved / "keep.json").is_file() and not pinned.pinning.is_busy)
    assert pinned.pinning.nodes == {"keep"}
    orders.undo_stack.undo()
    qtbot.waitUntil(lambda: (saved / "filter.json").is_file() and not pinned.pinning.is_busy)
    assert pinned.pinning.nodes == {"filter"}


def test_a_deleted_node_has_its_pins_again_after_undo_and_a_new_one_of_its_name_has_not(qtbot, pinned, orders, saved):
    orders.remove(["filter"])
    orders.undo_stack.undo()
    qtbot.waitUntil(lambda: not pinned.pinning.is_busy)
    assert (saved / "filter.json").is_file()

    orders.remove(["filter"])
    assert orders.add_node("filter", 0, 0) == "filter"
    qtbot.waitUntil(lambda: not saved.exists())


def test_pins_are_known_when_a_pipeline_is_opened(qtbot, pinned, orders, make_panel, studio):
    from etl_studio.app.previews import Previews
    from etl_studio.ui.document import PipelineDocument

    other = PipelineDocument(studio.registry)
    panel = make_panel(other, Previews(studio))
    other.load(orders.path)
    qtbot.waitUntil(lambda: panel.pinning.nodes == {"filter"})


def test_a_pipeline_without_a_file_is_saved_first(qtbot, panel, orders, tmp_path):
    asked = []
    panel.save_wanted.connect(lambda: orders.save(tmp_path / "new.etl.yaml"))
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)

    def answer(button):
        box = QApplication.activeModalWidget()
        asked.append(box.informativeText())
        QTest.mouseClick(box.button(button), LEFT)

    QTimer.singleShot(0, lambda: answer(QMessageBox.StandardButton.Cancel))
    QTest.mouseClick(panel.bar.pin, LEFT)
    assert asked == ["Pinned rows are kept in a file beside it."]
    assert not panel.bar.pin.isChecked()
    assert orders.path is None

    QTimer.singleShot(0, lambda: answer(QMessageBox.StandardButton.Save))
    QTest.mouseClick(panel.bar.pin, LEFT)
    qtbot.waitUntil((tmp_path / "new.pins" / "filter.json").is_file)
    qtbot.waitUntil(lambda: "pinned" in panel.bar.state.text())


def test_what_arrives_at_a_sink_cannot_be_pinned(qtbot, panel, orders, saved):
    from etl_studio.pipeline.model import Wire

    save = orders.add_node("csv_sink", 600, 0, {"path": "out.csv"})
    orders.connect_ports(Wire("filter", "out", save, "input"))
    panel.show_node(save)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    assert not panel.bar.pin.isVisible()
