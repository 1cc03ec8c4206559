"""Rows that would change: what is done to each, and in changed cells the old value beside the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from etl_studio.ui.tables.cells import cell_text, tip_text
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.sdk.database import Change
    from etl_studio.ui.theme.theme import Theme

SIGNS = {"inserted": "+", "updated": "~", "deleted": "\N{MINUS SIGN}"}
ROLES = {"inserted": "success", "updated": "warning", "deleted": "danger"}
TINT = 0.14
"""Share of the role's colour in the ground of a cell that changes."""
OLD = Qt.ItemDataRole.UserRole + 1
"""The old text of a cell that changes; its new one is after the arrow."""
ARROW = " → "
MARGIN = 2 * SPACE
_NOWHERE = QModelIndex()


class ChangesModel(QAbstractTableModel):
    """Changes of one table; the first column tells their kind.

    Args:
        theme: gives the colours of kinds.
        parent: its parent.

    Attributes:
        changes: what is shown.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kinds = {"inserted": tr("inserted"), "updated": tr("updated"), "deleted": tr("deleted")}
        self._names: list[str] = []
        self._numeric: list[bool] = []
        self.changes: list[Change] = []

    def show_changes(self, changes: Sequence[Change]) -> None:
        """Show others."""
        self.beginResetModel()
        self.changes = list(changes)
        self._names = list(dict.fromkeys(name for change in changes for name in change.row))
        self._numeric = [
            all(isinstance(change.row.get(name), int | float | None) for change in changes) for name in self._names
        ]
        self.endResetModel()

    def colour(self, kind: str) -> QColor:
        """The colour of a kind of change."""
        return QColor(getattr(self._theme.tokens, ROLES[kind]))

    def ground(self, kind: str) -> QColor:
        """What a cell that changes is filled with."""
        tokens = self._theme.tokens
        return QColor(mix(getattr(tokens, ROLES[kind]), tokens.surface, TINT))

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.changes)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() or not self.changes else 1 + len(self._names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        change = self.changes[index.row()]
        name = self._names[index.column() - 1] if index.column() else None
        changed = name in change.before
        if role == Qt.ItemDataRole.DisplayRole:
            if name is None:
                return f"{SIGNS[change.kind]} {self._kinds[change.kind]}"
            new = cell_text(change.row[name]) if name in change.row else ""
            return f"{cell_text(change.before[name])}{ARROW}{new}" if changed else new
        if role == OLD:
            return cell_text(change.before[name]) if changed else None
        if role == Qt.ItemDataRole.ForegroundRole:
            if name is None:
                return self.colour(change.kind)
            missing = change.row.get(name) is None and not changed
            return QColor(self._theme.tokens.text_muted) if missing else None
        if role == Qt.ItemDataRole.BackgroundRole:
            return self.ground(change.kind) if changed or change.kind != "updated" else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = name is not None and self._numeric[index.column() - 1]
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole and name is not None:
            if changed:
                old, new = cell_text(change.before[name]), cell_text(change.row[name])
                return tr("before: {old}\nafter: {new}", old=old, new=new)
            return tip_text(change.row.get(name))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._names[section - 1] if section else tr("Change")
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            right = section > 0 and self._numeric[section - 1]
            return int(
                (Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
            )
        return None


class ChangedCell(QStyledItemDelegate):
    """Paints the ground of changes; in a changed cell the old value is struck out and the new one bold.

    Args:
        theme: colours.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        ground = index.data(Qt.ItemDataRole.BackgroundRole)
        if ground is not None and not option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, ground)
        old = index.data(OLD)
        if old is None:
            super().paint(painter, option, index)
            return
        cell = QStyleOptionViewItem(option)
        self.initStyleOption(cell, index)
        text, cell.text = cell.text, ""
        style = cell.widget.style() if cell.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, cell, painter, cell.widget)
        room = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        if cell.displayAlignment & Qt.AlignmentFlag.AlignRight:
            room.setLeft(max(room.left(), room.right() - self._width(cell.font, text, old)))
        tokens = self._theme.tokens
        painter.save()
        for part, font, colour in (
            (old, _struck(cell.font), tokens.text_muted),
            (ARROW, cell.font, tokens.text_muted),
            (text.removeprefix(old + ARROW), _bold(cell.font), tokens.text),
        ):
            room = _drawn(painter, room, part, font, colour)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        if (old := index.data(OLD)) is not None:
            size.setWidth(self._width(option.font, index.data(), old) + 2 * MARGIN)
        return size

    def _width(self, font: QFont, text: str, old: str) -> int:
        plain, bold = QFontMetrics(font), QFontMetrics(_bold(font))
        return plain.horizontalAdvance(old + ARROW) + bold.horizontalAdvance(text.removeprefix(old + ARROW)) + 2


def _drawn(painter: QPainter, room: QRect, text: str, font: QFont, colour: str) -> QRect:
    """Write a text and give what is left to its right."""
    metrics = QFontMetrics(font)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
    return room.adjusted(metrics.horizontalAdvance(shown), 0, 0, 0)


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def _struck(font: QFont) -> QFont:
    struck = QFont(font)
    struck.setStrikeOut(True)
    return struck
