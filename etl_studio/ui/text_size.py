"""The choice of the size of all texts, in a menu and step by step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.ui.theme.theme import SCALES

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QMenu

    from etl_studio.ui.theme.theme import Theme

KEY = "text_size"
"""Of the settings: per cent."""


class TextSize(QObject):
    """Changes the theme's scale and remembers it.

    Args:
        theme: dresses the windows.
        settings: remember the size.
        parent: the window.
    """

    def __init__(self, theme: Theme, settings: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._settings = theme, settings

    def fill(self, menu: QMenu) -> None:
        """Offer every size, with a mark at the one in force."""
        menu.clear()
        for scale in SCALES:
            action = menu.addAction(f"{scale:.0%}", partial(self.choose, scale))
            action.setCheckable(True)
            action.setChecked(scale == self._theme.scale)

    def step(self, by: int) -> None:
        """One size larger (1) or smaller (-1)."""
        nearest = min(range(len(SCALES)), key=lambda number: abs(SCALES[number] - self._theme.scale))
        self.choose(SCALES[min(max(nearest + by, 0), len(SCALES) - 1)])

    def choose(self, scale: float) -> None:
        """Take a size."""
        self._theme.set_scale(scale)
        self._settings.setValue(KEY, round(100 * self._theme.scale))


def kept_scale(settings: QSettings) -> float:
    """The size that was chosen before; 1 where there is none, or where somebody has spoilt the settings."""
    try:
        return int(settings.value(KEY) or 100) / 100
    except ValueError:
        return 1.0
