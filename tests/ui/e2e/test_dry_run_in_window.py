"""A person asks what a run would change, and nothing is written."""

from __future__ import annotations

import sqlite3

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.engine.events import RunStatus
from etl_studio.ui.action_search import ActionSearch
from etl_studio.ui.tables.changes import OLD
from tests.ui.e2e.person import LEFT

pytestmark = pytest.mark.window

WAIT = 30_000
MINUS = "\N{MINUS SIGN}"
CTRL = Qt.KeyboardModifier.ControlModifier
PIPELINE = """\
etl_studio: 1
name: goods
nodes:
  read: {type: csv_source, config: {path: goods.csv}}
  save:
    {type: sqlite_sink, title: Goods, config: {table: goods, write_disposition: merge, key: [id], hard_delete: gone}}
  file: {type: csv_sink, config: {path: copy.csv}}
wires: [read -> save, read -> file]
"""
ENDLESS = """\
etl_studio: 1
name: numbers
nodes:
  make: {type: generate_source, config: {rows: 1000000000, columns: {n: i}, rows_per_second: 1000}}
  save: {type: sqlite_sink, config: {table: numbers}}
wires: [make -> save]
"""
BEFORE = "id,price,gone\n1,10,false\n2,20,false\n3,30,false\n"
AFTER = "id,price,gone\n1,10,false\n2,25,false\n3,30,true\n4,40,false\n"


@pytest.fixture
def goods(open_window, run_to_its_end, tmp_path):
    """The window after a run; a row has changed since, one is new and one is to go."""
    (tmp_path / "goods.yaml").write_text(PIPELINE)
    (tmp_path / "goods.csv").write_text(BEFORE)
    person = open_window(tmp_path / "goods.yaml")
    assert run_to_its_end(person).status is RunStatus.DONE
    (tmp_path / "goods.csv").write_text(AFTER)
    return person


