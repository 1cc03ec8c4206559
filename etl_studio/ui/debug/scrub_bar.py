"""The bar under which a recorded run is looked at again: a slider over its moments, and keys as of a player."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QSlider, QToolButton, QWidget

from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from etl_studio.ui.theme.theme import Theme

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Of the time that the run took."""
KEYS = N_("Left and Right step, Home and End go to the ends, Space plays, Escape leaves.")


class ScrubBar(QFrame):
    """Hidden while no recorded run is open.

    Signals:
        moved: how many moments have been.
        play_wanted: play, or pause.
        left: a person is done with it.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    moved = Signal(int)
    play_wanted = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("scrub_bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Recorded run"))
        self.setAccessibleDescription(tr(KEYS))
        self._picture, self.words = QLabel(self), QLabel(self)
        self.words.setMinimumWidth(1)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setToolTip(tr(KEYS))
        self.slider.valueChanged.connect(self.moved)
        self.speed = QComboBox(self)
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed.setAccessibleName(tr("Speed"))
        self.speed.addItems([f"{speed:g}x" for speed in SPEEDS])
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.back, self.play, self.forward, self.close_button = (QToolButton(self) for _ in range(4))
        for button, tip, act in (
            (self.back, tr("One moment back (Left)"), self._step_back),
            (self.play, tr("Play or pause (Space)"), self.play_wanted),
            (self.forward, tr("One moment forward (Right)"), self._step_forward),
            (self.close_button, tr("Leave the recorded run (Escape)"), self.left),
        ):
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(act)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * SPACE, SPACE, 2 * SPACE, SPACE)
        layout.setSpacing(2 * SPACE)
        for widget in (self._picture, self.back, self.play, self.forward):
            layout.addWidget(widget)
        layout.addWidget(self.slider, 3)
        layout.addWidget(self.words, 2)
        layout.addWidget(self.speed)
        layout.addWidget(self.close_button)
        self._playing = False
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    @property
    def factor(self) -> float:
        """How fast it plays."""
        return SPEEDS[self.speed.currentIndex()]

    def open_at(self, position: int, moments: int) -> None:
        """Be there, with so many moments."""
        self.slider.setRange(0, moments)
        self.slider.setValue(position)
        self.show()
        self.setFocus()

    def show_playing(self, *, playing: bool) -> None:
        """Show whether it plays."""
        self._playing = playing
        self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {
            Qt.Key.Key_Left: self._step_back,
            Qt.Key.Key_Right: self._step_forward,
            Qt.Key.Key_Home: self._go_first,
            Qt.Key.Key_End: self._go_last,
            Qt.Key.Key_Space: self.play_wanted.emit,
            Qt.Key.Key_Escape: self.left.emit,
        }
        if (act := keys.get(event.key())) is not None:
            act()
        else:
            super().keyPressEvent(event)

    def _step_back(self) -> None:
        self.slider.setValue(self.slider.value() - 1)

    def _step_forward(self) -> None:
        self.slider.setValue(self.slider.value() + 1)

    def _go_first(self) -> None:
        self.slider.setValue(0)

    def _go_last(self) -> None:
        self.slider.setValue(self.slider.maximum())

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._picture.setPixmap(self._theme.pixmap("history", tokens.info, 18))
        for button, icon in (
            (self.back, "chevron-left"),
            (self.play, "pause" if self._playing else "play"),
            (self.forward, "chevron-right"),
            (self.close_button, "x"),
        ):
            button.setIcon(self._theme.icon(icon))
        ground = mix(tokens.info, tokens.surface, 0.1)
        self.setStyleSheet(f"#scrub_bar {{ background: {ground}; border-bottom: 1px solid {tokens.border}; }}")
