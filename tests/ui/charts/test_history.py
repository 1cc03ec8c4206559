"""The samples of a run as columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.engine.events import NodeCounts, NodeSample, NodeState, Sampled, WireSample
from etl_studio.ui.charts.history import History


def sampled(at: float, rows: int, *, errors: int = 0, p95: float | None = None, fill: float = 0.0) -> Sampled:
    source = NodeSample(NodeState.RUNNING, NodeCounts(rows_in=rows, errors=errors), p95, p95)
    sink = NodeSample(NodeState.RUNNING, NodeCounts(rows_in=rows // 2))
    return Sampled("r", at, {"read": source, "save": sink}, {"read.out -> save.input": WireSample(rows, 0, fill)})


def test_a_rate_is_rows_of_the_last_second():
    history = History(started=100.0)
    for tick in range(41):
        history.add(sampled(100 + tick / 10, rows=tick * 50))

    rates = history.rates("rows", "read")

    assert rates[-1] == pytest.approx(500)
    assert rates[20] == pytest.approx(500)
    assert history.times[-1] == pytest.approx(4.0)


def test_the_rows_of_the_first_moment_count_from_the_start_of_the_run():
    history = History(started=100.0)
    history.add(sampled(100.5, rows=1000))

    assert history.rates("rows", "read")[-1] == pytest.approx(2000)


def test_a_latency_that_is_not_known_yet_is_a_gap():
    history = History()
    history.add(sampled(1.0, rows=0))
    history.add(sampled(1.1, rows=10, p95=0.25))

    assert np.isnan(history.column("p95", "read")[0])
    assert history.column("p95", "read")[1] == 0.25


def test_the_source_is_the_node_that_no_wire_leads_to():
    history = History()
    history.add(sampled(1.0, rows=1))

    assert history.sources() == ["read"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200))
def test_thinning_keeps_the_last_count_and_the_highest_fill(steps):
    history = History(started=0.0, capacity=16)
    total = 0
    for tick, step in enumerate(steps, 1):
        total += step
        history.add(sampled(float(tick), total, fill=step / 1000))

    assert len(history) <= 16
    assert history.column("rows", "read")[-1] == total
    assert np.all(np.diff(history.times) > 0)
    assert np.all(np.diff(history.column("rows", "read")) >= 0)
    assert history.column("fill", "read.out -> save.input").max() == max(steps) / 1000
