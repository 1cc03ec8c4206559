"""A person tries a pipeline on some rows: from a node on, or the whole of it."""

from __future__ import annotations

import json
import sqlite3
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.engine.events import RunStatus
from etl_studio.ui.action_search import ActionSearch
from etl_studio.ui.canvas.scene import Hit
from etl_studio.ui.run.trial_dialog import TrialDialog, TrialWish
from tests.ui.conftest import card_pixel
from tests.ui.e2e.person import LEFT, TICK

WAIT = 30_000
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
PIPELINE = """\
etl_studio: 1
name: goods
nodes:
  read: {type: csv_source, title: Goods, config: {path: goods.csv}}
  sums: {type: derive, title: Sums, config: {columns: {total: price * 2}}}
  keep: {type: filter, title: Dear ones, config: {where: price > 10}}
  save: {type: sqlite_sink, title: Table, config: {table: goods}}
wires: [read -> sums, sums -> keep, keep -> save]
layout: {read: [0, 0], sums: [280, 0], keep: [560, 0], save: [840, 0]}
"""
PINNED = {"columns": {"id": "integer", "price": "integer", "total": "integer"}, "rows": []}


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "goods.etl.yaml"
    file.write_text(PIPELINE)
    (tmp_path / "goods.csv").write_text("id,price\n" + "".join(f"{number},{number}\n" for number in range(1, 101)))
    return file


@pytest.fixture
def person(open_window, file):
    person = open_window(file)
    person.bench.canvas.navigation.fit()
    return person


def pin(file, node, rows):
    folder = file.parent / "goods.pins"
    folder.mkdir()
    (folder / f"{node}.json").write_text(json.dumps({"rows": rows}))


def answer(act) -> list[SimpleNamespace]:
    """Answer the question of the next trial as soon as it is there; gives what it said and asked."""
    seen: list[SimpleNamespace] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, TrialDialog):
            QTimer.singleShot(TICK, look)
            return
        seen.append(SimpleNamespace(words=dialog.words.text().splitlines(), wish=dialog.wish))
        act(dialog)
        seen[0].warning = dialog.warning.text()

    QTimer.singleShot(0, look)
    return seen


def load_rows(rows):
    """Type a number of rows, choose to load them, and press Return."""

    def act(dialog):
        dialog.rows.setFocus()
        dialog.rows.selectAll()
        QTest.keyClicks(dialog.rows, str(rows))
        QTest.keyClick(dialog.load, Qt.Key.Key_Space)
        QTest.mouseClick(dialog.run_button, LEFT)

    return act


def click_run(dialog):
    QTest.mouseClick(dialog.run_button, LEFT)


def loaded(file):
    path = file.parent / ".etl_studio" / "data.db"
    if not path.exists():
        return None
    with sqlite3.connect(path) as data:
        return [row[0] for row in data.execute("SELECT id FROM goods ORDER BY id")]


def click_in_menu_of(person, node, text):
    """Open the context menu of a node by the right button, and click an entry."""
    canvas = person.bench.canvas
    at = card_pixel(canvas, node)
    menu = canvas.menu_for(Hit(node), canvas.mapToScene(at))
    menu.popup(canvas.viewport().mapToGlobal(at))
    entry = next(action for action in menu.actions() if action.text().split("\t")[0] == text)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())


def test_a_run_from_a_node_takes_a_sample_of_what_arrives_and_says_what_it_was_tried_on(qtbot, person, file):
    dialogs = answer(load_rows(20))
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        click_in_menu_of(person, "keep", "Run from here…")

    assert ended.args[0].status is RunStatus.DONE
    assert loaded(file) == list(range(11, 21))
    assert dialogs[0].words == ["Runs this node and what follows it.", "A sample stands in the place of: Sums."]
    assert dialogs[0].warning.startswith("These rows go to Table.")
    assert person.bench.status.text.startswith("Done · 20 rows read  ·  10 loaded  ·  trial from Dear ones: at most 20")
    assert "20 sample rows of Sums" in person.bench.status.text
    assert person.card("read") == ""  # it has not run
    runs = person.bench.runs
    person.bench.tabs.show_panel(runs)
    qtbot.waitUntil(lambda: runs.model.rowCount() == 1, timeout=WAIT)
    assert runs.model.index(0, 2).data() == "goods (trial)"
    runs.table.selectRow(0)
    qtbot.waitUntil(lambda: "a trial from keep: at most 20 rows" in runs.details.toPlainText(), timeout=WAIT)


def test_pinned_rows_before_the_node_are_what_it_runs_on_and_what_is_before_them_is_not_read(
    qtbot, open_window, file, tmp_path
):
    pin(file, "sums", [{"id": 7, "price": 70, "total": 140}, {"id": 8, "price": 8, "total": 16}])
    (tmp_path / "goods.csv").unlink()
    person = open_window(file)
    qtbot.waitUntil(lambda: person.bench.preview.pinning.nodes == {"sums"}, timeout=WAIT)
    person.click_node("keep")
    dialogs = answer(load_rows(5))
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)

    assert ended.args[0].status is RunStatus.DONE
    assert loaded(file) == [7]
    assert dialogs[0].words[1] == "Pinned rows stand in the place of: Sums."
    assert "2 pinned rows for Sums" in person.bench.status.text


