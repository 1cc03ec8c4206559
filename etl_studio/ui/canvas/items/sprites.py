"""Pictures that items share: card bodies and ports are painted once per look and zoom, then only copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPen, QPixmap

from etl_studio.ui.canvas.items.faces import Faces
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens

CARD_WIDTH, CARD_HEIGHT = 224.0, 64.0
CARD_RADIUS = 10.0
TILE = QRectF(12, 12, 40, 40)
"""The tinted square that holds the icon."""
ICON = 22
FONT_FAR, FONT_FAR_SMALL = 20, 16
"""Pixels of texts from afar: at half the size they are as large as small texts elsewhere."""
MARGIN = 8.0
"""Room around a card for its halo and shadow."""
PORT_RADIUS = 5.0
PORT_BOX = 20.0
BADGE, BADGE_BOX = 18.0, 20.0
MOST_PICTURES = 400
"""Pictures kept; zooming makes new ones and the old are forgotten together."""


def mixed(first: str | QColor, second: str | QColor, part: float) -> QColor:
    """A colour between two: ``part`` 0 is the first, 1 the second."""
    a, b = QColor(first), QColor(second)
    part = min(max(part, 0.0), 1.0)
    return QColor.fromRgbF(
        a.redF() + (b.redF() - a.redF()) * part,
        a.greenF() + (b.greenF() - a.greenF()) * part,
        a.blueF() + (b.blueF() - a.blueF()) * part,
    )


def translucent(colour: str | QColor, alpha: float) -> QColor:
    """The same colour with an opacity from 0 to 1."""
    result = QColor(colour)
    result.setAlphaF(alpha)
    return result


@dataclass(frozen=True, slots=True)
class Dot:
    """The look of a port. ``mark``: "", "hover", "valid", "refused", or "denied" under the pointer."""

    rejects: bool = False
    connected: bool = False
    adds: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A number in a coloured circle."""

    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Body:
    """The look of a card: two cards of the same look share one picture. ``ports``: place and look of each."""

    icon: str
    group: str
    height: float
    selected: bool = False
    hovered: bool = False
    state: str = ""
    missing: bool = False
    disabled: bool = False
    ports: tuple[tuple[float, float, Dot], ...] = ()


