"""The run on the canvas: states, counters, retries, breakers and the fill of wires."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    NodeChanged,
    NodeCounts,
    NodeSample,
    NodeState,
    RetryScheduled,
    Sampled,
    WireSample,
)
from etl_studio.pipeline.model import Wire
from etl_studio.ui.canvas.live import LiveNode
from etl_studio.ui.canvas.scene import PipelineScene

pytestmark = pytest.mark.window

WIRE = Wire("csv", "out", "filter", "input")


class Clock:
    """Seconds since the epoch, as the test says."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scene(document, theme, clock):
    document.add_node("csv_source", 0, 0)
    document.add_node("filter", 304, 0)
    document.connect_ports(WIRE)
    return PipelineScene(document, theme, clock=clock)


def sampled(at, rows_in, rows_out, fill=0.0, state=NodeState.RUNNING):
    node = NodeSample(state, NodeCounts(rows_in=rows_in, rows_out=rows_out))
    return Sampled("r", at, {"filter": node}, {str(WIRE): WireSample(rows_in, int(fill * 100), fill)})


def notice(scene, clock, node="filter"):
    shown = scene.live.node(node).notice(clock.now)
    return shown.text if shown else None


def picture(scene):
    image = QImage(700, 200, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    scene.render(painter)
    painter.end()
    return image


def test_counts_read_as_rows_in_and_out_with_a_rate(scene):
    for tenth in range(60):
        scene.show_sample(sampled(1000 + tenth / 10, 1240 * tenth, 1100 * tenth))

    live = scene.live.node("filter")
    assert live.counters(is_source=False, is_sink=False) == "73,160 → 64,900"
    assert live.rate == pytest.approx(12_400, rel=0.01)


def test_a_sample_without_news_repaints_nothing(scene):
    scene.show_sample(sampled(1000, 10, 10))
    scene.show_sample(sampled(1001, 10, 10))

    assert scene.live.sampled(sampled(1002, 10, 10)) == []


def test_a_retry_counts_down_and_disappears_when_the_node_runs_again(scene, clock):
    scene.show_retry(RetryScheduled("r", 1000.0, "filter", 1, 5, 1.4, "HTTP 503"))
    scene.show_state(NodeChanged("r", 1000.0, "filter", NodeState.RETRYING))
    assert notice(scene, clock) == "retry 2/5 in 1.4 s"
    clock.now += 1.0
    assert notice(scene, clock) == "retry 2/5 in 0.4 s"
    clock.now += 1.0
    assert notice(scene, clock) == "retry 2/5…"
    scene.show_state(NodeChanged("r", 1002.0, "filter", NodeState.RUNNING))

    assert notice(scene, clock) is None


def test_the_clock_ticks_only_while_something_counts_down(scene, clock, qtbot):
    assert not scene._countdown.isActive()
    scene.show_retry(RetryScheduled("r", 1000.0, "filter", 1, 5, 1.4, "HTTP 503"))
    assert scene._countdown.isActive()
    clock.now += 2.0

    qtbot.waitUntil(lambda: not scene._countdown.isActive(), timeout=2000)


def test_an_open_breaker_tells_when_its_trial_comes_then_half_opens_then_closes(scene, clock):
    scene.show_state(NodeChanged("r", 1000.0, "filter", NodeState.OPEN))
    scene.show_breaker(BreakerChanged("r", 1000.0, "filter", "shop", BreakerState.OPEN, 60.0, 1003.0))
    assert notice(scene, clock) == "breaker open, trial in 3 s"
    scene.show_breaker(BreakerChanged("r", 1003.0, "filter", "shop", BreakerState.HALF_OPEN))
    assert notice(scene, clock) == "breaker half open, trial calls"
    scene.show_breaker(BreakerChanged("r", 1003.1, "filter", "shop", BreakerState.CLOSED))

    assert notice(scene, clock) is None


def test_a_breaker_forced_by_hand_says_so_on_the_node(scene, clock):
    scene.show_state(NodeChanged("r", 1000.0, "filter", NodeState.RUNNING))
    scene.show_breaker(BreakerChanged("r", 1000.0, "filter", "shop", BreakerState.FORCED_OPEN, by_hand=True))
    assert notice(scene, clock) == "breaker opened by hand"
    scene.show_breaker(BreakerChanged("r", 1001.0, "filter", "shop", BreakerState.DISABLED, by_hand=True))
    assert notice(scene, clock) == "breaker disabled by hand"
    scene.show_retry(RetryScheduled("r", 1001.0, "filter", 1, 5, 1.4, "HTTP 503"))

    assert notice(scene, clock) == "retry 2/5 in 2.4 s"


def test_a_failure_is_told_on_the_node(scene, clock):
    scene.show_retry(RetryScheduled("r", 1000.0, "csv", 1, 5, 1.4, "HTTP 503"))
    scene.show_state(NodeChanged("r", 1000.0, "csv", NodeState.FAILED, "There is no file a.csv."))

    assert notice(scene, clock, "csv") == "There is no file a.csv."
    assert "There is no file a.csv." in scene.nodes["csv"].toolTip()


def test_rejected_rows_are_told_on_the_node(scene, clock):
    counts = NodeCounts(rows_in=10, rows_out=7, rejected=1200, dead_letters=3)
    scene.show_sample(Sampled("r", 1000.0, {"filter": NodeSample(NodeState.RUNNING, counts)}, {}))

    assert notice(scene, clock) == "1,200 rejected · 3 dead letters"
    one = NodeCounts(rows_in=10, rows_out=9, dead_letters=1)
    scene.show_sample(Sampled("r", 1001.0, {"filter": NodeSample(NodeState.RUNNING, one)}, {}))
    assert notice(scene, clock) == "1 dead letter"


def test_the_colour_of_a_wire_goes_from_calm_over_amber_to_red_as_its_queue_fills(scene, theme):
    colours = []
    for number, fill in enumerate((0.1, 0.5, 1.0)):
        scene.show_sample(sampled(1000 + number, 10 + number, 10, fill))
        colours.append(scene.wires[WIRE].pen().color())

    assert colours[2] == QColor(theme.tokens.danger)
    assert colours[1] == QColor(theme.tokens.warning)
    assert len({colour.name() for colour in colours}) == 3
    assert "the queue is 100% full" in scene.wires[WIRE].toolTip()


def test_after_the_run_the_canvas_is_as_before(scene):
    before = picture(scene)
    scene.show_sample(sampled(1000, 5000, 4000, 0.9))
    scene.show_retry(RetryScheduled("r", 1000.0, "filter", 1, 5, 1.4, "HTTP 503"))
    during = picture(scene)

    scene.clear_run()

    assert during != before
    assert picture(scene) == before


def test_events_of_nodes_that_are_gone_are_harmless(scene, document):
    document.remove(["filter"])

    scene.show_sample(sampled(1000, 10, 10))
    scene.show_state(NodeChanged("r", 1000.0, "filter", NodeState.DONE))

    assert "filter" not in scene.nodes


def test_problems_of_a_node_are_in_its_tool_tip(scene, document):
    document.check_now()

    assert any(problem.node == "csv" for problem in document.problems)
    for problem in document.problems:
        if problem.node == "csv":
            assert problem.message.split('"')[0] in scene.nodes["csv"].toolTip()


def test_another_theme_repaints_everything(scene, theme):
    before = picture(scene)

    theme.set_mode("dark")

    assert picture(scene) != before


def test_a_source_and_a_sink_show_their_own_words():
    live = LiveNode(counts=NodeCounts(rows_in=12_400, rows_out=11_002))

    assert live.counters(is_source=True, is_sink=False) == "11,002 rows"
    assert live.counters(is_source=False, is_sink=True) == "12,400 → 11,002 loaded"
