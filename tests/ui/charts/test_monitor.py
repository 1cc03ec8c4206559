"""The run monitor shows the run, and nothing that did not happen."""

from __future__ import annotations

import pytest

from etl_studio.engine.events import (
    NodeCounts,
    NodeSample,
    NodeState,
    RunEnded,
    RunStarted,
    RunStatus,
    Sampled,
    WireSample,
)
from etl_studio.ui.charts.monitor import RunMonitor


@pytest.fixture
def monitor(qtbot, theme):
    monitor = RunMonitor(theme)
    qtbot.addWidget(monitor)
    monitor.resize(1100, 260)
    monitor.show()
    qtbot.waitUntil(lambda: monitor.is_ready, timeout=20_000)
    return monitor


def started(at: float = 100.0) -> RunStarted:
    return RunStarted("r1", at, "orders", None, ("read", "save"))


def sampled(at: float, rows: int, *, errors: int = 0) -> Sampled:
    nodes = {
        "read": NodeSample(NodeState.RUNNING, NodeCounts(rows_in=rows, errors=errors), 0.010, 0.040),
        "save": NodeSample(NodeState.RUNNING, NodeCounts(rows_in=rows), 0.002, 0.003),
    }
    return Sampled("r1", at, nodes, {"read.out -> save.input": WireSample(rows, 5, 0.75)})


def test_before_a_run_it_says_what_will_be_here(monitor):
    assert len(monitor.samples) == 0
    assert monitor._stack.currentWidget() is monitor._placeholder
    assert "Run the pipeline" in monitor._placeholder.text.text()


def test_during_a_run_it_shows_rate_errors_latency_and_the_fullest_queue(monitor):
    monitor.take(started())
    for tick in range(1, 31):
        monitor.take(sampled(100 + tick / 10, tick * 100, errors=tick // 10))
    monitor.refresh_now()

    values = {name: card.value for name, card in monitor._cards.items()}
    assert values == {"rows": "1k rows/s", "errors": "3", "latency": "10 / 40 ms", "fill": "75 %"}
    assert monitor._stack.currentWidget() is monitor._charts


def test_after_a_run_the_rate_is_the_average_of_the_run(monitor):
    monitor.take(started())
    monitor.take(sampled(102, 4000))
    monitor.take(RunEnded("r1", 104, RunStatus.DONE, 4.0, 4000, 4000, 0, 0, {}))

    assert monitor._cards["rows"].value == "1k rows/s"


def test_the_charts_hold_exactly_the_samples_of_the_run(monitor):
    monitor.take(started())
    for tick in range(1, 11):
        monitor.take(sampled(100 + tick / 10, tick * 7))

    assert len(monitor.samples) == 10
    assert monitor.samples.column("rows", "save").tolist() == [tick * 7 for tick in range(1, 11)]
    assert monitor.samples.nodes == ["read", "save"]


def test_the_legend_and_the_remarks_call_nodes_by_their_titles(qtbot, theme):
    monitor = RunMonitor(theme, lambda: {"read": "Orders of today", "save": "Table <all>"})
    qtbot.addWidget(monitor)
    monitor.resize(1400, 260)
    monitor.show()
    qtbot.waitUntil(lambda: monitor.is_ready, timeout=20_000)
    monitor.take(started())
    monitor.take(sampled(101, 500))
    monitor.refresh_now()

    assert "Orders of today" in monitor._legend.text()
    assert "Table &lt;all&gt;" in monitor._legend.text()
    assert monitor._cards["latency"]._note.text() == "Orders of today"
    assert monitor._cards["fill"]._note.text() == "before Table <all>"


def test_the_four_time_axes_grow_together_though_the_charts_are_drawn_in_turn(monitor):
    monitor._timer.stop()
    monitor.take(started())
    monitor.take(sampled(104.9, 500))
    monitor.refresh_now()
    for at in (104.95, 105.2, 105.3):
        monitor.take(sampled(at, 600))
        monitor._draw_next()
        ends = {card.plot.viewRange()[0][1] for card in monitor._cards.values()}
        assert len(ends) == 1
    monitor.refresh_now()

    assert {card.plot.viewRange()[0][1] for card in monitor._cards.values()} == {10}


def test_a_new_run_begins_with_empty_charts(monitor):
    monitor.take(started())
    monitor.take(sampled(100.1, 500))

    monitor.take(started(200.0))

    assert len(monitor.samples) == 0
    assert monitor._cards["rows"].value == ""


def test_the_charts_are_laid_out_before_the_first_run(monitor):
    unseen = [card.plot.size() for card in monitor._cards.values()]

    monitor.take(started())
    monitor.take(sampled(100.1, 500))

    assert [card.plot.size() for card in monitor._cards.values()] == unseen


def test_samples_that_come_while_it_is_hidden_are_drawn_when_it_is_shown(qtbot, monitor):
    monitor.hide()
    monitor.take(started())
    monitor.take(sampled(100.5, 500))
    assert monitor._cards["rows"].value == ""

    monitor.show()

    qtbot.waitUntil(lambda: monitor._cards["rows"].value == "1k rows/s", timeout=2000)


def test_the_charts_follow_the_theme_while_they_show_a_run(monitor, theme):
    monitor.take(started())
    monitor.take(sampled(100.5, 500))
    theme.set_mode("dark")
    image = monitor._cards["rows"].plot.grab().toImage()

    assert image.pixelColor(image.width() - 3, 12).name() == theme.tokens.surface


def test_a_wide_flat_panel_puts_the_charts_side_by_side(qtbot, monitor):
    tops = {card.mapTo(monitor, card.rect().topLeft()).y() for card in monitor._cards.values()}
    assert len(tops) == 1

    monitor.resize(700, 500)
    monitor.take(sampled(100.5, 500))

    qtbot.waitUntil(
        lambda: len({card.mapTo(monitor, card.rect().topLeft()).y() for card in monitor._cards.values()}) == 2
    )
