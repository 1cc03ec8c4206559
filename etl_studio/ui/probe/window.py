"""The pages that a probe saw: what was asked, what came, how it goes on, and the columns that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.probe.page_view import PageView
from etl_studio.ui.probe.words import facts, found_words, page_words, summary, title
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.app.probing import Probed, ProbedColumn, ProbedPage
    from etl_studio.ui.theme.theme import Theme

SIZE = (260 * SPACE, 165 * SPACE)
SIDE = 56 * SPACE


class ProbeWindow(QDialog):
    """Shows one probe; stays open beside the form.

    Signals:
        again_wanted: probe again, or stop the probe that is under way.
        use_wanted: write what was found out into the settings.

    Args:
        name: what the source is called.
        theme: colours and the fixed-width font.
        parent: its parent.
    """

    again_wanted = Signal()
    use_wanted = Signal()

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Probe of {node}", node=name))
        self.resize(*SIZE)
        self._theme = theme
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Pages"))
        self.list.setSpacing(0)
        self.page, self.columns = PageView(theme), _Columns()
        self.nothing = Notice(theme)
        self.stack = QStackedWidget()
        for widget in (self.nothing, self.page, self.columns):
            self.stack.addWidget(widget)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self.stack)
        split.setStretchFactor(1, 1)
        split.setSizes([SIDE, SIZE[0] - SIDE])
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.found.setTextFormat(Qt.TextFormat.PlainText)
        self.use, self.again, close = QPushButton(tr("Use this")), QPushButton(), QPushButton(tr("Close"))
        self.use.setProperty("role", "primary")
        for button in (self.use, self.again, close):
            button.setAutoDefault(False)
        self.use.clicked.connect(self.use_wanted)
        self.again.clicked.connect(self.again_wanted)
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.setSpacing(2 * SPACE)
        foot.addWidget(self.found, 1)
        for button in (self.use, self.again, close):
            foot.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.message)
        column.addWidget(split, 1)
        column.addLayout(foot)
        self._pages: list[ProbedPage] = []
        self.list.currentRowChanged.connect(self._show_row)
        self.begin()

    def begin(self) -> None:
        """A probe begins."""
        self._pages = []
        self.list.clear()
        self.list.hide()
        self.columns.show_columns(())
        self._say(tr("Asking for the first page…"))
        self.nothing.tell("clock", tr("Asking…"), tr("Pages appear here as they come."))
        self.found.clear()
        self.use.hide()
        self.again.setText(tr("Stop"))
        self._show_row(-1)

    def show_pages(self, pages: Sequence[ProbedPage]) -> None:
        """Show what has come so far."""
        if list(pages[: len(self._pages)]) != self._pages:
            self._pages = []
            self.list.clear()
        for page in pages[len(self._pages) :]:
            self._pages.append(page)
            item = QListWidgetItem(f"{title(page)}   {page.status}\n{facts(page)}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, page_words(page))
            self.list.insertItem(len(self._pages) - 1, item)
        self.list.setVisible(bool(self._pages))
        if self._pages and self.list.currentRow() < 0:
            self.list.setCurrentRow(0)

    def show_end(self, seen: Probed, *, usable: bool) -> None:
        """The probe has ended; ``usable``: what it found out is not in the settings yet."""
        self.show_pages(seen.pages)
        if seen.pages:
            self._say(seen.error or summary(seen), bad=bool(seen.error))
        else:
            self._tell_nothing(seen.error)
        self.columns.show_columns(seen.columns)
        if seen.columns and self.list.count() == len(self._pages):
            words = trn("{count} column", "{count} columns", len(seen.columns))
            self.list.addItem(QListWidgetItem(f"{tr('Columns')}\n{words}"))
        self.found.setText(found_words(seen) if usable else "")
        self.use.setVisible(usable)
        self.again.setText(tr("Probe again"))

    def show_failure(self, message: str) -> None:
        """There was no probe."""
        self._tell_nothing(message)
        self.again.setText(tr("Probe again"))

    def _tell_nothing(self, message: str) -> None:
        self.message.hide()
        self.nothing.tell("alert-circle", tr("No page came"), message, bad=True)

    def _show_row(self, row: int) -> None:
        if 0 <= row < len(self._pages):
            self.page.show_page(self._pages[row])
            self.stack.setCurrentWidget(self.page)
        else:
            self.stack.setCurrentWidget(self.columns if row >= 0 else self.nothing)

    def _say(self, text: str, *, bad: bool = False) -> None:
        self.message.setText(text)
        self.message.show()
        set_role(self.message, "danger" if bad else "title")


class _Columns(QTreeWidget):
    """The columns that the pages become."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Columns"))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setHeaderLabels([tr("Column"), tr("Type"), tr("Examples"), tr("Empty")])
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)

    def show_columns(self, columns: Sequence[ProbedColumn]) -> None:
        self.clear()
        for one in columns:
            empty = count(one.empty) if one.empty else ""
            item = QTreeWidgetItem(self, [one.name, one.type, ", ".join(one.examples), empty])
            item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(2, "\n".join(one.examples))
