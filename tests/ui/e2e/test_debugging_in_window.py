"""A person debugs a pipeline in the real window, by keys and mouse."""

from __future__ import annotations

import sqlite3

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.engine.events import RunStatus
from etl_studio.ui.canvas.scene import Hit
from etl_studio.ui.debug.condition import ConditionDialog

PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 20, columns: {n: i, name: "'row ' || i"}}}
  small: {type: filter, config: {where: n < 10}}
  save: {type: sqlite_sink, config: {table: small}}
wires: [make -> small, small -> save]
layout: {make: [0, 0], small: [300, 0], save: [600, 0]}
"""
WIRE = "make.out -> small.input"
WAIT = 20_000
LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Debugger:
    """A person with a pipeline to debug."""

    def __init__(self, qtbot, person):
        self.qtbot, self.person, self.bench = qtbot, person, person.bench
        self.debugging, self.panel = person.bench.debugging, person.bench.debugging.panel
        self.bench.canvas.navigation.fit()

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.bench.canvas, key, modifiers)

    def halted(self, place, row, batch=1):
        def here():
            halt = self.debugging.halt
            return halt is not None and (halt.place, halt.batch, halt.row) == (place, batch, row)

        self.qtbot.waitUntil(here, timeout=WAIT)

    def ended(self, act):
        with self.qtbot.waitSignal(self.bench.controller.running_changed, timeout=WAIT):
            act()

    def rows(self):
        model = self.panel.model
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    def cell(self, row, column):
        table = self.panel.table
        return table.visualRect(self.panel.model.index(row, column)).center()

    def type_into(self, row, column, text):
        """Click a cell, press Return, type and press Return."""
        table = self.panel.table
        table.scrollTo(self.panel.model.index(row, column))
        QTest.mouseClick(table.viewport(), LEFT, pos=self.cell(row, column))
        QTest.keyClick(table, Qt.Key.Key_Return)
        line = table.findChild(QLineEdit)
        line.selectAll()
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Return)


@pytest.fixture
def debugger(qtbot, open_window, tmp_path):
    file = tmp_path / "small.etl.yaml"
    file.write_text(PIPELINE)
    return Debugger(qtbot, open_window(file))


def loaded(tmp_path):
    path = tmp_path / ".etl_studio" / "data.db"
    if not path.exists():
        return None
    with sqlite3.connect(path) as data:
        if not data.execute("SELECT count(*) FROM sqlite_master WHERE name = 'small'").fetchone()[0]:
            return None
        return data.execute("SELECT n, name FROM small ORDER BY rowid").fetchall()


def test_f9_sets_a_breakpoint_a_debug_run_halts_steps_and_writes_nothing(debugger, tmp_path):
    person = debugger.person
    person.click_node("small")
    debugger.key(Qt.Key.Key_F9)
    assert debugger.debugging.breakpoints.all() == (Breakpoint(node="small"),)

    debugger.key(Qt.Key.Key_F9, CONTROL | SHIFT)
    debugger.halted(WIRE, 0)

    assert debugger.bench.status.text.startswith("Halted: waiting for you")
    assert debugger.debugging.strip.isVisible()
    assert debugger.debugging.strip.words.text() == "Halted before Filter"
    assert debugger.bench.tabs.currentWidget() is debugger.panel
    assert debugger.rows()[:3] == ["0", "1", "2"]
    assert person.card("small").endswith("halted at row 1, batch 1")
    debugger.key(Qt.Key.Key_F10)
    debugger.halted(WIRE, 1)
    QTest.mouseClick(debugger.debugging.strip.buttons["debug_step_row"], LEFT)
    debugger.halted(WIRE, 2)
    debugger.ended(lambda: debugger.key(Qt.Key.Key_F8))
    assert not debugger.debugging.strip.isVisible()
    assert person.card("small") == "20 → 10"
    assert loaded(tmp_path) is None


def test_a_row_is_edited_dropped_and_made_null_and_that_is_what_is_loaded(debugger, tmp_path):
    debugger.debugging.breakpoints.put(Breakpoint(wire=WIRE, condition="n = 3"))
    debugger.person.click_menu("Debug", "Debug and load")
    debugger.halted(WIRE, 3)

    debugger.type_into(3, 1, "mended")
    debugger.qtbot.waitUntil(lambda: debugger.panel.model.index(3, 1).data() == "mended", timeout=WAIT)
    QTest.mouseClick(debugger.panel.table.viewport(), LEFT, pos=debugger.cell(4, 1))
    QTest.keyClick(debugger.panel.table, Qt.Key.Key_Delete)
    debugger.qtbot.waitUntil(lambda: debugger.panel.model.index(4, 1).data() == "null", timeout=WAIT)
    QTest.mouseClick(debugger.panel.table.viewport(), LEFT, pos=debugger.cell(5, 1))
    QTest.keyClick(debugger.panel.table, Qt.Key.Key_Delete, CONTROL)
    debugger.qtbot.waitUntil(lambda: debugger.panel.model.rowCount() == 19, timeout=WAIT)
    with debugger.qtbot.waitSignal(debugger.bench.controller.ended, timeout=WAIT) as ended:
        QTest.mouseClick(debugger.debugging.strip.buttons["debug_continue"], LEFT)

    report = ended.args[0]
    assert report.status is RunStatus.DONE, report.error
    assert (report.nodes["small"].edited, report.nodes["small"].dropped) == (2, 1)
    rows = dict(loaded(tmp_path))
    assert (rows[3], rows[4], 5 in rows, len(rows)) == ("mended", None, False, 9)


def test_a_value_that_does_not_fit_is_refused_in_words(debugger):
    debugger.debugging.breakpoints.put(Breakpoint(node="small"))
    debugger.key(Qt.Key.Key_F9, CONTROL | SHIFT)
    debugger.halted(WIRE, 0)

    debugger.type_into(1, 0, "many")

    said = '"many" does not fit the column "n", which is integer.'
    debugger.qtbot.waitUntil(lambda: debugger.panel.message.text().startswith(said), timeout=WAIT)
    assert debugger.rows()[1] == "1"


def test_rows_that_have_passed_cannot_be_edited(debugger):
    debugger.debugging.breakpoints.put(Breakpoint(wire=WIRE, condition="n = 3"))
    debugger.key(Qt.Key.Key_F9, CONTROL | SHIFT)
    debugger.halted(WIRE, 3)
    model = debugger.panel.model

    editable = [bool(model.flags(model.index(row, 0)) & Qt.ItemFlag.ItemIsEditable) for row in range(5)]

    assert editable == [False, False, False, True, True]


def test_the_rows_that_the_node_gave_out_last_are_shown_beside_those_that_arrive(debugger):
    debugger.debugging.breakpoints.put(Breakpoint(wire=WIRE, condition="n = 3"))
    debugger.key(Qt.Key.Key_F9, CONTROL | SHIFT)
    debugger.halted(WIRE, 3)
    debugger.key(Qt.Key.Key_F10)
    debugger.halted(WIRE, 4)

    tabs = debugger.panel.sides
    debugger.qtbot.waitUntil(lambda: "small" in debugger.bench.controller.debugger._given, timeout=WAIT)
    QTest.mouseClick(tabs, LEFT, pos=tabs.tabRect(1).center())

    assert debugger.rows()[-1] in ("2", "3")  # the batch of row 3 alone, once it has been worked on
    assert not debugger.panel.drop_button.isEnabled()


def test_without_breakpoints_a_debug_run_halts_before_its_first_batch_and_stop_ends_it(debugger):
    debugger.person.click_menu("Debug", "Debug")
    debugger.halted("make", 0)
    assert debugger.debugging.strip.words.text() == "Halted behind Generate rows"

    debugger.ended(debugger.person.click_run)

    assert debugger.debugging.halt is None


def test_the_context_menu_sets_a_breakpoint_on_a_wire(debugger):
    wire = next(wire for wire in debugger.bench.canvas.pipeline_scene.wires if str(wire) == WIRE)
    menu = debugger.bench.canvas.menu_for(Hit(wire=wire), QPointF())

    next(action for action in menu.actions() if action.text().startswith("Breakpoint\t")).trigger()

    assert debugger.debugging.breakpoints.all() == (Breakpoint(wire=WIRE),)


def test_a_condition_is_checked_before_it_is_set(debugger):
    from PySide6.QtCore import QTimer

    debugger.person.click_node("small")
    told = []

    def answer():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, ConditionDialog):
            QTimer.singleShot(10, answer)
            return
        QTest.keyClicks(dialog.line, "n >")
        QTest.keyClick(dialog.line, Qt.Key.Key_Return)
        debugger.qtbot.waitUntil(lambda: dialog.set_button.isEnabled() and "SQL" in dialog.message.text(), timeout=WAIT)
        told.append(dialog.message.text())
        QTest.keyClicks(dialog.line, " 4")
        QTest.keyClick(dialog.line, Qt.Key.Key_Return)

    QTimer.singleShot(0, answer)
    debugger.key(Qt.Key.Key_F9, SHIFT)

    assert told == ["The SQL is not complete."]
    assert debugger.debugging.breakpoints.all() == (Breakpoint(node="small", condition="n > 4"),)


def test_breakpoints_are_switched_off_and_removed_in_the_panel(debugger):
    breakpoints, panel = debugger.debugging.breakpoints, debugger.panel
    breakpoints.toggle("small")
    debugger.bench.tabs.show_panel(panel)
    box = panel.list.visualItemRect(panel.list.item(0)).topLeft()

    panel.list.setCurrentRow(0)
    QTest.keyClick(panel.list, Qt.Key.Key_Space)
    assert breakpoints.all() == (Breakpoint(node="small", enabled=False),)
    assert box is not None
    panel.list.setCurrentRow(0)
    QTest.mouseClick(panel.remove_button, LEFT)
    assert breakpoints.all() == ()


def test_columns_and_functions_are_offered_while_a_condition_is_typed(debugger):
    from PySide6.QtCore import QTimer

    debugger.person.click_node("small")
    debugger.bench.preview_selection()
    debugger.qtbot.waitUntil(lambda: "name" in debugger.bench.columns.arriving("small"), timeout=WAIT)
    offered = []

    def answer():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, ConditionDialog):
            QTimer.singleShot(10, answer)
            return
        completion = dialog.completion
        debugger.qtbot.waitUntil(lambda: bool(completion.functions), timeout=WAIT)
        QTest.keyClicks(dialog.line, "starts_w")
        model = completion.completion.list.model()
        offered.append(model.index(0, 0).data())
        QTest.keyClick(completion.completion.list, Qt.Key.Key_Return)
        QTest.keyClicks(dialog.line, "na")
        offered.append(model.index(0, 0).data())
        QTest.keyClick(completion.completion.list, Qt.Key.Key_Tab)
        QTest.keyClicks(dialog.line, ", 'na")
        offered.append(completion.completion.is_open)
        QTest.keyClicks(dialog.line, "')")
        dialog.line.setText("starts_with(name, 'row 1')")
        QTest.keyClick(dialog.line, Qt.Key.Key_Return)

    QTimer.singleShot(0, answer)
    debugger.key(Qt.Key.Key_F9, SHIFT)

    assert offered == ["starts_with", "name", False]
    assert debugger.debugging.breakpoints.all() == (Breakpoint(node="small", condition="starts_with(name, 'row 1')"),)
