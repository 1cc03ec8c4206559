"""One run beside the window."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QThread

from etl_studio.app.studio import Studio
from etl_studio.engine.events import NodeChanged, RunEnded, RunStarted, RunStatus, Sampled
from etl_studio.errors import PipelineError
from etl_studio.ui.run.controller import RunController

PIPELINE = """\
etl_studio: 1
name: numbers
nodes:
  make: {type: generate_source, config: {rows: %d}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [make -> save]
"""


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def load(studio, tmp_path):
    def load(rows: int):
        path = tmp_path / "numbers.yaml"
        path.write_text(PIPELINE % rows)
        return studio.load(path), path

    return load


@pytest.fixture
def controller(qapp, studio):
    controller = RunController(studio)
    yield controller
    assert controller.shut_down()


def test_events_come_on_the_windows_thread_in_order_and_the_report_last(qtbot, controller, load):
    seen, threads = [], set()

    def take(event) -> None:
        seen.append(event)
        threads.add(QThread.currentThread())

    controller.event.connect(take)
    with qtbot.waitSignal(controller.ended, timeout=20_000) as ended:
        controller.start(*load(1000))
        assert controller.is_running

    assert threads == {controller.thread()}
    assert isinstance(seen[0], RunStarted)
    assert isinstance(seen[-1], RunEnded)
    assert seen[-1] == ended.args[0]
    assert any(isinstance(event, Sampled) for event in seen)
    assert {event.node for event in seen if isinstance(event, NodeChanged)} == {"make", "save"}
    assert not controller.is_running


def test_the_collector_leaves_out_what_was_there_before_the_run_until_it_has_ended(qtbot, controller, load):
    gc.unfreeze()
    with qtbot.waitSignal(controller.ended, timeout=20_000):
        controller.start(*load(1000))
        assert gc.get_freeze_count() > 0

    assert gc.get_freeze_count() == 0


def test_an_edit_during_the_run_does_not_touch_it(qtbot, controller, load, tmp_path):
    pipeline, path = load(500)
    with qtbot.waitSignal(controller.ended, timeout=20_000) as ended:
        controller.start(pipeline, path)
        pipeline.nodes["make"].config["rows"] = 1

    assert ended.args[0].rows_out == 500


def test_a_pipeline_with_problems_is_refused_with_all_of_them(qtbot, controller, load):
    pipeline, path = load(10)
    pipeline.nodes["save"].config.clear()
    with qtbot.waitSignal(controller.refused, timeout=20_000) as refused:
        controller.start(pipeline, path)

    error = refused.args[0]
    assert isinstance(error, PipelineError)
    assert [problem.node for problem in error.problems] == ["save"]
    assert not controller.is_running


def test_a_stop_before_the_run_has_begun_still_stops_it(qtbot, controller, load, tmp_path):
    with qtbot.waitSignal(controller.ended, timeout=20_000) as ended:
        controller.start(*load(50_000_000))
        controller.stop()

    assert ended.args[0].status is RunStatus.STOPPED


def test_a_second_start_during_a_run_is_ignored(qtbot, controller, load):
    pipeline, path = load(50_000_000)
    started = []
    controller.started.connect(started.append)
    controller.start(pipeline, path)
    qtbot.waitUntil(lambda: bool(started), timeout=20_000)
    controller.start(pipeline, path)

    with qtbot.waitSignal(controller.ended, timeout=20_000):
        controller.stop_now()

    assert len(started) == 1


def test_the_run_is_kept_in_the_workspace(qtbot, controller, load, studio):
    pipeline, path = load(100)
    with qtbot.waitSignal(controller.ended, timeout=20_000) as ended:
        controller.start(pipeline, path)

    (record,) = studio.workspace(studio.workspace_folder(path)).runs()
    assert (record.id, record.status, record.rows_out) == (ended.args[0].run, RunStatus.DONE, 100)


def test_ten_runs_in_a_row_leave_nothing_behind(qtbot, controller, load):
    pipeline, path = load(200)
    for _ in range(10):
        with qtbot.waitSignal(controller.ended, timeout=20_000) as ended:
            controller.start(pipeline, path)
        assert ended.args[0].rows_out == 200
