"""Numbers of lines beside a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from etl_studio.ui.theme.theme import Theme


class LineNumbers(QWidget):
    """Stands in the left margin of a text field and numbers its lines.

    Args:
        field: the text field.
        theme: colours.
    """

    def __init__(self, field: QPlainTextEdit, theme: Theme) -> None:
        super().__init__(field)
        self._field, self._theme = field, theme
        field.blockCountChanged.connect(self._fit)
        field.updateRequest.connect(self._scrolled)
        field.installEventFilter(self)
        theme.changed.connect(self.update)
        self._fit()

    def sizeHint(self) -> QSize:
        digits = max(len(str(self._field.blockCount())), 2)
        return QSize(self._field.fontMetrics().horizontalAdvance("9") * digits + 3 * SPACE, 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._field and event.type() in (
            QEvent.Type.Resize,
            QEvent.Type.FontChange,
            QEvent.Type.StyleChange,
        ):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        width = self.sizeHint().width()
        if self._field.viewportMargins().left() != width:
            self._field.setViewportMargins(width, 0, 0, 0)
        inside = self._field.contentsRect()
        self.setGeometry(QRect(inside.left(), inside.top(), width, inside.height()))

    def _scrolled(self, rect: QRect, moved: int) -> None:
        if moved:
            self.scroll(0, moved)
        else:
            self.update(0, rect.y(), self.width(), rect.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setFont(self._field.font())
        current = self._field.textCursor().blockNumber()
        block = self._field.firstVisibleBlock()
        offset = self._field.contentOffset()
        while block.isValid():
            place = self._field.blockBoundingGeometry(block).translated(offset)
            if place.top() > event.rect().bottom():
                break
            if block.isVisible():
                painter.setPen(QColor(tokens.text if block.blockNumber() == current else tokens.text_muted))
                room = QRect(0, round(place.top()), self.width() - 2 * SPACE, self._field.fontMetrics().height())
                painter.drawText(room, Qt.AlignmentFlag.AlignRight, str(block.blockNumber() + 1))
            block = block.next()
        painter.end()
