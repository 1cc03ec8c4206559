"""What can be done with a column: find its uses, light its way, rename it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMenu

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.canvas.lighting import light
from etl_studio.ui.columns.place import ColumnPlace, column_in_form
from etl_studio.ui.columns.uses_panel import UsesPanel
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.lineage import Trace
    from etl_studio.pipeline.renaming import Renaming
    from etl_studio.ui.canvas.view import CanvasView
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.inspector import Inspector
    from etl_studio.ui.panel_tabs import PanelTabs
    from etl_studio.ui.panels.known_columns import KnownColumns
    from etl_studio.ui.previews.panel import PreviewPanel
    from etl_studio.ui.theme.theme import Theme

NO_COLUMN = N_("Put the cursor on a column, or select one node, and ask again.")
QUIET = 200
"""Milliseconds after an edit before the column is followed anew."""


class ColumnWork(QObject):
    """Works with the columns of one document.

    Args:
        document: what is renamed.
        canvas: where the way of a column is lit.
        inspector: the cursor may be in its forms.
        preview: its heads have a menu.
        known: columns that previews have shown.
        tabs: where the panel of uses is.
        theme: icons.
        parent: owns this, and the dialogs.

    Attributes:
        followed: the column whose way is shown, or None.
        uses: lists its uses.
    """

    def __init__(  # noqa: PLR0913 - the parts that know of columns
        self,
        document: PipelineDocument,
        canvas: CanvasView,
        inspector: Inspector,
        preview: PreviewPanel,
        known: KnownColumns,
        tabs: PanelTabs,
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document, self._canvas, self._inspector, self._preview = document, canvas, inspector, preview
        self._known, self._tabs, self._theme, self._window = known, tabs, theme, parent
        self.uses = UsesPanel(theme)
        self.followed: ColumnPlace | None = None
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._refuse)
        self._names = Fetcher(self)
        self._names.fetched.connect(self._choose)
        self._names.failed.connect(self._refuse)
        self._then: tuple[str, Callable[[ColumnPlace], None]] = ("", self.follow)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self._follow)
        self.uses.ended.connect(self.end)
        self.uses.rename_wanted.connect(self._rename_followed)
        document.undo_stack.indexChanged.connect(self._follow_soon)
        document.reset.connect(self.end)
        inspector.parameter_rename_wanted.connect(self.ask_for_parameter)
        canvas.installEventFilter(self)
        header = preview.table.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_menu)
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence(Qt.Key.Key_F2), preview.table, context=within).activated.connect(self.rename)

    # -- what a person asks for -------------------------------------------------------------------------------

    def find_uses(self) -> None:
        """Show where the column is used on which the cursor is, or one of the selected node that a person chooses."""
        self._with_column(self.follow)

    def rename(self) -> None:
        """Rename the column on which the cursor is, or one of the selected node that a person chooses."""
        self._with_column(self.ask_for_name)

    def follow(self, place: ColumnPlace) -> None:
        """Show where a column is used, and its way over the canvas."""
        self.followed = place
        self._tabs.show_panel(self.uses)
        self._follow()

    def ask_for_name(self, place: ColumnPlace) -> None:
        """Ask for another name of a column and show what changes; then change it in one step."""
        from etl_studio.pipeline.column_renaming import rename_column
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        document = self._document
        pipeline, registry, known = snapshot(document.pipeline), document.registry, self._known.leaving()

        def find(new: str) -> Renaming:
            return rename_column(
                pipeline,
                registry,
                place.node,
                place.column,
                new,
                port=place.port,
                arriving=place.arriving,
                known=known,
            )

        dialog = RenameDialog(place.column, find, document.titles(), self._theme, parent=self._window.window())
        dialog.accepted.connect(self._on_accepted)
        dialog.open()

    def ask_for_parameter(self, old: str) -> None:
        """Ask for another name of a parameter and show what changes; then change it in one step."""
        from etl_studio.pipeline.renaming import rename_parameter
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        self._inspector.flush()
        pipeline = snapshot(self._document.pipeline)
        if old in pipeline.parameters:
            find = partial(rename_parameter, pipeline, old)
            dialog = RenameDialog(
                old, find, self._document.titles(), self._theme, "parameter", parent=self._window.window()
            )
            dialog.accepted.connect(self._on_accepted)
            dialog.open()

    def end(self) -> None:
        """Follow no column any more."""
        self.followed = None
        self._quiet.stop()
        self._fetcher.cancel()
        self.uses.clear()
        light(self._canvas.pipeline_scene, None)

    def close(self) -> None:
        """Wait until nothing runs."""
        self.end()
        self._fetcher.close()
        self._names.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            self.followed is not None and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape  # type: ignore[attr-defined] # a key press
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
        if self.followed.node not in self._document.pipeline.nodes:
            self.end()
            return
        from etl_studio.pipeline.lineage import Lineage

        place, registry, known = self.followed, self._document.registry, self._known.leaving()
        pipeline = snapshot(self._document.pipeline)

        def work() -> tuple[ColumnPlace, Trace, object]:
            lineage = Lineage(pipeline, registry, known)
            return place, lineage.trace(place.node, place.column, place.port, arriving=place.arriving), pipeline

        self._fetcher.ask(work)

    def _show(self, answer: tuple) -> None:  # type: ignore[type-arg] # of _follow
        place, trace, pipeline = answer
        self.uses.show_trace(place, trace, pipeline, self._document.titles())
        light(self._canvas.pipeline_scene, set(trace.carried), set(trace.wires))

    def _refuse(self, message: str) -> None:
        self.uses.say(message)
        light(self._canvas.pipeline_scene, None)

    def _rename_followed(self) -> None:
        if self.followed is not None:
            self.ask_for_name(self.followed)

    def _on_accepted(self) -> None:
        from etl_studio.pipeline.renaming import apply
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        dialog = self.sender()
        if isinstance(dialog, RenameDialog) and dialog.renaming is not None:
            document = self._document
            after = apply(document.pipeline, dialog.renaming, dialog.chosen)
            old, new = dialog.old, dialog.new
            if self.followed is not None and self.followed.column == old:
                self.followed = replace(self.followed, column=new)
            document.become(after, tr("Rename {old} to {new}", old=old, new=new))

    # -- which column -----------------------------------------------------------------------------------------

    def _with_column(self, work: Callable[[ColumnPlace], None]) -> None:
        self._inspector.flush()
        place = self._at_cursor()
        chosen = self._canvas.pipeline_scene.chosen_nodes()
        if place is not None:
            work(place)
        elif len(chosen) == 1:
            self._offer(chosen[0], work)
        else:
            self._tabs.show_panel(self.uses)
            self.uses.say(tr(NO_COLUMN))

    def _at_cursor(self) -> ColumnPlace | None:
        focused, table, selected = QApplication.focusWidget(), self._preview.table, self._inspector.selected
        if focused is None:
            return None
        if focused is table or table.isAncestorOf(focused):
            return self._in_preview(table.currentIndex().column())
        in_form = len(selected) == 1 and self._inspector.isAncestorOf(focused)
        return column_in_form(selected[0], focused) if in_form else None

    def _in_preview(self, section: int) -> ColumnPlace | None:
        """The column of a section of the preview."""
        preview = self._preview
        table, node = preview.model.table, preview.node
        if table is None or not 0 <= section < table.num_columns or not node:
            return None
        wire = preview.follower.subject.wire
        port = wire.source_port if wire is not None else preview.bar.ports.key
        node_type = self._document.registry.get(self._document.pipeline.nodes[node].type)
        leaves = node_type is not None and port in [one.name for one in node_type.outputs]
        return ColumnPlace(
            node, table.column_names[section], port if leaves else None, arriving=not leaves and bool(port)
        )

    def _offer(self, node: str, work: Callable[[ColumnPlace], None]) -> None:
        """Let a person choose a column of a node; which there are is found in a thread."""
        from etl_studio.pipeline.lineage import Lineage

        pipeline, registry = snapshot(self._document.pipeline), self._document.registry
        known = self._known.leaving()
        self._then = (node, work)
        names = known.get(node, [])
        self._names.ask(lambda: list(dict.fromkeys([*names, *Lineage(pipeline, registry, known).names(node)])))

    def _choose(self, names: list[str]) -> None:
        node, work = self._then
        card = self._canvas.pipeline_scene.cards().get(node)
        if card is None:
            return
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setObjectName("columns")
        if not names:
            menu.addAction(tr("No column is known; preview the node first")).setEnabled(False)
        for name in names:
            menu.addAction(name).triggered.connect(partial(work, ColumnPlace(node, name)))
        canvas = self._canvas
        menu.popup(canvas.viewport().mapToGlobal(canvas.mapFromScene(card.bottomLeft())))
        if menu.actions():
            menu.setActiveAction(menu.actions()[0])

    def _open_menu(self, at: QPoint) -> None:
        """The menu of a column's head in the preview."""
        header = self._preview.table.horizontalHeader()
        place = self._in_preview(header.logicalIndexAt(at))
        if place is None or place.column.startswith("_error"):
            return
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setObjectName("column")
        rename = menu.addAction(self._theme.icon("edit", self._theme.tokens.text_muted), tr("Rename column…"))
        rename.triggered.connect(partial(self.ask_for_name, place))
        uses = menu.addAction(self._theme.icon("route", self._theme.tokens.text_muted), tr("Find uses"))
        uses.triggered.connect(partial(self.follow, place))
        menu.popup(header.mapToGlobal(at))
