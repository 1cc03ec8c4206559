"""A popup with the ports that a wire could lead to: those that take it first, the others with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from etl_studio.ui.node_row import ROW_HEIGHT
from etl_studio.ui.search_popup import ROW_ROLE, SearchPopup
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent

    from etl_studio.ui.canvas.ports import CanvasPort
    from etl_studio.ui.theme.theme import Theme


MOST_ROWS = 4
"""Rows that are shown at once: the canvas must be seen, too."""


@dataclass(frozen=True, slots=True)
class Target:
    """One port that a wire could lead to.

    Attributes:
        port: the port.
        title: the node and, where it has several, the port, for people.
        refusal: why it does not take the wire; empty: it does.
    """

    port: CanvasPort
    title: str
    refusal: str = ""


class TargetSearch(SearchPopup):
    """Type the name of a node or go up and down; Enter connects, Escape leaves, Left and Right take another port.

    Args:
        theme: colours.
        parent: the canvas.
    """

    target_chosen = Signal(object)
    """A ``Target`` that takes the wire."""
    target_pointed = Signal(object)
    """The arrow keys are on a ``Target``."""
    port_wanted = Signal(int)
    """The wire shall begin at the next port (1) or the one before (-1)."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(tr("Connect to…"), parent)
        self.most_rows = MOST_ROWS
        self._find: Callable[[str], list[Target]] = lambda _: []
        self.results.setItemDelegate(TargetRow(theme, self.results))

    def ask(self, prompt: str, find: Callable[[str], list[Target]]) -> None:
        """Prepare for a wire; open it with ``open_at``.

        Args:
            prompt: what is asked.
            find: gives the targets for what is typed.
        """
        self._find = find
        self.search.setPlaceholderText(prompt)
        self.search.setAccessibleName(prompt)

    def fill(self, query: str) -> None:
        """Show the targets that match."""
        self.show_rows([(f"{target.title}. {target.refusal}".strip(), target) for target in self._find(query)])

    def point_at(self, row: Target) -> None:
        """Tell which target the keys are on."""
        self.target_pointed.emit(row)

    def choose(self, row: Target) -> None:
        """Take a target; one that refuses the wire stays where it is, with its reason."""
        if not row.refusal:
            self.target_chosen.emit(row)
            self.close_popup()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Left and Right choose the port while nothing is typed."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and not self.search.text():
            self.port_wanted.emit(steps[event.key()])
            return True
        return super().handle_key(event)


class TargetRow(QStyledItemDelegate):
    """Paints a target: its title, and below it what it is or why it refuses.

    Args:
        theme: colours.
        parent: the list.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._takes = tr("Takes it")

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        del option, index
        return QSize(120, self._theme.px(ROW_HEIGHT))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        target: Target = index.data(ROW_ROLE)
        tokens = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(2, 1, -2, -1)
        chosen = option.state & QStyle.StateFlag.State_Selected
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selection if chosen else tokens.hover))
            painter.drawRoundedRect(box, 6, 6)
        px, title = self._theme.px, self._theme.font(FONT_BODY, QFont.Weight.Medium)
        small = self._theme.font(FONT_SMALL)
        lines = (
            (title, tokens.text_muted if target.refusal else tokens.text, target.title, -px(15)),
            (small, tokens.danger if target.refusal else tokens.text_muted, target.refusal or self._takes, px(2)),
        )
        for font, ink, text, top in lines:
            painter.setFont(font)
            painter.setPen(QColor(ink))
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width() - 16)
            line = QRectF(box.left() + 8, box.center().y() + top, box.width() - 16, px(15))
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()
