"""A retry policy as words and as a picture: attempts on a time axis."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from etl_studio.ui.theme.tokens import FONT_SMALL, SPACE

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.sdk.policy import Breaker, Policy, Retry
    from etl_studio.ui.theme.theme import Theme

DOT = 4.0
LABEL_GAP = 6.0
MINUTE, HOUR = 60, 3600


def delays(retry: Retry) -> list[float]:
    """The longest waits between the attempts, in seconds; jitter only makes them shorter."""
    steps = range(retry.attempts - 1)
    growth = {
        "fixed": [1.0 for _ in steps],
        "linear": [float(step + 1) for step in steps],
        "exponential": [2.0 ** min(step, 64) for step in steps],
    }[retry.backoff]
    waits = [min(retry.delay * factor, retry.max_delay) for factor in growth]
    if retry.max_elapsed is None:
        return waits
    return [wait for wait, total in zip(waits, accumulate(waits), strict=True) if total <= retry.max_elapsed]


def duration(seconds: float) -> str:
    """``0.5 s``, ``2 min``, ``1 h 30 min``."""
    if seconds < MINUTE:
        return f"{round(seconds, 1):g} s"
    if seconds < HOUR:
        minutes, rest = divmod(round(seconds), MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def retry_sentence(policy: Policy) -> str:
    """What the retry does at worst, in words."""
    waits = delays(policy.retry)
    attempts = len(waits) + 1
    if attempts == 1:
        limit = f", given up after {duration(policy.timeout)}" if policy.timeout else ""
        return f"One attempt{limit}; nothing is tried again."
    waiting = sum(waits)
    if policy.timeout is None:
        return f"{attempts} attempts with at most {duration(waiting)} of waiting between them."
    total = waiting + attempts * policy.timeout
    if policy.retry.max_elapsed is not None:
        total = min(total, policy.retry.max_elapsed + policy.timeout)
    return (
        f"{attempts} attempts over at most {duration(total)}: "
        f"{duration(waiting)} of waiting and {duration(policy.timeout)} for each attempt."
    )


def breaker_sentence(breaker: Breaker) -> str:
    """When the breaker opens and closes, in words."""
    if not breaker.enabled:
        return "No breaker: what keeps failing is called again and again."
    size = f"{breaker.window_size}"
    window = f"last {size} calls" if breaker.window == "count" else f"calls of the last {duration(breaker.window_size)}"
    meanwhile = "waits" if breaker.when_open == "wait" else "fails at once for"
    trials = "1 trial call" if breaker.half_open_calls == 1 else f"{breaker.half_open_calls} trial calls"
    return (
        f"Opens when {breaker.failure_rate:g} % of at least {breaker.minimum_calls} of the {window} fail; "
        f"{meanwhile} {duration(breaker.open_for)}; then {trials}."
    )


class RetryTimeline(QWidget):
    """Attempts as dots on a time axis, with the longest waits between them.

    Args:
        theme: gives the colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._waits: list[float] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def waits(self) -> list[float]:
        """The waits that are drawn, in seconds."""
        return self._waits

    def show_retry(self, retry: Retry) -> None:
        """Draw another policy."""
        self._waits = delays(retry)
        self.setAccessibleName(f"{len(self._waits) + 1} attempts")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(40 * SPACE, 2 * FONT_SMALL + 6 * SPACE)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(FONT_SMALL)
        painter.setFont(font)
        self._draw(painter)
        painter.end()

    def _draw(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        times = [0.0, *accumulate(self._waits)]
        last_label = duration(times[-1])
        left = DOT + 1
        right = self.width() - DOT - 1
        axis = self.height() / 2
        scale = (right - left) / times[-1] if times[-1] else 0.0
        spots = [left + time * scale for time in times]
        painter.setPen(QPen(QColor(tokens.border_strong), 1))
        painter.drawLine(QPointF(left, axis), QPointF(right if scale else left + 6 * DOT, axis))
        measure = painter.fontMetrics()
        below = axis + DOT + SPACE
        end = right - measure.horizontalAdvance(last_label) - LABEL_GAP
        free_above = free_below = -2 * LABEL_GAP
        for index, spot in enumerate(spots):
            if index:
                text = f"+{duration(self._waits[index - 1])}"
                width = measure.horizontalAdvance(text)
                middle = (spots[index - 1] + spot) / 2 - width / 2
                if middle > free_above + LABEL_GAP and width < spot - spots[index - 1]:
                    painter.setPen(QColor(tokens.text_muted))
                    box = QRectF(middle, axis - DOT - SPACE - measure.height(), width + 1, measure.height())
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
                    free_above = middle + width
            is_last = index == len(spots) - 1
            text = duration(times[index])
            width = measure.horizontalAdvance(text)
            begin = min(max(spot - width / 2, 0.0), right + DOT - width)
            if begin > free_below + LABEL_GAP and (is_last or begin + width < end):
                painter.setPen(QColor(tokens.text if is_last else tokens.text_muted))
                painter.drawText(QRectF(begin, below, width + 1, measure.height()), Qt.AlignmentFlag.AlignLeft, text)
                free_below = begin + width
            painter.setPen(QPen(QColor(tokens.surface), 1.5))
            painter.setBrush(QColor(tokens.accent))
            painter.drawEllipse(QPointF(spot, axis), DOT, DOT)
