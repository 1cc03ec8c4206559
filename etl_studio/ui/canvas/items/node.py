"""A node on the canvas: a card with icon, title, summary or counters, ports, and what the run says about it."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.engine.events import NodeState
from etl_studio.pipeline.flat import OUTPUT_END
from etl_studio.ui.canvas.items.sprites import (
    BADGE,
    BADGE_BOX,
    CARD_HEIGHT,
    CARD_WIDTH,
    MARGIN,
    PORT_BOX,
    Badge,
    Body,
    Dot,
    Sprites,
    mixed,
    translucent,
)
from etl_studio.ui.canvas.live import ACTIVE, LiveNode, Notice
from etl_studio.ui.canvas.ports import NEW_INPUT, CanvasPort
from etl_studio.ui.canvas.summary import summary
from etl_studio.ui.quantities import short
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.pipeline.model import NodeSpec
    from etl_studio.pipeline.problems import Problem
    from etl_studio.sdk import Node

TEXT_LEFT, TEXT_RIGHT = 62.0, CARD_WIDTH - 12.0
PORT_GAP = 20.0
BOX_BELOW = 0.4
"""Below this zoom a node is a coloured box."""
EDGE_FROM = 0.2
"""Below this zoom such a box has no edge."""
BOX_BADGE = QRectF(CARD_WIDTH - 28, 0, 28, 28)
PIN, PIN_PLACE, PIN_RADIUS = 12, QPointF(5, 3), 9.0
FAR_BELOW = 0.65
"""Below this zoom texts are larger, so that they can still be read."""
PILL_HEIGHT = 20.0
STATE_ROOM = 20.0
"""Taken from the title by the glyph of the state during a run."""
LABEL_WIDTH = 56.0
SIDE = 76.0
"""Room at both sides for the labels of ports."""


class NodeItem(QGraphicsItem):
    """The card of one node. It shows what it is told and changes nothing.

    Args:
        sprites: shared pictures, fonts and colours.

    Attributes:
        name: id of the node.
        disabled, left_out: it does not run, by itself or since only disabled nodes feed it.
        ports: its ports, inputs first.
    """

    Type = QGraphicsItem.UserType + 1

    def __init__(self, sprites: Sprites) -> None:
        super().__init__()
        self.name = ""
        self.disabled = self.left_out = False
        self.ports: tuple[CanvasPort, ...] = ()
        self.height = CARD_HEIGHT
        self._sprites = sprites
        self._body = Body("box", "", CARD_HEIGHT)
        self._title, self._summary, self._type_title = "", "", ""
        self._anchors: dict[tuple[bool, str], QPointF] = {}
        self._measure()
        self._problems: tuple[Problem, ...] = ()
        self._pinned = False
        self._box: tuple[QColor, QColor] | None = None
        self._live: LiveNode | None = None
        self._notice: Notice | None = None
        self._ends = (False, False)
        self._hovered: CanvasPort | None = None
        self._is_hovered = False
        self._marks: dict[tuple[bool, str], str] = {}
        self.setZValue(10)

    # -- told by the scene ------------------------------------------------------------------------------------

    def show_spec(
        self, spec: NodeSpec, node_type: type[Node] | None, ports: tuple[CanvasPort, ...], *, left_out: bool = False
    ) -> None:
        """Show a node's specification; ``left_out``: it does not run, since only disabled nodes feed it."""
        self.prepareGeometryChange()
        self.name, self.ports = spec.id, ports
        sides = [sum(port.is_input for port in ports), sum(not port.is_input for port in ports)]
        self.height = max(CARD_HEIGHT, PORT_GAP * max(sides) + 24)
        self._measure()
        self._anchors = _anchors(ports, self.height)
        ends = all(p.is_input or p.is_rejects for p in ports) and spec.type != OUTPUT_END  # which loads nothing
        self._ends = (not any(p.is_input for p in ports), ends)
        icon, group = (node_type.icon, node_type.group) if node_type else ("help", "")
        dots = tuple((at.x(), at.y(), _dot(port)) for port in ports if (at := self._anchors[port.is_input, port.name]))
        state = self._live.state.value if self._live else ""
        self._body = Body(
            icon, group, self.height, self._body.selected, state=state, missing=node_type is None,
            disabled=spec.disabled or left_out, ports=dots,
        )  # fmt: skip
        self._type_title = tr(node_type.title) if node_type else spec.type
        self._title = spec.title or (self._type_title if node_type else spec.id)
        self._summary = summary(spec, node_type)
        if spec.disabled:
            takes = sum(port.is_input and port.connected for port in ports)
            self._summary = tr("Disabled, rows pass") if takes == 1 and not self._ends[1] else tr("Disabled")
        elif left_out:
            self._summary = tr("No rows: fed by disabled nodes")
        self.disabled, self.left_out = spec.disabled, left_out
        self._renew_tool_tip()
        self.renew_face()

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Show what is wrong with the node as a badge."""
        problems = tuple(problems)
        if problems != self._problems:
            self._problems = problems
            self._renew_tool_tip()
            self.renew_face()

    def show_pinned(self, *, pinned: bool) -> None:
        """Show that previews use rows that a person has kept."""
        if pinned != self._pinned:
            self._pinned = pinned
            self._renew_tool_tip()
            self.renew_face()

    def show_live(self, live: LiveNode | None, now: float) -> None:
        """Show what the run says; repaints only what changed.

        Args:
            live: the facts; None outside a run.
            now: seconds since the epoch.
        """
        before, notice = self._body.state, live.notice(now) if live else None
        self._live = live
        self._body = _with(self._body, state=live.state.value if live else "")
        if notice != self._notice:
            self._notice = notice
            self.update(self._pill_rect())
            self._renew_tool_tip()
        if self._body.state != before or live is None:
            self.renew_face()
        else:
            self.update(self._counter_rect())

    def show_hover(self, port: CanvasPort | None, *, hovered: bool) -> None:
        """Show that the pointer is on the node, or on one of its ports."""
        if (port, hovered) != (self._hovered, self._is_hovered):
            self._hovered, self._is_hovered = port, hovered
            self._body = _with(self._body, hovered=hovered)
            self.renew_face()

    def mark_ports(self, marks: dict[tuple[bool, str], str] | None) -> None:
        """While a wire is drawn: which ports take it or refuse it (see ``Dot.mark``); None: no wire is drawn."""
        self._marks = marks or {}
        self.setOpacity(0.45 if marks and not {"valid", "hover"} & set(marks.values()) else 1.0)
        self.update()

    @property
    def chosen(self) -> bool:
        """Whether the node is selected."""
        return self._body.selected

    def show_chosen(self, *, chosen: bool) -> None:
        """Show that the node is selected."""
        if chosen != self._body.selected:
            self._body = _with(self._body, selected=chosen)
            self.setZValue(11 if chosen else 10)
            self.renew_face()

    # -- geometry ---------------------------------------------------------------------------------------------

    def anchor(self, name: str, *, is_input: bool) -> QPointF:
        """Where a wire meets a port, in scene coordinates."""
        middle = QPointF(0 if is_input else CARD_WIDTH, self.height / 2)
        return self.pos() + self._anchors.get((is_input, name), middle)

    def port_at(self, position: QPointF, reach: float) -> CanvasPort | None:
        """The nearest port within ``reach`` pixels of a point in scene coordinates."""
        local = position - self.pos()
        nearest, distance = None, reach
        for port in self.ports:
            apart = local - self._anchors[port.is_input, port.name]
            if (length := (apart.x() ** 2 + apart.y() ** 2) ** 0.5) <= distance:
                nearest, distance = port, length
        return nearest

    def card(self) -> QRectF:
        """The card without shadow, badge and notice, in item coordinates."""
        return self._card

    def type(self) -> int:
        return self.Type

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self):  # noqa: ANN201 - QPainterPath
        path = super().shape()
        path.clear()
        path.addRect(self.card())
        return path

    # -- painting ---------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        zoom = painter.worldTransform().m11()
        if zoom < BOX_BELOW:
            self._paint_box(painter, edged=zoom >= EDGE_FROM)
            return
        scale = zoom * painter.device().devicePixelRatioF()
        self._sprites.faces.draw(painter, self, self._face_area, scale, partial(self._paint_face, zoom, scale))
        if self._shows_counters:
            self._paint_counters(painter, far=self._is_far(zoom))
        if self._live:
            self._paint_state(painter)
        if self._is_hovered or self._marks:
            self._paint_marked_ports(painter, scale)
        if self._notice:
            self._paint_notice(painter, self._notice, far=self._is_far(zoom))

    @property
    def _shows_counters(self) -> bool:
        return self._live is not None and self._live.state is not NodeState.WAITING

    def _paint_face(self, zoom: float, scale: float, painter: QPainter) -> None:
        """What stays as it is while a run goes on; see ``Faces``."""
        sprites, tokens, middle = self._sprites, self._sprites.tokens, self.height / 2
        body = sprites.body(self._body, scale)
        painter.drawPixmap(self._card.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN), body, QRectF(body.rect()))
        far = self._is_far(zoom)
        room = TEXT_RIGHT - TEXT_LEFT
        painter.setPen(QColor(tokens.text_disabled if self._body.disabled else tokens.text))
        title = QRectF(
            TEXT_LEFT, middle - (26 if far else 20), room - STATE_ROOM if self._live else room, 24 if far else 18
        )
        _write(painter, sprites.far_font if far else sprites.title_font, title, self._title)
        if not self._shows_counters:
            painter.setPen(QColor(tokens.text_muted))
            _write(painter, sprites.far_small_font if far else sprites.small_font, self._counter_rect(), self._summary)
        if self._problems:
            self._paint_badge(painter, scale)
        if self._pinned:
            self._paint_pin(painter, scale)

    def _paint_box(self, painter: QPainter, *, edged: bool) -> None:
        if self._box is None:
            self._box = self._sprites.box_colours(self._body)
        edge, inside = self._box
        if edged:
            painter.fillRect(self._card, edge)
        painter.fillRect(self._inner if edged else self._card, inside)
        if self._problems:
            painter.fillRect(BOX_BADGE, self._problem_colour())

    def _is_far(self, zoom: float) -> bool:
        """Whether texts are to be larger; sooner where a person has larger texts."""
        return zoom < FAR_BELOW * self._sprites.theme.scale

    def _paint_counters(self, painter: QPainter, *, far: bool) -> None:
        tokens, live = self._sprites.tokens, self._live
        box, font = self._counter_rect(), self._sprites.far_small_font if far else self._sprites.small_font
        metrics = QFontMetricsF(font)
        is_source, is_sink = self._ends
        text = live.counters(is_source=is_source, is_sink=is_sink, short=far)
        rate = f"{short(live.rate)}/s" if live.state in ACTIVE and live.rate >= 1 else ""
        if metrics.horizontalAdvance(f"{text}  {rate}") > box.width():
            text = live.counters(is_source=is_source, is_sink=is_sink, short=True)
        painter.setPen(QColor(tokens.text))
        _write(painter, font, box, text)
        if rate and metrics.horizontalAdvance(f"{text}  {rate}") <= box.width():
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, rate)

    def _paint_state(self, painter: QPainter) -> None:
        """A glyph besides the colour, so that nobody needs to tell red from green."""
        tokens, state = self._sprites.tokens, self._live.state
        colour = QColor(tokens.state(state.value))
        centre = QPointF(TEXT_RIGHT - 6, self.height / 2 - 11)
        if state in (NodeState.WAITING, NodeState.STOPPED):
            painter.setPen(QPen(colour, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, 4, 4)
            if state is NodeState.STOPPED:
                painter.fillRect(QRectF(centre.x() - 1.5, centre.y() - 1.5, 3, 3), colour)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        if state in ACTIVE:
            painter.setBrush(translucent(colour, 0.25))
            painter.drawEllipse(centre, 7, 7)
            painter.setBrush(colour)
            painter.drawEllipse(centre, 4, 4)
            return
        painter.setBrush(colour)
        painter.drawEllipse(centre, 7, 7)
        painter.setPen(QPen(QColor(tokens.raised), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        if state is NodeState.DONE:
            painter.drawPolyline([centre + QPointF(-3, 0.2), centre + QPointF(-0.8, 2.4), centre + QPointF(3.2, -2.2)])
        else:
            painter.drawLine(centre + QPointF(0, -3.4), centre + QPointF(0, 0.6))
            painter.drawLine(centre + QPointF(0, 3.2), centre + QPointF(0, 3.3))

    def _paint_marked_ports(self, painter: QPainter, scale: float) -> None:
        """Over the plain ones that are part of the body's picture."""
        for port in self.ports:
            key = (port.is_input, port.name)
            is_hovered = bool(self._hovered) and key == (self._hovered.is_input, self._hovered.name)
            mark = "hover" if is_hovered else self._marks.get(key, "")
            anchor = self._anchors[key]
            if mark:
                picture = self._sprites.dot(_dot(port, mark), scale)
                box = QRectF(anchor.x() - PORT_BOX / 2, anchor.y() - PORT_BOX / 2, PORT_BOX, PORT_BOX)
                painter.drawPixmap(box, picture, QRectF(picture.rect()))
            if is_hovered or (self._needs_label(port) and (self._is_hovered or mark in ("valid", "hover"))):
                self._paint_port_label(painter, port, anchor)

    def _needs_label(self, port: CanvasPort) -> bool:
        same_side = [other for other in self.ports if other.is_input == port.is_input]
        return port.is_rejects or len(same_side) > 1

    def _paint_port_label(self, painter: QPainter, port: CanvasPort, anchor: QPointF) -> None:
        tokens = self._sprites.tokens
        painter.setFont(self._sprites.small_font)
        metrics = QFontMetricsF(self._sprites.small_font)
        text = metrics.elidedText(port.title or port.name, Qt.TextElideMode.ElideRight, LABEL_WIDTH)
        width = metrics.horizontalAdvance(text) + 8
        left = anchor.x() - 10 - width if port.is_input else anchor.x() + 10
        # Beside its wire, not on it.
        box = QRectF(left, anchor.y() + 2 if port.is_rejects else anchor.y() - 18, width, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(translucent(tokens.canvas, 0.9))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(tokens.danger if port.is_rejects else tokens.text_muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_badge(self, painter: QPainter, scale: float) -> None:
        count = len(self._problems)
        look = Badge(str(count) if count < 10 else "9+", self._problem_colour().name())  # noqa: PLR2004
        picture = self._sprites.badge(look, scale)
        box = QRectF(0, 0, BADGE_BOX, BADGE_BOX)
        box.moveCenter(QPointF(CARD_WIDTH - BADGE * 0.1, BADGE * 0.1))
        painter.drawPixmap(box, picture, QRectF(picture.rect()))

    def _paint_pin(self, painter: QPainter, scale: float) -> None:
        tokens = self._sprites.tokens
        painter.setPen(QPen(QColor(tokens.accent), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawEllipse(PIN_PLACE, PIN_RADIUS, PIN_RADIUS)
        picture = self._sprites.theme.pixmap("pin", tokens.accent, PIN, scale)
        box = QRectF(0, 0, PIN, PIN)
        box.moveCenter(PIN_PLACE)
        painter.drawPixmap(box, picture, QRectF(picture.rect()))

    def _paint_notice(self, painter: QPainter, notice: Notice, *, far: bool) -> None:
        tokens = self._sprites.tokens
        colour = QColor(getattr(tokens, notice.role))
        font = self._sprites.far_small_font if far else self._sprites.small_font
        metrics = QFontMetricsF(font)
        room = self._pill_rect()
        text = metrics.elidedText(notice.text, Qt.TextElideMode.ElideRight, room.width() - 28)
        box = QRectF(room.left(), room.top(), metrics.horizontalAdvance(text) + 27, PILL_HEIGHT + 4 * far)
        painter.setFont(font)
        painter.setPen(QPen(mixed(tokens.canvas, colour, 0.4), 1))
        painter.setBrush(mixed(tokens.raised, colour, 0.12))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), box.height() / 2, box.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(box.left() + 10.5, box.center().y()), 3, 3)
        painter.setPen(mixed(colour, tokens.text, 0.35))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box.adjusted(18, 0, 0, 0), left, text)

    # -- inside -----------------------------------------------------------------------------------------------

    def renew_face(self) -> None:
        """What ``_paint_face`` shows has changed."""
        self._sprites.faces.forget(self)
        self._box = None
        self.update()

    def _measure(self) -> None:
        """Qt asks for these thousands of times in each frame."""
        self._card = QRectF(0, 0, CARD_WIDTH, self.height)
        self._inner = self._card.adjusted(4, 4, -4, -4)
        self._face_area = self._card.adjusted(-MARGIN, -BADGE / 2, BADGE, MARGIN)
        self._bounds = self._card.adjusted(-SIDE, -PORT_BOX / 2, SIDE, PILL_HEIGHT + 10)

    def _counter_rect(self) -> QRectF:
        return QRectF(TEXT_LEFT, self.height / 2 + 1, TEXT_RIGHT - TEXT_LEFT, 20)

    def _pill_rect(self) -> QRectF:
        return QRectF(0, self.height + 6, CARD_WIDTH, PILL_HEIGHT + 4)

    def _problem_colour(self) -> QColor:
        error = any(problem.severity == "error" for problem in self._problems)
        return QColor(self._sprites.tokens.danger if error else self._sprites.tokens.warning)

    def _renew_tool_tip(self) -> None:
        """Problems first: they are why a person points at the node."""
        lines = [f"<b>{escape(self._title)}</b><br>{escape(self._type_title)} · <code>{escape(self.name)}</code>"]
        lines += [f"{escape(problem.message)} {escape(problem.hint)}" for problem in self._problems]
        if self._notice:
            lines.append(escape(self._notice.text))
        if self._pinned:
            lines.append(tr("Its rows are pinned: previews use them, runs do not."))
        self.setToolTip("<br><br>".join(lines))


def _write(painter: QPainter, font: QFont, box: QRectF, text: str) -> None:
    """A line of text, cut where the box ends."""
    painter.setFont(font)
    text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)


def _dot(port: CanvasPort, mark: str = "") -> Dot:
    return Dot(port.is_rejects or not port.known, port.connected, port.name == NEW_INPUT, mark)


def _with(body: Body, **looks: object) -> Body:
    if all(getattr(body, name) == value for name, value in looks.items()):
        return body
    values = {name: getattr(body, name) for name in Body.__dataclass_fields__}
    return Body(**{**values, **looks})


def _anchors(ports: tuple[CanvasPort, ...], height: float) -> dict[tuple[bool, str], QPointF]:
    """Ports stand evenly around the middle of their side; rejects leave at the lower right."""
    anchors = {}
    for is_input in (True, False):
        side = [port for port in ports if port.is_input is is_input and not port.is_rejects]
        top = height / 2 - PORT_GAP * (len(side) - 1) / 2
        for index, port in enumerate(side):
            anchors[is_input, port.name] = QPointF(0 if is_input else CARD_WIDTH, top + PORT_GAP * index)
    for port in ports:
        if port.is_rejects:
            anchors[False, port.name] = QPointF(CARD_WIDTH, height - 12)
    return anchors
