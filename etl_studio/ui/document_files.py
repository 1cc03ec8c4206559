"""Load and save: what happens between the document and its file, with every question that a person is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from etl_studio.errors import EtlError, PipelineError
from etl_studio.ui.file_watch import read_text
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.recent_files import RecentFiles

FILTER = N_("Pipelines (*.etl.yaml *.yaml *.yml);;All files (*)")
ENDING = ".etl.yaml"


class DocumentFiles(QObject):
    """Loads and saves one document.

    Args:
        document: what is loaded and saved.
        recent: remembers the files.
        window: parent of the dialogs.
        flush: writes what is typed but not yet in the document; called before saving.

    Attributes:
        flush: as given.
        opened: another pipeline is in the document.
    """

    opened = Signal()

    def __init__(
        self, document: PipelineDocument, recent: RecentFiles, window: QWidget, flush: Callable[[], None]
    ) -> None:
        super().__init__(window)
        self._document = document
        self._recent = recent
        self._window = window
        self.flush = flush

    def load(self, path: Path) -> bool:
        """Open a file without asking; whether that went well."""
        try:
            self._document.load(path)
        except EtlError as error:
            self._tell(tr("This pipeline cannot be opened."), error)
            return False
        self._recent.add(path)
        self.opened.emit()
        return True

    def save(self) -> bool:
        """Write the file; ask for its name when it has none, and before writing over what another program wrote.

        Returns:
            Whether it is saved.
        """
        path = self._document.path
        if path is None:
            return self.save_as()
        return self._may_write_over(path) and self._write(path)

    def save_as(self) -> bool:
        """Ask for a name and write the file; whether it is saved."""
        self.flush()
        start = self._document.path or self._folder() / f"{self._document.pipeline.name or 'pipeline'}{ENDING}"
        text, _ = QFileDialog.getSaveFileName(self._window, tr("Save the pipeline"), str(start), tr(FILTER))
        if not text:
            return False
        path = Path(text)
        return self._write(path if path.suffix else path.with_name(path.name + ENDING))

    def may_leave(self) -> bool:
        """Ask about unsaved changes: whether the document may be replaced or closed."""
        self.flush()
        if not self._document.is_modified:
            return True
        answer = self._ask()
        if answer == QMessageBox.StandardButton.Save:
            return self.save()
        return answer == QMessageBox.StandardButton.Discard

    def _ask(self) -> QMessageBox.StandardButton:
        box = QMessageBox(self._window)
        box.setWindowTitle("ETL Studio")
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(tr('Save the changes to "{name}"?', name=display_name(self._document)))
        box.setInformativeText(tr("They are lost otherwise."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        return QMessageBox.StandardButton(box.exec())

    def _may_write_over(self, path: Path) -> bool:
        text = read_text(path)
        if text is None or text == self._document.saved_text:
            return True
        box = QMessageBox(self._window)
        box.setWindowTitle("ETL Studio")
        box.setIcon(QMessageBox.Icon.Warning)
        box.setText(tr("{file} was changed by another program since it was read here.", file=path.name))
        box.setInformativeText(tr("Saved now, these changes are lost. Cancel to merge or compare them first."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Cancel)
        box.button(buttons.Save).setText(tr("Save anyway"))
        box.setDefaultButton(buttons.Cancel)
        return box.exec() == buttons.Save

    def _write(self, path: Path) -> bool:
        self.flush()
        try:
            self._document.save(path)
        except EtlError as error:
            self._tell(tr("The pipeline is not saved."), error)
            return False
        self._recent.add(path)
        return True

    def _folder(self) -> Path:
        recent = self._recent.paths()
        return self._document.path.parent if self._document.path else recent[0].parent if recent else Path.home()

    def _tell(self, what: str, error: EtlError) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, "ETL Studio", what, QMessageBox.StandardButton.Ok, self._window)
        lines = [str(error)]
        if isinstance(error, PipelineError):
            lines += [f"•  {problem}" for problem in error.problems[:8]]
        box.setInformativeText("\n".join(lines))
        box.exec()


def display_name(document: PipelineDocument) -> str:
    """The file's name, or the pipeline's while it has no file."""
    return document.path.name if document.path else document.pipeline.name
