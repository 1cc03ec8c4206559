"""The only module that touches pyqtgraph: a line plot over the time of a run.

An array of objects given to pyqtgraph kills the process, so that every number passes ``as_float``. Pens are one pixel
wide and not smoothed: wider or smoothed ones cost ten to a hundred times as much.

Lines and grid are Qt's own path items, not pyqtgraph's: those call from Python into Qt some hundred times per drawing,
and each call lets go of the interpreter. Beside busy workers a drawing took 12 to 18 ms that takes 4 to 6 this way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem

from etl_studio.ui.quantities import clock
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.theme.tokens import Tokens

BUCKETS = 300
"""At most this many pairs of lowest and highest value are drawn per line."""

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Distances of the marks on the time axis, in seconds."""

MARKS = 5
"""So many marks fit on the time axis, where texts have the size of the design."""

FAINT_ALPHA, GRID_ALPHA = 110, 150

SPANS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600)
"""Lengths of the time axis, in seconds: it grows by steps, since a moving axis is dear to draw. Then by hours."""


def as_float(values: Any) -> np.ndarray:
    """Numbers as float64.

    Raises:
        TypeError: it is an array of objects.
    """
    array = np.asarray(values)
    if array.dtype == object:
        raise TypeError("A chart draws numbers only; this is an array of objects.")
    return array.astype(np.float64, copy=False)


def decimate(x: np.ndarray, y: np.ndarray, buckets: int = BUCKETS) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of each bucket, so that no peak is lost; the last value always stays. Shapes (n,), (n,)."""
    size = len(y) // buckets
    if size < 2:  # noqa: PLR2004 - nothing to win below
        return x, y
    missing = -len(y) % size
    x, y = np.pad(x, (0, missing), mode="edge"), np.pad(y, (0, missing), mode="edge")
    lows, highs = (extreme(y.reshape(-1, size), axis=1) for extreme in (np.fmin.reduce, np.fmax.reduce))
    times = np.repeat(x.reshape(-1, size)[:, -1], 2)
    return np.append(times, x[-1]), np.append(np.column_stack((lows, highs)).ravel(), y[-1])


def ceiling(value: float) -> float:
    """The next round number at or above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.999)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot.

    Attributes:
        x: seconds, shape (n,). y: values, shape (n,); NaN leaves a gap.
        color: ``#rrggbb``.
        faint: drawn in the background.
    """

    x: np.ndarray
    y: np.ndarray
    color: str
    faint: bool = False


@cache
def thin_pen(color: str, alpha: int = 255) -> QPen:
    """One pixel at every zoom. Of width 0: then Qt need not make an outline of the line to find where it is."""
    shade = QColor(color)
    shade.setAlpha(alpha)
    return QPen(shade, 0)


class TimePlot(pg.PlotWidget):
    """Lines over the time of a run. The value axis grows with the values and never jumps back within a run.

    Args:
        form: writes a value of the axis.
        least: top of the value axis at the beginning.
        fixed: whether that top stays.
    """

    def __init__(
        self, form: Callable[[float], str], *, least: float, fixed: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, enableMenu=False)
        self._form = form
        self._least = least
        self._fixed = fixed
        self._top = 0.0
        self._span = 0
        self._scale = 1.0
        self._curves: list[QGraphicsPathItem] = []
        self._grid = self._add_path()
        self.setMouseEnabled(x=False, y=False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hideButtons()
        self.setMinimumHeight(56)
        self.getPlotItem().disableAutoRange()
        self.clear_lines()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme and the size of its texts; lines follow with the next values."""
        scale = self._scale = QFontInfo(QApplication.font()).pixelSize() / FONT_BODY
        font = QFont(self.font())
        font.setPixelSize(round((FONT_SMALL - 1) * scale))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setStyle(tickFont=font, tickLength=0, tickTextOffset=4, autoExpandTextSpace=False)
        self.getAxis("left").setWidth(46 * scale)
        self.getAxis("bottom").setHeight(18 * scale)
        self._draw_marks()
        self.setBackground(QColor(tokens.surface))
        for side in ("left", "bottom"):
            self.getAxis(side).setTextPen(pg.mkPen(tokens.text_muted))
            self.getAxis(side).setPen(pg.mkPen(tokens.border if side == "bottom" else tokens.surface))
        self._grid.setPen(thin_pen(tokens.border, GRID_ALPHA))

    def clear_lines(self) -> None:
        """Begin again for another run."""
        for curve in self._curves:
            curve.setPath(QPainterPath())
        self.show_time(0.0)
        self._set_top(self._least)

    def show_time(self, end: float) -> None:
        """Make room for ``end`` seconds since the start of the run; the axis grows by steps."""
        span = next((span for span in SPANS if span >= end), math.ceil(end / SPANS[-1]) * SPANS[-1])
        if span == self._span:
            return
        self._span = span
        self.setXRange(0.0, span, padding=0.0)
        self._draw_grid()
        self._draw_marks()

    def _draw_marks(self) -> None:
        span, most = self._span, max(2, round(MARKS / self._scale))
        step = next((step for step in STEPS if span / step <= most), STEPS[-1])
        marks = [(float(at), clock(at)) for at in range(0, span + 1, step) if at < span * 0.96]
        self.getAxis("bottom").setTicks([marks, []])

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Draw lines; what lies beyond the time that is shown is not seen."""
        while len(self._curves) < len(lines):
            self._curves.append(self._add_path())
        highest = 0.0
        for curve, line in zip(self._curves, lines, strict=False):
            x, y = decimate(as_float(line.x), as_float(line.y))
            curve.setPen(thin_pen(line.color, FAINT_ALPHA if line.faint else 255))
            curve.setPath(pg.arrayToQPath(x, y, connect="finite"))
            if len(y) and not np.isnan(y).all():
                highest = max(highest, float(np.nanmax(y)))
        for curve in self._curves[len(lines) :]:
            curve.setPath(QPainterPath())
        if not self._fixed and highest > self._top:
            self._set_top(ceiling(highest))

    def _set_top(self, top: float) -> None:
        if top == self._top:
            return
        self._top = top
        self.setYRange(0.0, top * 1.06, padding=0.0)
        self.getAxis("left").setTicks([[(value, self._form(value)) for value in (0.0, top / 2, top)], []])
        self._draw_grid()

    def _draw_grid(self) -> None:
        path = QPainterPath()
        for value in (0.0, self._top / 2, self._top):
            path.moveTo(0.0, value)
            path.lineTo(self._span, value)
        self._grid.setPath(path)

    def _add_path(self) -> QGraphicsPathItem:
        item = QGraphicsPathItem()
        self.getViewBox().addItem(item, ignoreBounds=True)
        return item
