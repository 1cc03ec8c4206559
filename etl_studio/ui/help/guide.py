"""F1: opens the help at what a person is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from etl_studio.ui.help.context import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QWidget

    from etl_studio.sdk import Registry
    from etl_studio.ui.actions import Actions
    from etl_studio.ui.help.window import HelpWindow
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench


class Guide(QObject):
    """Keeps the help window of a main window, and opens it where it is wanted.

    Args:
        window: the main window, over which the help opens.
        registry: the node types that are explained.
        theme: colours and icons.
        settings: remember the size of the help.
        actions: whose keys are listed.
        bench: gives the workbench in front, or None.

    Attributes:
        help: the help window, once it was opened.
    """

    def __init__(  # noqa: PLR0913 - what the help is about
        self,
        window: QWidget,
        registry: Registry,
        theme: Theme,
        settings: QSettings,
        actions: Actions,
        bench: Callable[[], Workbench | None],
    ) -> None:
        super().__init__(window)
        self._window, self._registry, self._theme = window, registry, theme
        self._settings, self._actions, self._bench = settings, actions, bench
        self.help: HelpWindow | None = None
        self._keys: list[tuple[str, list[tuple[str, str]]]] = []

    def explain(self) -> None:
        """Show what is known of the focused setting or the selected node; without one, the overview."""
        place = place_of(QApplication.focusWidget(), self._bench())
        self.show_page(place.page, place.section)

    def show_page(self, address: str, section: str = "") -> None:
        """Open the help at a page."""
        from etl_studio.ui.help.library import Library
        from etl_studio.ui.help.window import HelpWindow
        from etl_studio.ui.help_dialogs import all_keys

        keys = all_keys(self._actions)
        if self.help is None:
            self.help = HelpWindow(Library(self._registry, keys), self._theme, self._settings, self._window)
        elif keys != self._keys:
            self.help.set_library(Library(self._registry, keys))
        self._keys = keys
        self.help.show()
        self.help.show_page(address, section)  # only what is shown knows where its headings are
        self.help.raise_()
        self.help.activateWindow()
