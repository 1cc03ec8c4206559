"""One small multiple: a title, the value of now in large, and a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from etl_studio.ui.charts.plots import TimePlot


ROOMY = 270
"""From this width on there is room for the remark beside the value, in pixels."""


class ChartCard(QWidget):
    """A plot with its title and its value of now.

    Args:
        title: what is drawn.
        tip: how to read it.
        plot: the plot.
    """

    def __init__(self, title: str, tip: str, plot: TimePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = plot
        self._title = QLabel(title)
        self._title.setProperty("role", "overline")
        self._title.setToolTip(tip)
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._value = QLabel()
        self._value.setProperty("role", "title")
        # A long word must not make one chart wider than its neighbours.
        self._title.setMinimumWidth(1)
        self._note.setMinimumWidth(1)
        head = self._head = QHBoxLayout()
        head.setSpacing(2 * SPACE)
        head.addWidget(self._title, 1)
        head.addWidget(self._note)
        head.addWidget(self._value)
        for label in (self._title, self._note, self._value):
            label.setAlignment(Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(plot, 1)

    @property
    def value(self) -> str:
        """The value of now, as shown."""
        return self._value.text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._note.setVisible(self.width() >= ROOMY)
        self._make_room()

    def set_value(self, text: str, note: str = "") -> None:
        """Show the value of now, and a smaller remark before it."""
        self._value.setText(text)
        self._note.setText(note)
        self._make_room()

    def _make_room(self) -> None:
        """Put the value below the title where both do not fit side by side, as with large texts."""
        needed = sum(label.sizeHint().width() + 2 * SPACE for label in (self._title, self._value))
        narrow = needed > self.width()
        self._head.setDirection(QHBoxLayout.Direction.TopToBottom if narrow else QHBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(0 if narrow else 2 * SPACE)
