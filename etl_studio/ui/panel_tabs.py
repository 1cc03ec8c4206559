"""The tabs below the canvas, with a count beside a title where there is something to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QTabBar, QTabWidget, QWidget

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme


class PanelTabs(QTabWidget):
    """Panels by name.

    Args:
        theme: icons.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icons: list[str] = []
        self._counts: dict[QWidget, int] = {}
        self.setDocumentMode(True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tabBar().setExpanding(False)
        self.tabBar().setAccessibleName(tr("Panels"))
        self.currentChanged.connect(self._dress)
        theme.changed.connect(self._dress)

    def add_panel(self, panel: QWidget, title: str, icon: str, *, on_demand: bool = False) -> None:
        """Add a panel at the end; ``on_demand``: its tab is there from the first time that it is shown."""
        self._icons.append(icon)
        index = self.addTab(panel, title)
        self.setTabVisible(index, not on_demand)
        self._dress()

    def show_panel(self, panel: QWidget) -> None:
        """Turn to a panel."""
        self.setTabVisible(self.indexOf(panel), True)
        self.setCurrentWidget(panel)

    def show_index(self, index: int) -> None:
        """Turn to the panel at a place, if it is there already."""
        if self.isTabVisible(index):
            self.setCurrentIndex(index)

    def set_count(self, panel: QWidget, count: int) -> None:
        """Show how many there are; 0 shows nothing."""
        self._counts[panel] = count
        badge = None
        if count:
            badge = QLabel(f"{count:,}")
            badge.setProperty("role", "badge")
        self.tabBar().setTabButton(self.indexOf(panel), QTabBar.ButtonPosition.RightSide, badge)

    def count_of(self, panel: QWidget) -> int:
        """The number shown beside a title."""
        return self._counts.get(panel, 0)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        for index, icon in enumerate(self._icons):
            color = tokens.accent if index == self.currentIndex() else tokens.text_muted
            self.setTabIcon(index, self._theme.icon(icon, color))
