"""One dead letter: why it failed, its row to mend, or what was tried."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.letter_row import VALUE, Draft, LetterRowModel, ValueDelegate
from etl_studio.ui.panels.status import moment
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from etl_studio.storage.letters import DeadLetterRecord
    from etl_studio.ui.theme.theme import Theme

WIDEST = 40 * SPACE
HINT = N_("Return edits a value, Delete makes it NULL, Escape goes back to the list.")


class TriedText(QPlainTextEdit):
    """What was tried; read only.

    Signals:
        left: a person wants back to the list.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class RowTable(DataTable):
    """The values of one letter.

    Signals:
        left: a person wants back to the list.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)  # what the line has not used, Return among it
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif row >= 0 and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.model().empty(row)
        elif row >= 0 and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.edit(self.model().index(row, VALUE))
        else:
            super().keyPressEvent(event)


class LetterEditor(QFrame):
    """Shows one letter. What is typed and not saved is kept for each letter until it is saved or gone.

    Signals:
        save_wanted: a person wants what was typed for the letter to be saved.
        left: back to the list.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    save_wanted = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.letter: DeadLetterRecord | None = None
        self._drafts: dict[int, Draft] = {}
        self.message, self.facts, self.error = QLabel(self), QLabel(self), QLabel(self)
        self.facts.setProperty("role", "muted")
        self.error.setProperty("role", "danger")
        for label in (self.message, self.error):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setMinimumWidth(1)
        self.model = LetterRowModel(theme, self)
        self.table = RowTable(self)
        self.table.setAccessibleName(tr("Row"))
        self.table.setToolTip(tr(HINT))
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.horizontalHeader().setStretchLastSection(True)
        self._delegate = ValueDelegate(self)
        self.table.setItemDelegateForColumn(VALUE, self._delegate)
        self.tried = TriedText(self)
        self.tried.setReadOnly(True)
        self.tried.setProperty("role", "code")
        self.tried.setFrameShape(QFrame.Shape.NoFrame)
        self.tried.setAccessibleName(tr("What was tried"))
        self.save_button = QPushButton(tr("&Save"), self)
        self.save_button.setToolTip(tr("Keep the values in the dead letter; a replay loads them"))
        self.back_button = QPushButton(tr("Take &back"), self)
        self.back_button.setToolTip(tr("Back to the values with which the row failed"))
        self._lay_out()
        self.model.changed.connect(self._on_changed)
        self.table.left.connect(self.left)
        self.tried.left.connect(self.left)
        self.save_button.clicked.connect(self.save_wanted)
        self.back_button.clicked.connect(self._take_back)
        theme.changed.connect(self._dress)
        self._dress()
        self.show_letter(None)

    def show_letter(self, letter: DeadLetterRecord | None) -> None:
        """Turn to a letter; None: to none."""
        if letter == self.letter and letter is not None:
            return
        self.letter = letter
        self.table.setEnabled(letter is not None)
        draft = Draft() if letter is None else self._drafts.setdefault(letter.id, Draft())
        self.model.show_letter(letter, draft)
        holds_row = letter is None or letter.operation is None
        self._pages.setCurrentWidget(self._nothing if letter is None else self.table if holds_row else self.tried)
        for button in (self.back_button, self.save_button):
            button.setVisible(letter is not None and holds_row)
        if letter is None:
            self.message.setText(tr("Select a dead letter to see and mend its row."))
            self.facts.clear()
            self.facts.setToolTip("")
        else:
            self.message.setText(letter.message)
            self.facts.setText(_tried(letter))
            self.facts.setToolTip(_when(letter))
        self.tried.setPlainText("" if holds_row else json.dumps(letter.operation, indent=2, ensure_ascii=False))
        self._fit_columns()
        self._on_changed()

    def begin(self) -> None:
        """Let a person type: into the column that the error names, else into the first."""
        if self.letter is None or not self.model.names:
            self.tried.setFocus()
            return
        column = self.letter.column
        row = self.model.names.index(column) if column in self.model.names else 0
        index = self.model.index(row, VALUE)
        self.table.setFocus()
        self.table.setCurrentIndex(index)
        if self.model.editable:
            self.table.edit(index)

    def changes(self, ids: list[int]) -> dict[int, dict[str, Any]]:
        """What was typed for letters, by their numbers."""
        drafts = {number: self._drafts.get(number) for number in ids}
        return {number: dict(draft.values) for number, draft in drafts.items() if draft and draft.values}

    def misfits(self, ids: list[int]) -> list[int]:
        """Letters for which something was typed that does not fit."""
        return [number for number in ids if number in self._drafts and self._drafts[number].bad]

    def forget(self, ids: list[int]) -> None:
        """Drop what was typed for letters: it is saved, or they are gone."""
        for number in ids:
            self._drafts.pop(number, None)
        self.letter = None

    def _fit_columns(self) -> None:
        header = self.table.horizontalHeader()
        for section in range(VALUE):
            header.resizeSection(section, min(self.table.sizeHintForColumn(section) + 4 * SPACE, WIDEST))

    def _take_back(self) -> None:
        letter, draft = self.letter, self.model.draft
        draft.values.clear()
        draft.bad.clear()
        self.model.put(letter.original or letter.payload)
        self._on_changed()

    def _on_changed(self) -> None:
        draft, letter = self.model.draft, self.letter
        self._tell(next((why for _, why in draft.bad.values()), ""))
        self.save_button.setEnabled(self.model.editable and bool(draft.values) and not draft.bad)
        was_edited = letter is not None and letter.original is not None
        self.back_button.setEnabled(self.model.editable and (bool(draft) or was_edited))

    def _tell(self, error: str) -> None:
        # In the place of the message, so that nothing moves under the line that is typed in.
        self.error.setText(error)
        self.error.setVisible(bool(error))
        self.message.setVisible(not error)

    def _lay_out(self) -> None:
        self._pages = QStackedWidget(self)
        self._nothing = QWidget(self)
        self._pages.addWidget(self._nothing)
        self._pages.addWidget(self.table)
        self._pages.addWidget(self.tried)
        line = QHBoxLayout()
        line.setSpacing(2 * SPACE)
        line.addWidget(self.facts, 1)
        line.addWidget(self.back_button)
        line.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 0, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.message)
        column.addWidget(self.error)
        column.addLayout(line)
        column.addWidget(self._pages, 1)

    def _dress(self) -> None:
        self.save_button.setIcon(self._theme.icon("save"))
        self.back_button.setIcon(self._theme.icon("undo"))


def _tried(letter: DeadLetterRecord) -> str:
    edited = letter.original is not None
    if letter.attempts == 1:
        return tr("Tried once, edited") if edited else tr("Tried once")
    times = count(letter.attempts)
    return tr("Tried {count} times, edited", count=times) if edited else tr("Tried {count} times", count=times)


def _when(letter: DeadLetterRecord) -> str:
    now = time.time()
    return tr(
        "First failed {first}, last {last}, in the run {run}",
        first=moment(letter.first_at, now),
        last=moment(letter.at, now),
        run=letter.run,
    )
