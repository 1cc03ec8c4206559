"""The window and a terminal in one workspace: each sees and stops the runs of the other, and they go on from there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PySide6.QtTest import QTest

from etl_studio.engine.events import RunStatus
from tests.delivery.scenarios import query
from tests.ui.e2e.person import LEFT

pytestmark = pytest.mark.window

WAIT = 60_000
INTERRUPTED = 130
ENDLESS, FEW = "rows: 1000000000, rows_per_second: 1000", "rows: 20000"
PIPELINE = """\
etl_studio: 1
name: numbers
nodes:
  make: {type: generate_source, config: {columns: {n: i}, %s}}
  save: {type: sqlite_sink, config: {table: numbers}}
wires: [make -> save]
layout:
  make: [0, 0]
  save: [280, 0]
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "numbers.yaml"
    file.write_text(PIPELINE % ENDLESS)
    return file


@pytest.fixture
def terminal(tmp_path):
    """``terminal("run", file)`` starts the command in a process of its own; it is ended with the test."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-m", "etl_studio", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, cwd=tmp_path, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def ended(qtbot):
    """``ended(process)``: its exit code, stdout and stderr; the window works on while it is awaited."""

    def wait(process):
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=WAIT)
        out, err = process.communicate()
        return process.returncode, out, err

    return wait


@pytest.fixture
def runs(qtbot, open_window, file):
    """The window with the panel of runs in front."""
    person = open_window(file)
    panel = person.bench.runs
    open_tab(person, panel)
    qtbot.waitUntil(panel.isVisible)
    return person, panel


def open_tab(person, panel):
    bar = person.bench.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, pos=bar.tabRect(person.bench.tabs.indexOf(panel)).center())


def stored(file):
    return [n for (n,) in query(file.parent / ".etl_studio" / "data.db", "SELECT n FROM numbers ORDER BY n")]


def taken(person):
    """Rows that the sink has taken, as its card says; of earlier attempts, too."""
    live = person.card("save").partition(" →")[0].replace(",", "")
    return int(live) if live.isdecimal() else 0


def click_first(panel):
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualRect(panel.model.index(0, 1)).center())


def is_listed_as(panel, status):
    return [panel.model.index(row, 0).data() for row in range(panel.model.rowCount())] == [status]


def test_a_run_of_a_terminal_is_seen_stopped_by_a_click_and_goes_on_in_the_window(qtbot, runs, terminal, ended, file):
    person, panel = runs
    process = terminal("run", file, "--json")
    for line in process.stderr:
        if line.startswith("rows: make ") and not line.startswith("rows: make 0"):
            break
    qtbot.waitUntil(lambda: is_listed_as(panel, "running"), timeout=WAIT)
    assert not person.bench.controller.is_running
    click_first(panel)
    QTest.mouseClick(panel.stop_button, LEFT)

    code, out, err = ended(process)
    assert code == INTERRUPTED, err
    report = json.loads(out.splitlines()[-1])
    first = stored(file)
    assert (report["status"], report["rows_out"]) == ("stopped", len(first))
    assert first == list(range(len(first))) != []

    qtbot.waitUntil(lambda: is_listed_as(panel, "stopped"), timeout=WAIT)
    click_first(panel)
    qtbot.waitUntil(panel.resume_button.isEnabled, timeout=WAIT)
    QTest.mouseClick(panel.resume_button, LEFT)
    qtbot.waitUntil(lambda: taken(person) > len(first), timeout=WAIT)
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as told:
        person.click_run()
    assert told.args[0].run == report["run_id"]
    assert told.args[0].status is RunStatus.STOPPED
    second = stored(file)
    assert len(second) > len(first)
    assert second == list(range(len(second)))


def test_what_a_run_of_a_terminal_is_still_loading_is_not_undone_under_its_hands(qtbot, runs, terminal, ended, file):
    person, _ = runs
    loads = person.bench.loads
    file.write_text(PIPELINE % ENDLESS + "checkpoint: {seconds: 1}\n")
    process = terminal("run", file)
    qtbot.waitUntil(lambda: bool(stored(file)), timeout=WAIT)
    open_tab(person, loads)
    qtbot.waitUntil(lambda: loads.model.rowCount() == 1, timeout=WAIT)
    QTest.mouseClick(loads.table.viewport(), LEFT, pos=loads.table.visualRect(loads.model.index(0, 1)).center())
    QTest.mouseClick(loads.undo_button, LEFT)
    qtbot.waitUntil(lambda: "is going on. Stop that run first" in loads.said.text(), timeout=WAIT)
    assert loads.model.rows[0].load.run in loads.said.text()

    assert terminal("stop", "--workspace", file.parent / ".etl_studio").wait(timeout=60) == 0
    code, _, err = ended(process)
    assert code == INTERRUPTED, err
    rows = stored(file)
    assert rows == list(range(len(rows)))


def test_a_run_of_the_window_is_stopped_by_a_terminal_and_goes_on_there(qtbot, runs, terminal, ended, file):
    person, panel = runs
    person.click_run()
    qtbot.waitUntil(lambda: taken(person) > 0, timeout=WAIT)
    workspace = file.parent / ".etl_studio"
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT) as told:
        code, out, err = ended(terminal("stop", "--workspace", workspace))
    assert (code, err) == (0, "")
    assert "is asked to stop" in out
    assert told.args[0].status is RunStatus.STOPPED
    assert person.window.workbench.status.text.startswith("Stopped")
    first = stored(file)
    assert first == list(range(len(first))) != []
    open_tab(person, panel)
    qtbot.waitUntil(lambda: is_listed_as(panel, "stopped"), timeout=WAIT)
    click_first(panel)
    qtbot.waitUntil(panel.resume_button.isEnabled, timeout=WAIT)

    file.write_text(PIPELINE % FEW)
    code, out, err = ended(terminal("run", file, "--resume", "--accept-changes", "--json"))
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["run_id"] == told.args[0].run
    assert stored(file) == list(range(20_000))
    qtbot.waitUntil(lambda: is_listed_as(panel, "done"), timeout=WAIT)