def files(folder):
    """Contents of all files that are neither logs of SQLite nor the window's."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".db", ".csv", ".yaml")
    }


def rehearse(qtbot, person):
    with qtbot.waitSignal(person.bench.controller.rehearsed, timeout=WAIT):
        QTest.keyClick(person.window, Qt.Key.Key_F5, CTRL)
    return person.bench.rehearsal


def cells(panel):
    model = panel.model
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]


def test_it_shows_counts_and_the_old_values_beside_the_new_ones_for_each_sink_and_writes_nothing(
    qtbot, goods, tmp_path
):
    before = files(tmp_path)
    runs = goods.bench.runs
    panel = rehearse(qtbot, goods)

    assert goods.bench.tabs.currentWidget() is panel
    assert [panel.sinks.item(row).text() for row in range(2)] == [
        f"Goods   +1  ~1  {MINUS}1",
        "CSV file (file)   4 rows",
    ]
    assert panel.place.text() == '"goods": 3 → 3 rows'
    shown = [label.text() for label in panel.counts.values() if label.isVisible()]
    assert shown == ["+ 1 inserted", "~ 1 updated", f"{MINUS} 1 deleted", "1 unchanged"]
    assert panel.model.headerData(2, Qt.Orientation.Horizontal) == "price"
    assert [row[:3] for row in cells(panel)] == [
        [f"{MINUS} deleted", "3", "30"],
        ["~ updated", "2", "20 → 25"],
        ["+ inserted", "4", "40"],
    ]
    olds = [[panel.model.index(row, column).data(OLD) for column in (1, 2)] for row in range(3)]
    assert olds == [[None, None], [None, "20"], [None, None]]
    grounds = [panel.model.index(1, column).data(Qt.ItemDataRole.BackgroundRole) for column in (1, 2)]
    assert grounds == [None, panel.model.ground("updated")]

    item = panel.sinks.item(1)
    QTest.mouseClick(panel.sinks.viewport(), LEFT, pos=panel.sinks.visualItemRect(item).center())
    assert panel.no_rows.isVisible()
    assert panel.place.text() == "4 rows to write"

    assert files(tmp_path) == before
    assert "nothing was written" in panel.facts.text()
    assert goods.window.workbench.status.text.startswith("Dry run done · 4 rows read")
    assert goods.card("save") == "4 → 4 to load"
    with qtbot.waitSignal(runs._fetcher.fetched, timeout=WAIT):
        runs.refresh()
    assert runs.model.rowCount() == 1


def test_a_changed_cell_is_painted_with_its_ground_and_holds_both_values(qtbot, goods):
    panel = rehearse(qtbot, goods)
    index = panel.model.index(1, 2)
    rect = panel.table.visualRect(index)
    assert rect.width() >= panel.table.sizeHintForIndex(index).width()
    image = panel.table.viewport().grab(rect).toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    tokens = goods.window.theme.tokens
    assert {panel.model.ground("updated").name(), tokens.text} <= colours


def test_the_run_that_follows_does_just_that(qtbot, goods, run_to_its_end, tmp_path):
    panel = rehearse(qtbot, goods)
    promised = panel.report.sinks[0].diff.loaded
    done = run_to_its_end(goods).nodes["save"]
    assert [done.inserted, done.updated, done.deleted] == [promised.inserted, promised.updated, promised.deleted]
    with sqlite3.connect(tmp_path / ".etl_studio" / "data.db") as data:
        assert data.execute("SELECT id, price FROM goods ORDER BY id").fetchall() == [(1, 10), (2, 25), (4, 40)]
    data.close()
    rehearse(qtbot, goods)
    assert panel.no_rows.headline.text() == "No row would change"


def test_it_is_in_the_menu_and_found_by_name(qtbot, goods):
    controller = goods.bench.controller
    with qtbot.waitSignal(controller.rehearsed, timeout=WAIT):
        goods.click_menu("Run", "Dry run")
    goods.click_menu("Help", "Find an action")
    search = goods.window.findChild(ActionSearch)
    QTest.keyClicks(search.field, "dry")
    with qtbot.waitSignal(controller.rehearsed, timeout=WAIT):
        QTest.keyClick(search.field, Qt.Key.Key_Return)
    with qtbot.waitSignal(controller.rehearsed, timeout=WAIT):
        QTest.mouseClick(goods.bench.rehearsal.run_button, LEFT)


def test_before_the_first_run_it_says_that_the_table_would_be_made_and_makes_no_workspace(qtbot, open_window, tmp_path):
    (tmp_path / "goods.yaml").write_text(PIPELINE)
    (tmp_path / "goods.csv").write_text(BEFORE)
    person = open_window(tmp_path / "goods.yaml")
    panel = rehearse(qtbot, person)
    assert panel.place.text() == '"goods" would be made'
    assert [row[0] for row in cells(panel)] == ["+ inserted"] * 3
    assert not (tmp_path / ".etl_studio" / "data.db").exists()
    assert not (tmp_path / "copy.csv").exists()


def test_a_source_that_fails_is_told_in_plain_words_with_its_node(qtbot, goods, tmp_path):
    (tmp_path / "goods.csv").unlink()
    panel = rehearse(qtbot, goods)
    assert panel.notice.headline.text() == "The dry run failed"
    assert "There is no file" in panel.notice.text.text()
    assert "Traceback" not in goods.words()
    assert goods.window.workbench.status.text.startswith("Dry run failed")
    assert "There is no file" in goods.card("read")


def test_a_pipeline_with_problems_is_not_begun(qtbot, goods):
    goods.bench.document.set_setting("save", "table", "")
    QTest.keyClick(goods.window, Qt.Key.Key_F5, CTRL)
    assert not goods.bench.controller.is_running
    assert goods.bench.banner.isVisible()
    assert goods.bench.tabs.currentWidget() is goods.bench.problems


@pytest.mark.parametrize("button", ["panel", "tool bar"])
def test_a_dry_run_is_stopped_by_a_click_and_has_written_nothing(qtbot, open_window, tmp_path, button):
    (tmp_path / "numbers.yaml").write_text(ENDLESS)
    person = open_window(tmp_path / "numbers.yaml")
    panel, controller = person.bench.rehearsal, person.bench.controller
    QTest.keyClick(person.window, Qt.Key.Key_F5, CTRL)
    qtbot.waitUntil(lambda: person.card("save").partition(" ")[0] not in ("", "0"), timeout=WAIT)
    assert panel.stop_button.isVisible()
    assert person.window.workbench.status.text.startswith("Dry run")
    with qtbot.waitSignal(controller.rehearsed, timeout=WAIT):
        QTest.mouseClick(panel.stop_button if button == "panel" else person.window._run_button, LEFT)
    assert panel.report.ended.status is RunStatus.STOPPED
    assert panel.facts.text().startswith("stopped early")
    assert panel.notice.headline.text() == "The dry run was stopped"
    assert not panel.stop_button.isVisible()
    assert not (tmp_path / ".etl_studio" / "data.db").exists()
    assert QApplication.activeModalWidget() is None


def test_requests_that_would_be_sent_are_shown_and_none_is_sent(qtbot, open_window, tmp_path):
    (tmp_path / "goods.csv").write_text(BEFORE)
    push = "{url: 'http://127.0.0.1:9/nobody', rows_per_request: 2}"
    (tmp_path / "push.yaml").write_text(
        "etl_studio: 1\nname: push\nnodes:\n  read: {type: csv_source, config: {path: goods.csv}}\n"
        f"  push: {{type: http_sink, config: {push}}}\nwires: [read -> push]\n"
    )
    panel = rehearse(qtbot, open_window(tmp_path / "push.yaml"))
    assert panel.place.text() == "POST http://127.0.0.1:9/nobody: 3 rows, 2 requests"
    assert panel.counts["quiet"].text() == ""
    assert [row[1:3] for row in cells(panel)] == [
        ["POST http://127.0.0.1:9/nobody", "2"],
        ["POST http://127.0.0.1:9/nobody", "1"],
    ]
    assert '"price":10' in cells(panel)[0][3]
