"""The way from an outer pipeline to the one on the screen: a line of names above the canvas that lead back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from etl_studio.ui.run.controller import RunController
    from etl_studio.ui.theme.theme import Theme


@dataclass(frozen=True, slots=True)
class Crumb:
    """A pipeline on the way, and the node in it that leads on.

    Attributes:
        name: of the pipeline.
        runs: runs it.
        page: where it was open.
        path: its file, if it has one.
        node: id of the sub-pipeline in it.
    """

    name: str
    runs: RunController
    page: QWidget
    path: Path | None
    node: str


class Trail(QFrame):
    """Outer pipelines, and the name of the one that is shown; hidden where there are none.

    Args:
        theme: icons.
        parent: its parent.

    Attributes:
        crumbs: the outer pipelines, the outermost first.
        buttons: one for each.
        wanted: a person wants to go back to a pipeline (a ``Crumb``).
    """

    wanted = Signal(object)
    changed = Signal()
    """It shows another way."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.crumbs: tuple[Crumb, ...] = ()
        self.buttons: list[QPushButton] = []
        self._arrows: list[QLabel] = []
        self.setProperty("role", "bar")
        self.setAccessibleName(tr("Way to this pipeline"))
        self._here = QLabel(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2 * SPACE, SPACE, 3 * SPACE, SPACE)
        self._row.setSpacing(SPACE)
        self._row.addWidget(self._here)
        self._row.addStretch(1)
        theme.changed.connect(self._dress)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return " ▸ ".join([*(button.text() for button in self.buttons), self._here.text()])

    def show_way(self, crumbs: Sequence[Crumb], here: str) -> None:
        """Show the way to a pipeline.

        Args:
            crumbs: the outer pipelines, the outermost first; none: nothing is shown.
            here: title of the sub-pipeline that is on the screen.
        """
        self.crumbs = tuple(crumbs)
        for widget in (*self.buttons, *self._arrows):
            self._row.removeWidget(widget)
            widget.deleteLater()
        self.buttons, self._arrows = [], []
        for number, crumb in enumerate(self.crumbs):
            button = QPushButton(crumb.name, self)
            button.setProperty("role", "link")
            button.setToolTip(tr("Back to {pipeline}", pipeline=crumb.path or crumb.name))
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(partial(self._go, number))
            arrow = QLabel(self)
            self._row.insertWidget(2 * number, button)
            self._row.insertWidget(2 * number + 1, arrow)
            self.buttons.append(button)
            self._arrows.append(arrow)
        self._here.setText(here)
        self._dress()
        self.setVisible(bool(self.crumbs))
        self.changed.emit()

    def _go(self, number: int, checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's signature
        del checked
        self.wanted.emit(self.crumbs[number])

    def _dress(self) -> None:
        for arrow in self._arrows:
            arrow.setPixmap(self._theme.icon("chevron-right", self._theme.tokens.text_muted).pixmap(14, 14))
