"""The places at which a column is used; a click leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.listing import listed
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.lineage import Trace, Use
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.ui.columns.place import ColumnPlace
    from etl_studio.ui.theme.theme import Theme

USE, TEXT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
AROUND = 40
"""Characters that are shown on both sides of a name."""
_Index = QModelIndex | QPersistentModelIndex


class UseLine(QStyledItemDelegate):
    """Draws the text around a use, with the name of the column in bold.

    Args:
        theme: colours and the fixed-width font.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), 6 * SPACE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        super().paint(painter, option, index)
        parts = index.data(TEXT)
        if parts is None:
            return
        tokens = self._theme.tokens
        painter.save()
        plain = QFont(option.font)
        plain.setFamily(self._theme.mono)
        bold = QFont(plain)
        bold.setWeight(QFont.Weight.Bold)
        x = option.rect.left() + SPACE
        for text, font, ink in zip(
            parts, (plain, bold, plain), (tokens.text_muted, tokens.accent, tokens.text_muted), strict=True
        ):
            measure = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(ink))
            room = QRect(x, option.rect.top(), max(option.rect.right() - x, 0), option.rect.height())
            shown = measure.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            x += measure.horizontalAdvance(shown)
        painter.restore()


class UsesPanel(QFrame):
    """Lists the uses of one column.

    Signals:
        place_wanted: id of a node, and the path of its setting such as ``config.where``.
        rename_wanted: the column should get another name.
        ended: nobody looks at the column any more.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    place_wanted = Signal(str, str)
    rename_wanted = Signal()
    ended = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.trace: Trace | None = None
        self._pipeline: Pipeline | None = None
        self._titles: Mapping[str, str] = {}
        self.heading, self.summary = QLabel(self), QLabel(self)
        self.heading.setProperty("role", "title")
        self.summary.setProperty("role", "muted")
        self.computed = QCheckBox(tr("What is computed from it, too"), self)
        self.rename = QPushButton(tr("Rename…"), self)
        self.end = IconButton(theme, "x", tr("End (Escape)"), self)
        self.tree = QTreeWidget(self)
        self.tree.setHeaderHidden(True)
        self.tree.setColumnCount(2)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName(tr("Uses of the column"))
        self.tree.setItemDelegateForColumn(1, UseLine(theme, self.tree))
        self.notice = Notice(theme, self)
        self._bar = QWidget(self)
        self._lay_out()
        self.computed.toggled.connect(self._fill)
        self.rename.clicked.connect(self.rename_wanted)
        self.end.clicked.connect(self.ended)
        self.tree.itemClicked.connect(self._go)
        self.tree.itemActivated.connect(self._go)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.ended)
        self.clear()

    def show_trace(self, place: ColumnPlace, trace: Trace, pipeline: Pipeline, titles: Mapping[str, str]) -> None:
        """Show the uses of a column.

        Args:
            place: the column that was asked for.
            trace: its way.
            pipeline: the one in which it was followed.
            titles: what nodes are called for people, by id.
        """
        self.trace, self._pipeline, self._titles = trace, pipeline, titles
        self.heading.setText(place.column)
        origins = [titles.get(node, node) for node, _ in trace.origins]
        direct = [use for use in trace.uses if not use.computed]
        nodes = len({use.node for use in direct})
        born = tr("Comes from {nodes}.", nodes=listed(origins)) + " " if origins else ""
        uses = tr(
            "{uses} in {nodes}.",
            uses=trn("{count} use", "{count} uses", len(direct)),
            nodes=trn("{count} node", "{count} nodes", nodes),
        )
        self.summary.setText(born + uses)
        self.computed.setVisible(any(use.computed for use in trace.uses))
        self._bar.show()
        self._fill()

    def clear(self) -> None:
        """No column is looked at."""
        self.trace = self._pipeline = None
        self._bar.hide()
        self.tree.clear()
        self.notice.tell(
            "route",
            tr("No column is followed"),
            tr("Find the uses of a column from the head of the preview, or by the menu Edit."),
        )
        self._pages.setCurrentWidget(self.notice)

    def say(self, message: str) -> None:
        """Tell why there is nothing to show."""
        self.clear()
        self.notice.tell("alert-circle", tr("The column could not be followed"), message, bad=True)

    def _lay_out(self) -> None:
        line = QHBoxLayout(self._bar)
        line.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, SPACE)
        line.setSpacing(3 * SPACE)
        line.addWidget(self.heading)
        line.addWidget(self.summary, 1)
        line.addWidget(self.computed)
        line.addWidget(self.rename)
        line.addWidget(self.end)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.tree)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self._pages, 1)

    def _fill(self) -> None:
        self.tree.clear()
        if self.trace is None or self._pipeline is None:
            return
        heads: dict[str, QTreeWidgetItem] = {}
        for use in self.trace.uses:
            if use.computed and not self.computed.isChecked():
                continue
            if use.node not in heads:
                heads[use.node] = QTreeWidgetItem(self.tree, [self._titles.get(use.node, use.node), ""])
                heads[use.node].setData(0, USE, use)
            self._add(heads[use.node], use)
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self._pages.setCurrentWidget(self.tree)
        if not heads:
            self.notice.tell("route", tr("Nothing uses this column"), tr("It passes through, and no setting names it."))
            self._pages.setCurrentWidget(self.notice)

    def _add(self, head: QTreeWidgetItem, use: Use) -> None:
        from etl_studio.pipeline.column_renaming import text_at

        mention = use.mention
        text = text_at(self._pipeline.nodes[use.node], mention)  # type: ignore[union-attr] # it is there
        before, name, behind = text[: mention.start], text[mention.start : mention.end], text[mention.end :]
        begin = before if len(before) <= AROUND else f"…{before[-AROUND:]}"
        parts = [" ".join(part.split("\n")) for part in (begin, name or mention.name, behind[: 2 * AROUND])]
        place = " > ".join(str(int(part) + 1) if part.isdecimal() else part for part in mention.path)
        kind = tr("computed") if use.computed else tr("makes it") if mention.makes else ""
        item = QTreeWidgetItem(head, [f"{place}  {kind}".rstrip(), ""])
        item.setData(0, USE, use)
        item.setData(1, TEXT, parts)
        item.setData(1, Qt.ItemDataRole.AccessibleTextRole, text)
        item.setToolTip(1, text)

    def _go(self, item: QTreeWidgetItem) -> None:
        use = item.data(0, USE)
        field = ".".join((use.mention.section, *use.mention.path)) if item.parent() is not None else ""
        self.place_wanted.emit(use.node, field)
