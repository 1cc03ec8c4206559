"""Keys that a person has changed work on the canvas and are shown wherever keys are, and the old ones do nothing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from etl_studio.ui.actions import ACTIONS
from etl_studio.ui.canvas.scene import Hit
from etl_studio.ui.shortcuts_dialog import ShortcutsDialog
from tests.ui.e2e.person import LEFT

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 20, columns: {n: i}}}
  small: {type: filter, config: {where: n < 10}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [make -> small, small -> save]
layout: {make: [0, 0], small: [300, 0], save: [600, 0]}
"""


@pytest.fixture
def person(open_window, tmp_path):
    file = tmp_path / "small.etl.yaml"
    file.write_text(PIPELINE)
    person = open_window(file)
    person.window.activateWindow()
    person.bench.canvas.navigation.fit()
    return person


def menu_keys(menu):
    """The keys in a menu and in those that open from it, by the texts of their entries."""
    found = {}
    for action in menu.actions():
        text, _, key = action.text().partition("\t")
        found[text] = key
        if action.menu():
            found |= menu_keys(action.menu())
    return found


def change(person, action, keys):
    """Choose an action in the list of all keys, press others and click Set."""
    person.click_menu("Help", "Keyboard shortcuts")
    dialog = person.window.findChild(ShortcutsDialog)
    dialog.list.setCurrentItem(dialog._items[action])
    QTest.keySequence(dialog.editor, QKeySequence(keys))
    QTest.mouseClick(dialog.replace, LEFT)
    dialog.close()
    person.window.activateWindow()


def test_another_key_disables_a_node_and_the_old_one_does_not(person):
    change(person, "disable", "Ctrl+Alt+X")
    person.click_node("small")
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_D)
    assert not person.bench.document.pipeline.nodes["small"].disabled

    QTest.keyClick(person.bench.canvas, Qt.Key.Key_X, CONTROL | Qt.KeyboardModifier.AltModifier)
    assert person.bench.document.pipeline.nodes["small"].disabled


@pytest.mark.parametrize(("action", "key", "old"), [
    ("delete", "Ctrl+Alt+X", Qt.Key.Key_Delete),
    ("delete", "Ctrl+Alt+X", Qt.Key.Key_Backspace),
    ("add_note", "Ctrl+Alt+X", Qt.Key.Key_N),
    ("next_wire", "Ctrl+Alt+X", Qt.Key.Key_W),
])  # fmt: skip
def test_the_key_that_came_with_the_program_does_nothing_after_it_was_changed(person, action, key, old):
    change(person, action, key)
    person.click_node("small")
    QTest.keyClick(person.bench.canvas, old)
    assert person.bench.document.undo_stack.count() == 0
    assert person.bench.canvas.pipeline_scene.chosen_nodes() == ["small"]


def test_menus_of_nodes_wires_and_the_empty_canvas_name_the_keys_in_force(person):
    scene, canvas = person.bench.canvas.pipeline_scene, person.bench.canvas
    for action, keys in {
        "breakpoint": "Ctrl+Alt+B", "delete": "Ctrl+Alt+X", "paste": "Ctrl+Alt+V", "align_left": "Ctrl+Alt+L",
        "replace_node": "Ctrl+Alt+R",
    }.items():  # fmt: skip
        change(person, action, keys)
    scene.choose(["make", "small"])
    node = menu_keys(canvas.menu_for(Hit("small"), QPointF()))
    assert (node["Breakpoint"], node["Delete"], node["Replace by…"]) == ("Ctrl+Alt+B", "Ctrl+Alt+X", "Ctrl+Alt+R")
    assert (node["Align left"], node["Align right"]) == ("Ctrl+Alt+L", "Ctrl+Right")
    assert (node["Run from here…"], node["Run to here"]) == ("Shift+F6", "Ctrl+F6")
    wire = menu_keys(canvas.menu_for(Hit(wire=person.bench.document.pipeline.wires[0]), QPointF()))
    assert (wire["Breakpoint"], wire["Delete"]) == ("Ctrl+Alt+B", "Ctrl+Alt+X")
    nothing = menu_keys(canvas.menu_for(Hit(), QPointF()))
    assert (nothing["Paste"], nothing["Select all"]) == ("Ctrl+Alt+V", "Ctrl+A")


def test_every_key_in_a_menu_of_the_canvas_is_that_of_an_action_or_always_the_same(person):
    canvas = person.bench.canvas
    canvas.pipeline_scene.choose(["make", "small", "save"])
    hits = [Hit("small"), Hit(wire=person.bench.document.pipeline.wires[0]), Hit()]
    shown = {key for hit in hits for key in menu_keys(canvas.menu_for(hit, QPointF())).values() if key}
    known = {key.toString() for spec in ACTIONS for key in person.window.shortcuts.keys(spec.id)} | {"Tab", "Return"}
    assert shown <= known
    person.window.shortcuts.set_keys("select_all", [])
    assert menu_keys(canvas.menu_for(Hit(), QPointF()))["Select all"] == ""


def test_the_buttons_of_a_halt_name_the_keys_in_force_at_once(person):
    strip = person.bench.debugging.strip
    assert strip.buttons["debug_continue"].toolTip() == "Go on to the next breakpoint (F8)"
    change(person, "debug_continue", "Ctrl+Alt+G")
    assert strip.buttons["debug_continue"].toolTip() == "Go on to the next breakpoint (Ctrl+Alt+G)"


def test_w_and_c_are_actions_that_the_menus_have(person):
    person.click_node("small")
    person.click_menu("View", "Next wire of the node")
    assert [str(wire) for wire in person.bench.canvas.pipeline_scene.chosen_wires()] == ["make.out -> small.input"]
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_W)
    assert [str(wire) for wire in person.bench.canvas.pipeline_scene.chosen_wires()] == ["small.out -> save.input"]
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_W, SHIFT)
    assert [str(wire) for wire in person.bench.canvas.pipeline_scene.chosen_wires()] == ["make.out -> small.input"]
