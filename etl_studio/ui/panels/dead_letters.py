"""The dead letters: rows that could not be processed. Mended, replayed, discarded, exported."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QLineEdit, QMessageBox, QPushButton, QWidget

from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.forms.choice import Combo
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.letter_editor import LetterEditor
from etl_studio.ui.panels.letter_layout import add_pages, lay_out
from etl_studio.ui.panels.letter_list import Groups, LetterTable, matching
from etl_studio.ui.panels.letter_words import button_texts, button_tips, counted
from etl_studio.ui.panels.letter_work import Done, Found, LetterWork, Ways, replay_words
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.panels.replay_menu import ReplayMenu
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent

    from etl_studio.storage.letters import DeadLetterRecord
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.panels.letter_work import WholeCheck
    from etl_studio.ui.run.replaying import Replayed
    from etl_studio.ui.theme.theme import Theme

THIS_RUN, ALL_RUNS = range(2)
FILTERS = {"CSV (*.csv)": ".csv", "JSON lines (*.jsonl)": ".jsonl"}


class DeadLettersPanel(QFrame):
    """Shows the dead letters of one run, or of all: counts by error, the letters, the row of the current one.

    What is done is done to the selected letters, or to all that are shown where none is selected.

    Signals:
        replay_wanted: numbers of letters that a person wants to replay, and whether out of their source.
        counted: how many letters there are.

    Args:
        workspace: gives the workspace; called in a thread.
        theme: colours and icons.
        check: gives what tells, in a thread, why letters cannot be given out of their source.
        parent: its parent.
    """

    replay_wanted = Signal(list, bool)
    counted = Signal(int)

    def __init__(
        self,
        workspace: Callable[[], Workspace],
        theme: Theme,
        check: Callable[[], WholeCheck],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme, self._check = theme, check
        self._work = LetterWork(workspace)
        self.runs: list[str] = []
        self._found = Found()
        self._to_discard: list[int] = []
        self._asked, self._running = False, False
        self.table = LetterTable(theme, self)
        self.model = self.table.rows
        self.groups = Groups(self)
        self.editor = LetterEditor(theme, self)
        self.title, self.count, self.said = QLabel(tr("Dead letters"), self), QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.count.setProperty("role", "muted")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip(tr("Show only letters with this text in message, error, node or row (Ctrl+F)"))
        self.scope = Combo(self)
        self.scope.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self.scope.addItems([tr("This run"), tr("All runs")])
        self.scope.setAccessibleName(tr("Runs"))
        self.scope.setToolTip(tr("The letters of the chosen run, or of all runs of the workspace"))
        self.replay_button = QPushButton(self)
        self.replay_button.setProperty("role", "primary")
        self.discard_button, self.export_button = QPushButton(self), QPushButton(self)
        self.refresh_button = IconButton(theme, "refresh", tr("Read the dead letters again"), self)
        self.notice = Notice(theme, self)
        self._fetcher, self._changer, self._looker = Fetcher(self), Fetcher(self), Fetcher(self)
        self._then: Callable[[Ways], None] = self._show_ways
        self.ways_button = IconButton(theme, "chevron-down", tr("Other ways to replay"), self)
        buttons = (self.replay_button, self.ways_button, self.discard_button, self.export_button, self.refresh_button)
        parts = (self.groups, self.table, self.editor)
        self.parts, column = lay_out(self, (self.title, self.count), self.filter, (self.scope, *buttons), parts)
        self.pages = add_pages(column, self.said, self.notice, self.parts)
        self._connect()
        self._dress()
        self.show_run("")

    def show_run(self, run: str) -> None:
        """Turn to a run and read its dead letters; empty: to all of the workspace, when the panel is seen."""
        self.runs = [run] if run else []
        self.scope.setVisible(bool(run))
        self.scope.setCurrentIndex(THIS_RUN if run else ALL_RUNS)
        self._fetcher.cancel()
        self._tell("")
        self._show(Found())
        self._asked = False
        if run or self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Read again."""
        self._asked = True
        runs = self.runs if self.scope.currentIndex() == THIS_RUN else []
        self._fetcher.ask(partial(self._work.read, tuple(runs)))

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Whether a run goes on: no replay can begin beside it."""
        self._running = running
        if not running:
            self._tell("")
        self._enable()

    def show_replayed(self, replayed: Replayed) -> None:
        """Tell what became of letters that were replayed."""
        self.runs += [one.run for one in replayed.ended] if self.runs else []
        text, bad = replay_words(replayed)
        self._tell(text, bad=bad)
        self.refresh()

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        for fetcher in (self._fetcher, self._changer, self._looker):
            fetcher.close()

    # -- what a person asks for -------------------------------------------------------------------------------

    def chosen(self) -> list[DeadLetterRecord]:
        """The selected letters, or all that are shown."""
        return self.table.selected() or list(self.model.rows)

    def edit(self) -> None:
        """Type into the row of the current letter."""
        if self.table.current() is None and self.model.rows:
            self.table.selectRow(max(self.table.currentIndex().row(), 0))
        self.editor.begin()

    def save(self) -> None:
        """Keep what was typed for the current letter."""
        if self.editor.letter is not None:
            self._save([self.editor.letter.id])

    def replay(self) -> None:
        """Replay the chosen letters into the nodes where they failed, with what was typed for them."""
        self._replay([letter.id for letter in self.chosen()])

    def replay_whole(self) -> None:
        """Replay the chosen letters out of their source, those that can, or tell why none can."""
        self._look(self._replay_whole)

    def show_ways(self) -> None:
        """Open the menu of the ways to replay the chosen letters."""
        self._look(self._show_ways)

    def _look(self, then: Callable[[Ways], None]) -> None:
        letters = self.chosen()
        if letters and self.replay_button.isEnabled():
            self._then = then
            self._looker.ask(partial(self._work.ways, letters, self._check()))

    def _on_ways(self, ways: Ways) -> None:
        # A run may have begun meanwhile.
        if self.replay_button.isEnabled():
            self._then(ways)

    def _show_ways(self, ways: Ways) -> None:
        menu = ReplayMenu(
            ways, self._theme, partial(self._replay, list(ways.ids)), partial(self._replay_whole, ways), self
        )
        menu.popup(self.ways_button.mapToGlobal(self.ways_button.rect().bottomLeft()))

    def _replay_whole(self, ways: Ways) -> None:
        if ways.whole:
            self._replay(list(ways.whole), whole=True)
        else:
            self._tell(ways.why_not, bad=True)

    def _replay(self, ids: list[int], *, whole: bool = False) -> None:
        if not self.replay_button.isEnabled() or not ids:
            return
        if misfits := self.editor.misfits(ids):
            text = trn(
                "What was typed for {count} dead letter does not fit; mend it first.",
                "What was typed for {count} dead letters does not fit; mend it first.",
                len(misfits),
            )
            self._tell(text, bad=True)
        elif self.editor.changes(ids):
            self._save(ids, replay=True, whole=whole)
        else:
            self._start_replay(ids, whole=whole)

    def discard(self) -> None:
        """Ask, then remove the chosen letters."""
        letters = self.chosen()
        if not letters or self._changer.is_busy:
            return
        title = tr("Discard dead letters")
        question = trn("Discard {count} dead letter?", "Discard {count} dead letters?", len(letters))
        ask = QMessageBox(QMessageBox.Icon.Question, title, question, parent=self)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setInformativeText(tr("Their rows are gone then. Export keeps a copy."))
        yes = ask.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        yes.clicked.connect(self._discard_asked)
        ask.setDefaultButton(ask.addButton(QMessageBox.StandardButton.Cancel))
        self._to_discard = [letter.id for letter in letters]
        ask.open()

    def choose_export(self) -> None:
        """Ask for a file and write the chosen letters."""
        start = str(Path.home() / "dead-letters.csv")
        text, kind = QFileDialog.getSaveFileName(self, tr("Export dead letters"), start, ";;".join(FILTERS))
        if text:
            path = Path(text)
            path = path if path.suffix else path.with_suffix(FILTERS.get(kind, ".csv"))
            self._change(partial(self._work.export, self.chosen(), path))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self.refresh()

    # -- inside -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.table.selectionModel().selectionChanged.connect(self._select)
        self.table.selectionModel().currentRowChanged.connect(self._select)
        self.table.edit_wanted.connect(self.edit)
        self.table.discard_wanted.connect(self.discard)
        self.groups.chosen.connect(self._show_rows)
        self.filter.textChanged.connect(self._filter)
        self.scope.activated.connect(self.refresh)
        self.editor.save_wanted.connect(self.save)
        self.editor.left.connect(self.table.setFocus)
        self.replay_button.clicked.connect(self.replay)
        self.ways_button.clicked.connect(self.show_ways)
        self._looker.fetched.connect(self._on_ways)
        self._looker.failed.connect(self._on_refused)
        self.discard_button.clicked.connect(self.discard)
        self.export_button.clicked.connect(self.choose_export)
        self.refresh_button.clicked.connect(self.refresh)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._fail)
        self._changer.fetched.connect(self._on_changed)
        self._changer.failed.connect(self._on_refused)
        self._theme.changed.connect(self._dress)
        for keys, act in (
            ("Ctrl+Return", self.replay),
            ("Ctrl+Enter", self.replay),
            ("Ctrl+Shift+Return", self.replay_whole),
            ("Ctrl+Shift+Enter", self.replay_whole),
        ):
            key = QShortcut(QKeySequence(keys), self)
            key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(act)

    def _save(self, ids: list[int], *, replay: bool = False, whole: bool = False) -> None:
        changes = self.editor.changes(ids)
        if changes:
            self._change(partial(self._work.save, changes, ids if replay else (), whole=whole))

    def _change(self, work: Callable[[], Done]) -> None:
        if not self._changer.is_busy:
            self._tell("")
            self._changer.ask(work)

    def _on_changed(self, done: Done) -> None:
        self.editor.forget(list(done.ids))
        self._tell(done.text)
        if done.replay:
            self._start_replay(list(done.ids), whole=done.whole)
        else:
            self.refresh()

    def _on_refused(self, message: str) -> None:
        self._tell(message, bad=True)
        self.refresh()

    def _start_replay(self, ids: list[int], *, whole: bool) -> None:
        self._tell(trn("{count} dead letter being replayed…", "{count} dead letters being replayed…", len(ids)))
        self.replay_wanted.emit(ids, whole)

    def _discard_asked(self) -> None:
        self._change(partial(self._work.discard, self._to_discard))

    def _show(self, found: Found) -> None:
        self._found = found
        self.counted.emit(found.total)
        self.groups.show_groups(matching(found, self.filter.text()))
        self._show_letters(go_on=True)

    def _fail(self, message: str) -> None:
        self.notice.tell("alert-circle", tr("The dead letters could not be read"), message, bad=True)
        self.pages.setCurrentWidget(self.notice)

    def _filter(self) -> None:
        self.groups.show_groups(matching(self._found, self.filter.text()))
        self._show_rows()

    def _show_rows(self) -> None:
        self._show_letters(go_on=False)

    def _show_letters(self, *, go_on: bool) -> None:
        group = self.groups.group
        letters = matching(self._found, self.filter.text())
        shown = [one for one in letters if group is None or (one.node, one.error_type) == group]
        self.table.show_letters(shown, go_on=go_on)
        if not letters:
            self._tell_nothing()
        self.pages.setCurrentWidget(self.parts if letters else self.notice)
        self._select()

    def _tell_nothing(self) -> None:
        if self._found.letters:
            self.notice.tell("search", tr("No such dead letters"), tr("Clear the filter to see the others."))
        elif self.scope.currentIndex() == THIS_RUN:
            text = tr("Every row of this run was processed or went to a rejects port.")
            self.notice.tell("inbox", tr("No dead letters"), text)
        else:
            text = tr(
                "Run the pipeline. Rows that it cannot process wait here with the reason, to be mended and replayed."
            )
            self.notice.tell("inbox", tr("No dead letters"), text)

    def _select(self) -> None:
        self.editor.show_letter(self.table.current())
        self._enable()

    def _enable(self) -> None:
        selected, shown = len(self.table.selected()), len(self.model.rows)
        buttons = (self.replay_button, self.discard_button, self.export_button)
        for button, text, tip in zip(
            buttons, button_texts(selected or shown), button_tips(selected, shown), strict=True
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setEnabled(selected + shown > 0)
        if self._running:
            self.replay_button.setEnabled(False)
            self.replay_button.setToolTip(tr("A run is going on; replay when it has ended"))
        self.ways_button.setEnabled(self.replay_button.isEnabled())
        total, read = self._found.total, len(self._found.letters)
        self.count.setText(counted(shown, read, total))

    def _tell(self, text: str, *, bad: bool = False) -> None:
        self.said.setText(text)
        set_role(self.said, "danger" if bad else "muted")
        self.said.setVisible(bool(text))

    def to_filter(self) -> None:
        """Give the keyboard to the field that filters the letters."""
        self.filter.setFocus()
        self.filter.selectAll()

    def _dress(self) -> None:
        self.replay_button.setIcon(self._theme.icon("repeat", self._theme.tokens.on_accent))
        self.discard_button.setIcon(self._theme.icon("trash"))
        self.export_button.setIcon(self._theme.icon("download"))
