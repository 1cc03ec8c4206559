"""A breaker as a picture: the calls that it judges, how many of them open it, and what follows."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from etl_studio.ui.forms.retry_timeline import duration
from etl_studio.ui.theme.tokens import FONT_SMALL, SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.sdk.policy import Breaker
    from etl_studio.ui.theme.theme import Theme

CELL, GAP, MOST_CELLS, MOST_TRIALS = 9, 2, 10, 4
ARROW = 16


def opening_failures(breaker: Breaker) -> int:
    """How many of the least number of calls must fail for the breaker to open."""
    return max(1, math.ceil(breaker.minimum_calls * breaker.failure_rate / 100))


def cells(breaker: Breaker) -> tuple[int, int, int]:
    """Cells of the window, of these such as must be there, and of those such as must fail; a cell may be many calls."""
    if breaker.window == "time":
        least = min(breaker.minimum_calls, MOST_CELLS)
        return least, least, max(1, round(least * breaker.failure_rate / 100))
    size = max(breaker.window_size, breaker.minimum_calls)
    shown = min(size, MOST_CELLS)
    least = max(1, round(breaker.minimum_calls * shown / size))
    return shown, least, min(least, max(1, math.ceil(least * breaker.failure_rate / 100)))


class BreakerPicture(QWidget):
    """Failed calls, the time that the breaker is open, trial calls, closed again.

    Args:
        theme: gives the colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._breaker: Breaker | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_breaker(self, breaker: Breaker) -> None:
        """Draw another breaker; one that is not used is not drawn."""
        self._breaker = breaker
        self.setVisible(breaker.enabled)
        first, *others = self._labels(breaker)
        said = reduce(lambda before, label: tr("{first}, then {next}", first=before, next=label), others, first)
        self.setAccessibleName(said)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(60 * SPACE, CELL + self._theme.px(FONT_SMALL) + 4 * SPACE)

    @staticmethod
    def _labels(breaker: Breaker) -> list[str]:
        time = duration(breaker.open_for)
        return [
            tr("{failed} of {calls} fail", failed=opening_failures(breaker), calls=breaker.minimum_calls),
            tr("waits {time}", time=time) if breaker.when_open == "wait" else tr("fails {time}", time=time),
            trn("{count} trial", "{count} trials", breaker.half_open_calls),
            tr("closed"),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        if self._breaker is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(FONT_SMALL))
        self._draw(painter, self._breaker)
        painter.end()

    def _draw(self, painter: QPainter, breaker: Breaker) -> None:
        tokens, measure = self._theme.tokens, painter.fontMetrics()
        labels = self._labels(breaker)
        window, least, failed = cells(breaker)
        trials = min(breaker.half_open_calls, MOST_TRIALS)
        widths = [window * (CELL + GAP) - GAP, 10 * SPACE, trials * (CELL + GAP) - GAP, CELL]
        rooms = [max(width, measure.horizontalAdvance(text)) for width, text in zip(widths, labels, strict=True)]
        gap = max(ARROW, (self.width() - sum(rooms)) / 3)
        left, top = 0.0, float(SPACE)
        for part, (room, width, text) in enumerate(zip(rooms, widths, labels, strict=True)):
            begin = left
            if part == 0:
                for number in range(window):
                    colour = tokens.danger if number < failed else tokens.success if number < least else tokens.border
                    self._cell(painter, begin + number * (CELL + GAP), top, colour)
            elif part == 1:
                self._cell(painter, begin, top, tokens.warning, width)
            elif part == 2:  # noqa: PLR2004 - the trials
                for number in range(trials):
                    self._cell(painter, begin + number * (CELL + GAP), top, tokens.accent)
            else:
                self._cell(painter, begin, top, tokens.success)
            painter.setPen(QColor(tokens.text_muted))
            room_below = QRectF(left, top + CELL + SPACE, room + 2, measure.height())
            painter.drawText(room_below, Qt.AlignmentFlag.AlignLeft, text)
            left += room
            if part < len(labels) - 1:
                self._arrow(painter, begin + width + 2 * SPACE, left + gap - 2 * SPACE, top + CELL / 2)
            left += gap

    def _cell(self, painter: QPainter, x: float, y: float, colour: str, width: float = CELL) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(x, y, width, CELL), 2, 2)

    def _arrow(self, painter: QPainter, start: float, end: float, y: float) -> None:
        ink = QColor(self._theme.tokens.control)
        painter.setPen(QPen(ink, 1))
        painter.drawLine(QPointF(start, y), QPointF(end - 3, y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([QPointF(end, y), QPointF(end - 4, y - 3), QPointF(end - 4, y + 3)]))
