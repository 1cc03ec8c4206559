"""The dead letters of a run: rows that could not be processed, with their reasons."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.storage.workspace import DeadLetterRecord, Workspace
    from etl_studio.ui.theme.theme import Theme

LIMIT = 10_000
"""The most dead letters that are read at once."""

GROUP = Qt.ItemDataRole.UserRole
WIDTHS = (48 * SPACE, 140 * SPACE, 72 * SPACE)


class DeadLettersPanel(QFrame):
    """Shows the dead letters of one run: counts by error, the letters, the payload of the selected one.

    Args:
        workspace: gives the workspace; called in a thread.
        theme: colours and icons.
        parent: its parent.
    """

    def __init__(self, workspace: Callable[[], Workspace], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._workspace, self._theme = workspace, theme
        self.run = ""
        self._letters: list[DeadLetterRecord] = []
        columns = [
            Column("Error", _error_type, colour=self._danger),
            Column("Node", _node),
            Column("Line", _line, right=True),
            Column("Message", _message, tip=_message),
        ]
        self.model = RowsModel(columns, self)
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.selectionModel().currentRowChanged.connect(self._select)
        self.groups = QListWidget(self)
        self.groups.setAccessibleName("Errors")
        self.groups.currentItemChanged.connect(self._filter)
        self.payload = QPlainTextEdit(self)
        self.payload.setReadOnly(True)
        self.payload.setProperty("role", "code")
        self.payload.setAccessibleName("Payload")
        self.payload.setPlaceholderText("Select a dead letter to see its row.")
        self.title = QLabel("Dead letters", self)
        self.title.setProperty("role", "title")
        self.count = QLabel(self)
        self.count.setProperty("role", "muted")
        self.refresh_button = QPushButton("Refresh", self)
        self.refresh_button.clicked.connect(self.refresh)
        self.notice = Notice(theme, self)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._fail)
        self._lay_out()
        theme.changed.connect(self._dress)
        self._dress()
        self.show_run("")

    def show_run(self, run: str) -> None:
        """Turn to a run and read its dead letters; empty: to none."""
        self.run = run
        self.refresh_button.setEnabled(bool(run))
        self._show([])
        if run:
            self.refresh()

    def refresh(self) -> None:
        """Read again."""
        if self.run:
            run = self.run

            def read() -> list[DeadLetterRecord]:
                workspace = self._workspace()
                try:
                    return workspace.dead_letters(run=run, limit=LIMIT)
                finally:
                    workspace.release()

            self._fetcher.ask(read)

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._fetcher.close()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        bar.addWidget(self.title)
        bar.addWidget(self.count)
        bar.addStretch(1)
        bar.addWidget(self.refresh_button)
        parts = QSplitter(Qt.Orientation.Horizontal, self)
        for widget in (self.groups, self.table, self.payload):
            parts.addWidget(widget)
        parts.setSizes(list(WIDTHS))
        parts.setStretchFactor(1, 1)
        self.payload.setFrameShape(QFrame.Shape.NoFrame)
        self.table.horizontalHeader().setStretchLastSection(True)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(parts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)

    def _danger(self, row: DeadLetterRecord) -> str:
        del row
        return self._theme.tokens.danger

    def _show(self, letters: list[DeadLetterRecord]) -> None:
        self._letters = letters
        found = Counter((letter.node, letter.error_type) for letter in letters)
        self.groups.clear()
        if letters:
            self._add_group("All", len(letters), None)
        for (node, error_type), number in found.most_common():
            self._add_group(f"{error_type}  ·  {node}", number, (node, error_type))
        self.groups.setCurrentRow(0)
        newest = "the newest " if len(letters) == LIMIT else ""
        self.count.setText(f"{newest}{count(len(letters))}" if letters else "")
        if self.run:
            self.notice.tell(
                "inbox", "No dead letters", "Every row of this run was processed or went to a rejects port."
            )
        else:
            self.notice.tell("inbox", "No run chosen", "Dead letters of a run are shown here when it has ended.")
        self._pages.setCurrentIndex(1 if letters else 0)
        self._filter()
        self.table.resizeColumnsToContents()

    def _add_group(self, text: str, number: int, group: tuple[str, str] | None) -> None:
        item = QListWidgetItem(f"{text}   {count(number)}")
        item.setData(GROUP, group)
        self.groups.addItem(item)

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", "The dead letters could not be read", message, bad=True)
        self._pages.setCurrentIndex(0)

    def _filter(self) -> None:
        item = self.groups.currentItem()
        group = None if item is None else item.data(GROUP)
        wanted = [one for one in self._letters if group is None or (one.node, one.error_type) == tuple(group)]
        self.model.show_rows(wanted)
        self.payload.clear()

    def _select(self) -> None:
        row = self.table.currentIndex().row()
        if 0 <= row < len(self.model.rows):
            letter = self.model.rows[row]
            self.payload.setPlainText(json.dumps(letter.payload, ensure_ascii=False, indent=2, default=str))

    def _dress(self) -> None:
        self.refresh_button.setIcon(self._theme.icon("refresh"))


def _error_type(row: DeadLetterRecord) -> str:
    return row.error_type


def _message(row: DeadLetterRecord) -> str:
    return row.message


def _node(row: DeadLetterRecord) -> str:
    return row.node


def _line(row: DeadLetterRecord) -> str:
    return "" if row.line is None else str(row.line)
