"""A policy as words and as a picture: attempts on a time axis, and the worst case in time."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from etl_studio.ui.forms.worst_case import Step, delays, timeout_of, total, worst_case
from etl_studio.ui.listing import listed
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.tokens import FONT_SMALL, SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.sdk.policy import Breaker, ErrorBudget, Policy
    from etl_studio.ui.theme.theme import Theme

DOT = 4.0
BAR = 8
ALL = 100
"""Per cent: a share that nothing exceeds."""
LABEL_GAP = 6.0
MINUTE, HOUR = 60, 3600


def duration(seconds: float) -> str:
    """``0.5 s``, ``2 min``, ``1 h 30 min``."""
    if seconds < MINUTE:
        return f"{round(seconds, 1):g} s"
    if seconds < HOUR:
        minutes, rest = divmod(round(seconds), MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def retry_sentence(policy: Policy, *, web: bool) -> str:
    """What the retry does, and how long a call takes at worst, in words."""
    waits = delays(policy.retry)
    attempts = len(waits) + 1
    if attempts == 1:
        text = tr("One attempt; nothing is tried again.")
    else:
        text = tr(
            "{attempts} attempts with at most {time} of waiting between them.",
            attempts=attempts,
            time=duration(sum(waits)),
        )
    steps, timeout = worst_case(policy, web=web), timeout_of(policy, web=web)
    breaker = total(steps, "breaker")
    if timeout is None:
        return text + " " + tr("An attempt has no timeout.")
    tries = sum(step.kind == "attempt" for step in steps)
    parts = [tr("the timeout")]
    if tries > 1:
        parts = [tr("{time} for each of {attempts} attempts", time=duration(timeout), attempts=tries)]
    if waiting := total(steps, "wait"):
        parts.append(tr("{time} of waiting", time=duration(waiting)))
    if breaker:
        parts.append(tr("{time} for an open breaker", time=duration(breaker)))
    worst = tr("At worst {time}: {parts}.", time=duration(total(steps)), parts=listed(parts))
    return f"{text} {worst}"


def budget_sentence(budget: ErrorBudget | None) -> str:
    """When the node stops the run, in words."""
    limits = []
    if budget is not None and budget.rows is not None:
        limits.append(tr("more than {rows} rows", rows=count(budget.rows)))
    if budget is not None and budget.percent < ALL:
        limits.append(
            tr(
                "more than {percent} % of at least {rows} rows",
                percent=f"{budget.percent:g}",
                rows=count(budget.minimum),
            )
        )
    if not limits:
        return tr("However many rows fail, the run goes on.")
    if len(limits) == 1:
        return tr("Stops the run when {limit} have failed.", limit=limits[0])
    return tr("Stops the run when {one} or {other} have failed.", one=limits[0], other=limits[1])


def breaker_sentence(breaker: Breaker) -> str:
    """When the breaker opens and closes, in words."""
    if not breaker.enabled:
        return tr("No breaker: what keeps failing is called again and again.")
    window = tr("last {calls} calls", calls=breaker.window_size)
    if breaker.window != "count":
        window = tr("calls of the last {time}", time=duration(breaker.window_size))
    time = duration(breaker.open_for)
    waits = breaker.when_open == "wait"
    return tr(
        "Opens when {rate} % of at least {least} of the {window} fail; {meanwhile}; then {trials}.",
        rate=f"{breaker.failure_rate:g}",
        least=breaker.minimum_calls,
        window=window,
        meanwhile=tr("waits {time}", time=time) if waits else tr("fails at once for {time}", time=time),
        trials=trn("{count} trial call", "{count} trial calls", breaker.half_open_calls),
    )


class RetryTimeline(QWidget):
    """What retries take in time.

    Above, attempts that fail at once as dots on an axis, with the longest waits between them. Below, a bar of the worst
    case: an open breaker, attempts that run into their timeout, waits.

    Args:
        theme: gives the colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._waits: list[float] = []
        self._worst: list[Step] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def waits(self) -> list[float]:
        """The waits that are drawn, in seconds."""
        return self._waits

    @property
    def worst(self) -> list[Step]:
        """The steps of the bar; none where an attempt may take for ever."""
        return self._worst

    def show_policy(self, policy: Policy, *, web: bool) -> None:
        """Draw another policy; ``web``: the node asks a site."""
        self._waits = delays(policy.retry)
        self._worst = [] if timeout_of(policy, web=web) is None else worst_case(policy, web=web)
        attempts, time = len(self._waits) + 1, duration(total(self._worst))
        said = tr("{attempts} attempts", attempts=attempts)
        if self._worst:
            said = tr("{attempts} attempts, at worst {time}", attempts=attempts, time=time)
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        bar = BAR + 2 * self._theme.px(FONT_SMALL) + 5 * SPACE if self._worst else 0
        return QSize(40 * SPACE, self._axis_height + bar)

    @property
    def _axis_height(self) -> int:
        return 2 * self._theme.px(FONT_SMALL) + 6 * SPACE

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(FONT_SMALL))
        self._draw(painter)
        if self._worst:
            self._draw_worst(painter, self._axis_height + SPACE)
        painter.end()

    def _draw_worst(self, painter: QPainter, top: float) -> None:
        tokens = self._theme.tokens
        colors = {"attempt": tokens.accent, "wait": tokens.control, "breaker": tokens.warning}
        measure = painter.fontMetrics()
        painter.setPen(QColor(tokens.text))
        words = QRectF(DOT + 1, top, self.width(), measure.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft, tr("At most {time}", time=duration(total(self._worst))))
        top += measure.height() + SPACE
        width = self.width() - 2 * (DOT + 1)
        scale = width / total(self._worst)
        left = DOT + 1
        painter.setPen(Qt.PenStyle.NoPen)
        for step in self._worst:
            length = step.seconds * scale
            painter.setBrush(QColor(colors[step.kind]))
            # A gap of one pixel divides attempts that follow each other without a wait.
            painter.drawRect(QRectF(left, top, max(length - 1, 1.0), BAR))
            left += length
        line = top + BAR + SPACE
        left = DOT + 1
        for kind, text in (("breaker", tr("breaker")), ("attempt", tr("attempts")), ("wait", tr("waits"))):
            if not total(self._worst, kind):
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors[kind]))
            painter.drawRect(QRectF(left, line + (measure.height() - 2 * DOT) / 2, 2 * DOT, 2 * DOT))
            left += 3 * DOT
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(QRectF(left, line, width, measure.height()), Qt.AlignmentFlag.AlignLeft, text)
            left += measure.horizontalAdvance(text) + 3 * DOT

    def _draw(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        times = [0.0, *accumulate(self._waits)]
        last_label = duration(times[-1])
        left = DOT + 1
        right = self.width() - DOT - 1
        axis = self._axis_height / 2
        scale = (right - left) / times[-1] if times[-1] else 0.0
        spots = [left + time * scale for time in times]
        painter.setPen(QPen(QColor(tokens.control), 1))
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
