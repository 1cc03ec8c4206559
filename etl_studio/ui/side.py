"""The left side of a workbench: the palette, and the outline of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.view import CanvasView
    from etl_studio.ui.palette import Palette
    from etl_studio.ui.panels.outline import OutlinePanel


class Side(QTabWidget):
    """Two tabs; the outline and the canvas select the same.

    Args:
        palette: the first tab.
        outline: the second tab.
        canvas: where the pipeline is drawn.
        parent: its parent.
    """

    def __init__(
        self, palette: Palette, outline: OutlinePanel, canvas: CanvasView, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._outline, self._canvas = outline, canvas
        self.setDocumentMode(True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.addTab(palette, tr("Nodes"))
        self.addTab(outline, tr("Outline"))
        self.tabBar().setAccessibleName(tr("Palette and outline"))
        canvas.selection_changed.connect(self._follow_canvas)
        outline.chosen.connect(self._follow_outline)

    def show_outline(self) -> None:
        """Turn to the outline and give it the keyboard."""
        self.setCurrentWidget(self._outline)
        self._outline.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _follow_canvas(self) -> None:
        scene = self._canvas.pipeline_scene
        self._outline.show_selection(scene.chosen_nodes(), scene.chosen_wires())

    def _follow_outline(self, nodes: list[str], wires: list[Wire]) -> None:
        self._canvas.pipeline_scene.choose(nodes, wires)
        if nodes:
            self._canvas.navigation.reveal(nodes[-1])
