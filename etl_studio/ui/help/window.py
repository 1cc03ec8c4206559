"""The help in a window of its own: pages at the left, the text at the right, a field that searches all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFont, QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSplitter,
    QTextBrowser,
    QTextEdit,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.forms.reference import set_in_type
from etl_studio.ui.help.library import OVERVIEW, snippet
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings

    from etl_studio.ui.help.library import Library, Section
    from etl_studio.ui.theme.theme import Theme

SIZE = QSize(920, 680)
LIST_WIDTH = 260
LIST_INDENT = 5 * SPACE
ADDRESS, SECTION = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
INSIDE = ("node:", "topic:")


class HelpWindow(QDialog):
    """Shows one page; the work in the main window goes on beside it.

    Args:
        library: the pages.
        theme: colours and icons.
        settings: remember its size.
        parent: the main window.

    Attributes:
        field, pages, text: search field, list of pages or of what was found, the text.
        address: of the page that is shown.
    """

    def __init__(self, library: Library, theme: Theme, settings: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.library, self._theme, self._settings = library, theme, settings
        self.address = ""
        self._visited: list[tuple[str, str]] = []
        self._at = -1
        self._bold = QFont(self.font())
        self._bold.setWeight(QFont.Weight.DemiBold)
        self.setWindowTitle(tr("Help"))
        self.setObjectName("help")
        self.setModal(False)
        self.setSizeGripEnabled(False)
        self.field = QLineEdit(placeholderText=tr("Search the help"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.setClearButtonEnabled(True)
        self.pages = QTreeWidget()
        self.pages.setHeaderHidden(True)
        self.pages.setRootIsDecorated(False)
        self.pages.setIndentation(2 * SPACE)
        self.pages.setAccessibleName(tr("Pages"))
        self.pages.setFrameShape(QFrame.Shape.NoFrame)
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.document().setIndentWidth(LIST_INDENT)
        self.text.setAccessibleName(tr("Help text"))
        self.back, self.forward = QToolButton(), QToolButton()
        self._lay_out()
        self._connect()
        self.resize(self._settings.value("help_size") or SIZE)
        self._fill()
        self._dress()

    def set_library(self, library: Library) -> None:
        """Show these pages from now on, such as after keys were changed."""
        self.library, self.address = library, ""
        self._fill()

    def show_page(self, address: str, section: str = "") -> None:
        """Show a page, scrolled to one of its settings such as ``config.where``; the overview for an unknown one."""
        if address not in self.library.pages:
            address, section = OVERVIEW, ""
        del self._visited[self._at + 1 :]
        self._visited.append((address, section))
        self._at = len(self._visited) - 1
        self._show()

    # -- Qt ---------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the field travel through the list; Return goes to the text."""
        if watched is self.field and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.pages.setFocus()
                if self.pages.currentItem() is None:
                    self._choose_first()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.text.setFocus()
                return True
        return super().eventFilter(watched, event)

    def done(self, result: int) -> None:
        self._settings.setValue("help_size", self.size())
        super().done(result)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        left = QFrame()
        left.setProperty("role", "panel")
        column = QVBoxLayout(left)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(self.field)
        column.addWidget(self.pages, 1)
        right = QFrame()
        right.setProperty("role", "panel")
        head = QHBoxLayout()
        head.setContentsMargins(4 * SPACE, 2 * SPACE, 2 * SPACE, 0)
        head.addWidget(self.title, 1)
        head.addWidget(self.back)
        head.addWidget(self.forward)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        parts = QSplitter()
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setSizes([LIST_WIDTH, SIZE.width() - LIST_WIDTH])
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        parts.setHandleWidth(1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(parts)

    def _connect(self) -> None:
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.pages.currentItemChanged.connect(self._on_chosen)
        self.text.anchorClicked.connect(self._follow)
        for button, name, key, step in (
            (self.back, tr("Back"), QKeySequence("Alt+Left"), self.go_back),
            (self.forward, tr("Forward"), QKeySequence("Alt+Right"), self.go_forward),
        ):
            button.setAccessibleName(name)
            button.setToolTip(f"{name} ({key.toString(QKeySequence.SequenceFormat.NativeText)})")
            button.clicked.connect(step)
            QShortcut(key, self, step)
        QShortcut(QKeySequence("Ctrl+F"), self, self._focus_field)
        self._theme.changed.connect(self._dress)

    def go_back(self) -> None:
        """The page before."""
        self._travel(-1)

    def go_forward(self) -> None:
        """The page after, once one went back."""
        self._travel(1)

    def _travel(self, step: int) -> None:
        if 0 <= self._at + step < len(self._visited):
            self._at += step
            self._show()

    def _focus_field(self) -> None:
        self.field.setFocus()
        self.field.selectAll()

    def _fill(self) -> None:
        query = self.field.text().strip()
        self.pages.blockSignals(True)
        self.pages.clear()
        if query:
            for hit in self.library.search(query):
                title = f"{hit.page.title}: {hit.section.title}" if hit.section.title else hit.page.title
                item = QTreeWidgetItem(self.pages, [title])
                item.setData(0, ADDRESS, hit.page.address)
                item.setData(0, SECTION, hit.section.key or hit.section.title)
                item.setToolTip(0, snippet(hit.section, query))
                item.setData(0, Qt.ItemDataRole.AccessibleDescriptionRole, snippet(hit.section, query))
            if not self.pages.topLevelItemCount():
                QTreeWidgetItem(self.pages, [tr("Nothing is said about “{query}”.", query=query)]).setDisabled(True)
        else:
            for group, pages in self.library.groups():
                head = QTreeWidgetItem(self.pages, [group])
                head.setFlags(Qt.ItemFlag.ItemIsEnabled)
                head.setFont(0, self._bold)
                for page in pages:
                    item = QTreeWidgetItem(head, [page.title])
                    item.setData(0, ADDRESS, page.address)
            self.pages.expandAll()
        self.pages.blockSignals(False)
        if query:
            self._choose_first()
        else:
            self._mark_current()

    def _choose_first(self) -> None:
        first = self.pages.topLevelItem(0)
        if first is not None and first.data(0, ADDRESS):
            self.pages.setCurrentItem(first)

    def _on_chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and item.data(0, ADDRESS):
            self.show_page(item.data(0, ADDRESS), item.data(0, SECTION) or "")

    def _follow(self, url: QUrl) -> None:
        text = url.toString()
        if text.startswith(INSIDE):
            self.show_page(text)
        elif url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)

    def _show(self) -> None:
        address, wanted = self._visited[self._at]
        page = self.library.pages[address]
        if address != self.address:
            self.address = address
            self.title.setText(page.title)
            self.text.setMarkdown(page.markdown)
            set_in_type(self.text.document())
        self._mark_current()
        self._reveal(next((one for one in page.sections if wanted and wanted in (one.key, one.title)), None))
        self.back.setEnabled(self._at > 0)
        self.forward.setEnabled(self._at < len(self._visited) - 1)

    def _mark_current(self) -> None:
        """Show in the list of all pages which one is open; what a search has found stays as it is."""
        if self.field.text().strip():
            return
        for top in range(self.pages.topLevelItemCount()):
            head = self.pages.topLevelItem(top)
            for number in range(head.childCount()):
                if head.child(number).data(0, ADDRESS) == self.address:
                    self.pages.blockSignals(True)
                    self.pages.setCurrentItem(head.child(number))
                    self.pages.blockSignals(False)

    def _reveal(self, section: Section | None) -> None:
        """Scroll to a heading and mark it."""
        block = self.text.document().begin()
        marks = []
        self.text.verticalScrollBar().setValue(0)
        heading = section and (f"{section.title} {section.key.partition('.')[2]}" if section.key else section.title)
        while heading and block.isValid():
            if block.blockFormat().headingLevel() and block.text().strip() in (heading.strip(), section.title):
                mark = QTextEdit.ExtraSelection()
                mark.cursor = QTextCursor(block)
                mark.cursor.select(QTextCursor.SelectionType.LineUnderCursor)
                mark.format.setBackground(self.palette().highlight())
                marks.append(mark)
                self.text.setTextCursor(QTextCursor(block))
                top = self.text.document().documentLayout().blockBoundingRect(block).top()
                self.text.verticalScrollBar().setValue(round(top) - 2 * SPACE)
                break
            block = block.next()
        self.text.setExtraSelections(marks)

    def _dress(self) -> None:
        color = self._theme.tokens.text_muted
        self.back.setIcon(self._theme.icon("arrow-left", color))
        self.forward.setIcon(self._theme.icon("arrow-right", color))
