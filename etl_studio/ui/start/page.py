"""The page at the start: templates, files that were open before, examples, and a tour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from etl_studio.app.templates import Template, examples, templates
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.start.choices import FileRow, TemplateCard
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QResizeEvent

    from etl_studio.sdk import Registry
    from etl_studio.ui.recent_files import RecentFile, RecentFiles
    from etl_studio.ui.theme.theme import Theme

CARD_WIDTH, SIDE_WIDTH, MOST_WIDTH = 204, 280, 1200
"""Pixels: a card at least, the lists beside the cards, the whole page."""
GAP = 6 * SPACE
WEEK = 7
"""Days in which a day is called by its name."""
DAYS = (
    *(N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday")),
    *(N_("Friday"), N_("Saturday"), N_("Sunday")),
)
MONTHS = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What the page offers, read from the disk.

    Attributes:
        templates, examples: pipelines to begin with.
        missing: recent files that are not there any more.
    """

    templates: Sequence[Template]
    examples: Sequence[Template]
    missing: frozenset[Path]


class StartPage(QScrollArea):
    """Offers what a person can begin with.

    Signals:
        new_wanted, open_wanted, tour_wanted: a button was clicked.
        template_wanted, example_wanted: the file of the one that was chosen.
        file_wanted: a recent file was chosen.

    Args:
        recent: the files that were open before.
        registry: knows icons and colours of the nodes.
        theme: colours and icons.
        parent: its parent.

    Attributes:
        cards, recent_rows, example_rows: what can be chosen, once the disk has been read.
    """

    new_wanted = Signal()
    open_wanted = Signal()
    tour_wanted = Signal()
    template_wanted = Signal(Path)
    example_wanted = Signal(Path)
    file_wanted = Signal(Path)
    filled = Signal()

    def __init__(self, recent: RecentFiles, registry: Registry, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent, self._registry, self._theme = recent, registry, theme
        self.cards: list[TemplateCard] = []
        self.recent_rows: list[FileRow] = []
        self.example_rows: list[FileRow] = []
        self._offered: Offered | None = None
        self._columns = 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Start page"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.new, self.open, self.tour = (
            QPushButton(text) for text in (tr("New pipeline"), tr("Open…"), tr("Take the tour"))
        )
        self.new.setProperty("role", "primary")
        self.new.clicked.connect(self.new_wanted)
        self.open.clicked.connect(self.open_wanted)
        self.tour.clicked.connect(self.tour_wanted)
        self._logo = QLabel()
        self._cards, self._recent_list, self._example_list = QGridLayout(), QVBoxLayout(), QVBoxLayout()
        self._nothing = QLabel(tr("Pipelines that you open are listed here."))
        self._lay_out()
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._show_failure)
        theme.changed.connect(self._dress)
        self._dress()
        self.refresh()

    def refresh(self) -> None:
        """Look again what is there; call it when the page is shown."""
        paths = [entry.path for entry in self._recent.entries()]
        self._fetcher.ask(lambda: look(paths))

    def close_threads(self) -> None:
        """Wait for the thread that reads the disk."""
        self._fetcher.close()

    def first(self) -> QWidget:
        """What the keyboard begins with."""
        return self.cards[0] if self.cards else self.new

    def take_focus(self) -> None:
        """Give the keyboard to the first card, unless something on the page has it."""
        here = self.focusWidget()
        if here is None or here not in self._in_order():
            self.first().setFocus()

    # -- Qt ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go from choice to choice, as the eye does."""
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if event.key() in steps and (found := self._neighbour(*steps[event.key()])) is not None:
            found.setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(found)
        else:
            super().keyPressEvent(event)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        inside = QWidget()
        page = QHBoxLayout(inside)
        page.setContentsMargins(GAP, GAP, GAP, GAP)
        page.addStretch(1)
        body = self._body = QWidget()
        page.addWidget(body, 1000)
        page.addStretch(1)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(self._head())
        halves = QHBoxLayout()
        halves.setSpacing(GAP)
        left = QVBoxLayout()
        left.setSpacing(2 * SPACE)
        left.addWidget(_heading(tr("Start from a template")))
        self._cards.setSpacing(3 * SPACE)
        left.addLayout(self._cards)
        left.addStretch(1)
        halves.addLayout(left, 1)
        side = self._side = QWidget()
        lists = QVBoxLayout(side)
        lists.setContentsMargins(0, 0, 0, 0)
        lists.setSpacing(2 * SPACE)
        self._nothing.setProperty("role", "muted")
        self._nothing.setContentsMargins(2 * SPACE, 0, 0, 0)
        for title, rows in ((tr("Recent"), self._recent_list), (tr("Examples"), self._example_list)):
            rows.setSpacing(0)
            lists.addWidget(_heading(title))
            if rows is self._recent_list:
                lists.addWidget(self._nothing)
            lists.addLayout(rows)
            lists.addSpacing(3 * SPACE)
        lists.addStretch(1)
        halves.addWidget(side)
        column.addLayout(halves, 1)
        self.setWidget(inside)

    def _head(self) -> QHBoxLayout:
        name, words = QLabel("ETL Studio"), QLabel(tr("Build data pipelines on a canvas, run them, watch them live."))
        name.setProperty("role", "heading")
        words.setProperty("role", "muted")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(name)
        texts.addWidget(words)
        head = QHBoxLayout()
        head.setSpacing(3 * SPACE)
        head.addWidget(self._logo)
        head.addLayout(texts, 1)
        for button in (self.tour, self.open, self.new):
            head.addWidget(button)
        return head

    def _show(self, offered: Offered) -> None:
        self._offered = offered
        focused = self._focused_text()
        _clear(self._recent_list, self._example_list, self._cards)
        self.cards = [TemplateCard(one, self._registry, self._theme) for one in offered.templates]
        for card in self.cards:
            card.clicked.connect(self._choose_template)
        self.example_rows = [
            FileRow(self._theme, "layers", tr(one.title), tr(one.pipeline.description)) for one in offered.examples
        ]
        for row, one in zip(self.example_rows, offered.examples, strict=True):
            row.setProperty("path", str(one.path))
            row.clicked.connect(self._choose_example)
            self._example_list.addWidget(row)
        self.recent_rows = [self._recent_row(entry, offered.missing) for entry in self._recent.entries()]
        for row in self.recent_rows:
            self._recent_list.addWidget(row)
        self._nothing.setVisible(not self.recent_rows)
        self._columns = 0
        self._arrange()
        for choice in (*self.cards, *self.recent_rows, *self.example_rows):
            choice.show()  # a layout would show it only when the event loop turns
        self.widget().layout().activate()
        self._restore_focus(focused)
        self.filled.emit()

    def _show_failure(self, message: str) -> None:
        self._nothing.setText(tr("The templates cannot be read. {reason}", reason=message))

    def _recent_row(self, entry: RecentFile, missing: frozenset[Path]) -> FileRow:
        gone = entry.path in missing
        side = tr("not found") if gone else when(entry.opened, datetime.now().astimezone())
        name = entry.path.name.removesuffix(".etl.yaml")
        row = FileRow(
            self._theme, "file-text", name, short_folder(entry.path.parent), side, missing=gone, removable=True
        )
        row.setToolTip(str(entry.path))
        row.setProperty("path", str(entry.path))
        row.clicked.connect(self._choose_recent)
        row.removed.connect(self._remove_recent)
        return row

    def _arrange(self) -> None:
        """As many cards side by side as there is room for."""
        width = min(self.viewport().width() - 2 * GAP, self._theme.px(MOST_WIDTH)) - self._side.width() - GAP
        columns = max(1, min(3, (width + 3 * SPACE) // (self._theme.px(CARD_WIDTH) + 3 * SPACE)))
        each = (width - (columns - 1) * 3 * SPACE) // columns
        for card in self.cards:
            # In a scroll area Qt squeezes what wraps below the height that it needs.
            card.setMinimumHeight(card.heightForWidth(each))
        if columns == self._columns:
            return
        self._columns = columns
        for number, card in enumerate(self.cards):
            self._cards.addWidget(card, number // columns, number % columns)
        for column in range(3):
            self._cards.setColumnStretch(column, 1 if column < columns else 0)
        for before, after in zip(self._in_order(), self._in_order()[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def _in_order(self) -> list[QWidget]:
        return [*self.cards, *self.recent_rows, *self.example_rows, self.tour, self.open, self.new]

    def _neighbour(self, dx: int, dy: int) -> QWidget | None:
        """The nearest choice in a direction."""
        here = self.focusWidget()
        if here is None or here not in self._in_order():
            return self.first()
        start = here.mapTo(self.widget(), here.rect().center())
        best, nearest = None, float("inf")
        for other in self._in_order():
            way = other.mapTo(self.widget(), other.rect().center()) - start
            ahead, aside = (way.x() * dx, abs(way.y())) if dx else (way.y() * dy, abs(way.x()))
            if other is not here and ahead > 0 and ahead + 2 * aside < nearest and aside < 2 * ahead:
                best, nearest = other, ahead + 2 * aside
        return best

    def _focused_text(self) -> str:
        focused = self.focusWidget()
        return focused.accessibleName() if focused is not None and focused.hasFocus() else ""

    def _restore_focus(self, name: str) -> None:
        if name:
            same = [choice for choice in self._in_order() if choice.accessibleName() == name]
            (same[0] if same else self.first()).setFocus()

    def _choose_template(self) -> None:
        self.template_wanted.emit(self.sender().path)

    def _choose_example(self) -> None:
        self.example_wanted.emit(Path(self.sender().property("path")))

    def _choose_recent(self) -> None:
        if not self.sender().missing:
            self.file_wanted.emit(Path(self.sender().property("path")))

    def _remove_recent(self) -> None:
        self._recent.remove(Path(self.sender().property("path")))
        if self._offered is not None:
            self._show(self._offered)

    def _dress(self) -> None:
        self._body.setMaximumWidth(self._theme.px(MOST_WIDTH))
        self._side.setFixedWidth(self._theme.px(SIDE_WIDTH))
        self._arrange()
        self._logo.setPixmap(self._theme.pixmap("etl-studio", size=40))


def look(recent: Sequence[Path]) -> Offered:
    """Read what can be offered; called in a thread."""
    return Offered(templates(), examples(), frozenset(path for path in recent if not path.is_file()))


def when(time: datetime | None, now: datetime) -> str:
    """A time as people say it: ``14:03`` for today, ``Yesterday``, ``Tuesday``, ``3 Nov``."""
    if time is None:
        return ""
    days = (now.date() - time.date()).days
    if days <= 0:
        return f"{time:%H:%M}"
    if days == 1:
        return tr("Yesterday")
    if days < WEEK:
        return tr(DAYS[time.weekday()])
    day, month = time.day, tr(MONTHS[time.month - 1])
    if time.year == now.year:
        return tr("{day} {month}", day=day, month=month)
    return tr("{day} {month} {year}", day=day, month=month, year=time.year)


def short_folder(folder: Path) -> str:
    """A folder, the person's own one written as ``~``."""
    home = Path.home()
    return str(Path("~") / folder.relative_to(home)) if folder.is_relative_to(home) else str(folder)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "title")
    return label


def _clear(*layouts: QVBoxLayout | QGridLayout) -> None:
    for layout in layouts:
        while layout.count():
            widget = layout.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
