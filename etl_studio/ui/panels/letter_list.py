"""The list of dead letters: filtered by text and by error, with any number of them selected."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from etl_studio.ui.quantities import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QKeyEvent

    from etl_studio.storage.letters import DeadLetterRecord
    from etl_studio.ui.panels.letter_work import Found
    from etl_studio.ui.theme.theme import Theme

GROUP = Qt.ItemDataRole.UserRole
WIDTHS = (32 * SPACE, 20 * SPACE, 13 * SPACE, 14 * SPACE, 16 * SPACE)
HINT = N_("Return edits the row, Delete discards, Ctrl+Return replays; Shift and Ctrl select several.")


class LetterTable(DataTable):
    """The letters.

    Signals:
        edit_wanted: Return, or a double click.
        discard_wanted: Delete.

    Args:
        theme: colours.
        parent: its parent.
    """

    edit_wanted = Signal()
    discard_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        columns = [
            Column(tr("Error"), _error_type, colour=self._danger),
            Column(tr("Node"), _node),
            Column(tr("Line"), _line, right=True),
            Column(tr("Tries"), _tries, right=True),
            Column(tr("State"), _state),
            Column(tr("Message"), _message, tip=_message),
        ]
        self.rows = RowsModel(columns, self)
        self.setModel(self.rows)
        self.setShowGrid(False)
        self.setAccessibleName(tr("Dead letters"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip(tr(HINT))
        self.horizontalHeader().setStretchLastSection(True)
        self.set_widths(dict(enumerate(WIDTHS)))
        self.doubleClicked.connect(self.edit_wanted)

    def selected(self) -> list[DeadLetterRecord]:
        """The selected letters, as they stand in the list."""
        return [self.rows.rows[index.row()] for index in sorted(self.selectionModel().selectedRows())]

    def current(self) -> DeadLetterRecord | None:
        """The letter that has the keyboard, where it is selected."""
        index = self.currentIndex()
        return self.rows.rows[index.row()] if index.isValid() and self.selectionModel().isSelected(index) else None

    def show_letters(self, letters: list[DeadLetterRecord], *, go_on: bool = False) -> None:
        """Show other letters; those of them that were selected stay so.

        Args:
            letters: them.
            go_on: where none of the selected is there any more, select what has come into their place.
        """
        place = min((index.row() for index in self.selectionModel().selectedRows()), default=-1)
        chosen = {letter.id for letter in self.selected()}
        current = self.current()
        self.rows.show_rows(letters)
        model, flags = self.selectionModel(), QItemSelectionModel.SelectionFlag
        for row, letter in enumerate(letters):
            if letter.id in chosen:
                index = self.rows.index(row, 0)
                if current is not None and letter.id == current.id:
                    model.setCurrentIndex(index, flags.NoUpdate)
                model.select(index, flags.Select | flags.Rows)
        if go_on and letters and place >= 0 and not model.hasSelection():
            self.selectRow(min(place, len(letters) - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.discard_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.edit_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _danger(self, row: DeadLetterRecord) -> str:
        del row
        return self._theme.tokens.danger


class Groups(QListWidget):
    """Errors and nodes with the number of their letters.

    Signals:
        chosen: another group.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Errors"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip(tr("Show only the letters of one error in one node"))
        self.currentItemChanged.connect(self._on_current)
        self._filling = False

    @property
    def group(self) -> tuple[str, str] | None:
        """Node and error; None: all."""
        item = self.currentItem()
        found = None if item is None else item.data(GROUP)
        return None if found is None else tuple(found)

    def show_groups(self, letters: Iterable[DeadLetterRecord]) -> None:
        """Count letters; the group that was chosen stays so while it has any."""
        before = self.group
        found = Counter((letter.node, letter.error_type) for letter in letters)
        self._filling = True
        self.clear()
        self._add(tr("All"), found.total(), None)
        self.setCurrentRow(0)
        for (node, error), number in found.most_common():
            self._add(f"{error}  ·  {node}", number, (node, error))
            if (node, error) == before:
                self.setCurrentRow(self.count() - 1)
        self._filling = False

    def _add(self, text: str, number: int, group: tuple[str, str] | None) -> None:
        item = QListWidgetItem(f"{text}   {count(number)}", self)
        item.setData(GROUP, group)

    def _on_current(self) -> None:
        if not self._filling:
            self.chosen.emit()


def matching(found: Found, text: str) -> list[DeadLetterRecord]:
    """Letters that hold a text in message, error, node or row; case does not matter."""
    wanted = text.strip().lower()
    return [letter for letter in found.letters if wanted in found.texts[letter.id]]


def _error_type(row: DeadLetterRecord) -> str:
    return row.error_type


def _message(row: DeadLetterRecord) -> str:
    return row.message


def _node(row: DeadLetterRecord) -> str:
    return row.node


def _line(row: DeadLetterRecord) -> str:
    return "" if row.line is None else str(row.line)


def _tries(row: DeadLetterRecord) -> str:
    return str(row.attempts)


def _state(row: DeadLetterRecord) -> str:
    if row.state == "replaying":
        return tr("replaying")
    return tr("edited") if row.original is not None else ""
