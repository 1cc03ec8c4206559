"""The run monitor: throughput, errors, latency and queue fill of the run, live."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from etl_studio.engine.events import RunEnded, RunStarted, Sampled
from etl_studio.ui.charts.card import ChartCard
from etl_studio.ui.charts.history import History
from etl_studio.ui.charts.loader import PlotLoader
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.quantities import count, latencies, latency, percent, rate, short
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

    from etl_studio.ui.charts.history import Kind
    from etl_studio.ui.charts.plots import Line
    from etl_studio.ui.theme.theme import Theme

REFRESH = 100
"""Milliseconds between two drawings; each draws one of the four charts, so that none makes the window wait long.

Measured: at 55 the charts alone doubled the lateness of the window beside a run that uses every core.
"""

FLAT = 3.4
"""From this ratio of width to height on, the four charts stand side by side."""


CARDS = ("rows", "errors", "latency", "fill")


class RunMonitor(QWidget):
    """Four small charts with one time axis.

    Args:
        theme: colours.
        titles: what nodes are called for people, by id; asked when a run begins.
        parent: its parent.
    """

    def __init__(
        self, theme: Theme, titles: Callable[[], Mapping[str, str]] = dict, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._titles_now = titles
        self._titles: Mapping[str, str] = {}
        self._history = History()
        self._cards: dict[str, ChartCard] = {}
        self._stale: list[str] = []
        self._duration: float | None = None
        self._columns = 0
        self._loader = PlotLoader(self)
        self._loader.loaded.connect(self._build)
        self._timer = QTimer(self, interval=REFRESH)
        self._timer.timeout.connect(self._draw_next)

        self._placeholder = Notice(theme, self)
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setMinimumWidth(1)
        self._charts = QWidget()
        outside = QVBoxLayout(self._charts)
        outside.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        outside.setSpacing(2 * SPACE)
        outside.addWidget(self._legend)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(6 * SPACE)
        self._grid.setVerticalSpacing(2 * SPACE)
        outside.addLayout(self._grid, 1)

        self._stack = QStackedWidget()
        self._stack.addWidget(self._placeholder)
        self._stack.addWidget(self._charts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        theme.changed.connect(self._dress)
        self._dress()
        self._show_words()

    @property
    def samples(self) -> History:
        """What the charts hold: the samples of the last run."""
        return self._history

    @property
    def is_ready(self) -> bool:
        """Whether the charts are there: their library is loaded in the background."""
        return bool(self._cards)

    def warm_up(self) -> None:
        """Load the charts' library in the background; called when the window has been painted."""
        self._loader.start()

    def take(self, event: object) -> None:
        """Take the events of a run: ``RunStarted``, ``Sampled`` and ``RunEnded``; others are ignored."""
        if isinstance(event, RunStarted):
            self.clear(event.at)
        elif isinstance(event, Sampled):
            self._history.add(event)
            self._stale = self._stale or list(CARDS)
            if len(self._history) == 1:
                self._show_words()
                self._draw_next()
        elif isinstance(event, RunEnded):
            self._duration = event.duration
            self.refresh_now()

    def clear(self, started: float | None = None) -> None:
        """Forget the last run; ``started``: when the next one began, seconds since the epoch."""
        self._history = History(started)
        self._titles = self._titles_now()
        self._duration = None
        self._stale.clear()
        for card in self._cards.values():
            card.plot.clear_lines()
            card.set_value("")
        self._show_words()

    def refresh_now(self) -> None:
        """Draw all charts."""
        self._stale = list(CARDS)
        while self._draw_next():
            pass

    # -- Qt ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.warm_up()
        self._timer.start()
        self.refresh_now()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # -- inside -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        from etl_studio.ui.charts.plots import TimePlot

        if self._cards:
            return
        self._cards = {
            "rows": ChartCard(tr("Throughput"), tr("Rows per second that each node takes."), TimePlot(short, least=10)),
            "errors": ChartCard(
                tr("Errors and rejects"),
                tr(
                    "Failed attempts and rows that were not processed, per second at each node; "
                    "the number is their sum."
                ),
                TimePlot(short, least=1),
            ),
            "latency": ChartCard(
                tr("Latency p50 / p95"),
                tr(
                    "How long a batch or call takes at each node: half of them (p50), "
                    "all but one in twenty (p95, faint)."
                ),
                TimePlot(latency, least=0.01),
            ),
            "fill": ChartCard(
                tr("Queue fill"),
                tr("How full the wire before each node is. A full one waits for the node behind it."),
                TimePlot(percent, least=1.0, fixed=True),
            ),
        }
        self._columns = 0
        self._arrange()
        self._dress()
        self._show_words()
        if self.isVisible() and self._stack.currentWidget() is self._placeholder:
            self._draw_unseen()

    def _draw_unseen(self) -> None:
        """Lay the empty charts out and draw them: the first time is dear, and the first second of a run is busy."""
        self._legend.setText("&nbsp;")
        self._charts.resize(self._stack.size())
        self._charts.grab()

    def _arrange(self) -> None:
        columns = 4 if self.width() > FLAT * self.height() else 2
        if not self._cards or columns == self._columns:
            return
        self._columns = columns
        for index, card in enumerate(self._cards.values()):
            self._grid.addWidget(card, index // columns, index % columns)
        for column in range(4):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        for card in self._cards.values():
            card.plot.set_tokens(tokens)
        self.refresh_now()

    def _show_words(self) -> None:
        has_data = len(self._history) > 0
        self._stack.setCurrentWidget(self._charts if has_data and self._cards else self._placeholder)
        if has_data:
            self._placeholder.tell("activity", tr("Preparing the charts…"))
        else:
            self._placeholder.tell(
                "activity", tr("No run yet"), tr("Run the pipeline to see throughput, errors, latency and queues.")
            )

    def _draw_next(self) -> bool:
        """Draw one chart that has become stale; whether there was one."""
        if not self._stale or not self._cards or not self.isVisible() or not len(self._history):
            return False
        if self._stale == list(CARDS):
            self._lengthen()
        card = self._stale.pop(0)
        colors = {name: self._color(index) for index, name in enumerate(self._busiest())}
        if card == "rows":
            self._write_legend(colors)
            self._draw_rates("rows", colors)
            self._write_throughput()
        elif card == "errors":
            self._draw_rates("errors", colors)
            total = sum(np.nan_to_num(self._history.column("errors", name)[-1]) for name in self._history.nodes)
            self._cards["errors"].set_value(count(int(total)))
        elif card == "latency":
            self._draw_latency(colors)
        else:
            self._draw_fill(colors)
        return True

    def _lengthen(self) -> None:
        """All four axes grow together, though the lines are drawn one chart after the other."""
        end = float(self._history.times[-1])
        for card in self._cards.values():
            card.plot.show_time(end)

    def _title(self, name: str) -> str:
        return self._titles.get(name, name)

    def _busiest(self) -> list[str]:
        """The nodes that are drawn: as many as there are colours, in the order of the pipeline."""
        limit = len(self._theme.tokens.series)
        nodes = self._history.nodes
        if len(nodes) <= limit:
            return nodes
        ranked = sorted(nodes, key=lambda name: -self._history.column("rows", name)[-1])[:limit]
        return [name for name in nodes if name in ranked]

    def _color(self, index: int) -> str:
        series = self._theme.tokens.series
        return series[index % len(series)]

    def _write_legend(self, colors: dict[str, str]) -> None:
        parts = [
            f'<span style="color:{color}">●</span>&nbsp;{escape(self._title(name))}' for name, color in colors.items()
        ]
        left_out = len(self._history.nodes) - len(colors)
        if left_out:
            parts.append(trn("and {count} quieter node", "and {count} quieter nodes", left_out))
        text = "&nbsp;&nbsp;&nbsp;&nbsp;".join(parts)
        if text != self._legend.text():
            self._legend.setText(text)

    def _lines(self, pairs: Iterable[tuple[str, np.ndarray]], *, faint: bool = False) -> list[Line]:
        from etl_studio.ui.charts.plots import Line

        times = self._history.times
        return [Line(times, values, color, faint) for color, values in pairs]

    def _draw_rates(self, kind: Kind, colors: dict[str, str]) -> None:
        rates = ((color, self._history.rates(kind, name)) for name, color in colors.items())
        self._cards[kind].plot.set_lines(self._lines(rates))

    def _write_throughput(self) -> None:
        """What the sources read now, or on average when the run has ended."""
        history = self._history
        total = sum(history.latest.nodes[name].counts.rows_in for name in history.sources())
        if self._duration is not None:
            self._cards["rows"].set_value(rate(total / max(self._duration, 0.001)), tr("average"))
        else:
            now = sum(float(history.rates("rows", name)[-1]) for name in history.sources())
            self._cards["rows"].set_value(rate(now), tr("{rows} read", rows=short(total)))

    def _draw_latency(self, colors: dict[str, str]) -> None:
        p50 = {name: self._history.column("p50", name) for name in colors}
        p95 = {name: self._history.column("p95", name) for name in colors}
        faint = self._lines(((colors[name], p95[name]) for name in colors), faint=True)
        lines = self._lines((colors[name], p50[name]) for name in colors)
        card = self._cards["latency"]
        card.plot.set_lines([*faint, *lines])
        known = [name for name in colors if not np.isnan(p95[name][-1])]
        if known:
            slowest = max(known, key=lambda name: p95[name][-1])
            low, high = float(p50[slowest][-1]), float(p95[slowest][-1])
            card.set_value(latencies(low, high), self._title(slowest))
        else:
            card.set_value("")

    def _draw_fill(self, colors: dict[str, str]) -> None:
        wires = {text: text.partition(" -> ")[2].rpartition(".")[0] for text in self._history.wires}
        shown = [(colors[target], text) for text, target in wires.items() if target in colors]
        card = self._cards["fill"]
        card.plot.set_lines(self._lines((color, self._history.column("fill", text)) for color, text in shown))
        fills = {text: sample.fill for text, sample in self._history.latest.wires.items()}
        fullest = max(fills, key=lambda text: fills[text], default=None)
        if fullest is not None:
            note = tr("before {node}", node=self._title(wires[fullest])) if fills[fullest] else ""
            card.set_value(percent(fills[fullest]), note)
