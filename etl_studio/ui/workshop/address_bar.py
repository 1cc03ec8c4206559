"""The head of the workshop: where the page comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.text import Line
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from etl_studio.app.scraping.page import WorkshopPage
    from etl_studio.ui.theme.theme import Theme


class AddressLine(Line):
    """A line whose Return loads, and does not end the dialog.

    Signals:
        entered: Return was pressed.
    """

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.text() in ("\r", "\n"):
            event.accept()
            self.entered.emit()


class AddressBar(QFrame):
    """Address, load, file, paste; and what is known of the page.

    Args:
        theme: icons.
        parent: its parent.

    Signals:
        load_wanted: the page at the address.
        stop_wanted: no page any more.
        file_wanted: one out of a file.
        paste_wanted: the one in the clipboard.
    """

    load_wanted = Signal()
    stop_wanted = Signal()
    file_wanted = Signal()
    paste_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self._busy = False
        self.address = AddressLine(self)
        self.address.setAccessibleName(tr("Address of the page"))
        self.address.setPlaceholderText("https://shop.example.org/")
        self.load = QPushButton(tr("Load"), self)
        self.open = IconButton(theme, "folder-open", tr("Open a page out of a file"), self)
        self.paste = IconButton(theme, "clipboard", tr("Take the HTML in the clipboard"), self)
        self.facts = QLabel(self)
        self.facts.setProperty("role", "small")
        self.remarks = QLabel(self)
        self.remarks.setProperty("role", "warning")
        self.remarks.setWordWrap(True)
        self.remarks.hide()
        self._progress = QProgressBar(self)
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(20 * SPACE)
        self._progress.hide()
        row = QHBoxLayout()
        row.setSpacing(1.5 * SPACE)
        row.addWidget(self.address, 1)
        for widget in (self.load, self.open, self.paste, self._progress, self.facts):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 2.5 * SPACE, 4 * SPACE, 2.5 * SPACE)
        column.setSpacing(SPACE)
        column.addLayout(row)
        column.addWidget(self.remarks)
        self.address.entered.connect(self._load)
        self.load.clicked.connect(self._press)
        self.open.clicked.connect(self.file_wanted)
        self.paste.clicked.connect(self.paste_wanted)

    def show_busy(self, *, busy: bool) -> None:
        """Show that a page is awaited."""
        self._busy = busy
        self.load.setText(tr("Stop") if busy else tr("Load"))
        self._progress.setVisible(busy)
        if busy:
            self.facts.setText("")
            self.remarks.hide()

    def show_page(self, page: WorkshopPage) -> None:
        """Show what is known of a page."""
        elements = trn("{count} element", "{count} elements", page.dom.elements)
        kilobytes = max(1, round(len(page.response.content) / 1024))
        self.facts.setText(tr("{elements}  ·  {size} KB", elements=elements, size=count(kilobytes)))
        self.remarks.setText("\n".join(remark.message for remark in page.remarks))
        self.remarks.setVisible(bool(page.remarks))
        set_role(self.remarks, "warning")

    def _load(self) -> None:
        self.load_wanted.emit()

    def _press(self) -> None:
        (self.stop_wanted if self._busy else self.load_wanted).emit()
