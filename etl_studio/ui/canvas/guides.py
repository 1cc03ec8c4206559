"""Smart guides: while cards are dragged, edges and middles that meet those of near cards draw them and show a line."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QGraphicsScene

    from etl_studio.ui.theme.tokens import Tokens

REACH = 6.0
"""Distance in pixels of the screen from which a card is drawn to a line."""
BEYOND = 12.0
"""A line goes on so far behind the cards that it joins."""
SAME = 0.25
"""Edges that are no farther apart are on one line."""

Mark = tuple[float, QRectF]


class Guides:
    """The lines of one drag. They are drawn above the scene, not as items of it.

    Args:
        scene: is told which parts to draw again.

    Attributes:
        on: whether cards are drawn to each other.
        lines: what is shown now, in scene coordinates.
    """

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self._across: list[Mark] = []
        self._down: list[Mark] = []
        self.on = True
        self.lines: list[QLineF] = []

    def begin(self, cards: Iterable[QRectF]) -> None:
        """Remember the edges and middles of the cards that stay where they are."""
        cards = list(cards) if self.on else []
        self._across = sorted(((x, card) for card in cards for x in _across(card)), key=_place)
        self._down = sorted(((y, card) for card in cards for y in _down(card)), key=_place)

    def pull(self, card: QRectF, zoom: float) -> tuple[float | None, float | None]:
        """How far a card must go to meet the nearest edges, across and down; None where none is near."""
        reach = REACH / zoom
        return _nearest(self._across, _across(card), reach), _nearest(self._down, _down(card), reach)

    def show(self, card: QRectF) -> None:
        """Draw lines through all edges that the card meets; none for a null one."""
        if card.isNull():
            self._draw([])
            return
        lines = [
            QLineF(x, joined.top() - BEYOND, x, joined.bottom() + BEYOND)
            for x in _across(card)
            if not (joined := _joined(self._across, x, card)).isNull()
        ]
        lines += [
            QLineF(joined.left() - BEYOND, y, joined.right() + BEYOND, y)
            for y in _down(card)
            if not (joined := _joined(self._down, y, card)).isNull()
        ]
        self._draw(lines)

    def clear(self) -> None:
        """The drag is over."""
        self._across, self._down = [], []
        self._draw([])

    def paint(self, painter: QPainter, tokens: Tokens) -> None:
        """Draw the lines, one pixel wide at every zoom."""
        if self.lines:
            pen = QPen(QColor(tokens.accent), 1, Qt.PenStyle.SolidLine)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(self.lines)

    def _draw(self, lines: list[QLineF]) -> None:
        for line in {*_areas(self.lines), *_areas(lines)}:
            self._scene.update(QRectF(*line))
        self.lines = lines


def _areas(lines: list[QLineF]) -> list[tuple[float, float, float, float]]:
    return [QRectF(line.p1(), line.p2()).normalized().adjusted(-16, -16, 16, 16).getRect() for line in lines]


def _across(card: QRectF) -> tuple[float, ...]:
    return card.left(), card.center().x(), card.right()


def _down(card: QRectF) -> tuple[float, ...]:
    return card.top(), card.center().y(), card.bottom()


def _place(mark: Mark) -> float:
    return mark[0]


def _nearest(marks: Sequence[Mark], edges: Iterable[float], reach: float) -> float | None:
    ways = []
    for edge in edges:
        index = bisect_left(marks, edge, key=_place)
        ways += [mark[0] - edge for mark in marks[max(0, index - 1) : index + 1]]
    way = min(ways, key=abs, default=None)
    return way if way is not None and abs(way) <= reach else None


def _joined(marks: Sequence[Mark], edge: float, card: QRectF) -> QRectF:
    """The card with all those that meet it at an edge; null when there is none."""
    joined = QRectF()
    for place, other in marks[bisect_left(marks, edge - SAME, key=_place) :]:
        if place > edge + SAME:
            break
        joined = (joined if not joined.isNull() else card).united(other)
    return joined
