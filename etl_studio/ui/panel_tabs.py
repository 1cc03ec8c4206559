"""The tabs below the canvas, with a count beside a title where there is something to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QStackedWidget, QTabBar, QTabWidget, QWidget

from etl_studio.ui.quantities import count
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from etl_studio.ui.theme.theme import Theme

CLOSER = 12
"""Pixels by which a tab is narrower where they stand close together, as the style sheet says."""


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
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabBar().setAccessibleName(tr("Panels"))
        self.currentChanged.connect(self._dress)
        theme.changed.connect(self._dress)

    def add_panel(self, panel: QWidget, title: str, icon: str, *, on_demand: bool = False) -> None:
        """Add a panel at the end; ``on_demand``: its tab is there from the first time that it is shown."""
        self._icons.append(icon)
        index = self.addTab(panel, title)
        self.setTabToolTip(index, title)
        self.setTabVisible(index, not on_demand)
        self._dress()

    def show_panel(self, panel: QWidget) -> None:
        """Turn to a panel."""
        self.setTabVisible(self.indexOf(panel), True)
        self.setCurrentWidget(panel)
        self._fit()

    def show_index(self, index: int) -> None:
        """Turn to the panel at a place, if it is there already."""
        if self.isTabVisible(index):
            self.setCurrentIndex(index)

    def set_count(self, panel: QWidget, number: int) -> None:
        """Show how many there are; 0 shows nothing."""
        self._counts[panel] = number
        badge = None
        if number:
            badge = QLabel(count(number))
            badge.setProperty("role", "badge")
        self.tabBar().setTabButton(self.indexOf(panel), QTabBar.ButtonPosition.RightSide, badge)
        self._fit()

    def count_of(self, panel: QWidget) -> int:
        """The number shown beside a title."""
        return self._counts.get(panel, 0)

    def minimumSizeHint(self) -> QSize:
        """As wide as the panels need it: the tabs take what there is."""
        hint = super().minimumSizeHint()
        return QSize(self.findChild(QStackedWidget).minimumSizeHint().width(), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is no room for all they move together, then titles are cut, and only then tabs are scrolled."""
        bar = self.tabBar()
        self.setUsesScrollButtons(False)
        shown = sum(self.isTabVisible(index) for index in range(self.count()))
        saved = shown * CLOSER if bar.property("role") == "close" else 0
        role = "close" if bar.sizeHint().width() + saved > self.width() else ""
        if role != (bar.property("role") or ""):
            set_role(bar, role)
        if bar.minimumSizeHint().width() > self.width():
            self.setUsesScrollButtons(True)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        for index, icon in enumerate(self._icons):
            color = tokens.accent if index == self.currentIndex() else tokens.text_muted
            self.setTabIcon(index, self._theme.icon(icon, color))
