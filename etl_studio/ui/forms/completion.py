"""The list of suggestions under the cursor of a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QCompleter, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL, RADIUS, SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.forms.suggestions import Suggestion
    from etl_studio.ui.theme.theme import Theme

ROLE = Qt.ItemDataRole.UserRole
TAKING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
PLAIN_ROW, HELP_ROW, WIDTH = 26, 42, 340
_Index = QModelIndex | QPersistentModelIndex


class _Model(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: Sequence[Suggestion] = ()

    def show(self, rows: Sequence[Suggestion]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.name
        return f"{row.name}{row.detail}\n{row.help}" if role == Qt.ItemDataRole.ToolTipRole and row.help else None


class _Painter(QStyledItemDelegate):
    """Icon, name and type; of a function its signature, with its help below."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        del option
        return QSize(WIDTH, self._theme.px(HELP_ROW if index.data(ROLE).help else PLAIN_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row, tokens, px = index.data(ROLE), self._theme.tokens, self._theme.px
        large, small = self._theme.font(FONT_BODY), self._theme.font(FONT_SMALL)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(2, 1, -2, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selection))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        icon = self._theme.pixmap(row.icon, tokens.text_muted, 14)
        painter.drawPixmap(QRectF(box.left() + 6, box.top() + 5, 14, 14), icon, QRectF(icon.rect()))
        left, right = box.left() + 28, box.right() - 2 * SPACE
        name = QFontMetricsF(large).elidedText(row.name, Qt.TextElideMode.ElideRight, right - left)
        width = QFontMetricsF(large).horizontalAdvance(name)
        side = Qt.AlignmentFlag.AlignLeft if row.help else Qt.AlignmentFlag.AlignRight
        gap = 2 if row.help else 2 * SPACE
        lines = [
            (large, tokens.text, name, left, box.top() + 4, Qt.AlignmentFlag.AlignLeft),
            (small, tokens.text_muted, row.detail, left + width + gap, box.top() + 4, side),
            (small, tokens.text_muted, row.help, left, box.top() + px(21), Qt.AlignmentFlag.AlignLeft),
        ]
        for font, ink, text, x, y, alignment in lines:
            room = QRectF(x, y, max(right - x, 0), px(16))
            painter.setFont(font)
            painter.setPen(QColor(ink))
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, alignment | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class Completion(QObject):
    """Shows suggestions for a field. The field stays in focus; Return or Tab takes one, Escape hides them.

    Signals:
        chosen: a person took this suggestion.

    Args:
        field: where they are shown.
        theme: colours and icons.
    """

    chosen = Signal(object)

    def __init__(self, field: QWidget, theme: Theme) -> None:
        super().__init__(field)
        self._model = _Model(self)
        self._completer = QCompleter(self._model, self)
        self._completer.setWidget(field)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setMaxVisibleItems(8)
        self.list = QListView()
        self.list.setObjectName("completion")
        self._completer.setPopup(self.list)
        self.list.setItemDelegate(_Painter(theme, self.list))
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.installEventFilter(self)
        self._completer.activated[QModelIndex].connect(self._take)

    @property
    def is_open(self) -> bool:
        """Whether the list is on the screen."""
        return bool(self.list.isVisible())

    def show(self, rows: Sequence[Suggestion], at: QRect) -> None:
        """Show suggestions below a rectangle of the field; none hide the list."""
        if not rows:
            self.hide()
            return
        if rows != self._model.rows:
            self._model.show(rows)
        at.setWidth(WIDTH + 2 * SPACE)
        self._completer.complete(at)
        self.list.setCurrentIndex(self._completer.completionModel().index(0, 0))

    def hide(self) -> None:
        """Hide the list."""
        self.list.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # QCompleter gives these keys to the field first, which would begin a line or lose the focus
        if watched is self.list and event.type() == QEvent.Type.KeyPress and event.key() in TAKING:
            self._take(self.list.currentIndex())
            self.hide()
            return True
        return super().eventFilter(watched, event)

    def _take(self, index: QModelIndex) -> None:
        row = index.data(ROLE)
        if row is not None:
            self.chosen.emit(row)
