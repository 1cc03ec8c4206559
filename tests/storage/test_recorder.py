"""What a run tells is on disk when it has ended, and what could not be kept is told."""

from __future__ import annotations

import threading

import pytest

from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    DeadLettered,
    LogWritten,
    NodeChanged,
    NodeCounts,
    NodeSample,
    NodeState,
    PauseChanged,
    RetryScheduled,
    RunEnded,
    RunStarted,
    RunStatus,
    Sampled,
    WireSample,
)
from etl_studio.errors import TransientError
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace


@pytest.fixture
def workspace(databases, tmp_path):
    return Workspace(tmp_path / "kept", databases)


@pytest.fixture
def recorder(workspace):
    recorder = Recorder(workspace)
    yield recorder
    recorder.close()


def started(run="a"):
    return RunStarted(run, 100.0, "orders", "orders.yaml", ("read",), {"minimum": 5})


def ended(status=RunStatus.DONE, **facts):
    return RunEnded("a", 110.0, status, 10.0, 7, 5, 1, 1, {"read": NodeCounts(rows_in=7, rows_out=5)}, **facts)


def letter(number=1, **facts):
    return DeadLettered("a", 101.0, "read", "cast", f"Number {number}.", {"n": number}, **facts)


def sampled(at, rows=0):
    node = NodeSample(NodeState.RUNNING, NodeCounts(rows_in=rows), 0.1, 0.2, BreakerState.CLOSED)
    return Sampled("a", at, {"read": node}, {"read.out -> save.input": WireSample(rows, 3, 0.5)})


def test_a_run_is_there_from_its_start_to_its_report(workspace, recorder):
    recorder(started())
    assert recorder.flush() is None
    assert workspace.run("a").status is RunStatus.RUNNING
    recorder(ended(RunStatus.FAILED, error="The disk is full.", error_node="save"))
    recorder.close()
    run = workspace.run("a")
    assert (run.status, run.duration, run.rows_in, run.rows_out) == (RunStatus.FAILED, 10.0, 7, 5)
    assert (run.rejected, run.dead_letters, run.error, run.error_node) == (1, 1, "The disk is full.", "save")
    assert (run.file, run.parameters, run.started) == ("orders.yaml", {"minimum": 5}, 100.0)
    counts = workspace.node_counts("a")
    assert (counts["read"]["rows_in"], counts["read"]["rows_out"]) == (7, 5)


def test_samples_are_thinned_to_one_a_second_and_the_last_one_stays(workspace, recorder):
    recorder(started())
    for tenth in range(25):
        recorder(sampled(100 + tenth / 10, rows=tenth))
    recorder(ended())
    recorder.close()
    metrics = workspace.metrics("a")
    assert [at for at, _ in metrics] == [100.0, 101.0, 102.0, 102.4]
    _, last = metrics[-1]
    assert last["nodes"]["read"]["counts"]["rows_in"] == 24
    assert (last["nodes"]["read"]["p95"], last["nodes"]["read"]["breaker"]) == (0.2, "closed")
    assert last["wires"] == {"read.out -> save.input": {"passed": 24, "waiting": 3, "fill": 0.5, "age": 0.0}}


def test_samples_go_on_when_the_clock_is_set_back(workspace, recorder):
    recorder(started())
    recorder(sampled(5000.0))
    recorder(sampled(1000.0))
    recorder.close()
    assert [at for at, _ in workspace.metrics("a")] == [1000.0, 5000.0]


