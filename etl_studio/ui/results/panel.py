"""The tables that runs have loaded: browse them at any size, sort, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.quantities import count, rows
from etl_studio.ui.results.export_job import ExportJob
from etl_studio.ui.results.paged_model import PagedTableModel
from etl_studio.ui.results.reader import ResultsReader, ResultTable
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent

    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.theme.theme import Theme

TABLE = Qt.ItemDataRole.UserRole
LIST_WIDTH, COLUMN_WIDTH = 52 * SPACE, 36 * SPACE
NOTHING = N_("Run a pipeline that ends in an SQLite table. The tables of the workspace appear here.")
MOVED = N_(
    "The pipeline has a workspace beside its file now. Run it again to fill it; earlier rows stay in the old one."
)
FILTERS = {
    "CSV (*.csv)": ".csv",
    "Parquet (*.parquet)": ".parquet",
    "Excel (*.xlsx)": ".xlsx",
    "JSON lines (*.jsonl)": ".jsonl",
}


class ResultsPanel(QFrame):
    """Shows the tables of the workspace's ``data.db``.

    Args:
        workspace: gives the workspace; called in a thread.
        theme: colours and icons.
        parent: its parent.

    Attributes:
        exported: an export is done; the file.
        export_possible: whether there is a table to export has changed.
    """

    exported = Signal(str)
    export_possible = Signal(bool)

    def __init__(self, workspace: Callable[[], Workspace], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        self._reader = ResultsReader(workspace)
        self._fetcher = Fetcher(self)
        self._wanted = ""
        self._asked = False
        self._filling = False
        self._is_fitted = False
        self._nothing = NOTHING
        self.job: ExportJob | None = None
        self.shown: ResultTable | None = None
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Tables"))
        self.model = PagedTableModel(theme, self)
        self.table = DataTable(numbered=True)
        self.table.setModel(self.model)
        self.table.horizontalHeader().setSortIndicatorShown(True)
        self.table.horizontalHeader().setSortIndicatorClearable(True)
        self.table.horizontalHeader().setSectionsClickable(True)
        self.table.horizontalHeader().setDefaultSectionSize(COLUMN_WIDTH)
        self.title, self.facts = QLabel(tr("Results")), QLabel()
        self.title.setProperty("role", "title")
        self.facts.setProperty("role", "muted")
        self.progress = QProgressBar()
        self.progress.setFixedWidth(40 * SPACE)
        self.progress_text = QLabel()
        self.progress_text.setProperty("role", "muted")
        self.cancel_button = QPushButton(tr("Cancel"))
        self.refresh_button = IconButton(theme, "refresh", tr("Read the tables again"))
        self.export_button = QPushButton(tr("Export…"))
        self.notice = Notice(theme)
        self._lay_out()
        self._connect()
        self._show_progress(running=False)
        self._tell_nothing()
        self._dress()

    def refresh(self, table: str = "") -> None:
        """List the tables again and show ``table``, or the one that was shown."""
        self._asked = True
        self._wanted = table or (self.shown.name if self.shown else "")
        self._fetcher.ask(self._reader.tables)

    def choose_export(self) -> None:
        """Ask for a file and export the table that is shown."""
        if self.shown is None or self.job is not None:
            return
        start = str(Path.home() / f"{self.shown.name}.csv")
        text, chosen = QFileDialog.getSaveFileName(self, tr("Export the table"), start, ";;".join(FILTERS))
        if text:
            path = Path(text)
            self.export(path if path.suffix else path.with_suffix(FILTERS.get(chosen, ".csv")))

    def export(self, path: Path) -> None:
        """Export the table that is shown; the ending of the file decides the format."""
        if self.shown is None or self.job is not None:
            return
        self.job = ExportJob(self._reader.exporter(self.shown), path, self)
        self.job.progressed.connect(self._on_progress)
        self.job.done.connect(self._on_exported)
        self.job.failed.connect(self._on_export_failed)
        self.job.cancelled.connect(self._on_export_cancelled)
        self.progress.setRange(0, 0)
        self.progress_text.setText(tr("Exporting…"))
        self._show_progress(running=True)
        self.job.start()

    def forget(self, *, moved: bool = False) -> None:
        """Perhaps another workspace: show nothing until it is asked for.

        Args:
            moved: the pipeline is the same, but its file is elsewhere.
        """
        self._nothing = MOVED if moved and self.shown is not None else NOTHING
        self._fetcher.cancel()
        self.shown = None
        self._show_tables([])
        if self.isVisible():
            self.refresh()
        else:
            self._asked = False

    def close_threads(self) -> None:
        """Give up the export and wait until nothing runs."""
        if self.job is not None:
            self.job.close()
        self._fetcher.close()
        self.model.close_threads()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self.refresh()

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        bar.addWidget(self.title)
        bar.addWidget(self.facts)
        bar.addStretch(1)
        for widget in (self.progress_text, self.progress, self.cancel_button, self.export_button, self.refresh_button):
            bar.addWidget(widget)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.table, 1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setHandleWidth(1)
        parts.setChildrenCollapsible(False)
        parts.addWidget(self.list)
        parts.addWidget(right)
        parts.setStretchFactor(1, 1)
        parts.setSizes([LIST_WIDTH, 800])
        self._pages = QStackedWidget()
        self._pages.addWidget(self.notice)
        self._pages.addWidget(parts)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self._pages)

    def _connect(self) -> None:
        self._fetcher.fetched.connect(self._show_tables)
        self._fetcher.failed.connect(self._show_failure)
        self.model.failed.connect(self._show_failure)
        self.model.dataChanged.connect(self._fit_columns)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.table.horizontalHeader().sectionClicked.connect(self._sort)
        self.export_button.clicked.connect(self.choose_export)
        self.cancel_button.clicked.connect(self._cancel_export)
        self.refresh_button.clicked.connect(self._refresh_clicked)
        self._theme.changed.connect(self._dress)

    def _refresh_clicked(self) -> None:
        self.refresh()

    def _show_tables(self, tables: list[ResultTable]) -> None:
        wanted = self._wanted
        self._filling = True
        self.list.clear()
        for table in tables:
            item = QListWidgetItem(f"{table.name}   {count(table.rows)}", self.list)
            item.setData(TABLE, table)
        names = [table.name for table in tables]
        if tables:
            self.list.setCurrentRow(names.index(wanted) if wanted in names else 0)
        self._filling = False
        if not tables:
            self._tell_nothing()
        self._pages.setCurrentIndex(1 if tables else 0)
        self._on_chosen()

    def _on_chosen(self) -> None:
        if self._filling:
            return
        item = self.list.currentItem()
        table: ResultTable | None = item.data(TABLE) if item is not None else None
        same = (
            table is not None
            and self.shown is not None
            and (table.name, table.columns)
            == (
                self.shown.name,
                self.shown.columns,
            )
        )
        self.shown = table
        self.export_button.setEnabled(table is not None)
        self.export_possible.emit(table is not None)
        if table is None:
            self.model.clear()
            return
        self.title.setText(table.name)
        columns = len(table.columns)
        self.facts.setText(f"{rows(table.rows)}, " + trn("{count} column", "{count} columns", columns))
        if not same:
            self._is_fitted = False
            self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._load()
        if not same:
            self.table.scrollToTop()

    def _fit_columns(self) -> None:
        """Once for each table, when its first rows are there: a column that a person widens stays as it is."""
        if not self._is_fitted:
            self._is_fitted = True
            self.table.fit_columns()

    def _sort(self) -> None:
        if self.shown is not None:
            self._load()

    def _load(self) -> None:
        header = self.table.horizontalHeader()
        section = header.sortIndicatorSection()
        names = self.shown.columns
        order = names[section] if 0 <= section < len(names) else None
        descending = header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
        pages = self._reader.pages(self.shown, order, descending=descending)
        self.model.show_table(names, self.shown.rows, pages, self.shown.numeric)

    def _cancel_export(self) -> None:
        if self.job is not None:
            self.progress_text.setText(tr("Stopping…"))
            self.job.cancel()

    def _on_progress(self, done: int, total: int) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(int(1000 * done / total) if total else 1000)
        self.progress_text.setText(tr("{done} of {rows}", done=count(done), rows=rows(total)))

    def _on_exported(self, written: int) -> None:
        path = self._end_export()
        self.facts.setText(tr("{rows} written to {file}", rows=rows(written), file=path))
        self.exported.emit(str(path))

    def _on_export_failed(self, message: str) -> None:
        self._end_export()
        self.facts.setText(message)

    def _on_export_cancelled(self) -> None:
        self._end_export()
        self.facts.setText(tr("The export was given up; no file was written."))

    def _end_export(self) -> Path:
        job, self.job = self.job, None
        job.close()
        job.deleteLater()
        self._show_progress(running=False)
        return job.path

    def _show_progress(self, *, running: bool) -> None:
        for widget in (self.progress, self.progress_text, self.cancel_button):
            widget.setVisible(running)
        self.export_button.setVisible(not running)

    def _show_failure(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The tables could not be read"), message, bad=True)
        self._pages.setCurrentIndex(0)

    def _tell_nothing(self) -> None:
        self.notice.tell("table", tr("No results yet"), tr(self._nothing))
        self._pages.setCurrentIndex(0)

    def _dress(self) -> None:
        self.export_button.setIcon(self._theme.icon("download"))
