"""The tree of a page as the tools of browsers show it: coloured tags, marked matches, the chosen element framed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import FONT_BODY, SPACE
from etl_studio.ui.translation import tr
from etl_studio.ui.workshop.listing_view import ink_colours
from etl_studio.ui.workshop.tree_model import DomModel, parts_of

if TYPE_CHECKING:
    from PySide6.QtCore import QItemSelection

    from etl_studio.app.scraping.dom import Dom
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workshop.marks import Marks

LONGEST_VALUE = 80
"""Characters of an attribute or text that a line shows."""
BAR = 3
OPEN_LEVELS = 3
_Index = QModelIndex | QPersistentModelIndex


class DomLine(QStyledItemDelegate):
    """Draws one line of the tree.

    Args:
        theme: colours and the font.
        marks: what is marked.
        parent: the tree.
    """

    def __init__(self, theme: Theme, marks: Marks, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._marks = theme, marks
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self._font = self._theme.font(FONT_BODY - 1)
        self._font.setFamily(self._theme.mono)
        self._measure = QFontMetricsF(self._font)
        self._colours = ink_colours(self._theme.tokens)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        del option, index
        return QSize(100, round(self._measure.height() + 1.5 * SPACE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        node = index.model().node(index)
        tokens = self._theme.tokens
        painter.save()
        row = QRectF(option.rect)
        marked = None
        if self._marks.is_value(node.number):
            marked = tokens.yellow
        elif self._marks.is_item(node.number):
            marked = tokens.accent
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, QColor(tokens.selection))
        elif marked is not None:
            painter.fillRect(row, QColor(mix(marked, tokens.surface, 0.18 if self._theme.is_dark else 0.13)))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(row, QColor(tokens.hover))
        if marked is not None:
            painter.fillRect(QRectF(row.left(), row.top(), BAR, row.height()), QColor(marked))
        painter.setFont(self._font)
        x, right = row.left() + BAR + SPACE, row.right() - SPACE
        baseline = row.top() + (row.height() + self._measure.ascent() - self._measure.descent()) / 2
        for text, ink in parts_of(node, opened=bool(option.state & QStyle.StateFlag.State_Open)):
            shown = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
            if ink == "value" and shown is not text:
                shown += '"'
            if x >= right:
                break
            shown = self._measure.elidedText(shown, Qt.TextElideMode.ElideRight, right - x)
            painter.setPen(QColor(self._colours[ink]))
            painter.drawText(x, baseline, shown)
            x += self._measure.horizontalAdvance(shown)
        painter.restore()


class DomTree(QTreeView):
    """The tree.

    Args:
        theme: colours and the font.
        marks: what is marked and chosen; a choice here goes there.
        parent: its parent.

    Signals:
        clicked_element: a person chose an element here.
    """

    clicked_element = Signal(int)

    def __init__(self, theme: Theme, marks: Marks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Elements of the page"))
        self._marks = marks
        self.dom_model = DomModel(self)
        self.setModel(self.dom_model)
        self.setItemDelegate(DomLine(theme, marks, self))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(4 * SPACE)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMouseTracking(True)
        marks.changed.connect(self.viewport().update)

    def show_dom(self, dom: Dom | None) -> None:
        """Show another page, with its outermost elements open."""
        self.dom_model.show_dom(dom)
        if dom is not None:
            self.expandToDepth(OPEN_LEVELS - 2)

    def reveal(self, number: int) -> None:
        """Choose an element, open what is around it and scroll to it."""
        index = self.dom_model.index_of(number)
        if index != self.currentIndex():
            self.selectionModel().blockSignals(True)
            self.setCurrentIndex(index)
            self.selectionModel().blockSignals(False)
        self.scrollTo(index)
        self.viewport().update()

    def open_to(self, number: int) -> None:
        """Open what is around an element and scroll to it, without choosing it."""
        self.scrollTo(self.dom_model.index_of(number))

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if self.dom_model.dom is not None and self.currentIndex().isValid() and not selected.isEmpty():
            self.clicked_element.emit(self.dom_model.dom.element_at(self.currentIndex().internalId()))
