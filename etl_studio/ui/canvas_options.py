"""What a person switches on and off for all canvases of a window: grid, guides, map. It is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal

if TYPE_CHECKING:
    from etl_studio.ui.actions import Actions
    from etl_studio.ui.canvas.view import CanvasView

OPTIONS = ("snap", "guides", "show_minimap")
"""Names of the actions."""


class CanvasOptions(QObject):
    """Keeps the actions, the settings and the canvases of one mind.

    Args:
        actions: the actions of the window.
        settings: where it is remembered.
        parent: the window.
    """

    changed = Signal()

    def __init__(self, actions: Actions, settings: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._actions = {name: actions[name] for name in OPTIONS}
        for name, action in self._actions.items():
            action.setChecked(bool(settings.value(f"canvas/{name}", defaultValue=True, type=bool)))
            action.toggled.connect(self._on_toggled)

    def apply(self, canvas: CanvasView) -> None:
        """Give a canvas what is switched on."""
        canvas.editing.snaps = self._actions["snap"].isChecked()
        canvas.guides.on = self._actions["guides"].isChecked()
        canvas.minimap.on = self._actions["show_minimap"].isChecked()

    def _on_toggled(self) -> None:
        for name, action in self._actions.items():
            self._settings.setValue(f"canvas/{name}", action.isChecked())
        self.changed.emit()
