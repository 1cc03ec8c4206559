"""F1: opens the help at what a person is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from etl_studio.ui.help.context import place_of

if TYPE_CHECKING:
    from etl_studio.ui.help.window import HelpWindow
    from etl_studio.ui.main_window import MainWindow


class Guide(QObject):
    """Keeps the help window of a main window, and opens it where it is wanted.

    Args:
        window: the main window.

    Attributes:
        help: the help window, once it was opened.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.help: HelpWindow | None = None

    def explain(self) -> None:
        """Show what is known of the focused setting or the selected node; without one, the overview."""
        place = place_of(QApplication.focusWidget(), self._window.workbench)
        self.show_page(place.page, place.section)

    def show_page(self, address: str, section: str = "") -> None:
        """Open the help at a page."""
        if self.help is None:
            from etl_studio.ui.help.library import Library
            from etl_studio.ui.help.window import HelpWindow
            from etl_studio.ui.help_dialogs import all_keys

            library = Library(self._window.studio.registry, all_keys(self._window.actions_by_name))
            self.help = HelpWindow(library, self._window.theme, self._window.settings, self._window)
        self.help.show_page(address, section)
        self.help.show()
        self.help.raise_()
        self.help.activateWindow()
