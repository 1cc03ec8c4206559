"""What a pipeline has to do with others: those that it uses as nodes, and those through which it was opened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal

from etl_studio.pipeline.flat import SEPARATOR
from etl_studio.pipeline.interfaces import file_of
from etl_studio.ui.canvas.run_events import show_event, show_known
from etl_studio.ui.document_files import display_name
from etl_studio.ui.sub_pipelines.files import SubPipelineFiles
from etl_studio.ui.sub_pipelines.following import OuterRun
from etl_studio.ui.sub_pipelines.restructuring import Restructuring
from etl_studio.ui.sub_pipelines.trail import Crumb, Trail

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.app.sub_pipelines import SubPipelines
    from etl_studio.ui.canvas.view import CanvasView
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.document_files import DocumentFiles
    from etl_studio.ui.run.controller import RunController
    from etl_studio.ui.theme.theme import Theme


class InnerPipelines(QObject):
    """The sub-pipelines of one document.

    Args:
        document: the pipeline.
        canvas: where it is drawn.
        controller: its runs.
        saving: saves the document.
        reader: reads the files of sub-pipelines.
        theme: icons.
        page: the workbench; it owns this.

    Attributes:
        files: keeps what is known of the files as they are.
        restructuring: extracts and inlines.
        trail: the pipelines through which this one was opened.
        open_wanted: a person wants to open the file of a sub-pipeline; id of the node.
    """

    open_wanted = Signal(str)

    def __init__(  # noqa: PLR0913 - it joins what a workbench has
        self,
        document: PipelineDocument,
        canvas: CanvasView,
        controller: RunController,
        saving: DocumentFiles,
        reader: SubPipelines,
        theme: Theme,
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._document, self._scene, self._page = document, canvas.pipeline_scene, page
        self.controller = controller
        self.files = SubPipelineFiles(self._document, reader, self)
        self.restructuring = Restructuring(self._document, self._scene, saving, reader, page)
        self.restructuring.done.connect(self.files.look_again)
        self._canvas = canvas
        canvas.node_activated.connect(self._activate)
        canvas.extract_wanted.connect(self.restructuring.extract)
        canvas.inline_wanted.connect(self.restructuring.inline)
        self.trail = Trail(theme)
        self._outer_runs: list[OuterRun] = []
        page.installEventFilter(self)

    @property
    def selected(self) -> str | None:
        """The selected sub-pipeline, if it is all that is selected and has a file."""
        chosen = self._scene.chosen_nodes()
        return chosen[0] if len(chosen) == 1 and self.is_inner(chosen[0]) else None

    def is_inner(self, node: str) -> bool:
        """Whether a node is a sub-pipeline with a file."""
        return file_of(self._document.pipeline.nodes[node]) is not None

    def _activate(self, node: str) -> None:
        """A double click or Enter opens the file of a sub-pipeline, and the settings of other nodes."""
        (self.open_wanted if self.is_inner(node) else self._canvas.settings_wanted).emit(node)

    def open_selected(self) -> None:
        """Open the file of the selected sub-pipeline."""
        if (node := self.selected) is not None:
            self.open_wanted.emit(node)

    def inline_selected(self) -> None:
        """Put the nodes of its file in the place of the selected sub-pipeline."""
        if (node := self.selected) is not None:
            self.restructuring.inline(node)

    def go_back(self) -> None:
        """Go back to the pipeline through which this one was opened."""
        if self.trail.crumbs:
            self.trail.wanted.emit(self.trail.crumbs[-1])

    def come_from(self, outer: InnerPipelines, node: str) -> None:
        """Show the way back to an outer pipeline, and what its runs do here.

        Args:
            outer: those of the outer pipeline.
            node: id of the sub-pipeline there.
        """
        there, page, runs = outer._document, outer._page, outer.controller
        crumbs = (*outer.trail.crumbs, Crumb(display_name(there), runs, page, there.path, node))
        self.trail.show_way(crumbs, there.titles()[node])
        for run in self._outer_runs:
            run.deleteLater()
        self._outer_runs = []
        way = ""
        for crumb in reversed(crumbs):
            way = f"{crumb.node}{SEPARATOR}{way}"
            run = OuterRun(crumb.runs, way, self.controller, partial(show_event, self._scene), self)
            self._outer_runs.append(run)
        if not self.controller.is_running:
            show_known(self._scene, outer._scene.live.inside(node))

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self.files.close_threads()
        self.restructuring.close_threads()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """When the page is shown, another one may have written a file that is used here."""
        if watched is self._page and event.type() == QEvent.Type.Show:
            self.files.look_again()
        return super().eventFilter(watched, event)
