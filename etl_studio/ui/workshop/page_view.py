"""The left half of the workshop: one page as tree, text, source and links, in step with each other."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.text import Line
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr
from etl_studio.ui.workshop.listing import SourceListing, TextListing
from etl_studio.ui.workshop.listing_view import ListingView
from etl_studio.ui.workshop.tree_view import DomTree
from etl_studio.ui.workshop.words import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QModelIndex

    from etl_studio.app.scraping.page import WorkshopPage
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workshop.marks import Marks

TREE, TEXT, SOURCE, LINKS = range(4)


class PreparedPage:
    """A page with all that its views need; made in a thread.

    Args:
        page: the page.
    """

    def __init__(self, page: WorkshopPage) -> None:
        self.page = page.prepare()
        self.source, self.text = SourceListing(page), TextListing(page)


class PageView(QFrame):
    """The views of a page.

    Args:
        theme: colours and icons.
        marks: what is marked and chosen.
        parent: its parent.
    """

    def __init__(self, theme: Theme, marks: Marks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme, self.marks = theme, marks
        self.page: WorkshopPage | None = None
        self.tree = DomTree(theme, marks, self)
        self.text = ListingView(theme, marks, self, numbered=False)
        self.text.setAccessibleName(tr("Text of the page"))
        self.source = ListingView(theme, marks, self, numbered=True)
        self.source.setAccessibleName(tr("Source of the page"))
        self.links = DataTable(self)
        self.links.setAccessibleName(tr("Links of the page"))
        self.link_rows = RowsModel(
            [
                Column(tr("Text"), lambda link: link.text, tip=lambda link: link.text),
                Column(
                    tr("Address"), lambda link: link.address, tip=lambda link: link.address,
                    colour=lambda link: None if link.inside else self._theme.tokens.text_muted,
                ),
            ],
            self,
        )  # fmt: skip
        self.links.setModel(self.link_rows)
        self.tabs = QTabBar(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.views = QStackedWidget(self)
        for widget, title in (
            (self.tree, tr("Tree")),
            (self.text, tr("Text")),
            (self.source, tr("Source")),
            (self.links, tr("Links")),
        ):
            self.tabs.addTab(title)
            self.views.addWidget(widget)
        self.find = FindLine(theme, self)
        self.crumbs = Crumbs(theme, marks, self)
        self.notice = Notice(theme, self)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.notice)
        self._stack.addWidget(self._shown())
        self.tree.clicked_element.connect(marks.choose)
        self.text.clicked.connect(marks.choose)
        self.source.clicked.connect(marks.choose)
        # not the current row: a table that gets the focus makes its first row current by itself
        self.links.clicked.connect(self._choose_link)
        self.links.activated.connect(self._choose_link)
        self.tabs.currentChanged.connect(self._turn)
        marks.current_changed.connect(self._reveal)
        self.find.found.connect(marks.choose)

    def show_page(self, prepared: PreparedPage) -> None:
        """Show another page."""
        self.page = prepared.page
        self.marks.clear()
        self.tree.show_dom(self.page.dom)
        self.source.show_listing(prepared.source)
        self.text.show_listing(prepared.text)
        self.link_rows.show_rows(self.page.links)
        self.links.set_widths({0: 50 * SPACE, 1: 110 * SPACE})
        self.crumbs.show_path(self.page.dom, None)
        self.find.look_in(self.page)
        self._stack.setCurrentIndex(1)

    def tell(self, icon: str, headline: str, text: str = "", *, bad: bool = False) -> None:
        """Say why there is no page."""
        self.notice.tell(icon, headline, text, bad=bad)
        self._stack.setCurrentIndex(0)

    def reveal_first(self, numbers: Sequence[int]) -> None:
        """Bring the first of some elements into view, without choosing it."""
        if numbers and self.page is not None:
            self.tree.open_to(numbers[0])
            self.source.reveal(numbers[0])
            self.text.reveal(numbers[0])

    def _shown(self) -> QWidget:
        shown, head = QWidget(self), QFrame(self)
        head.setProperty("role", "bar")
        row = QHBoxLayout(head)
        row.setContentsMargins(2 * SPACE, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.tabs, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        row.addWidget(self.find)
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self.views, 1)
        column.addWidget(self.crumbs)
        return shown

    def _turn(self, index: int) -> None:
        self.views.setCurrentIndex(index)
        self._reveal()

    def _reveal(self) -> None:
        number = self.marks.current
        if number is None or self.page is None:
            return
        self.crumbs.show_path(self.page.dom, number)
        view = self.views.currentWidget()
        if view is self.tree:
            self.tree.reveal(number)
        elif isinstance(view, ListingView):
            view.reveal(number)
        else:
            self._show_link(number)

    def _choose_link(self, index: QModelIndex) -> None:
        self.marks.choose(self.link_rows.rows[index.row()].number)

    def _show_link(self, number: int) -> None:
        row = next((at for at, link in enumerate(self.link_rows.rows) if link.number == number), None)
        if row is not None and row != self.links.currentIndex().row():
            self.links.selectRow(row)


class Crumbs(QFrame):
    """The trail from the page to the chosen element; each step can be chosen.

    Args:
        theme: colours.
        marks: gets the choice.
        parent: its parent.
    """

    def __init__(self, theme: Theme, marks: Marks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._marks = theme, marks
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setAccessibleName(tr("Trail to the chosen element"))
        self.label.setMinimumWidth(1)
        self.label.linkActivated.connect(self._chosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * SPACE, 1.5 * SPACE, 3 * SPACE, 1.5 * SPACE)
        row.addWidget(self.label, 1)

    def show_path(self, dom: object, number: int | None) -> None:
        """Show the trail to an element; None: to nothing."""
        tokens = self._theme.tokens
        if number is None:
            hint = tr("Click an element to get selectors for it.")
            self.label.setText(f"<span style='color:{tokens.text_muted}'>{escape(hint)}</span>")
            return
        path = dom.path(number)[-7:]
        steps = [
            f"<a href='{each}' style='color:{tokens.accent if each == number else tokens.text_muted};"
            f"text-decoration:none'>{escape(short_name(dom.nodes[each]))}</a>"
            for each in path
        ]
        arrow = f"<span style='color:{tokens.text_disabled}'> &rsaquo; </span>"
        self.label.setText(arrow.join(steps))

    def _chosen(self, link: str) -> None:
        self._marks.choose(int(link))


class FindLine(QWidget):
    """Finds texts in the elements of a page.

    Args:
        theme: icons.
        parent: its parent.

    Signals:
        found: the next element that holds the text.
    """

    found = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: WorkshopPage | None = None
        self._hits: Sequence[int] = ()
        self._at = -1
        self._asked = ""
        self.line = Line(self)
        self.line.setPlaceholderText(tr("Find in the page"))
        self.line.setAccessibleName(tr("Find in the page"))
        self.line.setClearButtonEnabled(True)
        self.line.setFixedWidth(theme.px(45 * SPACE))
        self.count = QLabel(self)
        self.count.setProperty("role", "small")
        self.next = IconButton(theme, "chevron-down", tr("Next place"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, SPACE, 2 * SPACE, SPACE)
        row.setSpacing(SPACE)
        row.addWidget(self.count)
        row.addWidget(self.line)
        row.addWidget(self.next)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._take)
        self.line.returnPressed.connect(self.go_on)
        self.line.textEdited.connect(self._forget)
        self.next.clicked.connect(self.go_on)

    def look_in(self, page: WorkshopPage) -> None:
        """Look in another page from now on."""
        self._page = page
        self._forget()

    def go_on(self) -> None:
        """Go to the next place; behind the last one comes the first."""
        text = self.line.text().strip().lower()
        if not text or self._page is None:
            return
        if text == self._asked:
            self._step()
            return
        self._asked = text
        nodes = self._page.dom.nodes
        self._fetcher.ask(lambda: [node.number for node in nodes if _holds(node, text)])

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._fetcher.close()

    def _take(self, hits: Sequence[int]) -> None:
        self._hits, self._at = hits, -1
        self._step()

    def _step(self) -> None:
        if not self._hits:
            self.count.setText(tr("Not found"))
            return
        self._at = (self._at + 1) % len(self._hits)
        self.count.setText(tr("{number} of {total}", number=self._at + 1, total=len(self._hits)))
        self.found.emit(self._page.dom.element_at(self._hits[self._at]))

    def _forget(self) -> None:
        self._asked, self._hits = "", ()
        self.count.setText("")


def _holds(node: object, text: str) -> bool:
    """Whether a node itself, not what is in it, holds a text in small letters."""
    return text in node.text.lower() or any(text in f'{key}="{value}"'.lower() for key, value in node.attributes)
