"""What is handed to pyqtgraph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtGui import QPainter

from etl_studio.ui import quantities
from etl_studio.ui.charts.plots import Line, TimePlot, as_float, ceiling, decimate


@pytest.fixture
def plot(qtbot, theme):
    plot = TimePlot(quantities.short, least=10)
    qtbot.addWidget(plot)
    plot.set_tokens(theme.tokens)
    plot.resize(400, 160)
    plot.show()
    return plot


def test_an_array_of_objects_is_refused_because_it_would_kill_the_process():
    with pytest.raises(TypeError, match="numbers only"):
        as_float(np.array([1, None], dtype=object))


def test_every_number_becomes_a_float():
    assert as_float(np.array([1, 2], dtype=np.int64)).dtype == np.float64
    assert as_float([True, False]).tolist() == [1.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.integers(1, 3000), elements=st.floats(-1e9, 1e9)))
def test_decimation_loses_no_peak_and_not_the_last_value(values):
    times = np.arange(len(values), dtype=float)

    x, y = decimate(times, values, buckets=50)

    assert len(x) == len(y) <= 2 * 100 + 1
    assert (y.min(), y.max()) == (values.min(), values.max())
    assert y[-1] == values[-1]
    assert x[-1] == times[-1]
    assert np.all(np.diff(x) >= 0)


@given(st.floats(1e-6, 1e12))
def test_the_top_of_an_axis_is_at_or_little_above_the_value(value):
    top = ceiling(value)

    assert value * 0.999 <= top <= value * 2


def test_the_value_axis_grows_and_does_not_shrink_within_a_run(plot):
    times = np.array([0.0, 1.0])
    plot.show_time(1.0)
    plot.set_lines([Line(times, np.array([0.0, 420.0]), "#ff0000")])
    high = plot.viewRange()[1][1]
    plot.show_time(2.0)
    plot.set_lines([Line(times, np.array([0.0, 3.0]), "#ff0000")])

    assert high >= 420
    assert plot.viewRange()[1][1] == high

    plot.clear_lines()
    assert plot.viewRange()[1][1] < 20


def test_a_line_is_one_pixel_wide_and_not_smoothed(plot):
    plot.show_time(1.0)
    plot.set_lines([Line(np.array([0.0, 1.0]), np.array([1.0, 2.0]), "#ff0000")])
    (curve,) = plot._curves

    assert curve.pen().isCosmetic()
    assert curve.pen().widthF() == 0  # the thinnest: one pixel
    assert not plot.renderHints() & QPainter.RenderHint.Antialiasing


def test_a_line_that_is_no_longer_given_is_no_longer_seen(plot):
    times = np.array([0.0, 5.0])
    plot.show_time(5.0)
    plot.set_lines([Line(times, np.array([5.0, 5.0]), "#ff0000"), Line(times, np.array([2.0, 2.0]), "#ff0000")])
    plot.show_time(5.0)
    plot.set_lines([Line(times, np.array([5.0, 5.0]), "#ff0000")])

    assert [curve.path().isEmpty() for curve in plot._curves] == [False, True]


def test_the_line_is_seen_in_its_colour(plot):
    plot.show_time(5.0)
    plot.set_lines([Line(np.array([0.0, 5.0]), np.array([5.0, 5.0]), "#ff0000")])
    image = plot.grab().toImage()

    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    assert sum(colour.red() - colour.green() > 80 for colour in colours) > 200
