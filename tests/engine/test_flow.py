"""Pipelines of any form come to their end with the right rows, however narrow their wires are."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.events import CheckpointSaved, RunStatus, Sampled
from etl_studio.engine.inbox import Bounds
from etl_studio.errors import TransientError
from tests.engine.random_flows import Count, Keeper, Made, expected, flows, make_flow, pipeline_of, registry, run_flow

QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True)
def _fresh():
    Keeper.kept.clear()


def run_and_compare(made, rows, interval=None):
    Keeper.kept.clear()
    with tempfile.TemporaryDirectory() as folder:
        run_flow(pipeline_of(made), Path(folder), bounds=Bounds(rows=rows), interval=interval)
    assert {name: Keeper.kept.get(name, {}) for name in expected(made)} == expected(made)


@QUIET
@given(flows(), st.integers(1, 5))
def test_any_flow_of_splits_joins_and_sums_ends_with_the_right_rows(made, rows):
    run_and_compare(made, rows)


@QUIET
@given(flows(blocking=False), st.integers(1, 5))
def test_any_flow_with_a_barrier_behind_every_batch_ends_with_the_right_rows(made, rows):
    run_and_compare(made, rows, Interval(rows=1))


SIZE = {"batches": 30, "size": 10_000}
DIAMONDS = {
    "split, filter, join": [
        Made("count_source", SIZE),
        Made("keep", {"of": 3, "remainder": 0}, (("input", (0, "out")),)),
        Made("match", {}, (("left", (0, "out")), ("right", (1, "out")))),
    ],
    "split, sum, join": [
        Made("count_source", SIZE),
        Made("total", {}, (("input", (0, "out")),)),
        Made("match", {}, (("left", (0, "out")), ("right", (1, "out")))),
    ],
    "split, filter, union": [
        Made("count_source", SIZE),
        Made("keep", {"of": 3, "remainder": 0}, (("input", (0, "out")),)),
        Made("together", {}, (("input", (0, "out")), ("input", (1, "out")))),
    ],
}


@pytest.mark.parametrize("name", DIAMONDS)
def test_a_split_that_rejoins_ends_with_300_000_rows_on_wires_of_one_batch(name, tmp_path):
    made = [*DIAMONDS[name], Made("keeper_sink", {"name": "all"}, (("input", (2, "out")),))]
    saved = []
    listeners = [lambda event: saved.append(event) if isinstance(event, CheckpointSaved) else None]

    run_flow(pipeline_of(made), tmp_path, bounds=Bounds(rows=1), interval=Interval(rows=50_000), listeners=listeners)

    assert Keeper.kept["all"] == expected(made)["all"]
    # Beside the last one, which every run has.
    assert (len(saved) > 1) == (name == "split, filter, union")


class Held(Keeper):
    """Takes nothing until it is let go."""

    type = "held_sink"
    free = threading.Event()

    def write(self, rows, context):
        self.free.wait(30)
        return super().write(rows, context)


def test_what_waits_for_a_slow_sink_is_never_more_than_the_wire_may_hold(tmp_path):
    Held.free.clear()
    made = [
        Made("count_source", {"batches": 50, "size": 1000}),
        Made("held_sink", {"name": "all"}, (("input", (0, "out")),)),
    ]
    waiting = []

    def listener(event):
        if isinstance(event, Sampled):
            waiting.extend(wire.waiting for wire in event.wires.values())
            if waiting.count(4000) > 2:
                Held.free.set()

    run_flow(pipeline_of(made), tmp_path, registry(Held), bounds=Bounds(rows=4000), listeners=[listener])

    assert max(waiting) == 4000
    assert Keeper.kept["all"].total() == 50_000


class FirstOnly(sdk.SqlTransform):
    """Needs one row only, so DuckDB stops reading."""

    type = "first_only"
    title = "First only"
    icon = "filter"
    group = "transform"
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True
    single_pass = True

    def query(self, inputs):
        return "SELECT * FROM input LIMIT 1"


def test_a_query_that_stops_reading_early_does_not_hold_up_its_source(tmp_path):
    made = [
        Made("count_source", {"batches": 50, "size": 1000}),
        Made("first_only", {}, (("input", (0, "out")),)),
        Made("keeper_sink", {"name": "all"}, (("input", (1, "out")),)),
    ]

    ended = run_flow(pipeline_of(made), tmp_path, registry(FirstOnly), bounds=Bounds(rows=1))

    assert ended.nodes["n1"].rows_in == 50_000
    assert Keeper.kept["all"].total() == 1


class Endless(Count):
    """Gives numbers until it is stopped."""

    type = "endless_source"

    def read(self, context):
        while not context.stopping.is_set():
            yield from super().read(context)


class Busy(sdk.Transform):
    """Fails for a moment, again and again."""

    type = "busy"
    title = "Busy"
    icon = "globe"
    group = "transform"

    def process(self, rows, context):
        raise TransientError("Busy.")


def test_a_graceful_stop_ends_a_run_whose_source_waits_for_a_node_that_retries(tmp_path):
    made = [
        Made("endless_source", {}),
        Made("busy", {}, (("input", (0, "out")),)),
        Made("keeper_sink", {"name": "all"}, (("input", (1, "out")),)),
    ]
    policies = {"busy": {"retry": {"delay": 3600, "max_delay": 3600, "jitter": False}}}

    def listener(event):
        if isinstance(event, Sampled) and event.wires["n0.out -> n1.input"].fill >= 1:
            flow.run.stop()

    flow = make_flow(
        pipeline_of(made, policies),
        tmp_path,
        registry(Endless, Busy),
        bounds=Bounds(rows=1),
        listeners=[listener],
    )
    flow.start()

    assert flow.ended().status is RunStatus.STOPPED
    assert not Keeper.kept.get("all")
