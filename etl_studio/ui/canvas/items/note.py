"""A note on the canvas: Markdown on a coloured card, behind the nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from etl_studio.ui.canvas.items.sprites import Sprites, mixed
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_TITLE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QTextBlock

    from etl_studio.pipeline.model import Note, Place

PADDING = 12.0
RADIUS = 8.0
CORNER, OUTSIDE = 16.0, 4.0
"""A note is resized by a square at its lower right that begins so far inside and ends so far outside."""
SMALLEST = QSizeF(96, 48)
TEXT_BELOW = 0.5
"""Below this zoom there is only the first line, as large as can be read."""
FARTHEST = 0.14
"""Below this zoom a note is a box."""
HEADINGS = {1: 18, 2: FONT_TITLE, 3: 14, 4: FONT_BODY, 5: FONT_BODY, 6: FONT_BODY}
"""Pixels of headings by their level."""
PARAGRAPH, INDENT = 6.0, 18.0
MOST_PIXELS = 2048
"""A picture with a longer side is not kept."""
EMPTY = N_("Double-click to write")
LINKS = ("http", "https", "mailto")


class _Markdown(QTextDocument):
    """Renders Markdown and loads nothing: no picture of the disk, none of the net."""

    def loadResource(self, kind: int, name: QUrl) -> object:
        del kind, name
        return None


class NoteItem(QGraphicsItem):
    """The card of one note. It shows what it is told and changes nothing.

    Args:
        sprites: fonts and colours.

    Attributes:
        name: id of the note.
        chosen: it is selected.
    """

    Type = QGraphicsItem.UserType + 3

    def __init__(self, sprites: Sprites) -> None:
        super().__init__()
        self.name = ""
        self._sprites = sprites
        self._note: Note | None = None
        self.chosen = self._is_edited = False
        self._size = QSizeF(SMALLEST)
        self._text = _Markdown()
        self._text.setDocumentMargin(0)
        self._text.setUndoRedoEnabled(False)
        self._text.setIndentWidth(INDENT)
        self._first_line = ""
        self.setZValue(-5)

    # -- told by the scene ------------------------------------------------------------------------------------

    def show_note(self, note: Note) -> None:
        """Show a text and a colour."""
        self.name, self._note = note.id, note
        font = QFont(self._sprites.small_font)
        font.setPixelSize(FONT_BODY)
        self._text.setDefaultFont(font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._text.setDefaultTextOption(option)
        features = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
        self._text.setMarkdown(note.text, features)
        self._dress()
        self._first_line = next((line for line in self._text.toPlainText().splitlines() if line.strip()), "")
        self.renew_face()

    def show_place(self, place: Place) -> None:
        """Stand there: left, top, width, height."""
        left, top, width, height = place
        self.setPos(left, top)
        if (size := QSizeF(width, height)) != self._size:
            self.prepareGeometryChange()
            self._size = size
            self.renew_face()

    def show_chosen(self, *, chosen: bool) -> None:
        """Show that the note is selected."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.renew_face()

    def show_edited(self, *, edited: bool) -> None:
        """An editor lies over it: show no text meanwhile."""
        self._is_edited = edited
        self.renew_face()

    def renew_face(self) -> None:
        """Something looks different."""
        self._sprites.faces.forget(self)
        self.update()

    # -- geometry ---------------------------------------------------------------------------------------------

    def card(self) -> QRectF:
        """The card, in item coordinates."""
        return QRectF(QPointF(), self._size)

    def is_corner(self, point: QPointF) -> bool:
        """Whether a point in scene coordinates is where the note is resized."""
        corner = self.card().bottomRight() - (point - self.pos())
        return min(corner.x(), corner.y()) >= -OUTSIDE and max(corner.x(), corner.y()) <= CORNER

    def link_at(self, point: QPointF) -> str:
        """The address of the link under a point in scene coordinates, if a browser or mail program opens such."""
        link = self._text.documentLayout().anchorAt(point - self.pos() - QPointF(PADDING, PADDING))
        return link if QUrl(link).scheme() in LINKS else ""

    def document(self) -> QTextDocument:
        """The rendered text."""
        return self._text

    def type(self) -> int:
        return self.Type

    def boundingRect(self) -> QRectF:
        return self.card().adjusted(-3, -3, 3, 3)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.card())
        return path

    # -- painting ---------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        del option, widget
        zoom = painter.worldTransform().m11()
        scale = zoom * painter.device().devicePixelRatioF()
        area = self.boundingRect()
        if zoom < FARTHEST or max(area.width(), area.height()) * scale > MOST_PIXELS:
            self._paint_face(zoom, painter)
        else:
            self._sprites.faces.draw(painter, self, area, scale, partial(self._paint_face, zoom))

    def _paint_face(self, zoom: float, painter: QPainter) -> None:
        tokens, card = self._sprites.tokens, self.card()
        tint = QColor(tokens.tint(self._note.color if self._note else ""))
        painter.setPen(QPen(QColor(tokens.accent) if self.chosen else mixed(tokens.raised, tint, 0.45), 1.5))
        painter.setBrush(mixed(tokens.raised, tint, 0.14 if tokens.name == "light" else 0.18))
        painter.drawRoundedRect(card.adjusted(0.75, 0.75, -0.75, -0.75), RADIUS, RADIUS)
        if zoom < FARTHEST or self._is_edited:
            return
        painter.save()
        painter.setClipRect(card.adjusted(PADDING, PADDING / 2, -PADDING, -PADDING / 2))
        if zoom < TEXT_BELOW:
            self._paint_first_line(zoom, painter)
        else:
            self._paint_text(painter)
        painter.restore()
        if self.chosen:
            self._paint_corner(painter)

    def _paint_text(self, painter: QPainter) -> None:
        tokens = self._sprites.tokens
        self._text.setTextWidth(self._size.width() - 2 * PADDING)
        painter.translate(PADDING, PADDING)
        if not self._first_line:
            painter.setFont(self._sprites.small_font)
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(QPointF(0, 12), tr(EMPTY))
            return
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, QColor(tokens.text))
        context.clip = QRectF(0, 0, self._size.width() - 2 * PADDING, self._size.height() - PADDING * 1.5)
        self._text.documentLayout().draw(painter, context)

    def _paint_first_line(self, zoom: float, painter: QPainter) -> None:
        """As many whole lines of it as there is room for."""
        font = QFont(self._sprites.title_font)
        room = self.card().adjusted(PADDING, PADDING / 2, -PADDING, -PADDING / 2)
        font.setPixelSize(round(min(FONT_BODY / zoom, room.height() * 0.8)))
        metrics = QFontMetricsF(font)
        lines = int(room.height() // metrics.lineSpacing())
        text = metrics.elidedText(self._first_line, Qt.TextElideMode.ElideRight, room.width() * max(lines - 0.5, 1))
        painter.setFont(font)
        painter.setPen(QColor(self._sprites.tokens.text))
        wraps = Qt.TextFlag.TextWordWrap if lines > 1 else Qt.TextFlag.TextSingleLine
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | wraps, text)

    def _paint_corner(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(self._sprites.tokens.accent), 1.5))
        corner = self.card().bottomRight() - QPointF(4, 4)
        for length in (8, 4):
            painter.drawLine(corner - QPointF(length, 0), corner - QPointF(0, length))

    def _dress(self) -> None:
        """Sizes, distances and colours as everywhere in the window, and not those of Qt's Markdown."""
        block = self._text.begin()
        while block.isValid():
            cursor = QTextCursor(block)
            layout = block.blockFormat()
            layout.setTopMargin(0)
            layout.setBottomMargin(2.0 if block.textList() else PARAGRAPH)
            cursor.setBlockFormat(layout)
            for start, length, look in list(self._looks(block, HEADINGS.get(layout.headingLevel()))):
                cursor.setPosition(start)
                cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
                cursor.setCharFormat(look)
            block = block.next()

    def _looks(self, block: QTextBlock, heading: int | None) -> Iterator[tuple[int, int, QTextCharFormat]]:
        """Parts of a block that look otherwise: where they begin, how long they are, and their look."""
        parts = block.begin()
        while not parts.atEnd():
            part = parts.fragment()
            look = part.charFormat()
            if look.isAnchor():
                look.setForeground(QColor(self._sprites.tokens.accent))
            if heading is not None:
                look.clearProperty(QTextFormat.Property.FontSizeAdjustment)
                look.setProperty(QTextFormat.Property.FontPixelSize, heading)
            if look.isAnchor() or heading is not None:
                yield part.position(), part.length(), look
            parts += 1
