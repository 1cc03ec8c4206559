"""The strip over the canvas while a run is halted: where, at which row, and the ways to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from etl_studio.ui.actions import default_keys, shown_key
from etl_studio.ui.debug.breakpoints import shown_place
from etl_studio.ui.quantities import count
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeySequence

    from etl_studio.engine.events import Halted
    from etl_studio.ui.theme.theme import Theme

BUTTONS = (
    ("debug_continue", N_("Continue"), "play", N_("Go on to the next breakpoint")),
    ("debug_step_row", N_("Step row"), "step-row", N_("Let this row pass and halt before the next one")),
    (
        "debug_step_batch",
        N_("Step batch"),
        "step-batch",
        N_("Let the rest of the batch pass and halt before the next"),
    ),
    ("debug_to_end", N_("Run to end"), "fast-forward", N_("Halt no more")),
)
"""Action, text, icon and what it does."""


class HaltStrip(QFrame):
    """Hidden while nothing is halted.

    Signals:
        wanted: the action of a button that was clicked.
        other_wanted: a person wants to see the next one of several halts.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    wanted = Signal(str)
    other_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("halt_strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._picture, self.words, self.facts = QLabel(self), QLabel(self), QLabel(self)
        self.facts.setProperty("role", "muted")
        for label in (self.words, self.facts):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setMinimumWidth(1)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.other = QPushButton(self)
        self.other.setProperty("role", "link")
        self.other.setToolTip(tr("Another batch is halted, too: look at it"))
        self.other.clicked.connect(self.other_wanted)
        self.buttons: dict[str, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * SPACE, SPACE, 2 * SPACE, SPACE)
        layout.setSpacing(2 * SPACE)
        for widget in (self._picture, self.words):
            layout.addWidget(widget)
        layout.addWidget(self.facts, 1)
        layout.addWidget(self.other)
        for name, text, _, _ in BUTTONS:
            button = self.buttons[name] = QPushButton(tr(text), self)
            button.setObjectName(name)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they were
            button.clicked.connect(self._on_clicked)
            layout.addWidget(button)
        self.show_keys(default_keys)
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    def show_keys(self, keys: Callable[[str], list[QKeySequence]]) -> None:
        """Name the keys of the buttons in their tool tips.

        Args:
            keys: those of an action, by its name.
        """
        for name, _, _, tip in BUTTONS:
            key = shown_key(keys(name))
            self.buttons[name].setToolTip(f"{tr(tip)} ({key})" if key else tr(tip))

    def show_halt(self, halt: Halted | None, title: str = "", number: int = 1, halts: int = 1) -> None:
        """Tell of a halt; None: there is none.

        Args:
            halt: where.
            title: of its node.
            number: which one it is, from 1.
            halts: how many there are.
        """
        self.setVisible(halt is not None)
        if halt is None:
            return
        self.words.setText(
            tr("Halted before {node}", node=title) if halt.wire else tr("Halted behind {node}", node=title)
        )
        where = {"batch": count(halt.batch), "row": count(halt.row + 1), "total": count(halt.rows)}
        self.facts.setText(halt.problem or tr("batch {batch}, row {row} of {total}", **where))
        self.facts.setToolTip(halt.problem or shown_place(halt.place))
        self.other.setText(tr("{number} of {total}", number=number, total=halts))
        self.other.setVisible(halts > 1)

    def _on_clicked(self) -> None:
        self.wanted.emit(self.sender().objectName())

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._picture.setPixmap(self._theme.pixmap("pause", tokens.warning, 18))
        for name, _, icon, _ in BUTTONS:
            self.buttons[name].setIcon(self._theme.icon(icon))
        self.words.setStyleSheet("font-weight: 600;")
        ground = mix(tokens.warning, tokens.surface, 0.12)
        self.setStyleSheet(f"#halt_strip {{ background: {ground}; border-bottom: 1px solid {tokens.border}; }}")
