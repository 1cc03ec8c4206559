"""What a window begins with: the start page in a tab, templates as copies, the demo shop for those that read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from etl_studio.app.templates import DEMO_URL, asks_demo_shop
from etl_studio.ui.start.demo_shop import DemoShop
from etl_studio.ui.start.page import StartPage
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.sdk import Registry
    from etl_studio.ui.document_tabs import DocumentTabs
    from etl_studio.ui.pipeline_opener import PipelineOpener
    from etl_studio.ui.recent_files import RecentFiles
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench


class Beginning(QObject):
    """Shows the start page, and opens what is chosen on it.

    Signals:
        tour_wanted: a person wants the tour.

    Args:
        tabs: of the window.
        opener: opens pipelines in them.
        recent: the files that were open before.
        registry: knows icons and colours of the nodes.
        theme: colours and icons.
        parent: the window.

    Attributes:
        page: the start page, while there is one.
        shop: the demo shop.
    """

    tour_wanted = Signal()

    def __init__(  # noqa: PLR0913 - it joins the parts of a window
        self,
        tabs: DocumentTabs,
        opener: PipelineOpener,
        recent: RecentFiles,
        registry: Registry,
        theme: Theme,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._tabs, self._opener, self._recent = tabs, opener, recent
        self._registry, self._theme = registry, theme
        self.page: StartPage | None = None
        self.shop = DemoShop(self)
        self.shop.opened.connect(self._tell_shop)
        self.shop.failed.connect(self._tell_failure)
        self._waiting: list[Workbench] = []
        self._opener.opened.connect(self._leave)
        self._opener.emptied.connect(self.show)

    def show(self) -> None:
        """Turn to the start page."""
        page = self.page
        if page is None or page not in self._tabs.pages:
            page = self.page = StartPage(self._recent, self._registry, self._theme)
            page.new_wanted.connect(self._opener.new)
            page.open_wanted.connect(self._opener.choose)
            page.template_wanted.connect(self._opener.open_template)
            page.example_wanted.connect(self._opener.open_example)
            page.file_wanted.connect(self._opener.open)
            page.tour_wanted.connect(self.tour_wanted)
            page.filled.connect(self._focus_page)
            self._tabs.add(page, tr("Start page"), "home")
        else:
            page.refresh()
            self._tabs.show_page(page)

    def watch(self, bench: Workbench) -> None:
        """Open the demo shop when a pipeline on this workbench reads it."""
        bench.document.reset.connect(self._look)
        bench.controller.running_changed.connect(self._look)
        bench.banner.more_wanted.connect(self._look_at_shop)

    def close(self) -> None:
        """Close the shop, and wait for what is read."""
        if self.page is not None:
            self.page.close_threads()
        self.shop.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """The page has done its work; File > Start page brings it back."""
        if self.page is not None and self.page in self._tabs.pages:
            self.page.close_threads()
            self._tabs.take(self.page)
        self.page = None

    def _focus_page(self) -> None:
        if self.page is not None and self._tabs.current is self.page:
            self.page.take_focus()

    def _look(self) -> None:
        for bench in self._tabs.benches:
            if self.sender() in (bench.document, bench.controller) and asks_demo_shop(bench.document.pipeline):
                if bench not in self._waiting and self.sender() is bench.document:
                    self._waiting.append(bench)
                self.shop.open()

    def _tell_shop(self, url: str) -> None:
        waiting, self._waiting = self._waiting, []
        for bench in waiting:
            if url != DEMO_URL:
                _move_shop(bench, url)
            if bench.banner.isHidden():  # a run that can be resumed is more important
                text = tr("The demo shop is open at {url}, as long as this window is.", url=url)
                bench.banner.show_note(text, tr("Look at it"))

    def _tell_failure(self, message: str) -> None:
        waiting, self._waiting = self._waiting, []
        for bench in waiting:
            bench.banner.show_error(tr("The demo shop cannot be opened. {reason}", reason=message))

    def _look_at_shop(self) -> None:
        QDesktopServices.openUrl(QUrl(f"{self.shop.url}/shop"))


def _move_shop(bench: Workbench, url: str) -> None:
    """Another program has the usual port: let the pipeline ask where the shop is now."""
    parameters = bench.document.pipeline.parameters
    bench.document.set_parameters(
        {name: replace(one, default=url) if one.default == DEMO_URL else one for name, one in parameters.items()}
    )
