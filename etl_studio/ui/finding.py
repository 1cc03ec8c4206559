"""Find in the pipeline: asks for words, and goes where they occur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from etl_studio.ui.find_popup import FindPopup

if TYPE_CHECKING:
    from etl_studio.ui.pipeline_search import Found
    from etl_studio.ui.workbench import Workbench


class Finding(QObject):
    """The search of one workbench.

    Args:
        bench: what is searched; it owns this.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench

    def ask(self) -> None:
        """Open the search; in the dead letters, filter those."""
        bench, focused = self._bench, QApplication.focusWidget()
        if focused is not None and bench.dead_letters.isAncestorOf(focused):
            bench.dead_letters.to_filter()
            return
        popup = FindPopup(bench.document, bench.columns.known, bench.window())
        popup.place_wanted.connect(self._go)
        popup.open()

    def _go(self, found: Found) -> None:
        bench = self._bench
        if found.node:
            bench.show_node(found.node, found.field)
        elif found.note:
            bench.canvas.pipeline_scene.choose([found.note])
            bench.canvas.navigation.reveal(found.note)
        else:
            bench.canvas.pipeline_scene.choose()
            bench.inspector.show_nodes(())
            bench.inspector.setFocus()
