"""The selectors that are proposed for the chosen element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.quantities import count
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr
from etl_studio.ui.workshop.words import judgement, level_colour, reasons, short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from etl_studio.app.scraping.asking import Offer
    from etl_studio.app.scraping.dom import Dom
    from etl_studio.app.scraping.proposals import Proposal
    from etl_studio.ui.theme.theme import Theme

PROPOSAL, USE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
GROUPS = {
    "field": N_("Values of this element, in each item"),
    "page_field": N_("Values of this element"),
    "alike": N_("This and all alike"),
    "around": N_("Repeated elements around it"),
    "alone": N_("This element alone"),
    "link": N_("The link to the next page"),
}
USES = {"field": N_("Add as field"), "item": N_("Use as item"), "next": N_("Use for the next page")}


class ProposalsView(QFrame):
    """Shows an offer; a double click, Return or the button takes a selector.

    Args:
        theme: colours.
        parent: its parent.

    Signals:
        looked_at: the selector that is selected in the list, so that its matches can be marked; empty: none.
        taken: a ``Proposal``, and what to use it for: ``field``, ``item`` or ``next``.
    """

    looked_at = Signal(str)
    taken = Signal(object, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        title = QLabel(tr("Selectors for the chosen element"), self)
        title.setProperty("role", "overline")
        self.subject = QLabel(self)
        self.subject.setProperty("role", "code")
        self.subject.setTextFormat(Qt.TextFormat.PlainText)
        self.use = QPushButton(self)
        self.tree = ProposalTree(self)
        self.tree.setAccessibleName(tr("Selectors for the chosen element"))
        self.tree.setHeaderLabels([tr("Selector"), tr("Finds"), tr("Value")])
        self.tree.setProperty("role", "table")
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(3 * SPACE)
        self.tree.setUniformRowHeights(True)
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.hint = QLabel(tr("Click an element of the page: in the tree, the text or the source."), self)
        self.hint.setProperty("role", "muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        head = QHBoxLayout()
        head.setContentsMargins(4 * SPACE, 0, 3 * SPACE, 0)
        head.setSpacing(2 * SPACE)
        head.addWidget(title)
        head.addWidget(self.subject, 1)
        head.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * SPACE, 0, 0)
        column.setSpacing(1.5 * SPACE)
        column.addLayout(head)
        column.addWidget(self.hint, 1)
        column.addWidget(self.tree, 1)
        self.tree.currentItemChanged.connect(self._look)
        self.tree.itemDoubleClicked.connect(self._take)
        self.tree.chosen.connect(self._take)
        self.use.clicked.connect(self._take)
        self.forget()

    def forget(self) -> None:
        """There is no chosen element."""
        self.tree.clear()
        self.tree.hide()
        self.hint.show()
        self.subject.setText("")
        self._offer_use("field")
        self.use.setEnabled(False)

    def show_offer(self, offer: Offer, dom: Dom, *, in_items: bool) -> None:
        """Show selectors of an element.

        Args:
            offer: the selectors.
            dom: the elements.
            in_items: whether the fields are those of items, not of the page.
        """
        self.tree.blockSignals(True)
        self.tree.clear()
        self.subject.setText(short_name(dom.nodes[offer.number]))
        self._add_group("field" if in_items else "page_field", offer.fields if in_items else (), "field")
        self._add_group("around", offer.around, "item")
        self._add_group("alike", offer.alike, "item")
        if not in_items:
            self._add_group("page_field", offer.fields, "field")
        self._add_group("link", offer.link, "next")
        self._add_group("alone", offer.alone, "item")
        self.tree.expandAll()
        self.tree.blockSignals(False)
        self.hint.hide()
        self.tree.show()
        width = self.tree.viewport().width()
        self.tree.setColumnWidth(0, round(width * 0.52))
        self.tree.setColumnWidth(1, round(width * 0.16))
        first = self.tree.topLevelItem(0)
        self.tree.setCurrentItem(first.child(0) if first is not None else None)
        self._look()

    def _add_group(self, kind: str, proposals: Sequence[Proposal], use: str) -> None:
        if not proposals:
            return
        head = QTreeWidgetItem(self.tree, [tr(GROUPS[kind])])
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        head.setFirstColumnSpanned(True)
        head.setForeground(0, QColor(self._theme.tokens.text_muted))
        font = self.tree.font()
        font.setPixelSize(self._theme.px(11))
        head.setFont(0, font)
        for each in proposals:
            finds = tr("{hits} of {items}", hits=each.matches, items=each.of) if each.of else count(each.matches)
            if each.of == 1:
                finds = f"{each.matches}"
            item = QTreeWidgetItem(head, [each.selector, finds, each.sample])
            item.setData(0, PROPOSAL, each)
            item.setData(0, USE, use)
            item.setIcon(0, self._dot(level_colour(each.judgement.level, self._theme.tokens)))
            mono = self.tree.font()
            mono.setFamily(self._theme.mono)
            item.setFont(0, mono)
            item.setForeground(2, QColor(self._theme.tokens.text_muted))
            tip = "\n".join(text for text in (each.selector, judgement(each.judgement), reasons(each.selector)) if text)
            for column in range(3):
                item.setToolTip(column, tip if column < 2 else each.sample)  # noqa: PLR2004 - the last one is the value

    def _look(self) -> None:
        item = self.tree.currentItem()
        use = item.data(0, USE) if item is not None else None
        self.use.setEnabled(use is not None)
        if use is not None:
            self._offer_use(use)
        proposal = item.data(0, PROPOSAL) if item is not None else None
        self.looked_at.emit(proposal.selector if proposal is not None and use != "field" else "")

    def _offer_use(self, use: str) -> None:
        self.use.setText(tr(USES[use]))

    def _take(self) -> None:
        item = self.tree.currentItem()
        if item is not None and item.data(0, USE):
            self.taken.emit(item.data(0, PROPOSAL), item.data(0, USE))

    def _dot(self, colour: str) -> QIcon:
        picture = QPixmap(24, 24)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(6, 6, 12, 12)
        painter.end()
        icon = QIcon(picture)
        icon.addPixmap(picture, QIcon.Mode.Selected)
        return icon


class ProposalTree(QTreeWidget):
    """The list; Return takes what is selected.

    Signals:
        chosen: Return was pressed.
    """

    chosen = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)
