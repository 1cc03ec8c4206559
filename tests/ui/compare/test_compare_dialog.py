"""Two versions on one canvas: what differs is marked, listed, and gone through by keys and clicks."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.pipeline.diff_union import SIGNS, union
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.model import Wire
from etl_studio.ui.compare.dialog import CompareDialog

pytestmark = pytest.mark.window

MINUS = SIGNS["removed"]
LEFT = Qt.MouseButton.LeftButton
BEFORE = """\
etl_studio: 1
name: shop
nodes:
  read: {type: csv_source, config: {path: a.csv}}
  keep: {type: filter, config: {where: a > 1}}
  drop: {type: filter, config: {where: b > 1}}
  save: {type: sqlite_sink, config: {table: t}}
wires: [read -> keep, keep -> drop, drop -> save]
layout: {read: [0, 0], keep: [300, 0], drop: [600, 0], save: [900, 0]}
"""
AFTER = """\
etl_studio: 1
name: shop
nodes:
  read: {type: csv_source, config: {path: a.csv}}
  keep: {type: filter, config: {where: a > 2, note: "one\\ntwo"}}
  save: {type: sqlite_sink, config: {table: t}}
  copy: {type: sqlite_sink, config: {table: u}}
wires: [read -> keep, keep -> save, keep -> copy]
layout: {read: [0, 0], keep: [300, 0], save: [900, 100], copy: [600, 200]}
"""
REMOVED = Wire("keep", "out", "drop", "input")


@pytest.fixture
def show(qtbot, registry, theme):
    """``show(before, after)``: the dialog, seen."""

    def make(before=BEFORE, after=AFTER, **options):
        both = union(loads(before, registry=registry), loads(after, registry=registry))
        dialog = CompareDialog(both, ("saved", "now"), registry, theme, **options)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        with qtbot.waitExposed(dialog):
            dialog.show()
        return dialog

    return make


@pytest.fixture
def dialog(show):
    return show()


def click(dialog, node):
    canvas = dialog.canvas
    item = canvas.pipeline_scene.nodes[node]
    QTest.mouseClick(canvas.viewport(), LEFT, pos=canvas.mapFromScene(item.pos() + item.card().center()))


def test_what_was_removed_is_still_seen_and_each_difference_has_its_mark(dialog):
    scene, marks = dialog.canvas.pipeline_scene, dialog.canvas.marks
    assert set(scene.nodes) == {"read", "keep", "drop", "save", "copy"}
    assert {name: mark.kind for name, mark in marks.items()} == {
        "keep": "changed",
        "drop": "removed",
        "copy": "added",
        "save": "moved",
        Wire("keep", "out", "save", "input"): "added",
        Wire("keep", "out", "copy", "input"): "added",
        REMOVED: "removed",
        Wire("drop", "out", "save", "input"): "removed",
    }
    assert scene.nodes["drop"].opacity() < 1 == scene.nodes["copy"].opacity()
    assert scene.nodes["read"].opacity() < 1


def test_each_mark_is_told_by_a_sign_and_not_by_its_colour_alone(dialog):
    lines = [dialog.list.item(row).text().split() for row in range(dialog.list.count())]
    assert [line[0] for line in lines] == [
        "~", "+", MINUS, "+", "+", MINUS, MINUS, "↔",
    ]  # fmt: skip


def test_the_sign_is_drawn_beside_the_card(dialog):
    canvas, mark = dialog.canvas, dialog.canvas.marks["copy"]
    box = canvas.mapFromScene(mark.boundingRect()).boundingRect()
    with_plus = canvas.grab(box).toImage()
    mark.setVisible(False)
    assert canvas.grab(box).toImage() != with_plus


def test_f8_goes_on_and_shift_f8_goes_back_and_round(dialog):
    assert dialog.current.title == "keep"
    QTest.keyClick(dialog, Qt.Key.Key_F8)
    assert dialog.current.title == "copy"
    assert dialog.canvas.pipeline_scene.chosen_nodes() == ["copy"]
    assert dialog.position.text() == "2 of 8"
    QTest.keyClick(dialog, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(dialog, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.position.text() == "8 of 8"
    QTest.keyClick(dialog, Qt.Key.Key_F8)
    assert dialog.position.text() == "1 of 8"


def test_settings_are_shown_before_and_after_line_by_line_where_they_have_lines(dialog):
    text = dialog.details.toPlainText()
    assert "config.where: a > 1 -> a > 2" in text
    assert "  + one\n" in text
    assert "  + two" in text


def test_a_click_on_a_node_shows_what_differs_in_it_and_one_on_another_that_nothing_does(dialog):
    click(dialog, "drop")
    assert (dialog.current.title, dialog.current.kind) == ("drop", "removed")
    assert "- config.where: b > 1" in dialog.details.toPlainText()
    click(dialog, "read")
    assert dialog.current is None
    assert dialog.details.toPlainText().strip() == "As it was."


def test_a_wire_that_is_chosen_in_the_list_is_chosen_on_the_canvas(dialog):
    row = next(at for at, one in enumerate(dialog.union.differences) if one.wire == REMOVED)
    QTest.mouseClick(dialog.list.viewport(), LEFT, pos=dialog.list.visualItemRect(dialog.list.item(row)).center())
    assert dialog.canvas.pipeline_scene.chosen_wires() == [REMOVED]


def test_nothing_on_the_canvas_can_be_moved_or_removed(dialog):
    canvas = dialog.canvas
    before = {name: item.pos() for name, item in canvas.pipeline_scene.nodes.items()}
    click(dialog, "keep")
    start = canvas.mapFromScene(before["keep"] + canvas.pipeline_scene.nodes["keep"].card().center())
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + dialog.rect().center() / 8)
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start)
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert {name: item.pos() for name, item in canvas.pipeline_scene.nodes.items()} == before


def test_the_button_agrees_and_closes(dialog, show, qtbot):
    assert not dialog.accept_button.isVisible()
    other = show(accept="Restore")
    with qtbot.waitSignal(other.agreed):
        QTest.mouseClick(other.accept_button, LEFT)
    assert not other.isVisible()


def test_two_equal_versions_are_told_so(show):
    dialog = show(after=BEFORE + "# a comment\n")
    assert dialog.list.count() == 0
    assert "Both are the same" in [label.text() for label in dialog.findChildren(type(dialog.position))]
    QTest.keyClick(dialog, Qt.Key.Key_F8)
    assert not dialog.next_button.isEnabled()


def test_it_follows_the_theme(dialog, theme):
    before = dialog.list.item(0).foreground().color().name()
    theme.set_mode("dark")
    assert dialog.list.item(0).foreground().color().name() == theme.tokens.warning != before
    assert dialog.current.title == "keep"
    theme.set_mode("light")
