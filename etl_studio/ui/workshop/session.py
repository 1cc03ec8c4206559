"""The work of the workshop in threads: pages are loaded, selectors tried out, elements asked about."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.workshop.page_view import PreparedPage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etl_studio.app.scraping.asking import Draft
    from etl_studio.app.scraping.page import WorkshopPage
    from etl_studio.app.scraping.settings import ScraperSettings
    from etl_studio.app.studio import Studio
    from etl_studio.pipeline.model import Pipeline

QUIET = 180
"""Milliseconds without a keystroke before selectors are tried out."""


class Session(QObject):
    """One page at a time, and what is asked about it.

    Args:
        studio: loads pages.
        pipeline: a copy of the document.
        node: id of the node.
        file: its file.
        parameters: values as typed.
        parent: its parent.

    Signals:
        loaded: a ``PreparedPage``.
        failed: why there is no page.
        listed: the lists of the page, as ``app.scraping.asking.FoundList``.
        tried: an ``app.scraping.asking.Tried``.
        offered: an ``app.scraping.asking.Offer``.
        found: numbers of the elements that a selector finds.
        saved: the file that holds the page now.
        tested: the folder of a new test.
        not_kept: why the page was not saved, or no test was made.
    """

    loaded = Signal(object)
    failed = Signal(str)
    listed = Signal(object)
    tried = Signal(object)
    offered = Signal(object)
    found = Signal(object)
    saved = Signal(object)
    tested = Signal(object)
    not_kept = Signal(str)

    def __init__(  # noqa: PLR0913 - as a look
        self,
        studio: Studio,
        pipeline: Pipeline,
        node: str,
        file: Path | None,
        parameters: Mapping[str, str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio, self._pipeline, self._node = studio, pipeline, node
        self._file, self._parameters = file, parameters
        self.page: WorkshopPage | None = None
        self._draft: Draft | None = None
        self._loader, self._lister, self._trier, self._asker, self._finder = (Fetcher(self) for _ in range(5))
        self._saver, self._tester = Fetcher(self), Fetcher(self)
        self._loader.fetched.connect(self._take)
        self._loader.failed.connect(self.failed)
        self._lister.fetched.connect(self.listed)
        self._trier.fetched.connect(self.tried)
        self._asker.fetched.connect(self.offered)
        self._finder.fetched.connect(self.found)
        self._saver.fetched.connect(self.saved)
        self._saver.failed.connect(self.not_kept)
        self._tester.fetched.connect(self.tested)
        self._tester.failed.connect(self.not_kept)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self._try)

    @property
    def is_loading(self) -> bool:
        """Whether a page is awaited."""
        return self._loader.is_busy

    def load(self, url: str) -> None:
        """Load a page as the node would."""
        from etl_studio.app.scraping.loading import load_page

        runs = _Runs()
        ask = partial(
            load_page, self._studio, self._pipeline, self._node, url,
            file=self._file, parameters=self._parameters, on_run=runs.add,
        )  # fmt: skip
        self._load(ask, runs.stop)

    def open_file(self, path: Path, url: str) -> None:
        """Take a page out of a file."""
        from etl_studio.app.scraping.page import page_of_file

        self._load(partial(page_of_file, path, url))

    def take_text(self, html: str, url: str) -> None:
        """Take a page that was copied."""
        from etl_studio.app.scraping.page import page_of_text

        self._load(partial(page_of_text, html, url))

    def stop(self) -> None:
        """Load no more."""
        self._loader.cancel()

    def try_soon(self, draft: Draft) -> None:
        """Try selectors out when nothing is typed for a moment."""
        self._draft = draft
        self._quiet.start()

    def try_now(self, draft: Draft) -> None:
        """Try selectors out."""
        self._draft = draft
        self._try()

    def ask_about(self, number: int, item: str, *, follows: bool) -> None:
        """Look for selectors of an element."""
        from etl_studio.app.scraping.asking import offer

        if self.page is not None:
            self._asker.ask(partial(offer, self.page, number, item, follows=follows))

    def find(self, selector: str) -> None:
        """Look for the elements that a selector finds."""
        from etl_studio.app.scraping.asking import found_by

        if self.page is not None:
            self._finder.ask(partial(found_by, self.page, selector))

    def save(self, path: Path) -> None:
        """Write the page into a file."""
        from etl_studio.app.scraping.fixtures import save_page

        if (page := self.page) is not None:
            self._saver.ask(lambda: save_page(page, path) or path)

    def make_test(self, draft: Draft, settings: ScraperSettings) -> None:
        """Make a test in which the node reads the page."""
        from etl_studio.app.scraping.fixtures import make_test

        if self.page is not None:
            self._tester.ask(
                partial(
                    make_test, self._studio, self._pipeline, self._node, self.page, draft, settings,
                    file=self._file, parameters=self._parameters,
                )
            )  # fmt: skip

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._quiet.stop()
        if self.page is not None:
            self.page.stopping.set()
        for fetcher in (
            *(self._loader, self._lister, self._trier, self._asker, self._finder),
            *(self._saver, self._tester),
        ):
            fetcher.close()

    def _load(self, make: Callable[[], WorkshopPage], cancel: Callable[[], None] | None = None) -> None:
        self._loader.ask(lambda: PreparedPage(make()), cancel)

    def _take(self, prepared: PreparedPage) -> None:
        from etl_studio.app.scraping.asking import lists_of

        if self.page is not None:
            self.page.stopping.set()
        self.page = prepared.page
        for fetcher in (self._trier, self._asker, self._finder):
            fetcher.cancel()
        self.loaded.emit(prepared)
        self._lister.ask(partial(lists_of, prepared.page))
        if self._draft is not None:
            self._try()

    def _try(self) -> None:
        from etl_studio.app.scraping.asking import tried

        self._quiet.stop()
        if self.page is not None and self._draft is not None:
            self._trier.ask(partial(tried, self.page, self._draft))


class _Runs:
    """The run that loads a page, so that it can be stopped, also when the stop comes first."""

    def __init__(self) -> None:
        self._run: Any = None
        self._stopped = False

    def add(self, run: Any) -> None:
        self._run = run
        if self._stopped:
            run.stop(hard=True)

    def stop(self) -> None:
        self._stopped = True
        if self._run is not None:
            self._run.stop(hard=True)