class Sprites(QObject):
    """Paints and keeps the shared pictures; forgets them when the theme changes.

    Args:
        theme: colours and icons.
        parent: the QObject that owns it.

    Attributes:
        title_font, small_font: the fonts of cards, at zoom 1.
        far_font, far_small_font: for texts that are read from afar.
        faces: pictures of whole nodes.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.title_font = self._font(FONT_BODY, QFont.Weight.DemiBold)
        self.far_font = self._font(FONT_FAR, QFont.Weight.DemiBold)
        self.far_small_font = self._font(FONT_FAR_SMALL, QFont.Weight.Normal)
        self.small_font = self._font(FONT_SMALL, QFont.Weight.Normal)
        self._pictures: dict[object, QPixmap] = {}
        self.faces = Faces()
        self._box_colours: dict[tuple[str, str, bool, bool], tuple[QColor, QColor]] = {}
        theme.changed.connect(self._forget)

    @property
    def tokens(self) -> Tokens:
        """The colours of the moment."""
        return self.theme.tokens

    def body(self, look: Body, scale: float) -> QPixmap:
        """The card of that look at ``scale`` device pixels per pixel, with ``MARGIN`` around it."""
        key = (look, round(scale, 2))
        if (picture := self._pictures.get(key)) is None:
            size = QRectF(0, 0, CARD_WIDTH + 2 * MARGIN, look.height + 2 * MARGIN)
            picture = self._picture(key, size, lambda painter: self._paint_body(painter, look, scale))
        return picture

    def badge(self, look: Badge, scale: float) -> QPixmap:
        """A badge in a square of ``BADGE_BOX``."""
        key = (look, round(scale, 2))
        if (picture := self._pictures.get(key)) is None:
            size = QRectF(0, 0, BADGE_BOX, BADGE_BOX)
            picture = self._picture(key, size, lambda painter: self._paint_badge(painter, look))
        return picture

    def dot(self, look: Dot, scale: float) -> QPixmap:
        """A port of that look in a square of ``PORT_BOX``."""
        key = (look, round(scale, 2))
        if (picture := self._pictures.get(key)) is None:
            size = QRectF(0, 0, PORT_BOX, PORT_BOX)
            picture = self._picture(key, size, lambda painter: self._paint_dot(painter, look))
        return picture

    def box_colours(self, look: Body) -> tuple[QColor, QColor]:
        """Edge and inside of a card seen from so far away that it is a box."""
        key = (look.group, look.state, look.selected, look.disabled)
        if key not in self._box_colours:
            tokens = self.tokens
            colour = tokens.state(look.state) if look.state else tokens.group(look.group)
            edge = QColor(tokens.accent if look.selected else tokens.border_strong)
            inside = mixed(tokens.canvas, colour, 0.12) if look.disabled else mixed(tokens.raised, colour, 0.35)
            self._box_colours[key] = (edge, inside)
        return self._box_colours[key]

    @staticmethod
    def _font(pixels: int, weight: QFont.Weight) -> QFont:
        font = QFont(QGuiApplication.font())
        font.setPixelSize(pixels)
        font.setWeight(weight)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def _forget(self) -> None:
        self._pictures.clear()
        self.faces.clear()
        self._box_colours.clear()
        self.changed.emit()

    def _picture(self, key: tuple[object, float], size: QRectF, paint) -> QPixmap:  # noqa: ANN001 - a painter's callable
        if len(self._pictures) >= MOST_PICTURES:
            self._pictures.clear()
        scale = key[1]
        picture = QPixmap(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.scale(picture.width() / size.width(), picture.height() / size.height())
        paint(painter)
        painter.end()
        self._pictures[key] = picture
        return picture

    def _paint_body(self, painter: QPainter, look: Body, scale: float) -> None:
        tokens = self.tokens
        card = QRectF(MARGIN, MARGIN, CARD_WIDTH, look.height)
        painter.setPen(Qt.PenStyle.NoPen)
        shadow = 0.05 if tokens.name == "light" else 0.22
        for spread, drop in ((1.0, 1.0), (2.0, 2.0), (3.0, 3.0)):
            painter.setBrush(translucent("#000000", shadow / spread))
            grown = card.adjusted(-spread / 2, drop, spread / 2, drop + spread / 2)
            painter.drawRoundedRect(grown, CARD_RADIUS + 1, CARD_RADIUS + 1)
        if look.selected:
            painter.setBrush(translucent(tokens.accent, 0.22))
            painter.drawRoundedRect(card.adjusted(-4, -4, 4, 4), CARD_RADIUS + 4, CARD_RADIUS + 4)
        painter.setBrush(QColor(tokens.canvas if look.disabled else tokens.raised))
        painter.setPen(self._border(look))
        inset = painter.pen().widthF() / 2
        painter.drawRoundedRect(card.adjusted(inset, inset, -inset, -inset), CARD_RADIUS, CARD_RADIUS)
        colour = QColor(tokens.text_muted if look.missing else tokens.group(look.group))
        if look.disabled:
            colour = mixed(colour, tokens.canvas, 0.6)
        tile = TILE.translated(MARGIN, MARGIN + (look.height - CARD_HEIGHT) / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(tokens.raised, colour, 0.13 if tokens.name == "light" else 0.18))
        painter.drawRoundedRect(tile, 8, 8)
        icon = self.theme.pixmap(look.icon, colour.name(), max(8, round(ICON * scale)), 1.0)
        box = QRectF(0, 0, ICON, ICON)
        box.moveCenter(tile.center())
        painter.drawPixmap(box, icon, QRectF(icon.rect()))
        for x, y, dot in look.ports:
            painter.save()
            painter.translate(MARGIN + x - PORT_BOX / 2, MARGIN + y - PORT_BOX / 2)
            self._paint_dot(painter, dot)
            painter.restore()

    def _border(self, look: Body) -> QPen:
        tokens = self.tokens
        if look.selected:
            return QPen(QColor(tokens.accent), 2)
        if look.state in ("running", "retrying", "open", "failed"):
            return QPen(QColor(tokens.state(look.state)), 1.5)
        if look.missing or look.disabled:
            return QPen(QColor(tokens.border_strong), 1.2, Qt.PenStyle.DashLine)
        return QPen(QColor(tokens.border_strong if look.hovered else tokens.border), 1)

    def _paint_badge(self, painter: QPainter, look: Badge) -> None:
        tokens = self.tokens
        box = QRectF(1, 1, BADGE, BADGE)
        painter.setPen(QPen(QColor(tokens.canvas), 2))
        painter.setBrush(QColor(look.colour))
        painter.drawEllipse(box)
        painter.setFont(self.small_font)
        painter.setPen(QColor(tokens.raised))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, look.text)

    def _paint_dot(self, painter: QPainter, look: Dot) -> None:
        tokens = self.tokens
        centre = QPointF(PORT_BOX / 2, PORT_BOX / 2)
        colour = QColor(tokens.danger if look.rejects else tokens.wire)
        radius = PORT_RADIUS
        if look.mark in ("hover", "valid"):
            colour = QColor(tokens.danger if look.rejects else tokens.accent)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(translucent(colour, 0.25))
            painter.drawEllipse(centre, 9, 9)
            radius = 6.0
        elif look.mark == "refused":
            colour = QColor(tokens.text_disabled)
        elif look.mark == "denied":
            colour = QColor(tokens.danger)
        painter.setPen(QPen(colour, 1.6))
        painter.setBrush(colour if look.connected or look.mark == "hover" else QColor(tokens.raised))
        painter.drawEllipse(centre, radius - 0.8, radius - 0.8)
        if look.adds:
            painter.drawLine(centre - QPointF(2, 0), centre + QPointF(2, 0))
            painter.drawLine(centre - QPointF(0, 2), centre + QPointF(0, 2))
