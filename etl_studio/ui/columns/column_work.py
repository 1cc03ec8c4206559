"""What can be done with a column: find its uses, light its way, rename it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.columns.place import ColumnPlace, column_in_form
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from etl_studio.pipeline.lineage import Trace
    from etl_studio.pipeline.renaming import Renaming
    from etl_studio.ui.workbench import Workbench

QUIET = 200
"""Milliseconds after an edit before the column is followed anew."""


class ColumnWork(QObject):
    """Works with the columns of one workbench.

    Args:
        bench: its document, canvas and panels; it owns this.

    Attributes:
        followed: the column whose way is shown, or None.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self.followed: ColumnPlace | None = None
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._refuse)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self._follow)
        bench.uses.ended.connect(self.end)
        bench.uses.rename_wanted.connect(self._rename_followed)
        bench.uses.place_wanted.connect(bench.show_node)
        bench.document.undo_stack.indexChanged.connect(self._follow_soon)
        bench.document.reset.connect(self.end)
        bench.canvas.installEventFilter(self)

    # -- what a person asks for -------------------------------------------------------------------------------

    def find_uses(self, place: ColumnPlace | None = None) -> None:
        """Show where a column is used; by default the one on which the cursor is, or one that a person chooses."""
        self._bench.inspector.flush()
        place = place or self._at_cursor() or self._asked("Find the uses of a column")
        if place is not None:
            self.followed = place
            self._bench.tabs.show_panel(self._bench.uses)
            self._follow()

    def rename(self, place: ColumnPlace | None = None) -> None:
        """Ask for another name of a column, show what changes, and change it in one step."""
        bench = self._bench
        bench.inspector.flush()
        place = place or self._at_cursor() or self._first_of_selected()
        if place is None:
            bench.canvas.announce("Select a node, or click a column, to rename it.")
            return
        from etl_studio.pipeline.column_renaming import rename_column
        from etl_studio.pipeline.renaming import apply
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        pipeline, registry, known = snapshot(bench.document.pipeline), bench.document.registry, bench.columns.leaving()

        def find(old: str, new: str) -> Renaming:
            return rename_column(
                pipeline, registry, place.node, old, new, port=place.port, arriving=place.arriving, known=known
            )

        dialog = RenameDialog(
            place.column, self._names(place), find, bench.document.titles(), bench.theme, parent=bench.window()
        )
        try:
            if dialog.exec() == QDialog.DialogCode.Accepted and dialog.renaming is not None:
                old, new = dialog.column.currentText(), dialog.name.text().strip()
                after = apply(bench.document.pipeline, dialog.renaming, dialog.chosen)
                bench.document.become(after, f"Rename {old} to {new}")
        finally:
            dialog.deleteLater()

    def end(self) -> None:
        """Follow no column any more."""
        self.followed = None
        self._quiet.stop()
        self._fetcher.cancel()
        self._bench.uses.clear()
        self._bench.canvas.pipeline_scene.light(None)

    def close(self) -> None:
        """Wait until nothing runs."""
        self.end()
        self._fetcher.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            self.followed is not None
            and event.type() == QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Escape  # type: ignore[attr-defined] # a key press
        ):
            self.end()
            return True
        return super().eventFilter(watched, event)

    def _follow_soon(self) -> None:
        if self.followed is not None:
            self._quiet.start()

    def _follow(self) -> None:
        if self.followed is None:
            return
        if self.followed.node not in self._bench.document.pipeline.nodes:
            self.end()
            return
        from etl_studio.pipeline.lineage import Lineage

        place, registry, known = self.followed, self._bench.document.registry, self._bench.columns.leaving()
        pipeline = snapshot(self._bench.document.pipeline)

        def work() -> tuple[ColumnPlace, Trace, object]:
            lineage = Lineage(pipeline, registry, known)
            return place, lineage.trace(place.node, place.column, place.port, arriving=place.arriving), pipeline

        self._fetcher.ask(work)

    def _show(self, answer: tuple) -> None:  # type: ignore[type-arg] # of _follow
        place, trace, pipeline = answer
        self._bench.uses.show_trace(place, trace, pipeline, self._bench.document.titles())
        self._bench.canvas.pipeline_scene.light(set(trace.carried), set(trace.wires))

    def _refuse(self, message: str) -> None:
        self._bench.uses.say(message)
        self._bench.canvas.pipeline_scene.light(None)

    def _rename_followed(self) -> None:
        self.rename(self.followed)
