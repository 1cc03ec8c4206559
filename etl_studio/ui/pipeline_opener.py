"""New, open, close: which tab a pipeline gets, with every question that a person is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox

from etl_studio.pipeline.interfaces import file_of
from etl_studio.ui.document_files import ENDING, FILTER
from etl_studio.ui.examples import copy_example
from etl_studio.ui.translation import tr
from etl_studio.ui.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.document_tabs import DocumentTabs
    from etl_studio.ui.recent_files import RecentFiles
    from etl_studio.ui.sub_pipelines.trail import Crumb

__all__ = ["ENDING", "PipelineOpener"]


class PipelineOpener(QObject):
    """Opens pipelines in tabs of one window and closes them.

    Signals:
        opened: a pipeline is open, an empty one or a file.
        emptied: the last page was closed.

    Args:
        tabs: the tabs.
        recent: remembers the files.
        data_folder: where copies of examples and templates are made.
        make: makes a workbench with an empty pipeline.
        window: parent of the dialogs.
    """

    opened = Signal()
    emptied = Signal()

    def __init__(
        self,
        tabs: DocumentTabs,
        recent: RecentFiles,
        data_folder: Path,
        make: Callable[[], Workbench],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._tabs, self._recent, self._data_folder = tabs, recent, data_folder
        self._make, self._window = make, window
        tabs.new_wanted.connect(self.new)
        tabs.close_wanted.connect(self.close)

    def new(self) -> Workbench:
        """Begin an empty pipeline in a tab of its own."""
        bench = self._add()
        self.opened.emit()
        return bench

    def choose(self) -> None:
        """Ask for files and open them."""
        folder = str(self._folder())
        texts, _ = QFileDialog.getOpenFileNames(self._window, tr("Open a pipeline"), folder, tr(FILTER))
        for text in texts:
            self.open(Path(text))

    def open(self, path: Path) -> bool:
        """Open a file: in its tab if it is open already, in place of an untouched pipeline, or in a new tab.

        Returns:
            Whether it is open; a person was told why when it is not.
        """
        if bench := self._tabs.bench_of(path):
            self._tabs.show_page(bench)
            self.opened.emit()
            return True
        current = self._tabs.current
        if isinstance(current, Workbench) and is_untouched(current):
            return current.files.load(path)
        bench = self._add()
        opened = bench.files.load(path)
        if opened:
            self.opened.emit()
        else:
            self._remove(bench)
        return opened

    def open_inner(self, outer: Workbench, node: str) -> bool:
        """Open the file of a sub-pipeline, with the way back; whether that went well.

        Args:
            outer: where the sub-pipeline is.
            node: its id.
        """
        folder = outer.document.path.parent if outer.document.path else Path.cwd()
        path = folder / (file_of(outer.document.pipeline.nodes[node]) or "")
        if not self.open(path):
            return False
        opened = self._tabs.bench_of(path)
        if opened is not None and opened is not outer:
            opened.inner.come_from(outer.inner, node)
        return True

    def go_back(self, crumb: Crumb) -> None:
        """Turn to an outer pipeline; it is opened again where its tab is closed."""
        if crumb.page in self._tabs.pages:
            self._tabs.show_page(crumb.page)
        elif crumb.path is not None:
            self.open(crumb.path)

    def open_example(self, path: Path) -> bool:
        """Open the person's copy of an example, made the first time; whether that went well."""
        return self._open_copy(copy_example, path, "examples")

    def open_template(self, path: Path) -> bool:
        """Open a copy of a template that is the person's own; whether that went well."""
        from etl_studio.app.templates import copy_template

        return self._open_copy(copy_template, path, "pipelines")

    def close(self, page: QWidget | None = None) -> bool:
        """Close a page (the one in front by default), after asking about its run and unsaved changes.

        Returns:
            Whether it is closed.
        """
        page = page if page is not None else self._tabs.current
        if page is None or not self.may_close(page):
            return False
        self._remove(page)
        if not self._tabs.pages:
            self.emptied.emit()
        return True

    def may_close(self, page: QWidget) -> bool:
        """Ask about the run of a page and its unsaved changes; whether it may go."""
        if not isinstance(page, Workbench):
            return True
        if page.controller.is_running:
            self._tabs.show_page(page)
            buttons = QMessageBox.StandardButton
            question = tr("A run is going on. Stop it and close the pipeline?")
            answer = QMessageBox.question(
                self._window, "ETL Studio", question, buttons.Yes | buttons.No, buttons.No
            )  # fmt: skip
            if answer != buttons.Yes:
                return False
        if page.document.is_modified:
            self._tabs.show_page(page)
        return page.files.may_leave()

    def _add(self) -> Workbench:
        bench = self._make()
        self._tabs.add(bench, "untitled", "file-text")
        return bench

    def _open_copy(self, copy: Callable[[Path, Path], Path], path: Path, folder: str) -> bool:
        try:
            made = copy(path, self._data_folder / folder)
        except OSError as error:
            what = tr("It cannot be copied to a folder of yours.")
            why = f"{error.strerror}: {error.filename}"
            QMessageBox.warning(self._window, "ETL Studio", f"{what}\n{why}")
            return False
        return self.open(made)

    def _remove(self, page: QWidget) -> None:
        if isinstance(page, Workbench):
            page.shut_down()
        self._tabs.take(page)

    def _folder(self) -> Path:
        current = self._tabs.current
        if isinstance(current, Workbench) and current.document.path:
            return current.document.path.parent
        recent = self._recent.paths()
        return recent[0].parent if recent else Path.home()


def is_untouched(bench: Workbench) -> bool:
    """Whether nobody has done anything with a new pipeline yet."""
    document = bench.document
    return not (document.path or document.is_modified or document.pipeline.nodes or bench.controller.is_running)
