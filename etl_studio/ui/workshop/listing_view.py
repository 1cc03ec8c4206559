"""Shows a listing: only the rows in view are painted, so that a page of any size comes at once."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import FONT_BODY, SPACE
from etl_studio.ui.workshop.listing import WIDEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.theme.tokens import Tokens
    from etl_studio.ui.workshop.listing import Listing
    from etl_studio.ui.workshop.marks import Marks

EDGE = 3 * SPACE
BAR = 3
AROUND = 4
"""Rows that stay in view above and below a place that is shown."""


def ink_colours(tokens: Tokens) -> Mapping[str, str]:
    """The colour of each kind of text; the same in the tree and in the source."""
    return {
        "plain": tokens.text,
        "tag": tokens.transform,
        "name": tokens.quality,
        "value": tokens.success,
        "comment": tokens.text_muted,
        "heading": tokens.text,
        "link": tokens.accent,
        "quiet": tokens.text_muted,
    }


class ListingView(QAbstractScrollArea):
    """A text that is read, and whose elements are clicked.

    Args:
        theme: colours and the font.
        marks: what is marked.
        parent: its parent.
        numbered: whether lines show their numbers; then the font is one of fixed width.

    Signals:
        clicked: the number of the element under the mouse.
    """

    clicked = Signal(int)

    def __init__(self, theme: Theme, marks: Marks, parent: QWidget | None = None, *, numbered: bool) -> None:
        super().__init__(parent)
        self._theme, self._marks, self._numbered = theme, marks, numbered
        self._listing: Listing | None = None
        self._hovered: int | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._dress)
        marks.changed.connect(self.viewport().update)
        self._dress()

    @property
    def listing(self) -> Listing | None:
        """What is shown."""
        return self._listing

    def show_listing(self, listing: Listing | None) -> None:
        """Show another text."""
        self._listing, self._hovered = listing, None
        self._fit()
        self.verticalScrollBar().setValue(0)
        self.viewport().update()

    def reveal(self, number: int) -> None:
        """Scroll to an element, unless it is in view."""
        place = self._listing.place(number) if self._listing is not None else None
        if place is None or self._listing is None:
            return
        row = bisect_right(self._listing.rows, place[0]) - 1
        bar = self.verticalScrollBar()
        if not bar.value() + 1 <= row < bar.value() + self._rows_in_view() - 1:
            bar.setValue(row - AROUND)

    def position_of(self, number: int) -> QPoint | None:
        """Where an element begins, in pixels of the viewport; None: it is not in view."""
        place = self._listing.place(number) if self._listing is not None else None
        if place is None or self._listing is None:
            return None
        row = bisect_right(self._listing.rows, place[0]) - 1
        top = row - self.verticalScrollBar().value()
        if not 0 <= top < self._rows_in_view():
            return None
        before = self._listing.text[self._listing.rows[row] : place[0] + 1]
        return QPoint(
            round(self._left() + self._measure.horizontalAdvance(before)) - 2, round((top + 0.5) * self._height)
        )

    def sizeHint(self) -> QSize:
        return QSize(120 * SPACE, 80 * SPACE)

    # -- events -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        tokens = self._theme.tokens
        painter.fillRect(event.rect(), QColor(tokens.surface))
        listing = self._listing
        if listing is None:
            return
        painter.setFont(self._font)
        first = self.verticalScrollBar().value()
        last = min(first + self._rows_in_view() + 1, len(listing.rows))
        if self._numbered:
            gutter = QRectF(0, 0, self._left() - 2 * SPACE, self.viewport().height())
            painter.setPen(QColor(tokens.border))
            painter.drawLine(gutter.topRight(), gutter.bottomRight())
        for row in range(first, last):
            self._paint_row(painter, listing, row, (row - first) * self._height)

    def _paint_row(self, painter: QPainter, listing: Listing, row: int, top: float) -> None:
        tokens = self._theme.tokens
        start, end = self._span(row)
        text = listing.text[start:end]
        if self._numbered and listing.lines[row]:
            painter.setPen(QColor(tokens.text_muted))
            room = QRectF(0, top, self._left() - 3 * SPACE, self._height)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(listing.lines[row]))
        for (at, to), colour, framed in self._marked(listing, start, end):
            left = self._left() + self._measure.horizontalAdvance(text[: max(at - start, 0)])
            right = self._left() + self._measure.horizontalAdvance(text[: to - start])
            box = QRectF(left - 1, top + 1, right - left + 2, self._height - 2)
            if not framed and not self._numbered and colour == self._tints[0]:  # an item is a band with an edge
                painter.fillRect(QRectF(0, top, self.viewport().width(), self._height), QColor(colour))
                painter.fillRect(QRectF(0, top, BAR, self._height), QColor(tokens.accent))
            elif framed:
                painter.setPen(QPen(QColor(colour), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colour))
                painter.drawRoundedRect(box, 3, 3)
        x, at = self._left(), start
        baseline = top + (self._height + self._measure.ascent() - self._measure.descent()) / 2
        for stretch in listing.stretches(start, end):
            x = self._write(painter, listing.text[at : stretch.start], "plain", x, baseline)
            x = self._write(painter, listing.text[stretch.start : stretch.end], stretch.ink, x, baseline)
            at = stretch.end
        self._write(painter, listing.text[at:end], "plain", x, baseline)

    def _write(self, painter: QPainter, text: str, ink: str, x: float, baseline: float) -> float:
        if not text:
            return x
        text = text.replace("\t", " ").replace("\r", "")
        painter.setPen(QColor(self._colours[ink]))
        bold = ink == "heading"
        painter.setFont(self._bold if bold else self._font)
        painter.drawText(x, baseline, text)
        return x + (QFontMetricsF(self._bold) if bold else self._measure).horizontalAdvance(text)

    def _marked(self, listing: Listing, start: int, end: int) -> list[tuple[tuple[int, int], str, bool]]:
        """What is marked in a row: characters, colour, and whether it is a frame."""
        tokens = self._theme.tokens
        found = []
        for numbers, tint in zip((self._marks.items, self._marks.values), self._tints, strict=True):
            found += [
                ((max(place[0], start), min(place[1], end)), tint, False)
                for place in self._marks.places_in(listing, numbers, start, end)
            ]
        for number, colour in ((self._hovered, tokens.control), (self._marks.current, tokens.accent)):
            place = listing.place(number) if number is not None else None
            if place is not None and place[0] < end and place[1] > start:
                found.append(((max(place[0], start), min(place[1], end)), colour, True))
        return found

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._element_at(event.position().toPoint())
        if number is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._element_at(event.position().toPoint())
        if number != self._hovered:
            self._hovered = number
            self.viewport().update()

    def leaveEvent(self, event: object) -> None:
        del event
        self._hovered = None
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar, page = self.verticalScrollBar(), self._rows_in_view() - 1
        steps = {
            Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_Home: -bar.maximum(), Qt.Key.Key_End: bar.maximum(),
        }  # fmt: skip
        if event.key() in steps:
            bar.setValue(bar.value() + steps[event.key()])
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        del dx, dy
        self.viewport().update()

    # -- inside -----------------------------------------------------------------------------------------------

    def _span(self, row: int) -> tuple[int, int]:
        rows, text = self._listing.rows, self._listing.text
        end = rows[row + 1] if row + 1 < len(rows) else len(text)
        return rows[row], end - 1 if end > rows[row] and text[end - 1 : end] == "\n" else end

    def _element_at(self, pixel: QPoint) -> int | None:
        listing = self._listing
        if listing is None:
            return None
        row = self.verticalScrollBar().value() + int(pixel.y() / self._height)
        if not 0 <= row < len(listing.rows):
            return None
        start, end = self._span(row)
        room = pixel.x() - self._left()
        low, high = start, end
        while low < high:  # the character under the mouse
            middle = (low + high + 1) // 2
            if self._measure.horizontalAdvance(listing.text[start:middle]) <= room:
                low = middle
            else:
                high = middle - 1
        return listing.at(low) if room >= 0 else None

    def _left(self) -> float:
        if not self._numbered or self._listing is None:
            return EDGE
        widest = len(str(len(self._listing.rows)))
        return self._measure.horizontalAdvance("8") * max(widest, 3) + 6 * SPACE - self.horizontalScrollBar().value()

    def _rows_in_view(self) -> int:
        return max(int(self.viewport().height() / self._height), 1)

    def _fit(self) -> None:
        rows = len(self._listing.rows) if self._listing is not None else 0
        in_view = self._rows_in_view()
        self.verticalScrollBar().setRange(0, max(rows - in_view, 0))
        self.verticalScrollBar().setPageStep(in_view)
        self.verticalScrollBar().setSingleStep(3)
        across = self._left() + self._measure.horizontalAdvance("8" * WIDEST) + EDGE if self._numbered and rows else 0
        self.horizontalScrollBar().setRange(0, max(round(across) - self.viewport().width(), 0))
        self.horizontalScrollBar().setPageStep(self.viewport().width())
        self.horizontalScrollBar().setSingleStep(5 * SPACE)

    def _dress(self) -> None:
        self._font = self._theme.font(FONT_BODY)
        if self._numbered:
            self._font.setFamily(self._theme.mono)
            self._font.setPixelSize(self._theme.px(FONT_BODY - 1))
        self._bold = QFont(self._font)
        self._bold.setWeight(QFont.Weight.DemiBold)
        self._measure = QFontMetricsF(self._font)
        self._height = float(round(self._measure.height() + (SPACE if self._numbered else 1.5 * SPACE)))
        tokens = self._theme.tokens
        self._colours = ink_colours(tokens)
        shares = (0.22, 0.26) if self._theme.is_dark else (0.14, 0.3)
        self._tints = tuple(
            mix(colour, tokens.surface, share)
            for colour, share in zip((tokens.accent, tokens.yellow), shares, strict=True)
        )
        self._fit()
        self.viewport().update()
