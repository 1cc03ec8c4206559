"""The ways of a replay: into the node where rows failed, or out of their source through every node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMenu, QWidget, QWidgetAction

from etl_studio.ui.quantities import count
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.panels.letter_work import Ways
    from etl_studio.ui.theme.theme import Theme

WIDTH = 120 * SPACE


class ReplayMenu(QMenu):
    """Offers both ways; where letters cannot be given out of their source it says why.

    Args:
        ways: of the letters.
        theme: icons.
        into: replays all of them into the node where they failed.
        whole: gives those that can out of their source.
        parent: its parent.

    Attributes:
        reason: the text below the entries; None where all is possible.
    """

    def __init__(
        self,
        ways: Ways,
        theme: Theme,
        into: Callable[[], object],
        whole: Callable[[], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.reason: QLabel | None = None
        into_text, whole_text = tr("Into the node where they failed"), tr("Out of the source, through every node")
        if 0 < len(ways.whole) < len(ways.ids):
            some, number = count(len(ways.whole)), count(len(ways.ids))
            whole_text = tr("Out of the source, through every node ({some} of {number})", some=some, number=number)
        first = self.addAction(theme.icon("repeat"), f"{into_text}\tCtrl+Return")
        second = self.addAction(theme.icon("history"), f"{whole_text}\tCtrl+Shift+Return")
        first.triggered.connect(into)
        second.triggered.connect(whole)
        second.setEnabled(bool(ways.whole))
        if ways.why_not:
            reason = tr("Not the others: {reason}", reason=ways.why_not) if ways.whole else ways.why_not
            self.reason = QLabel(reason, self)
            self.reason.setTextFormat(Qt.TextFormat.PlainText)
            self.reason.setProperty("role", "muted")
            self.reason.setWordWrap(True)
            self.reason.setFixedWidth(WIDTH)
            self.reason.setContentsMargins(8 * SPACE, 0, 3 * SPACE, 2 * SPACE)
            below = QWidgetAction(self)
            below.setDefaultWidget(self.reason)
            self.addAction(below)
