"""Several workers of one node lose nothing, double nothing and keep the order, if asked to."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.events import CheckpointSaved, RunStatus, Sampled
from etl_studio.engine.inbox import Bounds
from etl_studio.errors import PermanentError, TransientError
from tests.engine.random_flows import Keeper, Made, expected, flows, make_flow, pipeline_of, registry, run_flow

FLOWS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Ordered(Keeper):
    """Keeps the order, too."""

    type = "ordered_sink"
    order: ClassVar[list] = []

    def write(self, rows, context):
        self.order += rows.column("n").to_pylist()
        return super().write(rows, context)


class Meeting(sdk.Transform):
    """Each batch waits until as many others as the node has workers are under way, too."""

    type = "meeting"
    title = "Meeting"
    icon = "globe"
    group = "transform"
    barrier: ClassVar = None

    def process(self, rows, context):
        if rows.num_rows:
            self.barrier.wait(20)
        yield rows


class Uneven(sdk.Transform):
    """The second batch is done before the first one."""

    type = "uneven"
    title = "Uneven"
    icon = "globe"
    group = "transform"
    overtaken: ClassVar = threading.Event()

    def process(self, rows, context):
        if rows.num_rows and rows.column("n")[0].as_py() == 0:
            self.overtaken.wait(20)
        elif rows.num_rows:
            self.overtaken.set()
        yield rows


class Broken(sdk.Transform):
    """Cannot do the fifth batch; all others wait for a service that is down."""

    type = "broken"
    title = "Broken"
    icon = "globe"
    group = "transform"

    def process(self, rows, context):
        if rows.num_rows and rows.column("n")[0].as_py() == 16:
            raise PermanentError("No.")
        if rows.num_rows and rows.column("n")[0].as_py() > 7:
            raise TransientError("Busy.")
        yield rows


NODES = registry(Ordered, Meeting, Uneven, Broken)


@pytest.fixture(autouse=True)
def _fresh():
    Keeper.kept.clear()
    Ordered.order.clear()
    Uneven.overtaken.clear()


def line(kind, batches=12):
    return [
        Made("count_source", {"batches": batches, "size": 4}),
        Made(kind, {}, (("input", (0, "out")),)),
        Made("ordered_sink", {"name": "all"}, (("input", (1, "out")),)),
    ]


@FLOWS
@given(flows(blocking=False), st.integers(1, 5), st.integers(2, 5), st.booleans())
def test_any_flow_with_several_workers_and_barriers_ends_with_the_right_rows(made, rows, workers, order):
    Keeper.kept.clear()
    policy = {"workers": workers, "keep_order": order}
    pipeline = pipeline_of(made, {"halve": policy, "together": policy})
    with tempfile.TemporaryDirectory() as folder:
        run_flow(pipeline, Path(folder), bounds=Bounds(rows=rows), interval=Interval(rows=1))
    assert {name: Keeper.kept.get(name, {}) for name in expected(made)} == expected(made)


def test_four_workers_work_on_four_batches_at_once(tmp_path):
    Meeting.barrier = threading.Barrier(4)
    run_flow(pipeline_of(line("meeting"), {"meeting": {"workers": 4}}), tmp_path, NODES, interval=Interval())
    assert Ordered.order == list(range(48))


def test_as_many_workers_start_as_the_load_asks_for(tmp_path):
    Meeting.barrier = threading.Barrier(3)
    run_flow(pipeline_of(line("meeting"), {"meeting": {"workers": 0}}), tmp_path, NODES, interval=Interval())
    assert Ordered.order == list(range(48))


@pytest.mark.parametrize("keep", [True, False])
def test_a_batch_that_is_done_early_waits_for_its_turn_or_not_by_choice(tmp_path, keep):
    policy = {"uneven": {"workers": 2, "keep_order": keep}}
    run_flow(pipeline_of(line("uneven", 2), policy), tmp_path, NODES, interval=Interval())
    assert sorted(Ordered.order) == list(range(8))
    if keep:
        assert Ordered.order == list(range(8))


def test_barriers_pass_when_all_batches_before_them_are_done(tmp_path):
    saved = []
    listeners = [lambda event: saved.append(event.rows) if isinstance(event, CheckpointSaved) else None]
    run_flow(pipeline_of(line("together"), {"together": {"workers": 3}}), tmp_path, NODES, listeners=listeners)
    assert Ordered.order == list(range(48))
    assert len(saved) > 1


def test_a_worker_that_fails_ends_the_run_though_others_wait_for_a_retry(tmp_path):
    policy = {"broken": {"workers": 6, "retry": {"delay": 3600, "max_delay": 3600, "jitter": False}}}
    flow = make_flow(pipeline_of(line("broken"), policy), tmp_path, NODES, interval=Interval())
    flow.start()
    ended = flow.ended()

    assert ended.status is RunStatus.FAILED
    assert ended.error == "flow > n1: No."
    assert not Keeper.kept


def test_a_graceful_stop_ends_workers_that_wait_for_a_retry(tmp_path):
    policy = {"broken": {"workers": 2, "retry": {"delay": 3600, "max_delay": 3600, "jitter": False}}}

    def listener(event):
        if isinstance(event, Sampled) and event.nodes["n1"].counts.retries == 2:
            flow.run.stop()

    flow = make_flow(pipeline_of(line("broken"), policy), tmp_path, NODES, listeners=[listener], interval=Interval())
    flow.start()

    assert flow.ended().status is RunStatus.STOPPED


def test_rows_of_a_call_that_finally_failed_are_refused_by_several_workers_too(tmp_path):
    policy = {"broken": {"workers": 3, "fallback": "branch", "retry": {"attempts": 1}}}
    made = line("broken", 4)
    ended = run_flow(pipeline_of(made, policy), tmp_path, NODES, interval=Interval())
    assert (ended.rows_out, ended.dead_letters) == (8, 8)
