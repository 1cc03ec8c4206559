"""At the start: opens a tab for each document that a killed program had not saved, where it is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.pipeline_opener import is_untouched
from etl_studio.ui.workbench import Workbench

if TYPE_CHECKING:
    from etl_studio.storage.journal import Unsaved
    from etl_studio.ui.main_window import MainWindow

MOST = 8
"""Tabs that are opened; others are offered when their file is opened, or at the next start."""


class LeftBehind(QObject):
    """Looks in the journal once.

    Args:
        window: where the tabs are opened; it owns this.

    Attributes:
        finished: all that was found is offered.
    """

    finished = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._offer)
        self._fetcher.ask(window.journal.left_behind)

    def _offer(self, found: list[Unsaved]) -> None:
        tabs = self._window.tabs
        in_front = tabs.current
        wanted = isinstance(in_front, Workbench) and in_front.document.path is not None
        for unsaved in found[:MOST]:
            # The workbench offers by itself what there is for a file that is opened.
            if unsaved.path is None or not (unsaved.path.is_file() and self._window.opener.open(unsaved.path)):
                self._free_bench().life.recovery.offer(unsaved)
        if wanted:
            tabs.show_page(in_front)
        self.finished.emit()

    def _free_bench(self) -> Workbench:
        current = self._window.tabs.current
        is_free = isinstance(current, Workbench) and is_untouched(current) and current.life.recovery.offered is None
        return current if is_free else self._window.opener.new()
