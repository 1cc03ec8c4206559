"""The window of the workshop: a page on the left, selectors on the right, the rows below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr
from etl_studio.ui.workshop.address_bar import AddressBar
from etl_studio.ui.workshop.marks import Marks
from etl_studio.ui.workshop.page_view import PageView
from etl_studio.ui.workshop.proposals_view import ProposalsView
from etl_studio.ui.workshop.rows_table import RowsTable
from etl_studio.ui.workshop.selectors_panel import SelectorsPanel

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QKeyEvent

    from etl_studio.app.scraping.asking import Draft, FoundList, Offer, Tried
    from etl_studio.app.scraping.proposals import Proposal
    from etl_studio.app.scraping.settings import ScraperSettings
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workshop.page_view import PreparedPage
    from etl_studio.ui.workshop.session import Session

SIZE = (1400, 860)
RIGHT = 0.46
"""Share of the width that selectors take."""


class WorkshopDialog(QDialog):
    """The workshop of one node.

    Args:
        session: does the work in threads; this owns it from now on.
        draft: the selectors of the node.
        address: its first page; empty: none.
        title: what the node is called.
        theme: colours and icons.
        parent: the window.
        settings: what the node calls its settings.
        read_only: whether the document takes no changes.

    Signals:
        applied: a ``Draft`` and the address of the page.
        tested: there is a new test.
    """

    applied = Signal(object, str)
    tested = Signal()

    def __init__(  # noqa: PLR0913 - a node and where it is shown
        self,
        session: Session,
        draft: Draft,
        address: str,
        title: str,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        settings: ScraperSettings,
        read_only: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Selector workshop: {node}", node=title))
        self.setSizeGripEnabled(True)
        session.setParent(self)
        self.session, self._before = session, draft
        self._tried: Tried | None = None
        self._at = -1
        self.marks = Marks(self)
        self.bar = AddressBar(theme, self)
        self.bar.address.setText(address)
        self.page = PageView(theme, self.marks, self)
        self.selectors = SelectorsPanel(theme, self, follows=settings.next is not None)
        self.selectors.show_draft(draft)
        self.proposals = ProposalsView(theme, self)
        self.rows = RowsTable(theme, self)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setMinimumWidth(1)
        self.save = QPushButton(tr("Save the page…"), self)
        self.save.setToolTip(tr("Write the source with its address into a file, which can be opened here again"))
        self.test = QPushButton(tr("Make a test"), self)
        self.test.setToolTip(tr("Keep the page as a test: the node reads it without the site, and must get these rows"))
        # A crawl asks for more than one page, so that a test of it needs what all of them answered.
        self.test.setVisible(settings.next is not None)
        self._settings = settings
        self.cancel = QPushButton(tr("Cancel"), self)
        self.apply = QPushButton(tr("Apply"), self)
        self.apply.setProperty("role", "primary")
        self.apply.setEnabled(not read_only)
        self._read_only = read_only
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self._lay_out()
        self._connect()
        self._allow_keeping()
        room = self.screen().availableSize()
        self.resize(min(SIZE[0], room.width() - 40), min(SIZE[1], room.height() - 40))
        self.page.tell("globe", tr("No page yet"), tr("Load the page of the address, open a file, or paste HTML."))
        if address:
            self.load()

    # -- what a person asks for -------------------------------------------------------------------------------

    def load(self) -> None:
        """Load the page of the address as the node would."""
        if address := self.bar.address.text().strip():
            self.bar.show_busy(busy=True)
            self.session.load(address)

    def open_file(self) -> None:
        """Ask for a file with a page."""
        kinds = tr("Web pages") + " (*.html *.htm *.xhtml *.mhtml *.txt);;" + tr("All files") + " (*)"
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Open a page"), str(Path.home()), kinds)
        if chosen:
            self.bar.show_busy(busy=True)
            self.session.open_file(Path(chosen), self._base())

    def paste(self) -> None:
        """Take the page in the clipboard."""
        mime = QApplication.clipboard().mimeData()
        html = mime.text() if mime.text().lstrip().startswith("<") else mime.html() or mime.text()
        if not html.strip():
            self.page.tell(
                "clipboard", tr("The clipboard is empty"), tr("Copy the source of a page, then click again.")
            )
            return
        self.bar.show_busy(busy=True)
        self.session.take_text(html, self._base() or "about:blank")

    def save_page(self) -> None:
        """Ask for a file, and write the page into it."""
        kinds = tr("Web pages") + " (*.html)"
        chosen, _ = QFileDialog.getSaveFileName(self, tr("Save the page"), str(Path.home() / "page.html"), kinds)
        if chosen:
            self.session.save(Path(chosen))

    def make_test(self) -> None:
        """Keep the page as a test of the node with these selectors."""
        if not self._check():
            self.session.make_test(self.selectors.draft(), self._settings)

    def stop(self) -> None:
        """Wait for no page any more."""
        self.session.stop()
        self.bar.show_busy(busy=False)

    def step(self, way: int) -> None:
        """Choose the next item, or the one before."""
        found = self._tried.trial.found if self._tried is not None else ()
        if found:
            self._at = (self._at + way) % len(found) if self._at >= 0 or way > 0 else len(found) - 1
            self.marks.choose(found[self._at])
            self.selectors.show_place(self._at, len(found))

    def accept(self) -> None:
        """Write the selectors into the node, unless something is missing in them."""
        if self._read_only or self._check():
            return
        self.applied.emit(self.selectors.draft(), self.bar.address.text().strip())
        super().accept()

    def reject(self) -> None:
        """Leave the node as it is."""
        if self.selectors.draft() != self._before and not self._may_discard():
            return
        super().reject()

    def done(self, result: int) -> None:
        self.session.close_threads()
        self.page.find.close_threads()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        self.reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.accept()
        elif event.key() == Qt.Key.Key_F and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.page.find.line.setFocus()
            self.page.find.line.selectAll()
        else:
            super().keyPressEvent(event)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        right = QSplitter(Qt.Orientation.Vertical, self)
        right.addWidget(self.selectors)
        right.addWidget(self.proposals)
        right.setSizes([400, 210])
        above = QSplitter(Qt.Orientation.Horizontal, self)
        above.addWidget(self.page)
        above.addWidget(right)
        above.setStretchFactor(0, 1)
        above.setSizes([round(SIZE[0] * (1 - RIGHT)), round(SIZE[0] * RIGHT)])
        whole = QSplitter(Qt.Orientation.Vertical, self)
        whole.addWidget(above)
        whole.addWidget(self.rows)
        whole.setStretchFactor(0, 1)
        whole.setSizes([SIZE[1] - 215, 215])
        for splitter in (right, above, whole):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self.foot = QHBoxLayout()
        self.foot.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        self.foot.setSpacing(2 * SPACE)
        self.foot.addWidget(self.save)
        self.foot.addWidget(self.test)
        self.foot.addWidget(self.message, 1)
        self.foot.addWidget(self.cancel)
        self.foot.addWidget(self.apply)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.setSpacing(0)
        outside.addWidget(self.bar)
        outside.addWidget(whole, 1)
        outside.addLayout(self.foot)

    def _connect(self) -> None:
        self.bar.load_wanted.connect(self.load)
        self.bar.stop_wanted.connect(self.stop)
        self.bar.file_wanted.connect(self.open_file)
        self.bar.paste_wanted.connect(self.paste)
        self.session.loaded.connect(self._show_page)
        self.session.failed.connect(self._show_failure)
        self.session.listed.connect(self._show_lists)
        self.session.tried.connect(self._show_tried)
        self.session.offered.connect(self._show_offer)
        self.session.found.connect(self._show_found)
        self.marks.current_changed.connect(self._ask)
        self.selectors.edited.connect(self._edited)
        self.selectors.in_hand_changed.connect(self._mark)
        self.selectors.step_wanted.connect(self.step)
        self.proposals.looked_at.connect(self._look)
        self.proposals.taken.connect(self._use)
        self.rows.row_chosen.connect(self._choose_row)
        self.save.clicked.connect(self.save_page)
        self.test.clicked.connect(self.make_test)
        self.session.saved.connect(self._tell_saved)
        self.session.tested.connect(self._tell_tested)
        self.session.not_kept.connect(self._tell_not_kept)
        self.cancel.clicked.connect(self.reject)
        self.apply.clicked.connect(self.accept)

    def _base(self) -> str:
        """The address that relative links of a file start at; one with parameters is none."""
        address = self.bar.address.text().strip()
        return address if address.startswith(("http://", "https://")) and "${" not in address else ""

    def _show_page(self, prepared: PreparedPage) -> None:
        self.bar.show_busy(busy=False)
        self.bar.show_page(prepared.page)
        self.page.show_page(prepared)
        self.proposals.forget()
        self.selectors.show_lists(())
        self.rows.show_nothing()
        self._tried, self._at = None, -1
        self._allow_keeping()
        self.session.try_now(self.selectors.draft())

    def _allow_keeping(self) -> None:
        for button in (self.save, self.test):
            button.setEnabled(self.session.page is not None)

    def _show_failure(self, message: str) -> None:
        self.bar.show_busy(busy=False)
        self.page.tell("alert-circle", tr("The page could not be loaded"), message, bad=True)

    def _show_lists(self, lists: list[FoundList]) -> None:
        self.selectors.show_lists(lists)

    def _show_tried(self, tried: Tried) -> None:
        if tried.draft != self.selectors.draft():
            return
        other_items = self._tried is None or self._tried.draft.item != tried.draft.item
        self._tried = tried
        self.selectors.show_tried(tried)
        self.rows.show_trial(tried.trial)
        self._mark()
        if other_items:
            self._at = -1
            self.selectors.show_place(None, len(tried.trial.found))
            self.page.reveal_first(tried.trial.found)
            if self.marks.current is not None:
                self._ask(self.marks.current)

    def _show_offer(self, offer: Offer) -> None:
        if offer.number == self.marks.current and self.session.page is not None:
            in_items = bool(self.selectors.draft().item) and bool(offer.fields) and offer.fields[0].of != 1
            self.proposals.show_offer(offer, self.session.page.dom, in_items=in_items)

    def _show_found(self, numbers: list[int]) -> None:
        items = self._tried.trial.found if self._tried is not None else ()
        self.marks.mark(items, numbers)

    def _edited(self, typing: bool) -> None:  # noqa: FBT001 - a signal's argument
        draft = self.selectors.draft()
        if self.message.text():
            self._check()
        if typing:
            self.session.try_soon(draft)
        else:
            self.session.try_now(draft)

    def _check(self) -> str:
        obstacle = self.selectors.obstacle()
        self._tell(obstacle, "danger")
        return obstacle

    def _tell(self, text: str, role: str) -> None:
        self.message.setText(text)
        self.message.setToolTip(text)
        set_role(self.message, role)

    def _tell_saved(self, path: Path) -> None:
        self._tell(tr("Saved as {name}.", name=path.name), "success")

    def _tell_tested(self, folder: Path) -> None:
        self._tell(tr("Made the test {name}. It runs without the site.", name=folder.name), "success")
        self.tested.emit()

    def _tell_not_kept(self, message: str) -> None:
        self._tell(message, "danger")

    def _mark(self) -> None:
        """Mark the items, and what the selector in hand takes."""
        trial = self._tried.trial if self._tried is not None else None
        if trial is None:
            return
        row = self.selectors.in_hand
        taken: tuple[int, ...] = ()
        if row is self.selectors.next_page and trial.next is not None:
            taken = trial.next.found
        elif row in self.selectors.fields:
            given = [each for each in self.selectors.fields if any(each.value)]
            at = given.index(row) if row in given else -1
            taken = trial.fields[at].found if 0 <= at < len(trial.fields) else ()
        self.marks.mark(trial.found, taken)

    def _ask(self, number: int) -> None:
        draft = self.selectors.draft()
        self.session.ask_about(number, draft.item, follows=self.selectors.follows)

    def _look(self, selector: str) -> None:
        if selector:
            self.session.find(selector)
        else:
            self._mark()

    def _use(self, proposal: Proposal, use: str) -> None:
        if use == "field":
            self.selectors.add_field(proposal.name, proposal.selector)
        elif use == "next":
            self.selectors.set_next(proposal.selector + ("" if "::" in proposal.selector else "::attr(href)"))
        else:
            self.selectors.set_item(proposal.selector)

    def _choose_row(self, row: int) -> None:
        found = self._tried.trial.found if self._tried is not None else ()
        if row < len(found):
            self._at = row
            self.marks.choose(found[row])
            self.selectors.show_place(row, len(found))

    def _may_discard(self) -> bool:
        question = QMessageBox(self)
        question.setWindowTitle(tr("Selector workshop"))
        question.setText(tr("Close the workshop without taking over the selectors?"))
        discard = question.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        question.addButton(tr("Go on"), QMessageBox.ButtonRole.RejectRole)
        question.exec()
        chosen = question.clickedButton() is discard
        question.deleteLater()
        return chosen
