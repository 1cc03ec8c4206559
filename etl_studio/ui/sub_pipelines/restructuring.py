"""Extract and inline: selected nodes become a file and a node that runs it, and back; each is one undo step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox

from etl_studio.errors import EtlError
from etl_studio.pipeline.extracting import extract, why_not_extract
from etl_studio.pipeline.file_format import name_of, save
from etl_studio.pipeline.inlining import inline
from etl_studio.pipeline.interfaces import file_of, interface_of
from etl_studio.pipeline.setting_paths import seen_from
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.document_files import ENDING, FILTER
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.app.sub_pipelines import SubPipelines
    from etl_studio.pipeline.extracting import Extracted
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.ui.canvas.scene import PipelineScene
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.document_files import DocumentFiles


class Restructuring(QObject):
    """Moves nodes of one document into files and out of them. Files are read and written in a thread.

    Args:
        document: the pipeline.
        scene: knows what is selected.
        files: saves the document.
        reader: reads the files of sub-pipelines.
        page: parent of the dialogs.

    Attributes:
        refused: why it is not done, and the node that it is about (may be empty).
        done: the document has changed.
    """

    refused = Signal(str, str)
    done = Signal()

    def __init__(
        self,
        document: PipelineDocument,
        scene: PipelineScene,
        files: DocumentFiles,
        reader: SubPipelines,
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._document, self._scene, self._files, self._reader, self._page = document, scene, files, reader, page
        self._begun: tuple[object, int] = (None, 0)
        self._extracted: tuple[Extracted, str, int] | None = None
        self._node = ""
        self._writing, self._reading = Fetcher(self), Fetcher(self)
        self._writing.fetched.connect(self._on_written)
        self._reading.fetched.connect(self._on_read)
        for fetcher in (self._writing, self._reading):
            fetcher.failed.connect(self._on_failed)

    # -- extract ----------------------------------------------------------------------------------------------

    def extract(self) -> None:
        """Ask for a file, write the selected nodes into it, and put a node that runs it in their place."""
        chosen = self._chosen()
        error = why_not_extract(self._document.pipeline, chosen)
        if error is not None:
            self.refused.emit(f"{error.what} {error.hint or ''}".strip(), error.node or "")
            return
        if self._document.path is None and not self._may_save():
            return
        path = self._ask()
        if path is None or self._document.path is None:
            return
        here, there = self._document.path.resolve().parent, path.resolve().parent
        way = seen_from(there, here)
        written = f"{way}/{path.name}" if way else path.name
        pipeline, registry = snapshot(self._document.pipeline), self._document.registry
        try:
            found = extract(
                pipeline, registry, chosen, name=name_of(path), file=written, way_back=seen_from(here, there)
            )
        except EtlError as problem:
            self._on_failed(str(problem))
            return
        self._begun = self._state()
        self._extracted = found, written, len([name for name in chosen if name in pipeline.nodes])
        self._writing.ask(lambda: save(found.inner, path, registry))

    def _chosen(self) -> list[str]:
        return self._scene.chosen_items()

    def _may_save(self) -> bool:
        text = tr("Save the pipeline first: the new file is used by its name, as seen from this one.")
        box = QMessageBox(QMessageBox.Icon.Question, "ETL Studio", text, parent=self._page)
        box.setStandardButtons(QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Save)
        try:
            return box.exec() == QMessageBox.StandardButton.Save and self._files.save_as()
        finally:
            box.deleteLater()

    def _ask(self) -> Path | None:
        start = self._document.path.with_name(f"{name_of(self._document.path)}_part{ENDING}")
        title = tr("Extract into a sub-pipeline")
        text, _ = QFileDialog.getSaveFileName(self._page, title, str(start), tr(FILTER))
        if not text:
            return None
        path = Path(text)
        path = path if path.suffix else path.with_name(path.name + ENDING)
        if path.resolve() == self._document.path.resolve():
            self.refused.emit(tr("A sub-pipeline needs a file of its own: this is the pipeline itself."), "")
            return None
        return path

    def _on_written(self) -> None:
        if self._extracted is None:
            return
        if self._begun != self._state():
            self.refused.emit(tr("The pipeline was changed meanwhile: the file is written and not used."), "")
            return
        (found, written, count), self._extracted = self._extracted, None
        self._document.learn(self._document.interfaces | {written: interface_of(found.inner)})
        self._document.become(found.outer, trn("Extract {count} node", "Extract {count} nodes", count))
        self._scene.choose([found.node])
        self.done.emit()

    # -- inline -----------------------------------------------------------------------------------------------

    def inline(self, node: str) -> None:
        """Put the nodes of its file in the place of a sub-pipeline."""
        folder = self._document.path.resolve().parent if self._document.path else Path.cwd()
        path = (folder / (file_of(self._document.pipeline.nodes[node]) or "")).resolve()
        self._node = node
        way, reader = seen_from(path.parent, folder), self._reader
        self._reading.ask(lambda: (reader.load(path), way))

    def _on_read(self, answer: tuple[Pipeline, str]) -> None:
        inner, way = answer
        if self._node not in self._document.pipeline.nodes:
            return
        title = self._document.titles()[self._node]
        try:
            found = inline(snapshot(self._document.pipeline), self._document.registry, self._node, inner, way=way)
        except EtlError as problem:
            self.refused.emit(f"{problem.what} {problem.hint or ''}".strip(), self._node)
            return
        self._document.become(found.outer, tr("Inline {title}", title=title))
        self._scene.choose(found.nodes.values())
        self.done.emit()

    # -- both -------------------------------------------------------------------------------------------------

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self._writing.close()
        self._reading.close()

    def _state(self) -> tuple[object, int]:
        """Another one after each edit."""
        return self._document.pipeline, self._document.undo_stack.index()

    def _on_failed(self, message: str) -> None:
        self.refused.emit(message, "")
