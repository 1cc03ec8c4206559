"""Where cards go to stand in a line or at equal distances, and which free place is near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF, QRectF

from etl_studio.ui.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Places = dict[str, tuple[float, float]]

Edge = Literal["left", "centre", "right", "top", "middle", "bottom"]
Axis = Literal["across", "down"]

ALIGN: tuple[tuple[Edge, str], ...] = (
    ("left", N_("Align left")),
    ("centre", N_("Align centres")),
    ("right", N_("Align right")),
    ("top", N_("Align top")),
    ("middle", N_("Align middles")),
    ("bottom", N_("Align bottom")),
)
"""Edges with their names for people."""
DISTRIBUTE: tuple[tuple[Axis, str], ...] = (
    ("across", N_("Distribute across")),
    ("down", N_("Distribute down")),
)

GAP = 24.0
"""Room that a new card leaves around itself."""


def aligned(cards: Mapping[str, QRectF], edge: Edge) -> Places:
    """Top left corners of cards with one edge in a line: that of the outermost card, or the middle of all.

    Args:
        cards: rectangles in scene coordinates, by node.
        edge: which edge; ``centre`` is that across, ``middle`` that down.
    """
    around = bounds(cards.values())
    line = {
        "left": lambda card: (around.left(), card.top()),
        "centre": lambda card: (around.center().x() - card.width() / 2, card.top()),
        "right": lambda card: (around.right() - card.width(), card.top()),
        "top": lambda card: (card.left(), around.top()),
        "middle": lambda card: (card.left(), around.center().y() - card.height() / 2),
        "bottom": lambda card: (card.left(), around.bottom() - card.height()),
    }[edge]
    return {name: line(card) for name, card in cards.items()}


def distributed(cards: Mapping[str, QRectF], axis: Axis) -> Places:
    """Top left corners of cards with equal gaps between them; the outermost two stay.

    Args:
        cards: rectangles in scene coordinates, by node.
        axis: from left to right, or from top to bottom.
    """
    across = axis == "across"
    sizes = {name: card.width() if across else card.height() for name, card in cards.items()}
    starts = {name: card.left() if across else card.top() for name, card in cards.items()}
    order = sorted(cards, key=lambda name: (starts[name] + sizes[name] / 2, name))
    if len(order) < 3:  # noqa: PLR2004 - two cards have one gap
        return {name: (card.left(), card.top()) for name, card in cards.items()}
    room = starts[order[-1]] + sizes[order[-1]] - starts[order[0]] - sum(sizes.values())
    gap, at, places = room / (len(order) - 1), starts[order[0]], {}
    for name in order:
        card = cards[name]
        places[name] = (at, card.top()) if across else (card.left(), at)
        at += sizes[name] + gap
    return places


def bounds(cards: Iterable[QRectF]) -> QRectF:
    """The smallest rectangle around cards."""
    around = QRectF()
    for card in cards:
        around = around.united(card)
    return around


def free_place(wish: QRectF, cards: Iterable[QRectF], step: float) -> QPointF:
    """The top left corner nearest below or above a wished one where a card lies on no other.

    Args:
        wish: where the card would be.
        cards: those that are there.
        step: distance between two tries.
    """
    column = [card for card in cards if card.right() + GAP > wish.left() and card.left() - GAP < wish.right()]
    tries = 2 * len(column) + 2  # each card can spoil at most two of them on either side
    for number in range(tries * 2):
        down = step * ((number + 1) // 2) * (1 if number % 2 else -1)
        place = wish.translated(0, down)
        if not any(card.intersects(place.adjusted(-GAP, -GAP, GAP, GAP)) for card in column):
            return place.topLeft()
    return QPointF(wish.left(), max(card.bottom() for card in column) + GAP)
