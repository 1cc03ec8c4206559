"""The log of a run: follows its end, filters, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QHeaderView, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.choice import Combo
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.tables.log_model import LEVEL, LEVELS, MESSAGE, NODE, TIME, LogModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from etl_studio.engine.events import LogWritten
    from etl_studio.ui.theme.theme import Theme

EVERY = 100
"""Milliseconds between two looks at the lines that have come."""

LETTERS = 11
"""Of the texts of the filters."""
WIDTHS = {TIME: 28 * SPACE, LEVEL: 18 * SPACE, NODE: 30 * SPACE}


class LogTable(DataTable):
    """The lines; copying takes the selected ones, or all that are shown."""

    def copy(self) -> None:
        """Put the lines on the clipboard."""
        model = self.model()
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()}) or range(model.rowCount())
        QGuiApplication.clipboard().setText("\n".join(model.text(model.shown[row]) for row in rows))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)


class LogPanel(QFrame):
    """Shows the log lines of a run as they come.

    Args:
        theme: colours and icons.
        parent: its parent.
        limit: how many lines are kept.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, limit: int | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.model = LogModel(theme, self) if limit is None else LogModel(theme, self, limit=limit)
        self.table = LogTable(self)
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        self.table.set_widths(WIDTHS)
        header.setSectionResizeMode(MESSAGE, QHeaderView.ResizeMode.Stretch)
        self.notice = Notice(theme, self)
        self.notice.tell("list", tr("Nothing logged"), tr("Run the pipeline. What it has to say appears here."))
        self.level, self.node = Combo(self), Combo(self)
        self.level.addItems([tr("All levels"), tr("Info and worse"), tr("Warnings and errors"), tr("Errors")])
        self.level.setMinimumContentsLength(LETTERS)
        self.level.setAccessibleName(tr("Level"))
        self.node.addItem(tr("All nodes"))
        self.node.setMinimumContentsLength(LETTERS)
        self.node.setAccessibleName(tr("Node"))
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(tr("Search the log"))
        self.search.setClearButtonEnabled(True)
        self.follow = IconButton(theme, "arrow-down", tr("Follow the end of the log"), self)
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.copy_button = IconButton(theme, "copy", tr("Copy the selected lines, or all that are shown"), self)
        self.clear_button = IconButton(theme, "trash", tr("Clear the log"), self)
        self._waiting: list[LogWritten] = []
        self._nodes: set[str] = set()
        self._timer = QTimer(self, singleShot=True, interval=EVERY)
        self._timer.timeout.connect(self._take)
        self._lay_out()
        self.level.activated.connect(self._filter)
        self.node.activated.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.follow.toggled.connect(self._follow)
        self.copy_button.clicked.connect(self.table.copy)
        self.clear_button.clicked.connect(self.clear)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)

    def append(self, line: LogWritten) -> None:
        """Take one line; it is shown within a tenth of a second."""
        self._waiting.append(line)
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Forget every line, for a new run."""
        self._waiting.clear()
        self.model.clear()
        self._nodes.clear()
        self.node.clear()
        self.node.addItem(tr("All nodes"))
        self._filter()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(2 * SPACE)
        bar.addWidget(self.search, 1)
        for widget in (self.level, self.node, self.follow, self.copy_button, self.clear_button):
            bar.addWidget(widget)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._pages, 1)

    def _take(self) -> None:
        lines, self._waiting = self._waiting, []
        self.model.append(lines)
        for node in sorted({line.node for line in lines if line.node} - self._nodes):
            self._nodes.add(node)
            self.node.addItem(node)
        self._turn()
        self._follow()

    def _filter(self) -> None:
        # The first entry stands for all: a node may be called as it is.
        node = self.node.currentText() if self.node.currentIndex() > 0 else ""
        self.model.show_only(
            level=LEVELS[self.level.currentIndex()],
            node=node,
            text=self.search.text(),
        )
        self._turn()
        self._follow()

    def _turn(self) -> None:
        filtered = self.level.currentIndex() > 0 or self.node.currentIndex() > 0 or self.search.text()
        if filtered:
            self.notice.tell("search", tr("No such lines"), tr("Clear the filters to see the other lines."))
        else:
            self.notice.tell("list", tr("Nothing logged"), tr("Run the pipeline. What it has to say appears here."))
        self._pages.setCurrentWidget(self.table if self.model.shown else self.notice)

    def _follow(self) -> None:
        if self.follow.isChecked():
            self.table.scrollToBottom()

    def _scrolled(self, value: int) -> None:
        # a person who scrolls up wants to read; at the end again, the log is followed again
        if self.table.verticalScrollBar().isSliderDown() or self.table.underMouse():
            self.follow.setChecked(value >= self.table.verticalScrollBar().maximum())
