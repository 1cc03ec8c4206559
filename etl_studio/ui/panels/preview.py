"""Rows at a node: computed in a thread, shown in a table."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

ROWS = 200
BAR_WIDTH = 40 * SPACE


class PreviewRunner(QObject):
    """Computes previews, the last one asked for only.

    Signals:
        ready: id of the node and its ``pyarrow.Table``.
        failed: id of the node and why there are no rows.

    Args:
        studio: computes (``Studio.preview``).
        document: the pipeline; read when a preview is asked for.
        parent: its parent.
    """

    ready = Signal(str, object)
    failed = Signal(str, str)

    def __init__(self, studio: Studio, document: PipelineDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio, self._document = studio, document
        self._node = ""
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._came)
        self._fetcher.failed.connect(self._broke)

    def request(self, node: str) -> None:
        """Compute the first rows at a node; a request that is still busy is cancelled."""
        self._node = node
        pipeline = self._document.pipeline
        copy = replace(
            pipeline,
            nodes=deepcopy(pipeline.nodes),
            parameters=deepcopy(pipeline.parameters),
            wires=list(pipeline.wires),
        )
        file, runs = self._document.path, _Runs()

        def work() -> pa.Table:
            return self._studio.preview(copy, file=file, node=node, rows=ROWS, parameters={}, on_run=runs.add)

        self._fetcher.ask(work, runs.stop)

    def cancel(self) -> None:
        """Stop what is computed; no signal will come."""
        self._fetcher.cancel()

    def close(self) -> None:
        """Stop, and wait until nothing runs."""
        self._fetcher.close()

    def _came(self, table: object) -> None:
        self.ready.emit(self._node, table)

    def _broke(self, message: str) -> None:
        self.failed.emit(self._node, message)


class _Runs:
    """The run behind a preview, so that it can be stopped, also when the stop comes first."""

    def __init__(self) -> None:
        self._run: Any = None
        self._stopped = False

    def add(self, run: Any) -> None:
        self._run = run
        if self._stopped:
            run.stop(hard=True)

    def stop(self) -> None:
        self._stopped = True
        if self._run is not None:
            self._run.stop(hard=True)


class PreviewPanel(QFrame):
    """Shows the first rows at a node.

    Args:
        runner: computes them.
        theme: colours and icons.
        parent: its parent.
    """

    def __init__(self, runner: PreviewRunner, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._runner = runner
        self.node = ""
        self.model = ArrowTableModel(theme, self)
        self.table = DataTable(self, numbered=True)
        self.table.setModel(self.model)
        self.notice = Notice(theme, self)
        self.title, self.count = QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(BAR_WIDTH)
        self.refresh = QPushButton(theme.icon("refresh"), "Refresh", self)
        self.refresh.clicked.connect(self._again)
        self._theme = theme
        self._lay_out()
        runner.ready.connect(self._show_table)
        runner.failed.connect(self._show_error)
        theme.changed.connect(self._dress)
        self.show_node("")

    def show_node(self, node: str) -> None:
        """Turn to a node without computing; empty: to none."""
        self._runner.cancel()
        self.node = node
        self.model.show_table(None)
        self._tell_state("", busy=False)
        self.title.setText(node or "Preview")
        self.refresh.setEnabled(bool(node))
        if node:
            self.notice.tell("eye", "No rows yet", "Press Refresh to see the first rows at this node.")
        else:
            self.notice.tell("eye", "Nothing selected", "Select a node on the canvas to look at its rows.")
        self._pages.setCurrentWidget(self.notice)

    def load(self, node: str) -> None:
        """Turn to a node and compute its rows."""
        if node != self.node:
            self.show_node(node)
        self._again()

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self._runner.close()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        for widget in (self.title, self.count):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.busy)
        bar.addWidget(self.refresh)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)

    def _again(self) -> None:
        if self.node:
            self._tell_state("computing…", busy=True)
            if self.model.table is None:
                self.notice.tell("clock", "Computing the first rows…", "Nothing is written.")
            self._runner.request(self.node)

    def _show_table(self, node: str, table: pa.Table) -> None:
        if node != self.node:
            return
        self.model.show_table(table)
        rows = table.num_rows
        columns = "1 column" if table.num_columns == 1 else f"{table.num_columns} columns"
        count = f"first {rows} rows" if rows >= ROWS else ("1 row" if rows == 1 else f"{rows} rows")
        self._tell_state(f"{count}, {columns}", busy=False)
        if not table.num_columns:
            self.notice.tell("table", "No columns", "This node gives out rows without columns.")
        self._pages.setCurrentWidget(self.table if table.num_columns else self.notice)
        self.table.fit_columns()

    def _show_error(self, node: str, message: str) -> None:
        if node == self.node:
            self.model.show_table(None)
            self._tell_state("", busy=False)
            self.notice.tell("alert-circle", "The rows could not be computed", message, bad=True)
            self._pages.setCurrentWidget(self.notice)

    def _tell_state(self, text: str, *, busy: bool) -> None:
        self.count.setText(text)
        self.busy.setVisible(busy)
        self.refresh.setText("Refresh")
        self.refresh.setEnabled(not busy and bool(self.node))

    def _dress(self) -> None:
        self.refresh.setIcon(self._theme.icon("refresh"))
