"""Rows of node types in lists: tinted icon, title, first line of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from etl_studio.ui.node_search import first_line
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.sdk import Node
    from etl_studio.ui.theme.theme import Theme

TYPE_ROLE = Qt.ItemDataRole.UserRole
"""Holds the node type of a row; headings have none."""
ROW_HEIGHT, HEADING_HEIGHT = 40, 32
TILE, LINE = 28, 15
PICTURE_WIDTH = 200


class NodeRow(QStyledItemDelegate):
    """Paints a row: tinted icon, title, first line of the documentation; and the headings.

    Args:
        theme: colours and icons.
        parent: the list.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        del option
        return QSize(120, self._theme.px(ROW_HEIGHT if index.data(TYPE_ROLE) else HEADING_HEIGHT))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if node_type := index.data(TYPE_ROLE):
            self.paint_node(painter, QRectF(option.rect), node_type, option.state)
        else:
            font = self._theme.font(FONT_SMALL, QFont.Weight.DemiBold)
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.4)
            painter.setFont(font)
            painter.setPen(QColor(self._theme.tokens.text_muted))
            box = QRectF(option.rect).adjusted(2 * SPACE, 0, 0, -SPACE)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, index.data())
        painter.restore()

    def paint_node(self, painter: QPainter, rect: QRectF, node_type: type[Node], state: QStyle.StateFlag) -> None:
        """Paint one node type into a rectangle; also makes the picture of a drag."""
        tokens = self._theme.tokens
        box = rect.adjusted(2, 1, -2, -1)
        chosen = state & QStyle.StateFlag.State_Selected
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selection if chosen else tokens.hover))
            painter.drawRoundedRect(box, 6, 6)
        colour = QColor(tokens.group(node_type.group))
        tile = QRectF(box.left() + 6, box.center().y() - TILE / 2, TILE, TILE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mix(colour.name(), tokens.surface, 0.14 if tokens.name == "light" else 0.2)))
        painter.drawRoundedRect(tile, 6, 6)
        icon = self._theme.pixmap(node_type.icon, colour.name(), 16)
        painter.drawPixmap(QRectF(tile.left() + 6, tile.top() + 6, 16, 16), icon, QRectF(icon.rect()))
        left, width = tile.right() + 8, box.right() - tile.right() - 14
        height, px = self._theme.px(LINE), self._theme.px
        lines = (
            (self._theme.font(FONT_BODY, QFont.Weight.Medium), tokens.text, tr(node_type.title), -px(15)),
            (self._theme.font(FONT_SMALL), tokens.text_muted, tr(first_line(node_type)), px(2)),
        )
        for font, ink, text, top in lines:
            painter.setFont(font)
            painter.setPen(QColor(ink))
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            line = QRectF(left, box.center().y() + top, width, height)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def picture(self, node_type: type[Node], ratio: float) -> QPixmap:
        """The picture of a drag.

        Args:
            node_type: what is dragged.
            ratio: device pixels per pixel.
        """
        width, height = self._theme.px(PICTURE_WIDTH), self._theme.px(ROW_HEIGHT)
        picture = QPixmap(round(width * ratio), round(height * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.paint_node(painter, QRectF(0, 0, width, height), node_type, QStyle.StateFlag.State_Selected)
        painter.end()
        return picture
