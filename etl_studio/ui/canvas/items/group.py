"""A group on the canvas: a titled frame around its members, or one card for all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.ui.canvas.items.sprites import (
    CARD_HEIGHT,
    CARD_RADIUS,
    CARD_WIDTH,
    PORT_RADIUS,
    Sprites,
    mixed,
    translucent,
)
from etl_studio.ui.state_words import STATE_WORDS
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etl_studio.pipeline.model import Group, Wire

AROUND = 24.0
"""From the members to the frame."""
BAR = 32.0
"""Height of the bar with the title."""
CHEVRON = 32.0
"""Width of the place of the chevron."""
WORST = ("failed", "open", "retrying", "running", "stopped", "waiting", "done")
"""States of nodes, those first that a person should see."""
CARD_LEFT = 58.0
"""Where the texts of a card begin."""
TITLE_BELOW = 0.6
BOX_BELOW = 0.14


def worst_state(states: Iterable[str]) -> str:
    """The state of a group whose members have these; empty for none."""
    found = set(states)
    return next((state for state in WORST if state in found), "")


def frame_around(cards: Sequence[QRectF]) -> QRectF:
    """The frame of members whose cards are there, in scene coordinates."""
    rect = QRectF()
    for card in cards:
        rect = rect.united(card)
    return rect.adjusted(-AROUND, -AROUND - BAR, AROUND, AROUND)


class GroupItem(QGraphicsItem):
    """The frame or card of one group. It shows what it is told and changes nothing.

    Args:
        sprites: fonts and colours.

    Attributes:
        name: id of the group.
        collapsed: it is a card.
        state: the worst of its members in a run; empty outside one.
        problems: how many its members have.
    """

    Type = QGraphicsItem.UserType + 4

    def __init__(self, sprites: Sprites) -> None:
        super().__init__()
        self.name = ""
        self.collapsed = False
        self._sprites = sprites
        self._group: Group | None = None
        self._rect = QRectF()
        self._slots: dict[tuple[bool, Wire], QPointF] = {}
        self._chosen = False
        self.state, self.problems = "", 0

    # -- told by the scene ------------------------------------------------------------------------------------

    def show_group(self, group: Group) -> None:
        """Show title, colour and number of members."""
        self.name, self._group, self.collapsed = group.id, group, group.collapsed
        self.setZValue(10 if group.collapsed else -10)
        self.setToolTip(f"{group.title} · {_members(group)}" if group.collapsed else "")
        self.renew_face()

    def show_frame(self, frame: QRectF) -> None:
        """Stand around the members, in scene coordinates; a card stands at the upper left corner."""
        rect = QRectF(0, 0, CARD_WIDTH, CARD_HEIGHT) if self.collapsed else QRectF(QPointF(), frame.size())
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
            self.renew_face()
        self.setPos(frame.topLeft())

    def show_wires(self, inputs: Sequence[Wire], outputs: Sequence[Wire]) -> None:
        """Give each wire from and to the outside its place at the side of the card."""
        slots = {}
        for is_input, wires in ((True, inputs), (False, outputs)):
            gap = min(16.0, (CARD_HEIGHT - 16) / max(len(wires), 1))
            top = CARD_HEIGHT / 2 - gap * (len(wires) - 1) / 2
            for index, wire in enumerate(wires):
                slots[is_input, wire] = QPointF(0 if is_input else CARD_WIDTH, top + gap * index)
        if slots != self._slots:
            self._slots = slots
            self.renew_face()

    def show_chosen(self, *, chosen: bool) -> None:
        """Show that all members are selected."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.renew_face()

    def show_state(self, state: str, problems: int) -> None:
        """Show the worst state of the members in a run, and how many problems they have."""
        if (state, problems) != (self.state, self.problems):
            self.state, self.problems = state, problems
            self.renew_face()

    def renew_face(self) -> None:
        """Something looks different."""
        self._sprites.faces.forget(self)
        self.update()

    # -- geometry ---------------------------------------------------------------------------------------------

    def card(self) -> QRectF:
        """The frame or card, in scene coordinates."""
        return self._rect.translated(self.pos())

    def bar(self) -> QRectF:
        """Where the group is taken and its title is written, in scene coordinates."""
        return self.card() if self.collapsed else QRectF(self.pos(), self._rect.size()).adjusted(
            0, 0, 0, BAR - self._rect.height()
        )  # fmt: skip

    def title_box(self) -> QRectF:
        """The place of the title alone, in scene coordinates."""
        bar = self.bar()
        left, top = (CARD_LEFT - 6, 6.0) if self.collapsed else (CHEVRON - 6, 2.0)
        return QRectF(bar.left() + left, bar.top() + top, bar.width() - left - 8, BAR - 4)

    def is_chevron(self, point: QPointF) -> bool:
        """Whether a point of the bar in scene coordinates collapses or expands the group."""
        return point.x() - self.pos().x() < CHEVRON

    def anchor(self, wire: Wire, *, is_input: bool) -> QPointF:
        """Where a wire from or to the outside meets the card, in scene coordinates."""
        middle = QPointF(0 if is_input else CARD_WIDTH, CARD_HEIGHT / 2)
        return self.pos() + self._slots.get((is_input, wire), middle)

    def type(self) -> int:
        return self.Type

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-8, -8, 12, 12)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.bar().translated(-self.pos()))
        return path

    # -- painting ---------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        zoom = painter.worldTransform().m11()
        scale = zoom * painter.device().devicePixelRatioF()
        if self.collapsed and zoom >= BOX_BELOW:
            paint = partial(self._paint_card, zoom, scale)
            self._sprites.faces.draw(painter, self, self.boundingRect(), scale, paint)
        elif self.collapsed:
            painter.fillRect(self._rect, mixed(self._sprites.tokens.raised, self._tint(), 0.4))
        else:
            self._paint_frame(zoom, painter)

    def _paint_frame(self, zoom: float, painter: QPainter) -> None:
        tokens, tint = self._sprites.tokens, self._tint()
        line = QColor(tokens.accent) if self._chosen else mixed(tokens.canvas, tint, 0.45)
        painter.setPen(QPen(line, 2.0 if self._chosen else 1.2))
        painter.setBrush(translucent(tint, 0.06 if tokens.name == "light" else 0.08))
        painter.drawRoundedRect(self._rect, CARD_RADIUS, CARD_RADIUS)
        if zoom < BOX_BELOW:
            return
        self._paint_chevron(painter, QPointF(CHEVRON / 2, BAR / 2), mixed(tint, tokens.text, 0.4))
        far = zoom < TITLE_BELOW
        font = self._sprites.far_font if far else self._sprites.title_font
        room = self._rect.width() - CHEVRON - 12
        painter.setPen(mixed(tint, tokens.text, 0.55))
        _write(painter, font, QRectF(CHEVRON, 0, room, BAR), self._title())

    def _paint_card(self, zoom: float, scale: float, painter: QPainter) -> None:
        tokens, tint = self._sprites.tokens, self._tint()
        border = QColor(tokens.accent if self._chosen else tokens.border_strong)
        if self.state in ("failed", "open", "retrying", "running") and not self._chosen:
            border = QColor(tokens.state(self.state))
        for apart in (8.0, 4.0, 0.0):  # a pile of cards
            painter.setPen(QPen(border if not apart else QColor(tokens.border), 1.5 if not apart else 1.0))
            painter.setBrush(QColor(tokens.raised) if not apart else mixed(tokens.raised, tint, 0.1))
            box = self._rect.adjusted(apart + 0.75, apart + 0.75, 0.75 - apart - 1.5, apart - 0.75)
            painter.drawRoundedRect(box, CARD_RADIUS, CARD_RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(tokens.raised, tint, 0.13 if tokens.name == "light" else 0.18))
        painter.drawRoundedRect(QRectF(8, 12, 40, 40), 8, 8)
        self._paint_chevron(painter, QPointF(28, CARD_HEIGHT / 2), mixed(tint, tokens.text, 0.3))
        painter.setPen(QColor(tokens.text))
        if zoom < TITLE_BELOW:
            _write(painter, self._sprites.far_font, QRectF(CARD_LEFT, 0, CARD_WIDTH - 70, CARD_HEIGHT), self._title())
        else:
            _write(painter, self._sprites.title_font, QRectF(CARD_LEFT, 12, CARD_WIDTH - 90, 18), self._title())
            painter.setPen(QColor(tokens.state(self.state) if self.state else tokens.text_muted))
            _write(painter, self._sprites.small_font, QRectF(CARD_LEFT, 33, CARD_WIDTH - 70, 18), self._about())
        self._paint_slots(painter)
        if self.problems:
            self._paint_problems(painter, scale)

    def _paint_slots(self, painter: QPainter) -> None:
        tokens = self._sprites.tokens
        for (_, wire), at in self._slots.items():
            colour = QColor(tokens.danger if wire.source_port == "rejects" else tokens.wire)
            painter.setPen(QPen(colour, 1.6))
            painter.setBrush(colour)
            painter.drawEllipse(at, PORT_RADIUS - 1, PORT_RADIUS - 1)

    def _paint_problems(self, painter: QPainter, scale: float) -> None:
        del scale
        tokens = self._sprites.tokens
        painter.setPen(QPen(QColor(tokens.canvas), 2))
        painter.setBrush(QColor(tokens.danger))
        box = QRectF(CARD_WIDTH - 14, -5, 18, 18)
        painter.drawEllipse(box)
        painter.setFont(self._sprites.small_font)
        painter.setPen(QColor(tokens.raised))
        text = str(self.problems) if self.problems < 10 else "9+"  # noqa: PLR2004 - one digit
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_chevron(self, painter: QPainter, middle: QPointF, colour: QColor) -> None:
        painter.setPen(
            QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )  # fmt: skip
        painter.setBrush(Qt.BrushStyle.NoBrush)
        points = [QPointF(-2, -4), QPointF(2, 0), QPointF(-2, 4)]
        if not self.collapsed:
            points = [QPointF(-4, -2), QPointF(0, 2), QPointF(4, -2)]
        painter.drawPolyline([middle + point for point in points])

    # -- inside -----------------------------------------------------------------------------------------------

    def _title(self) -> str:
        return (self._group.title or self._group.id) if self._group else ""

    def _about(self) -> str:
        members = _members(self._group) if self._group else ""
        return f"{members} · {tr(STATE_WORDS[self.state])}" if self.state else members

    def _tint(self) -> QColor:
        return QColor(self._sprites.tokens.tint(self._group.color if self._group else "", "gray"))


def _members(group: Group) -> str:
    return trn("{count} node", "{count} nodes", len(group.nodes))


def _write(painter: QPainter, font: QFont, box: QRectF, text: str) -> None:
    """A line of text, cut where the box ends."""
    painter.setFont(font)
    text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
