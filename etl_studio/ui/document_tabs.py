"""The open pipelines of a window: a tab for each, with its workbench below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from etl_studio.ui.document_files import display_name
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr
from etl_studio.ui.workbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.ui.theme.theme import Theme

WIDEST = 260
"""Pixels of a tab; longer names are cut in the middle."""


class DocumentTabs(QWidget):
    """Tabs above, the page in front below.

    Args:
        theme: colours and icons.
        parent: the window.

    Attributes:
        bar: the tabs.
        current_changed: another page is in front.
        close_wanted: a person wants a page closed (the page).
        new_wanted: a person wants a new pipeline.
    """

    current_changed = Signal()
    close_wanted = Signal(QWidget)
    new_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.bar = QTabBar(documentMode=True, movable=True, tabsClosable=True, expanding=False, drawBase=False)
        self.bar.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.bar.setAccessibleName(tr("Open pipelines"))
        self.bar.setProperty("role", "documents")
        self.bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.bar.installEventFilter(self)
        self.plus = QToolButton(self)
        self.plus.setToolTip(tr("New pipeline"))
        self.plus.setAccessibleName(self.plus.toolTip())
        self.plus.setAutoRaise(True)
        self.plus.clicked.connect(self.new_wanted)
        self._pages = QStackedWidget(self)
        head = QFrame(self)
        head.setProperty("role", "tabs")
        row = QHBoxLayout(head)
        row.setContentsMargins(2 * SPACE, 0, 2 * SPACE, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.bar)
        row.addWidget(self.plus)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self._pages, 1)
        self.bar.currentChanged.connect(self._turn)
        self.bar.tabCloseRequested.connect(self._close_at)
        theme.changed.connect(self._dress)
        self._dress()

    # -- pages ------------------------------------------------------------------------------------------------

    @property
    def pages(self) -> list[QWidget]:
        """The pages in the order of their tabs."""
        return [self.bar.tabData(index) for index in range(self.bar.count())]

    @property
    def benches(self) -> list[Workbench]:
        """The pages that are workbenches."""
        return [page for page in self.pages if isinstance(page, Workbench)]

    @property
    def current(self) -> QWidget | None:
        """The page in front."""
        return self._pages.currentWidget()

    def add(self, page: QWidget, title: str, icon: str = "") -> None:
        """Add a page behind the others and turn to it.

        Args:
            page: what is shown; a workbench names itself.
            title: of the tab.
            icon: in ``resources/icons``.
        """
        self._pages.addWidget(page)
        index = self.bar.addTab(title)
        self.bar.setTabData(index, page)
        page.setProperty("icon", icon)
        if isinstance(page, Workbench):
            page.title_changed.connect(self._name_pages)
            page.controller.running_changed.connect(self._name_pages)
        self._name_pages()
        if index == self.bar.currentIndex():  # the first one: the bar has turned before the page was known
            self._turn(index)
        self.bar.setCurrentIndex(index)

    def show_page(self, page: QWidget) -> None:
        """Turn to a page."""
        self.bar.setCurrentIndex(self.pages.index(page))

    def step(self, by: int) -> None:
        """Turn to the next page, or the one before (-1), round and round."""
        if count := self.bar.count():
            self.bar.setCurrentIndex((self.bar.currentIndex() + by) % count)

    def take(self, page: QWidget) -> None:
        """Take a page out; it is deleted soon."""
        self.bar.removeTab(self.pages.index(page))
        self._pages.removeWidget(page)
        page.deleteLater()

    def bench_of(self, path: Path) -> Workbench | None:
        """The workbench on which a file is open."""
        wanted = path.resolve()
        return next((one for one in self.benches if one.document.path and one.document.path.resolve() == wanted), None)

    # -- inside -----------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A click with the middle button closes a tab, as in browsers."""
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.MiddleButton:
            index = self.bar.tabAt(event.position().toPoint())
            if event.type() == QEvent.Type.MouseButtonRelease and index >= 0:
                self._close_at(index)
                return True
        return super().eventFilter(watched, event)

    def _turn(self, index: int) -> None:
        page = self.bar.tabData(index) if index >= 0 else None
        if page is not None:
            self._pages.setCurrentWidget(page)
            self.current_changed.emit()

    def _close_at(self, index: int) -> None:
        self.close_wanted.emit(self.bar.tabData(index))

    def _name_pages(self) -> None:
        for index, page in enumerate(self.pages):
            if not isinstance(page, Workbench):
                if icon := page.property("icon"):
                    self.bar.setTabIcon(index, self._theme.icon(icon, self._theme.tokens.text_muted))
                continue
            name = display_name(page.document)
            self.bar.setTabText(index, f"● {name}" if page.document.is_modified else name)
            self.bar.setTabToolTip(index, str(page.document.path or tr("Not saved yet")))
            running = page.controller.is_running
            self.bar.setTabIcon(index, self._theme.icon("play" if running else "file-text", self._color(running)))

    def _color(self, running: bool) -> str:  # noqa: FBT001 - of a running one
        return self._theme.tokens.accent if running else self._theme.tokens.text_muted

    def _dress(self) -> None:
        self.plus.setIcon(self._theme.icon("plus", self._theme.tokens.text_muted))
        self._name_pages()
