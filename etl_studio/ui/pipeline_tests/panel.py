"""The tests of the open pipeline: how each went, what differs, and the expected rows renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QLabel, QMessageBox, QPushButton, QWidget

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.pipeline_tests.differences import KINDS, lines, summary
from etl_studio.ui.pipeline_tests.followed import FollowedNames
from etl_studio.ui.pipeline_tests.layout import lay_out
from etl_studio.ui.pipeline_tests.runner import FAILED, NOT_RUN, CaseRunner, KnownCase
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QShowEvent

    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.pipeline_tests.differences import Line
    from etl_studio.ui.theme.theme import Theme

DOT = "  ·  "
UNSAVED = N_("Save the pipeline first: its tests are kept in a folder beside its file.")
HOW = N_(
    "Select a node, look at its rows in the Preview, and press the flask there (Make a test): "
    "from then on these rows must come of those before."
)
STATES = {
    "not run": N_("not run"),
    "waiting": N_("waiting"),
    "running": N_("running"),
    "passed": N_("passed"),
    "failed": N_("failed"),
    "error": N_("cannot run"),
    "updated": N_("updated"),
}


class TestsPanel(QFrame):
    """Lists the tests beside the open file, runs them and shows the differences of the selected one.

    Args:
        studio: runs the tests.
        document: what is tested, as it is on the screen.
        theme: colours and icons.
        flush: writes what is typed but not yet in the document; called before tests run.
        parent: its parent.

    Signals:
        counted: how many tests failed when they were last run.

    Attributes:
        runner: runs the tests.
        followed: renames in the tests what is renamed in the document.
    """

    __test__ = False  # it is no class of tests
    counted = Signal(int)

    def __init__(
        self,
        studio: Studio,
        document: PipelineDocument,
        theme: Theme,
        flush: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._document, self._theme = document, theme
        self.runner = CaseRunner(studio, document, flush, self)
        self.followed = FollowedNames(document, studio.sub_pipelines.load, self)
        self.followed.changed.connect(self.look)
        self.model = RowsModel(self._columns(), self)
        self.table = _table(self, self.model, tr("Tests"), wide=(0,))
        self.differences = RowsModel(self._difference_columns(), self)
        self.difference_table = _table(self, self.differences, tr("Differences"), wide=(4, 5))
        self.title, self.count, self.said = QLabel(tr("Tests"), self), QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.said.setProperty("role", "muted")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.update_button = QPushButton(tr("Update the expected rows…"), self)
        self.run_button, self.run_all_button = QPushButton(tr("Run this"), self), QPushButton(tr("Run all"), self)
        self.stop_button = QPushButton(tr("Stop"), self)
        self.run_button.setToolTip(tr("Run the selected test on what is on the screen; nothing is read or loaded"))
        self.run_all_button.setToolTip(tr("Run all tests on what is on the screen; nothing is read or loaded"))
        self.stop_button.setToolTip(tr("Run no more tests"))
        self.folder_button = IconButton(theme, "folder-open", tr("Open the folder of the test"), self)
        self.notice, self.verdict = Notice(theme, self), Notice(theme, self)
        buttons = (self.update_button, self.run_button, self.run_all_button, self.stop_button, self.folder_button)
        self._pages, self._details, self.parts = lay_out(
            self, (self.title, self.count), buttons, self.notice, self.table,
            self.said, (self.verdict, self.difference_table),
        )  # fmt: skip
        self._connect()
        self._dress()
        self._show()

    def look(self) -> None:
        """List the tests again: there may be another one."""
        self.runner.look()

    def run_all(self) -> None:
        """Run all tests."""
        self.runner.run_all()

    def run_chosen(self) -> None:
        """Run the selected test."""
        if (case := self.chosen) is not None:
            self.runner.run([case])

    def ask_to_update(self) -> None:
        """Ask whether what came out of the selected test is right, and make it what is expected."""
        case = self.chosen
        if case is None or not self.update_button.isEnabled():
            return
        ask = QMessageBox(
            QMessageBox.Icon.Question, tr("Update a test"), tr('Update "{test}"?', test=case.name), parent=self
        )
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setInformativeText(
            "\n".join(
                [
                    *summary(case.outcome),
                    "",
                    tr("What comes out now is expected from now on. The files of the test are written anew."),
                ]
            )
        )
        yes = ask.addButton(tr("Update the expected rows"), QMessageBox.ButtonRole.AcceptRole)
        yes.clicked.connect(self._update)
        ask.setDefaultButton(ask.addButton(QMessageBox.StandardButton.Cancel))
        ask.open()

    def open_folder(self) -> None:
        """Show the files of the selected test in the file manager."""
        if (case := self.chosen) is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(case.folder)))

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self.runner.close()
        self.followed.close()

    @property
    def chosen(self) -> KnownCase | None:
        """The selected test."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.rows[rows[0].row()] if rows else None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    # -- inside -----------------------------------------------------------------------------------------------

    def _columns(self) -> list[Column]:
        return [
            Column(tr("Test"), lambda case: case.name, tip=lambda case: str(case.folder)),
            Column(tr("State"), _state, colour=self._state_colour),
        ]

    def _difference_columns(self) -> list[Column]:
        return [
            Column(tr("Place"), lambda line: line.place),
            Column(tr("Row"), lambda line: line.row, right=True),
            Column(tr("Difference"), lambda line: tr(KINDS[line.kind]), colour=self._kind_colour),
            Column(tr("Column"), lambda line: line.column),
            Column(tr("Expected"), lambda line: line.expected, tip=lambda line: line.expected),
            Column(tr("Got"), lambda line: line.got, tip=lambda line: line.got),
        ]

    def _state_colour(self, case: KnownCase) -> str | None:
        tokens = self._theme.tokens
        if case.is_stale:
            return tokens.text_muted
        colours = {"passed": tokens.success, "running": tokens.accent} | dict.fromkeys(FAILED, tokens.danger)
        return colours.get(case.state, tokens.text_muted)

    def _kind_colour(self, line: Line) -> str:
        return self._theme.tokens.warning if line.kind.endswith("changed") else self._theme.tokens.danger

    def _connect(self) -> None:
        self.table.selectionModel().selectionChanged.connect(self._show_chosen)
        self.table.activated.connect(self.run_chosen)
        self.update_button.clicked.connect(self.ask_to_update)
        self.run_button.clicked.connect(self.run_chosen)
        self.run_all_button.clicked.connect(self.run_all)
        self.stop_button.clicked.connect(self.runner.stop)
        self.folder_button.clicked.connect(self.open_folder)
        self.runner.listed.connect(self._show)
        self.runner.changed.connect(self._show)
        self.runner.failed.connect(self._fail)
        self._document.reset.connect(self._forget)
        self._document.path_changed.connect(self._forget)
        self._theme.changed.connect(self._dress)

    def _forget(self) -> None:
        self.runner.forget()
        if self.isVisible():
            self.look()

    def _show(self) -> None:
        cases, chosen = self.runner.cases, self.chosen
        self.model.show_rows(cases)
        if cases:
            self.table.selectRow(cases.index(chosen) if chosen in cases else 0)
        self.notice.tell("flask", tr("No tests yet"), tr(HOW if self._document.path is not None else UNSAVED))
        self._pages.setCurrentWidget(self.parts if cases else self.notice)
        self.count.setText(_counts(cases))
        self.counted.emit(self.runner.failures)
        self._show_chosen()

    def _show_chosen(self) -> None:
        case = self.chosen
        outcome = case.outcome if case is not None else None
        found = lines(outcome) if outcome is not None else []
        self.differences.show_rows(found)
        self.difference_table.setColumnHidden(0, len({line.place for line in found}) == 1)
        self._details.setCurrentWidget(self.difference_table if found else self.verdict)
        said = [tr("The pipeline has changed since.")] if case is not None and case.is_stale else []
        if outcome is not None and found:
            said.append(DOT.join(summary(outcome)))
        self.said.setText(" ".join(said))
        self.said.setVisible(bool(self.said.text()))
        if case is not None and not found:
            self._tell_verdict(case)
        self._enable()

    def _tell_verdict(self, case: KnownCase) -> None:
        outcome = case.outcome
        if case.state == "running":
            self.verdict.tell("clock", tr("Running…"), tr("Sources do not read, and nothing is loaded."))
        elif outcome is None:
            self.verdict.tell(
                "flask", tr("Not run yet"), tr("Run this test: the rows it gives must become those it expects.")
            )
        elif outcome.error:
            self.verdict.tell("alert-circle", tr("The test could not be run"), outcome.error, bad=True)
        else:
            self.verdict.tell("check-circle", tr("Passed"), DOT.join(summary(outcome)))

    def _update(self) -> None:
        if (case := self.chosen) is not None and self.update_button.isEnabled():
            self.runner.update(case)

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The tests could not be listed"), message, bad=True)
        self._pages.setCurrentWidget(self.notice)

    def _enable(self) -> None:
        case, busy = self.chosen, self.runner.is_busy
        may_run = bool(self.runner.cases) and not busy and not self._document.is_read_only
        for button in (self.run_button, self.run_all_button):
            button.setVisible(not busy)
            button.setEnabled(may_run)
        self.stop_button.setVisible(busy)
        self.folder_button.setEnabled(case is not None)
        self.update_button.setEnabled(may_run and case is not None and case.state == "failed" and not case.is_stale)
        if case is not None and case.is_stale:
            tip = tr("Run the test again: the pipeline has changed")
        else:
            tip = tr("Expect what comes out of a failed test now; asks first")
        self.update_button.setToolTip(tip)

    def _dress(self) -> None:
        self.run_button.setIcon(self._theme.icon("play"))
        self.run_all_button.setIcon(self._theme.icon("fast-forward"))
        self.stop_button.setIcon(self._theme.icon("stop"))
        self.update_button.setIcon(self._theme.icon("check"))


def _table(parent: QWidget, model: RowsModel, name: str, wide: Sequence[int]) -> DataTable:
    """A list in which some columns share the room that the others leave."""
    table = DataTable(parent)
    table.setModel(model)
    table.setShowGrid(False)
    table.setAccessibleName(name)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    for section in range(model.columnCount()):
        modes = QHeaderView.ResizeMode
        table.horizontalHeader().setSectionResizeMode(
            section, modes.Stretch if section in wide else modes.ResizeToContents
        )
    return table


def _state(case: KnownCase) -> str:
    word = tr(STATES[case.state])
    return tr("{state}, before changes", state=word) if case.is_stale and case.outcome is not None else word


def _counts(cases: list[KnownCase]) -> str:
    failed, passed = sum(case.state in FAILED for case in cases), sum(case.state == "passed" for case in cases)
    if not cases:
        return ""
    if all(case.state == NOT_RUN for case in cases):
        return trn("{count} test", "{count} tests", len(cases))
    numbers = {"passed": count(passed), "total": count(len(cases)), "failed": count(failed)}
    if failed:
        return tr("{passed} of {total} passed, {failed} failed", **numbers)
    return tr("{passed} of {total} passed", **numbers)