def test_every_dead_letter_of_many_threads_is_kept(workspace, recorder):
    recorder(started())
    threads = [
        threading.Thread(target=lambda start=start: [recorder(letter(start + n)) for n in range(3_000)])
        for start in range(0, 30_000, 3_000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush() is None
    numbers = [found.payload["n"] for found in workspace.dead_letters(limit=100_000)]
    assert sorted(numbers) == list(range(30_000))


def test_a_dead_letter_keeps_all_its_facts(workspace, recorder):
    recorder(started())
    recorder(letter(column="qty", line=42, attempts=3))
    recorder.close()
    (found,) = workspace.dead_letters()
    assert (found.run, found.node, found.error_type, found.message) == ("a", "read", "cast", "Number 1.")
    assert (found.payload, found.column, found.line, found.attempts, found.at) == ({"n": 1}, "qty", 42, 3, 101.0)


def test_text_that_is_no_unicode_does_not_cost_the_letters_around_it(workspace, recorder):
    recorder(started())
    recorder(letter(1))
    recorder(DeadLettered("a", 101.0, "read", "cast", "half a \ud83d", {"text": "\udc00"}))
    recorder.close()
    assert recorder.error is None
    assert [found.payload for found in workspace.dead_letters()] == [{"text": "?"}, {"n": 1}]


def test_the_log_tells_messages_failures_retries_and_breakers_in_their_order(workspace, recorder):
    recorder(started())
    recorder(LogWritten("a", 101, "info", "read", "Opened.", {"file": "x.csv"}))
    recorder(NodeChanged("a", 101, "read", NodeState.RUNNING))
    recorder(RetryScheduled("a", 102, "read", 1, 6, 0.5, "Busy.", "example.org"))
    recorder(BreakerChanged("a", 103, "read", "example.org", BreakerState.HALF_OPEN))
    recorder(NodeChanged("a", 104, "read", NodeState.FAILED, "No such file."))
    recorder.close()
    assert [(line.level, line.node, line.message) for line in workspace.log("a")] == [
        ("info", "read", "Opened."),
        ("warning", "read", "Attempt 1 of 6 failed, next in 0.50 s: Busy."),
        ("warning", "read", "The breaker of example.org is half open."),
        ("warning", "read", "failed: No such file."),
    ]
    assert workspace.log("a")[0].facts == {"file": "x.csv"}


def test_closing_writes_what_is_left_and_may_be_done_twice(workspace):
    recorder = Recorder(workspace)
    recorder(started())
    recorder(ended())
    recorder.close()
    recorder.close()
    assert workspace.run("a").status is RunStatus.DONE
    assert recorder.flush() is None


HOLD = """
import sqlite3
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
say("locked")
hear()
connection.execute("COMMIT")
say("free")
hear()
"""


def test_a_workspace_that_stays_locked_is_told_with_the_number_of_lost_letters(workspace, recorder, program):
    recorder(started())
    assert recorder.flush() is None
    holder = program(HOLD, workspace.file.path)
    assert holder.hear() == "locked"
    for number in range(3):
        recorder(letter(number))
    error = recorder.flush()
    assert "3 dead letters could not be kept" in str(error)
    assert "locked by another program" in str(error)
    assert recorder.error.what == error.what
    recorder(letter(4))
    assert "4 dead letters could not be kept" in str(recorder.flush())

    holder.say()
    assert holder.hear() == "free"
    recorder(ended(RunStatus.FAILED))
    recorder.close()
    assert workspace.run("a").status is RunStatus.FAILED
    assert workspace.dead_letters() == []


def test_a_lock_that_ends_in_time_costs_nothing(databases, tmp_path, program):
    from etl_studio.storage.databases import Databases

    with Databases(30) as patient:
        workspace = Workspace(tmp_path / "patient", patient)
        recorder = Recorder(workspace)
        recorder(started())
        assert recorder.flush() is None
        holder = program(HOLD, workspace.file.path)
        assert holder.hear() == "locked"
        recorder(letter())
        holder.say()
        assert recorder.flush() is None
        assert len(workspace.dead_letters()) == 1
        recorder.close()


def test_a_full_disk_is_told(workspace, recorder):
    recorder(started())
    assert recorder.flush() is None
    ((pages,),) = workspace.file.query("PRAGMA page_count")
    # Each connection has a limit of its own; the recorder's is there since it wrote the start.
    for connection in workspace.file.database.live:
        connection.pragma("max_page_count", pages + 2)
    for number in range(100):
        recorder(DeadLettered("a", 1, "read", "cast", "x" * 1000, {"n": number}))
    error = recorder.flush()
    assert not isinstance(error, TransientError)
    assert "100 dead letters could not be kept" in str(error)
    assert "disk is full" in str(error)


def test_other_processes_see_that_a_run_is_paused(workspace, recorder):
    recorder(started())
    for paused in (True, False):
        recorder(PauseChanged("a", 101.0, paused))
        recorder.flush()
        assert workspace.run("a").paused is paused
    assert [line.message for line in workspace.log("a")] == ["Paused.", "Going on."]


def test_what_is_asked_of_a_run_is_taken_once(workspace):
    seen = threading.Event()

    class Looking(Workspace):
        def take_command(self, run):
            command = super().take_command(run)
            if command is not None:
                seen.set()
            return command

    workspace.__class__ = Looking
    recorder = Recorder(workspace)
    recorder(started())
    recorder.flush()
    workspace.ask("a", "pause")
    assert seen.wait(30)
    recorder.flush()
    assert [recorder.command(), recorder.command()] == ["pause", None]
    recorder.close()
