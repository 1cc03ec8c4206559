"""A header whose sections tell what is in their columns: type, missing values, and how the values are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from etl_studio.ui.previews.figures import nulls, spread
from etl_studio.ui.quantities import percent
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QMouseEvent

    from etl_studio.engine.profile import ColumnProfile
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens

MARGIN, CHART = 2 * SPACE, 5 * SPACE
NARROWEST = 26 * SPACE
"""Width that a chart needs."""
DATES = "2026-01-01 - 2026-12-31"
"""The widest range of dates."""
BARS = 10
"""Most frequent values that a chart of texts shows."""


class ProfileHeader(QHeaderView):
    """The horizontal header of a table of rows. A click on a section asks for all that is known of its column.

    Signals:
        wanted: number of the column.

    Args:
        theme: colours.
        parent: its parent.
    """

    wanted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._profiles: Sequence[ColumnProfile] = ()
        self._words: list[tuple[str, str]] = []
        self._all_null = tr("{share} null", share=percent(1))
        self._hovered = -1
        self.charts = True
        self.setSectionsClickable(True)
        self.setMouseTracking(True)
        self.setToolTip(tr("Click for all that is known of the column"))
        self.sectionClicked.connect(self.wanted)
        theme.changed.connect(self.viewport().update)

    @property
    def profiles(self) -> Sequence[ColumnProfile]:
        """What is shown of the columns; empty while that is not known."""
        return self._profiles

    def show_profiles(self, profiles: Sequence[ColumnProfile]) -> None:
        """Show what is known of the columns, in their order."""
        self._profiles = profiles
        self._words = [(nulls(profile), spread(profile)) for profile in profiles]
        self.viewport().update()

    def show_charts(self, charts: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Whether the sections have room for charts."""
        self.charts = charts
        self.headerDataChanged(Qt.Orientation.Horizontal, 0, max(self.count() - 1, 0))  # or Qt keeps the old height
        self.geometriesChanged.emit()

    def sectionSizeFromContents(self, section: int) -> QSize:
        name, kind = self._texts(section)
        metrics, small = QFontMetrics(self._bold()), QFontMetrics(self._small())
        width = max(metrics.horizontalAdvance(name), small.horizontalAdvance(f"{kind}  {self._all_null}"))
        height = SPACE + metrics.height() + small.height() + SPACE
        if self.charts:
            dates = small.horizontalAdvance(DATES) if kind in ("date", "timestamp", "timestamptz") else 0
            width = max(width, NARROWEST, dates)
            height += CHART + small.height() + SPACE
        return QSize(width + 2 * MARGIN, height)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        tokens = self._theme.tokens
        painter.save()
        ground = tokens.hover if section == self._hovered else tokens.surface
        painter.fillRect(rect, QColor(ground))
        painter.setPen(QColor(mix(tokens.border, tokens.surface, 0.6)))
        painter.drawLine(rect.topRight(), rect.bottomRight())
        painter.setPen(QColor(tokens.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        self._paint(painter, rect.adjusted(MARGIN, SPACE, -MARGIN, -SPACE), section, tokens)
        painter.restore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.logicalIndexAt(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    # -- inside -----------------------------------------------------------------------------------------------

    def _hover(self, section: int) -> None:
        if section != self._hovered:
            self._hovered = section
            self.viewport().update()

    def _paint(self, painter: QPainter, room: QRect, section: int, tokens: Tokens) -> None:
        name, kind = self._texts(section)
        profile = self._profiles[section] if section < len(self._profiles) else None
        bold, small = self._bold(), self._small()
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        line = QRect(room.left(), room.top(), room.width(), QFontMetrics(bold).height())
        _write(painter, line, name, bold, tokens.text, left)
        line = QRect(room.left(), line.bottom() + 1, room.width(), QFontMetrics(small).height())
        missing, values = self._words[section] if profile is not None else ("", "")
        _write(painter, line, missing, small, tokens.warning, right)
        rest = line.adjusted(0, 0, -QFontMetrics(small).horizontalAdvance(missing + " ") if missing else 0, 0)
        _write(painter, rest, kind, small, tokens.text_muted, left)
        if not self.charts or profile is None:
            return
        chart = QRect(room.left(), line.bottom() + SPACE, room.width(), CHART)
        paint_chart(painter, QRectF(chart), profile, tokens, BARS)
        line = QRect(room.left(), chart.bottom() + 1, room.width(), QFontMetrics(small).height())
        _write(painter, line, values, small, tokens.text_muted, left)

    def _texts(self, section: int) -> tuple[str, str]:
        text = self.model().headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
        name, _, kind = str(text or "").partition("\n")
        return name, kind

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.Normal)
        font.setPixelSize(round(QFontInfo(font).pixelSize() * FONT_SMALL / FONT_BODY))
        return font


def paint_chart(painter: QPainter, room: QRectF, profile: ColumnProfile, tokens: Tokens, most: int) -> None:
    """Draw the histogram of a column, or bars of its most frequent values.

    Args:
        painter: draws.
        room: where.
        profile: what is known of the column.
        tokens: colours.
        most: bars at the most, where there is no histogram.
    """
    numbers = profile.histogram is not None
    counts = profile.histogram.counts if profile.histogram else tuple(number for _, number in profile.top[:most])
    if not numbers and (not counts or profile.distinct == profile.values):
        counts = ()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.border))
    painter.drawRect(QRectF(room.left(), room.bottom() - 1, room.width(), 1))
    if not counts:
        return
    painter.setBrush(QColor(mix(tokens.accent if numbers else tokens.transform, tokens.surface, 0.6)))
    step = room.width() / len(counts) if numbers else min(room.width() / len(counts), 4 * SPACE)
    highest = max(counts)
    for number, value in enumerate(counts):
        if value:
            height = max(value / highest * (room.height() - 1), 1.0)
            gap = 1.0 if step > 3 else 0.0  # noqa: PLR2004 - narrower bars have no room for a gap
            left = room.left() + number * step
            painter.drawRect(QRectF(left, room.bottom() - 1 - height, step - gap, height))


def _write(  # noqa: PLR0913 - what a line of text needs
    painter: QPainter, room: QRect, text: str, font: QFont, colour: str, side: Qt.AlignmentFlag
) -> None:
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), shown)
