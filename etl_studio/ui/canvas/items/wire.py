"""A wire on the canvas: a curve from port to port that shows how full its queue is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.ui.canvas.items.bends import Handles, through
from etl_studio.ui.canvas.items.sprites import Sprites, mixed, translucent
from etl_studio.ui.quantities import count, short
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.engine.events import WireSample
    from etl_studio.pipeline.model import Wire

REACH = 12.0
"""Width of the band in which a wire can be pointed at."""
FILL_STEPS = 12
"""Shades of fill: a change smaller than one repaints nothing."""
FADED = 0.25
"""Opacity of what does not carry the column that is looked for."""
DETAIL_FROM = 0.75
"""The zoom from which rows are written on wires, and wires are thick."""
THIN = 1.3
"""Width of a wire below ``DETAIL_FROM``: at most one pixel on the screen, which Qt draws four times faster."""


def curve(start: QPointF, end: QPointF, *, bends: Sequence[QPointF] = (), straight: bool = False) -> QPainterPath:
    """From an output on the right of a card to an input on the left of another."""
    if bends and not straight:
        return through(start, bends, end)
    path = QPainterPath(start)
    if straight:
        path.lineTo(end)
        return path
    across, down = end.x() - start.x(), abs(end.y() - start.y())
    bend = max(32.0, across / 2) if across > 0 else min(240.0, 64.0 + -across * 0.35 + down * 0.1)
    path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
    return path


class WireItem(QGraphicsPathItem):
    """The curve of one wire. C++ paints it, so that thousands stay quick; it is never Qt-selected for that reason.

    Args:
        wire: what it shows.
        sprites: shared colours and fonts.
    """

    Type = QGraphicsItem.UserType + 2

    def __init__(self, wire: Wire, sprites: Sprites) -> None:
        super().__init__()
        self.wire = wire
        self.chosen = False
        self.mark: QGraphicsItem | None = None
        self._sprites = sprites
        self._hovered = False
        self._sample: WireSample | None = None
        self._flows = False
        self._detailed = True
        self._shade = 0
        self._label: RowsLabel | None = None
        self._bends: tuple[QPointF, ...] = ()
        self._handles: Handles | None = None
        self._disabled = False
        self._lit: bool | None = None
        self.setZValue(0)
        self.renew_pen()

    def type(self) -> int:
        return self.Type

    def route(self, start: QPointF, end: QPointF, bends: Sequence[QPointF] = (), *, straight: bool = False) -> None:
        """Run from one point to another, through bends, in scene coordinates."""
        self.setPath(curve(start, end, bends=bends, straight=straight))
        self._bends = tuple(bends)
        if bends and self._handles is None:
            self._handles = Handles(self, self._sprites)
        if self._handles:
            self._handles.show_points(bends)
            self._show_handles()
        if self._label:
            self._label.setPos(self.path().pointAtPercent(0.5))
        if self.mark:
            self.mark.setPos(self.mark_place())

    def mark_place(self) -> QPointF:
        """Where a breakpoint on the wire is shown: near its end, beside the rows."""
        return self.path().pointAtPercent(0.85)

    def bend_at(self, point: QPointF, reach: float) -> int | None:
        """The bend within ``reach`` pixels of a point in scene coordinates."""
        for index, bend in enumerate(self._bends):
            if (bend - point).manhattanLength() <= reach:
                return index
        return None

    def show_chosen_bend(self, index: int | None) -> None:
        """Show which bend is selected."""
        if self._handles:
            self._handles.show_chosen(index)

    def show_disabled(self, *, disabled: bool) -> None:
        """Show that a node at one of its ends is disabled."""
        if disabled != self._disabled:
            self._disabled = disabled
            self.renew_pen()

    def _show_handles(self) -> None:
        if self._handles:
            self._handles.setVisible(bool(self._bends) and (self.chosen or self._hovered))

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(REACH)
        return stroker.createStroke(self.path())

    def show_hover(self, *, hovered: bool) -> None:
        """Show that the pointer is on the wire."""
        if hovered != self._hovered:
            self._hovered = hovered
            self._show_handles()
            self.renew_pen()

    def show_chosen(self, *, chosen: bool) -> None:
        """Show that the wire is selected."""
        if chosen != self.chosen:
            self.chosen = chosen
            self._show_handles()
            self.renew_pen()

    def show_lit(self, *, lit: bool | None) -> None:
        """Show that the wire carries what is looked for, or that it does not; None: nothing is looked for."""
        if lit != self._lit:
            self._lit = lit
            self.setOpacity(FADED if lit is False else 1.0)
            self.renew_pen()

    def show_sample(self, sample: WireSample | None) -> None:
        """Show rows and fill; None outside a run."""
        before, self._sample = self._sample, sample
        if sample is None:
            if self._label:
                self._label.scene().removeItem(self._label)
                self._label = None
            self._flows, self._shade = False, 0
            self.setToolTip("")
            self.renew_pen()
            return
        flows = sample.waiting > 0 or (before is not None and sample.passed != before.passed)
        shade = round(sample.fill * FILL_STEPS)
        if (flows, shade) != (self._flows, self._shade):
            self._flows, self._shade = flows, shade
            self.renew_pen()
        if self._detailed:
            self._show_label(sample)

    def come_to_rest(self) -> None:
        """The run is over: the numbers stay, nothing flows any more."""
        if self._flows or self._shade:
            self._flows, self._shade = False, 0
            self.renew_pen()

    def show_detail(self, *, detailed: bool) -> None:
        """Write rows on the wire, or not: from afar nobody can read them."""
        self._detailed = detailed
        self.renew_pen()
        if self._label:
            self._label.setVisible(detailed)
        if detailed and self._sample:
            self._show_label(self._sample)

    def _show_label(self, sample: WireSample) -> None:
        if self._label is None:
            self._label = RowsLabel(self, self._sprites)
            self._label.setPos(self.path().pointAtPercent(0.5))
        self._label.show_sample(sample, self._room())
        self.setToolTip(
            tr(
                "{passed} rows passed; {waiting} rows wait, the queue is {fill} full",
                passed=count(sample.passed),
                waiting=count(sample.waiting),
                fill=f"{sample.fill:.0%}",
            )
        )

    def _room(self) -> float:
        """Pixels between the two cards that a label may take."""
        path = self.path()
        across = path.pointAtPercent(1).x() - path.pointAtPercent(0).x()
        return across - 20 if across > 0 else 200.0

    def renew_pen(self) -> None:
        """Colour and width by state: selected, pointed at, flowing (calm to amber to red by fill), idle."""
        tokens = self._sprites.tokens
        rejects = self.wire.source_port == "rejects"
        fill = self._shade / FILL_STEPS
        if self.chosen or self._lit:
            pen = QPen(QColor(tokens.accent), 3.0)
        elif self._flows:
            calm = tokens.danger if rejects else tokens.wire_active
            colour = mixed(mixed(calm, tokens.warning, fill * 2), tokens.danger, fill * 2 - 1)
            pen = QPen(colour, 2.0 + 2.0 * fill)
        else:
            colour = mixed(tokens.wire, tokens.danger, 0.6) if rejects else QColor(tokens.wire)
            pen = QPen(mixed(colour, tokens.text, 0.4) if self._hovered else colour, 2.5 if self._hovered else 1.8)
        if not (self._detailed or self.chosen or self._hovered):
            pen.setWidthF(THIN)
        if self._disabled and not self.chosen:
            pen.setColor(mixed(pen.color(), tokens.canvas, 0.4))
        if (rejects and not self.chosen) or self._disabled:
            pen.setDashPattern([1.5, 3.0] if self._disabled else [4.0, 3.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if rejects or self._disabled else Qt.PenCapStyle.RoundCap)
        self.setPen(pen)


class RowsLabel(QGraphicsItem):
    """The rows that passed, in the middle of a wire; red when the queue is nearly full.

    An item of its own, so that wires without rows stay plain paths.
    """

    def __init__(self, wire: WireItem, sprites: Sprites) -> None:
        super().__init__(wire)
        self._sprites = sprites
        self._text = ""
        self._size = QRectF()
        self._full = False

    def show_sample(self, sample: WireSample, room: float) -> None:
        """Write the numbers of a sample into so many pixels."""
        metrics = QFontMetricsF(self._sprites.small_font)
        passed, waiting = count(sample.passed), count(sample.waiting)
        texts = (
            tr("{passed} · {waiting} wait", passed=passed, waiting=waiting),
            passed,
            short(sample.passed),
        )
        texts = texts if sample.waiting else texts[1:]
        text = next((text for text in texts if metrics.horizontalAdvance(text) + 14 <= room), texts[-1])
        full = sample.fill >= 0.75  # noqa: PLR2004 - three quarters: the next node cannot keep up
        if (text, full) == (self._text, self._full):
            return
        self._full = full
        width = metrics.horizontalAdvance(text) + 14
        if width != self._size.width():
            self.prepareGeometryChange()
            self._size = QRectF(-width / 2, -9, width, 18)
        self._text = text
        self.setVisible(bool(sample.passed or sample.waiting))
        self.update()

    def boundingRect(self) -> QRectF:
        return self._size.adjusted(-1, -1, 1, 1)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        tokens = self._sprites.tokens
        painter.setPen(QPen(mixed(tokens.border, tokens.danger, 0.6 if self._full else 0.0), 1))
        painter.setBrush(translucent(tokens.canvas, 0.95))
        painter.drawRoundedRect(self._size, 9, 9)
        painter.setFont(self._sprites.small_font)
        painter.setPen(QColor(tokens.danger if self._full else tokens.text_muted))
        painter.drawText(self._size, Qt.AlignmentFlag.AlignCenter, self._text)
