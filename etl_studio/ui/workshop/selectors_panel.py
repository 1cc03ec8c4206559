"""The selectors that a person works on: the item, its fields and the next page, with what each gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from etl_studio.app.scraping.asking import Draft
from etl_studio.app.scraping.robustness import robustness
from etl_studio.ui.forms.buttons import IconButton, LinkButton
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn
from etl_studio.ui.workshop.selector_rows import Dot, FieldRow, SelectorLine, problem_text
from etl_studio.ui.workshop.words import judgement, reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.app.scraping.asking import FoundList, Tried
    from etl_studio.ui.theme.theme import Theme

MOST_LISTS = 4


class SelectorsPanel(QFrame):
    """Edits a draft.

    Args:
        theme: colours and icons.
        parent: its parent.
        follows: whether the node has a selector of the next page.

    Signals:
        edited: the draft is another one; True while a person may still be typing.
        in_hand_changed: the cursor went to another selector.
        step_wanted: the next (1) or the previous (-1) item should be shown.
    """

    edited = Signal(bool)
    in_hand_changed = Signal()
    step_wanted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, follows: bool) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._theme = theme
        self.item = SelectorLine(tr("Item"), self)
        self.item.setPlaceholderText(tr("the whole page is one row"))
        self.item_problem = problem_label(self)
        self.dot = Dot(theme, self)
        self.state = QLabel(self)
        self.state.setProperty("role", "muted")
        self.state.setMinimumWidth(1)
        self.place = QLabel(self)
        self.place.setProperty("role", "small")
        self.previous = IconButton(theme, "chevron-up", tr("Previous item"), self)
        self.next = IconButton(theme, "chevron-down", tr("Next item"), self)
        self.fields: list[FieldRow] = []
        self.add = LinkButton("+ " + tr("Add field"), self)
        self.next_page = FieldRow(theme, self, fixed_name=tr("Next page"))
        self.next_page.setVisible(follows)
        self.follows = follows
        self.lists = QWidget(self)
        self._lay_out()
        self._in_hand: FieldRow | None = None
        self.item.textEdited.connect(self._typed)
        self.item.entered.connect(self._enter_item)
        self.next_page.edited.connect(self._typed)
        self.next_page.entered.connect(self._enter_row)
        self.add.clicked.connect(self._add_empty)
        self.previous.clicked.connect(self._go_back)
        self.next.clicked.connect(self._go_on)

    @property
    def in_hand(self) -> FieldRow | None:
        """The row that the cursor was last in; None: the item."""
        return self._in_hand

    def draft(self) -> Draft:
        """What is typed."""
        fields = tuple(row.value for row in self.fields if any(row.value))
        return Draft(self.item.text().strip(), fields, self.next_page.value[1] if self.follows else "")

    def obstacle(self) -> str:
        """Why the draft cannot be taken over; empty: it can."""
        names = [row.value[0] for row in self.fields if any(row.value)]
        for row in self.fields:
            name, selector = row.value
            row.show_name_invalid(invalid=bool(any(row.value) and (not name or names.count(name) > 1)))
            if selector and not name:
                return tr("Give each field a name.")
            if name and not selector:
                return tr("The field {name} has no selector yet.", name=name)
        twice = next((name for name in names if names.count(name) > 1), "")
        return tr("Two fields are called {name}.", name=twice) if twice else ""

    def show_draft(self, draft: Draft) -> None:
        """Show another one."""
        self.item.setText(draft.item)
        while len(self.fields) > len(draft.fields):
            self._drop(self.fields[-1])
        for number, (name, selector) in enumerate(draft.fields):
            row = self.fields[number] if number < len(self.fields) else self._append()
            row.show_value(name, selector)
        self.next_page.selector.setText(draft.next)
        self._in_hand = None

    def set_item(self, selector: str) -> None:
        """Take a selector for the item."""
        self.item.setText(selector)
        self._enter_item()
        self.edited.emit(False)

    def set_next(self, selector: str) -> None:
        """Take a selector for the next page."""
        self.next_page.selector.setText(selector)
        self._take_in_hand(self.next_page)
        self.edited.emit(False)

    def add_field(self, name: str, selector: str) -> None:
        """Add a field; one in hand that has no selector yet takes it."""
        row = self._in_hand
        if row is None or row not in self.fields or row.value[1]:
            row = next((each for each in self.fields if not any(each.value)), None) or self._append()
        taken = {each.value[0] for each in self.fields if each is not row}
        name = row.value[0] or name
        free, number = name, 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        row.show_value(free, selector)
        self._take_in_hand(row)
        self._scroll.ensureWidgetVisible(row)
        self.edited.emit(False)

    def show_tried(self, tried: Tried) -> None:
        """Show what the selectors give."""
        trial, item = tried.trial, tried.draft.item
        self.item.show_invalid(invalid=trial.problem is not None)
        show_problem(self.item_problem, [problem_text(item, trial.problem)] if trial.problem is not None else [])
        self._show_state(tried)
        self._hide_known_list(item)
        given = iter(trial.fields)
        for row in self.fields:
            row.show_trial(next(given, None) if any(row.value) else None, trial.items)
        self.next_page.show_trial(trial.next, 1)

    def show_place(self, number: int | None, total: int) -> None:
        """Show which item is in view."""
        self.place.setText(tr("{number} of {total}", number=number + 1, total=total) if number is not None else "")
        for button in (self.previous, self.next):
            button.setEnabled(total > 0)

    def show_lists(self, lists: Sequence[FoundList]) -> None:
        """Offer the lists of the page."""
        layout = self.lists.layout()
        while layout.count():
            widget = layout.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if not lists:
            self.lists.hide()
            return
        self.lists.show()
        first = lists[0].proposal
        text = trn("Found {count} repeated item:", "Found {count} repeated items:", first.matches)
        label = QLabel(text, self.lists)
        label.setProperty("role", "muted")
        layout.addWidget(label)
        for each in lists[:MOST_LISTS]:
            button = ListButton(each, self.lists)
            button.clicked.connect(self._take_list)
            layout.addWidget(button)
        layout.addStretch(1)
        self._hide_known_list(self.item.text().strip())

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        head, item_line, state = QLabel(tr("Item"), self), QHBoxLayout(), QHBoxLayout()
        head.setProperty("role", "overline")
        item_line.setSpacing(SPACE)
        for widget in (self.item, self.place, self.previous, self.next):
            item_line.addWidget(widget, 1 if widget is self.item else 0)
        state.setSpacing(SPACE)
        state.addWidget(self.dot)
        state.addWidget(self.state, 1)
        found = QHBoxLayout(self.lists)
        found.setContentsMargins(0, 0, 0, 0)
        found.setSpacing(1.5 * SPACE)
        self.lists.hide()
        title = QLabel(tr("Fields"), self)
        title.setProperty("role", "overline")
        inside = QWidget(self)
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, SPACE, 0)
        self._rows.setSpacing(1.5 * SPACE)
        self._rows.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._rows.addSpacing(SPACE)
        self._rows.addWidget(self.next_page)
        self._rows.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(1.5 * SPACE)
        column.addWidget(head)
        column.addLayout(item_line)
        column.addWidget(self.item_problem)
        column.addLayout(state)
        column.addWidget(self.lists)
        column.addSpacing(SPACE)
        column.addWidget(title)
        column.addWidget(self._scroll, 1)

    def _hide_known_list(self, item: str) -> None:
        """A list that has been taken, and is the only one, need not be offered."""
        offered = [button.found.proposal.selector for button in self.lists.findChildren(ListButton)]
        self.lists.setVisible(bool(offered) and offered != [item])

    def _show_state(self, tried: Tried) -> None:
        trial, item = tried.trial, tried.draft.item
        if not item or trial.problem is not None:
            self.dot.show_level(None)
            self.state.setText("" if item else tr("Without an item selector the page becomes one row."))
            self.state.setToolTip("")
            return
        judged = robustness(item)
        self.dot.show_level(judged.level)
        parts = [trn("{count} match", "{count} matches", trial.items), judgement(judged)]
        if tried.others:
            parts.append(
                trn("{count} other way to find the same", "{count} other ways to find the same", len(tried.others))
            )
        self.state.setText("  ·  ".join(parts))
        others = "\n".join(each.selector for each in tried.others)
        self.state.setToolTip("\n".join(text for text in (reasons(item), others) if text))
        set_role(self.state, "muted" if trial.items else "danger")

    def _append(self) -> FieldRow:
        row = FieldRow(self._theme, self._scroll.widget())
        row.edited.connect(self._typed)
        row.entered.connect(self._enter_row)
        row.removed.connect(self._remove)
        self._rows.insertWidget(len(self.fields), row)
        self.fields.append(row)
        row.show()
        self.setTabOrder(row.name, row.selector)
        return row

    def _add_empty(self) -> None:
        row = self._append()
        row.name.setFocus()
        self._take_in_hand(row)

    def _drop(self, row: FieldRow) -> None:
        self.fields.remove(row)
        if self._in_hand is row:
            self._in_hand = None
        self._rows.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _remove(self) -> None:
        row = self.sender()
        if isinstance(row, FieldRow) and row in self.fields:
            self._drop(row)
            self.edited.emit(False)

    def _take_list(self) -> None:
        button = self.sender()
        if isinstance(button, ListButton):
            found = button.found.draft
            kept = self.draft()
            follow = kept.next or found.next if self.follows else ""
            self.show_draft(Draft(found.item, kept.fields or found.fields, follow))
            self.edited.emit(False)
            self.in_hand_changed.emit()

    def _typed(self) -> None:
        self.edited.emit(True)

    def _enter_item(self) -> None:
        self._take_in_hand(None)

    def _enter_row(self) -> None:
        row = self.sender()
        if isinstance(row, FieldRow):
            self._take_in_hand(row)

    def _take_in_hand(self, row: FieldRow | None) -> None:
        if row is not self._in_hand:
            self._in_hand = row
            self.in_hand_changed.emit()

    def _go_back(self) -> None:
        self.step_wanted.emit(-1)

    def _go_on(self) -> None:
        self.step_wanted.emit(1)


class ListButton(QPushButton):
    """Takes a list of the page.

    Args:
        found: the list.
        parent: its parent.
    """

    def __init__(self, found: FoundList, parent: QWidget) -> None:
        super().__init__(f"{found.proposal.selector}  {found.proposal.matches}", parent)
        self.found = found
        self.setToolTip(tr("Take these items, and the fields that were found in them"))
