"""What a dry run found: for each sink the counts, and the first rows that would change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.app.dry_run import LIMIT
from etl_studio.engine.events import RunStatus
from etl_studio.errors import PipelineError
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.status import moment
from etl_studio.ui.quantities import count, rows
from etl_studio.ui.run.trial_words import trial_words
from etl_studio.ui.tables.changes import ROLES, SIGNS, ChangedCell, ChangesModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.app.dry_run import DryRun, Rehearsed
    from etl_studio.errors import EtlError
    from etl_studio.sdk.database import Diff
    from etl_studio.ui.theme.theme import Theme

LIST_WIDTH, BAR_WIDTH = 52 * SPACE, 40 * SPACE
QUIET = ("unchanged", "superseded", "stale")
COUNTED = {
    "inserted": N_("{count} inserted"),
    "updated": N_("{count} updated"),
    "deleted": N_("{count} deleted"),
    "unchanged": N_("{count} unchanged"),
    "superseded": N_("{count} superseded"),
    "stale": N_("{count} stale"),
}
NOTHING = N_("A dry run reads and processes everything and shows what its loads would change. Nothing is written.")


class DryRunPanel(QFrame):
    """Shows the report of the last dry run.

    Signals:
        wanted: a person wants a dry run.
        stop_wanted: a person wants the one that goes on to end.

    Args:
        theme: colours and icons.
        parent: its parent.

    Attributes:
        report: what is shown, or None.
    """

    wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        self._going = self._awaited = False
        self._titles: Mapping[str, str] = {}
        self.report: DryRun | None = None
        self.title, self.facts = QLabel(tr("Dry run"), self), QLabel(self)
        self.title.setProperty("role", "title")
        self.facts.setProperty("role", "muted")
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(BAR_WIDTH)
        self.stop_button, self.run_button = QPushButton(tr("Stop"), self), QPushButton(tr("Dry run"), self)
        self.run_button.setToolTip(tr("Run without writing: see what would change"))
        self.stop_button.setToolTip(tr("End it; nothing has been written"))
        self.sinks = QListWidget(self)
        self.sinks.setAccessibleName(tr("Sinks"))
        self.sinks.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.place = QLabel(self)
        self.place.setTextFormat(Qt.TextFormat.PlainText)
        self.counts = {kind: QLabel(self) for kind in (*ROLES, "quiet")}
        for kind, label in self.counts.items():
            label.setProperty("role", ROLES.get(kind, "muted"))
        # Long words must not make the window wider.
        for label in (self.facts, self.place):
            label.setMinimumWidth(1)
        self.counts["quiet"].setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.model = ChangesModel(theme, self)
        self.table = DataTable(self)
        self.table.setModel(self.model)
        self.table.horizontalHeader().setResizeContentsPrecision(-1)  # all rows: they are few
        self.table.setItemDelegate(ChangedCell(theme, self.table))
        self.notice, self.no_rows = Notice(theme, self), Notice(theme, self)
        self._lay_out()
        self.sinks.currentRowChanged.connect(self._show_sink)
        self.run_button.clicked.connect(self.wanted)
        self.stop_button.clicked.connect(self.stop_wanted)
        theme.changed.connect(self._dress)
        self._dress()
        self._show_buttons()
        self.clear()

    def clear(self) -> None:
        """Another pipeline: nothing is known of it."""
        self.report = None
        self._awaited = False
        self.facts.clear()
        self._tell("diff", tr("No dry run yet"), tr(NOTHING))

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Whether a run of any kind goes on."""
        self.run_button.setEnabled(not running)
        self._going = self._going and running
        self._show_buttons()

    def show_going(self, titles: Mapping[str, str]) -> None:
        """A dry run begins.

        Args:
            titles: what the nodes are called, by id.
        """
        self._going = self._awaited = True
        self._titles = titles
        self.report = None
        self.facts.setText(tr("reading and processing…"))
        self._tell("clock", tr("Finding out what would change…"), tr("Nothing is written."))
        self._show_buttons()

    def show_refused(self, error: EtlError) -> None:
        """A dry run could not begin; ignored when it was another run that could not."""
        if self._awaited:
            self._awaited = False
            problems = "\n".join(str(one) for one in error.problems) if isinstance(error, PipelineError) else ""
            self.facts.clear()
            self._tell("alert-circle", tr("The dry run could not begin"), f"{error}\n{problems}".strip(), bad=True)

    def show_report(self, report: DryRun) -> None:
        """A dry run has ended."""
        self.report, self._awaited = report, False
        ended = report.ended
        if ended.status is RunStatus.FAILED:
            self.facts.clear()
            self._tell(
                "alert-circle", tr("The dry run failed"), ended.error or tr("The reason is in the log."), bad=True
            )
            return
        parts = [
            moment(time.time(), time.time()),
            trn("{count} row read", "{count} rows read", ended.rows_in),
            tr("nothing was written"),
        ]
        if ended.dead_letters:
            letters = trn("{count} dead letter to expect", "{count} dead letters to expect", ended.dead_letters)
            parts.insert(2, letters)
        if ended.status is RunStatus.STOPPED:
            parts.insert(0, tr("stopped early"))
        if report.trial is not None:
            parts.append(trial_words(report.trial.facts(), lambda node: self._titles.get(node, node)))
        self.facts.setText("  ·  ".join(parts))
        self.sinks.clear()
        self.sinks.addItems([self._summary(sink) for sink in report.sinks])
        if report.sinks:
            self._pages.setCurrentWidget(self._parts)
            self.sinks.setCurrentRow(0)
        elif ended.status is RunStatus.STOPPED:
            self._tell(
                "stop", tr("The dry run was stopped"), tr("It had not come to what would change. Nothing was written.")
            )
        else:
            self._tell("diff", tr("Nothing would be loaded"), tr("The pipeline has no sink."))

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        bar.setSpacing(3 * SPACE)
        bar.addWidget(self.title)
        bar.addWidget(self.facts)
        bar.addStretch(1)
        for widget in (self.busy, self.stop_button, self.run_button):
            bar.addWidget(widget)
        line = QHBoxLayout()
        line.setContentsMargins(3 * SPACE, SPACE, 3 * SPACE, 2 * SPACE)
        line.setSpacing(3 * SPACE)
        line.addWidget(self.place)
        for label in self.counts.values():
            line.addWidget(label)
        line.setStretchFactor(self.counts["quiet"], 1)
        self._changes = QStackedWidget()
        self._changes.addWidget(self.table)
        self._changes.addWidget(self.no_rows)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._changes, 1)
        self._parts = QSplitter(Qt.Orientation.Horizontal)
        self._parts.setHandleWidth(1)
        self._parts.setChildrenCollapsible(False)
        self._parts.addWidget(self.sinks)
        self._parts.addWidget(right)
        self._parts.setStretchFactor(1, 1)
        self._parts.setSizes([LIST_WIDTH, 800])
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self._parts)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.setSpacing(0)
        outside.addLayout(bar)
        outside.addWidget(self._pages, 1)

    def _summary(self, sink: Rehearsed) -> str:
        title = self._titles.get(sink.node, sink.node)
        if sink.diff is None:
            return f"{title}   {rows(sink.rows)}"
        counts = [f"{sign}{count(number)}" for kind, sign in SIGNS.items() if (number := _number(sink.diff, kind))]
        return f"{title}   " + ("  ".join(counts) or tr("no change"))

    def _show_sink(self, row: int) -> None:
        if self.report is None or row < 0:
            return
        sink = self.report.sinks[row]
        diff = sink.diff
        # What is lost comes first.
        order = list(SIGNS)
        self.model.show_changes(sorted(diff.changes if diff else (), key=lambda change: -order.index(change.kind)))
        self.table.fit_columns()
        for kind in ROLES:
            number = 0 if diff is None else _number(diff, kind)
            self.counts[kind].setText(f"{SIGNS[kind]} {_counted(kind, number)}")
            self.counts[kind].setVisible(number > 0)
        numbers = {} if diff is None else {kind: _number(diff, kind) for kind in QUIET}
        quiet = [_counted(kind, number) for kind, number in numbers.items() if number]
        if diff is not None and _is_cut(diff):
            quiet.append(tr("at most {limit} of each kind are shown", limit=LIMIT))
        self.counts["quiet"].setText("  ·  ".join(quiet))
        self.counts["quiet"].setToolTip(self.counts["quiet"].text())
        to_write = trn("{count} row to write", "{count} rows to write", sink.rows)
        self.place.setText(to_write if diff is None else _place(diff))
        if diff is None:
            self.no_rows.tell(
                "file", tr("This sink writes its rows as they come"), tr("It has nothing to compare them with.")
            )
        else:
            self.no_rows.tell("check-circle", tr("No row would change"), tr("The table has these rows already."))
        self._changes.setCurrentWidget(self.table if self.model.changes else self.no_rows)

    def _tell(self, icon: str, headline: str, text: str, *, bad: bool = False) -> None:
        self.notice.tell(icon, headline, text, bad=bad)
        self._pages.setCurrentWidget(self.notice)

    def _show_buttons(self) -> None:
        self.busy.setVisible(self._going)
        self.stop_button.setVisible(self._going)
        self.run_button.setVisible(not self._going)

    def _dress(self) -> None:
        self.run_button.setIcon(self._theme.icon("diff"))
        self.stop_button.setIcon(self._theme.icon("stop"))
        self.table.viewport().update()


def _number(diff: Diff, kind: str) -> int:
    return int(getattr(diff.loaded, kind))


def _counted(kind: str, number: int) -> str:
    return tr(COUNTED[kind], count=count(number))


def _is_cut(diff: Diff) -> bool:
    """Whether not all changes are shown."""
    if diff.requests is not None:
        return diff.requests > len(diff.changes)
    return any(_number(diff, kind) > _shown(diff, kind) > 0 for kind in ROLES)


def _shown(diff: Diff, kind: str) -> int:
    return sum(change.kind == kind for change in diff.changes)


def _place(diff: Diff) -> str:
    if diff.requests is not None:
        sent = trn("{count} request", "{count} requests", diff.requests)
        return f"{diff.table}: {rows(diff.rows_after)}, {sent}"
    if diff.rows_before is None:
        return tr('"{table}" would be made', table=diff.table)
    return f'"{diff.table}": {count(diff.rows_before)} → {rows(diff.rows_after)}'
