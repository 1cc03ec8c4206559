"""What is told on stderr while a run is on."""

from __future__ import annotations

import threading

import pytest

from etl_studio.cli.progress import Progress, report
from etl_studio.cli.report import exit_code, report_facts
from etl_studio.engine import events


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def progress(told, clock):
    return Progress(live=False, write=told.append, clock=clock)


def sampled(rows, state=events.NodeState.RUNNING, rejected=0):
    sample = events.NodeSample(state, events.NodeCounts(rows_in=rows, rejected=rejected))
    return events.Sampled(
        "r1", 0.0, {"read": sample, "idle": events.NodeSample(events.NodeState.WAITING, events.NodeCounts())}, {}
    )


def ended(status, error=None):
    counts = {
        "read": events.NodeCounts(rows_in=1200, rows_out=1200),
        "save": events.NodeCounts(rows_in=1200, rows_out=1195, dead_letters=5),
    }
    return events.RunEnded("r1", 9.0, status, 1.25, 1200, 1195, 0, 5, counts, error, "save" if error else None)


def test_a_summary_comes_every_two_seconds(progress, told, clock):
    for step in range(50):
        clock.now = step * 0.1
        progress(sampled(step * 1000))
    assert told == ["rows: read 20,000", "rows: read 40,000"]


def test_the_summary_tells_rejects_and_states(progress, told, clock):
    clock.now = 3.0
    progress(sampled(1000, events.NodeState.OPEN, rejected=7))
    assert told == ["rows: read 1,000 -7 (open)"]


def test_events_are_told_as_lines(progress, told):
    progress(events.RunStarted("r1", 0.0, "orders", None, ("read", "save")))
    progress(events.NodeChanged("r1", 0.0, "read", events.NodeState.RUNNING))
    progress(events.RetryScheduled("r1", 0.0, "read", 1, 3, 0.5, "503 from the shop", "shop"))
    progress(events.BreakerChanged("r1", 10.0, "read", "shop", events.BreakerState.OPEN, 60.0, 15.0))
    progress(events.BreakerChanged("r1", 15.0, "read", "shop", events.BreakerState.HALF_OPEN))
    progress(events.BreakerChanged("r1", 16.0, "read", "shop", events.BreakerState.FORCED_OPEN, by_hand=True))
    progress(events.NodeChanged("r1", 0.0, "read", events.NodeState.FAILED, "no answer"))
    progress(events.LogWritten("r1", 0.0, "info", "read", "a page"))
    progress(events.LogWritten("r1", 0.0, "warning", "read", "a strange page"))
    assert told == [
        "run r1 of orders: 2 nodes",
        "read: attempt 1 of 3 failed, next in 0.5 s - 503 from the shop",
        "read: breaker of shop is open, trial calls in 5.0 s",
        "read: breaker of shop is half open",
        "read: breaker of shop is forced open by hand",
        "read: failed - no answer",
        "read: warning - a strange page",
    ]


def test_the_report_tells_where_the_rows_of_each_node_went_and_the_total(progress, told):
    progress(ended(events.RunStatus.DONE_WITH_DEAD_LETTERS))
    lines = told[0].splitlines()
    assert lines[1] == "save: 1,200 read = 1,195 given out + 5 dead letters"
    assert lines[2] == "done with dead letters in 1.2 s: 1,200 rows read, 1,195 loaded"


def test_the_error_of_a_failed_run_comes_last(progress, told):
    progress(ended(events.RunStatus.FAILED, "orders > save: The disk is full."))
    assert told[0].splitlines()[-1] == "etl-studio: orders > save: The disk is full."


def test_events_may_come_from_many_threads(progress, told):
    event = events.LogWritten("r1", 0.0, "warning", "n", "x")
    threads = [threading.Thread(target=lambda: [progress(event) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["n: warning - x"] * 800


@pytest.mark.parametrize(
    ("status", "interrupted", "code"),
    [
        ("done", False, 0), ("failed", False, 1), ("done_with_dead_letters", False, 3), ("stopped", True, 130),
        ("failed", True, 130), ("done", True, 0),
    ],
)  # fmt: skip
def test_the_exit_code_tells_how_the_run_ended(status, interrupted, code):
    assert exit_code(ended(events.RunStatus(status)), interrupted=interrupted) == code


def test_the_report_for_programs_has_the_promised_names():
    facts = report_facts(ended(events.RunStatus.DONE))
    assert list(facts)[:9] == [
        "run_id", "status", "rows_in", "rows_out", "rejected", "dead_letters", "peak_memory", "duration_s", "nodes",
    ]  # fmt: skip
    assert facts["nodes"]["save"]["dead_letters"] == 5


def test_the_report_tells_the_peak_of_memory():
    ended = events.RunEnded("r", 0.0, events.RunStatus.DONE, 1.0, 5, 5, 0, 0, {}, peak_memory=300 * 2**20)
    assert report(ended).endswith("5 rows read, 5 loaded, at most 300 MB of memory")