def test_a_trial_of_everything_begins_as_a_dry_run_and_remembers_what_was_chosen(qtbot, person, file):
    first = answer(click_run)
    with qtbot.waitSignal(person.bench.controller.rehearsed, timeout=WAIT) as rehearsed:
        QTest.keyClick(person.window, Qt.Key.Key_F5, ALT)

    assert first[0].wish == TrialWish(200, load=False, halts=False)
    assert rehearsed.args[0].ended.rows_out == 90
    assert loaded(file) is None
    assert "nothing was written  ·  trial: at most 200 rows of each source" in person.bench.status.text
    assert "trial: at most 200 rows of each source" in person.bench.rehearsal.facts.text()

    answer(load_rows(15))
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT):
        person.click_menu("Run", "Trial run")
    assert loaded(file) == [11, 12, 13, 14, 15]
    last = answer(lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    person.click_menu("Run", "Trial run")
    assert last[0].wish == TrialWish(15, load=True, halts=False)
    assert not person.bench.controller.is_running


def test_the_search_of_actions_finds_it(qtbot, person):
    person.click_menu("Help", "Find an action")
    search = person.window.findChild(ActionSearch)
    QTest.keyClicks(search.field, "trial")
    dialogs = answer(lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(dialogs) == 1, timeout=WAIT)


def test_a_trial_that_halts_steps_through_the_pinned_rows(qtbot, open_window, file):
    pin(file, "sums", [{"id": 7, "price": 70, "total": 140}, {"id": 8, "price": 8, "total": 16}])
    person = open_window(file)
    qtbot.waitUntil(lambda: person.bench.preview.pinning.nodes == {"sums"}, timeout=WAIT)
    debugging = person.bench.debugging
    debugging.breakpoints.put(Breakpoint(node="keep"))
    debugging.breakpoints.put(Breakpoint(node="read"))  # the trial does not come there
    person.click_node("keep")

    def halt(dialog):
        QTest.mouseClick(dialog.halts, LEFT, pos=dialog.halts.rect().adjusted(8, 0, 0, 0).bottomLeft() / 2)
        QTest.mouseClick(dialog.run_button, LEFT)

    answer(halt)
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)
    qtbot.waitUntil(lambda: debugging.halt is not None, timeout=WAIT)
    assert debugging.halt.place == "sums.out -> keep.input"
    model = debugging.panel.model
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["7", "8"]
    with qtbot.waitSignal(person.bench.controller.rehearsed, timeout=WAIT) as rehearsed:
        QTest.mouseClick(debugging.strip.buttons["debug_continue"], LEFT)
    assert rehearsed.args[0].ended.rows_out == 1


def test_without_a_breakpoint_on_its_way_a_trial_that_halts_does_so_at_its_first_batch(qtbot, person):
    debugging = person.bench.debugging
    debugging.breakpoints.put(Breakpoint(node="read"))
    person.click_node("keep")
    dialogs = answer(lambda dialog: (dialog.halts.setChecked(True), click_run(dialog)))
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)
    qtbot.waitUntil(lambda: debugging.halt is not None, timeout=WAIT)
    assert dialogs
    with qtbot.waitSignal(person.bench.controller.rehearsed, timeout=WAIT):
        person.click_menu("Debug", "Run to the end")


def test_no_sample_and_no_pin_is_told_in_the_banner_with_the_node(qtbot, person, tmp_path):
    (tmp_path / "goods.csv").unlink()
    person.click_node("keep")
    answer(click_run)
    with qtbot.waitSignal(person.bench.controller.refused, timeout=WAIT):
        QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)
    assert "goods.csv" in person.bench.banner.text
    assert person.bench.status.text == "Not started"


def test_what_is_wrong_before_a_pinned_node_keeps_no_trial_from_running(qtbot, open_window, file):
    pin(file, "sums", [{"id": 7, "price": 70, "total": 140}])
    person = open_window(file)
    qtbot.waitUntil(lambda: person.bench.preview.pinning.nodes == {"sums"}, timeout=WAIT)
    person.bench.document.set_setting("read", "path", "")
    person.click_node("keep")
    answer(load_rows(5))
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as ended:
        QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)
    assert ended.args[0].status is RunStatus.DONE
    assert loaded(file) == [7]


def test_a_stop_while_the_sample_is_taken_ends_it_and_shows_no_error(qtbot, open_window, tmp_path):
    file = tmp_path / "slow.etl.yaml"
    file.write_text(
        "etl_studio: 1\nnodes:\n"
        "  make: {type: generate_source, config: {rows: 100, columns: {n: i}}}\n"
        "  count: {type: sql, config: {query: 'SELECT sum(n + range) AS n FROM input, range(100000000000)'}}\n"
        "  keep: {type: filter, config: {where: n > 1}}\n"
        "  save: {type: csv_sink, config: {path: out.csv}}\n"
        "wires: [make -> count.input, count -> keep, keep -> save]\n"
    )
    person = open_window(file)
    person.click_node("keep")
    answer(click_run)
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_F6, SHIFT)
    qtbot.waitUntil(lambda: person.bench.controller._run is not None, timeout=WAIT)
    with qtbot.waitSignal(person.bench.controller.running_changed, timeout=WAIT):
        person.click_run()
    assert person.bench.status.text == "Stopped"
    assert not person.bench.banner.isVisible()
