"""The line above the rows of a preview: what they are, and what can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from etl_studio.app.previews import ROWS
from etl_studio.ui.forms.buttons import IconButton
from etl_studio.ui.previews.segments import Segments
from etl_studio.ui.quantities import rows
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from etl_studio.ui.theme.theme import Theme

SIZES = (ROWS, 1_000, 10_000)
OUT, BOTH = "out", "both"
PIN, UNPIN = N_("Pin these rows: previews use them, runs do not"), N_("Unpin: let the node run again")
BUSY_WIDTH = 20 * SPACE


class PreviewBar(QWidget):
    """Title and state on the left, choices and actions on the right.

    Signals:
        port_chosen: name of an output port.
        view_chosen: ``OUT`` or ``BOTH``.
        rows_chosen: how many rows to read of each source.
        pin_wanted: a person wants the rows to be pinned, or not to be any more.
        test_wanted: a person wants a test of these rows.
        refreshed: a person wants everything to be read again.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    port_chosen = Signal(str)
    view_chosen = Signal(str)
    rows_chosen = Signal(int)
    pin_wanted = Signal()
    test_wanted = Signal()
    refreshed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.title, self.state = QLabel(self), QLabel(self)
        self.title.setProperty("role", "title")
        self.state.setProperty("role", "muted")
        # Long words must not make the window wider.
        self.state.setMinimumWidth(1)
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(BUSY_WIDTH)
        self.ports = Segments(tr("Port"), self)
        self.views = Segments(tr("Which rows"), self)
        self.size = QComboBox(self)
        self.size.setToolTip(tr("Rows that are read of each source"))
        self.size.setAccessibleName(self.size.toolTip())
        for size in SIZES:
            self.size.addItem(rows(size), size)
        self.charts = IconButton(theme, "bar-chart", tr("Profile of the columns above the rows"), self)
        self.charts.setCheckable(True)
        self.charts.setChecked(True)
        self.pin = IconButton(theme, "pin", tr(PIN), self)
        self.pin.setCheckable(True)
        self.test = IconButton(theme, "flask", tr("Make a test: these rows must come of those before"), self)
        self.refresh = QPushButton(tr("Refresh"), self)
        self.ports.chosen.connect(self.port_chosen)
        self.views.chosen.connect(self.view_chosen)
        self.size.activated.connect(self._on_size)
        self.pin.clicked.connect(self.pin_wanted)
        self.test.clicked.connect(self.test_wanted)
        self.refresh.clicked.connect(self.refreshed)
        theme.changed.connect(self._dress)
        self._lay_out()
        self._dress()

    def tell(self, text: str, role: str = "muted", *, busy: bool = False) -> None:
        """Say how things stand."""
        self.state.setText(text)
        self.state.setToolTip(text)
        set_role(self.state, role)
        self.busy.setVisible(busy)

    def show_pin(self, *, possible: bool, pinned: bool) -> None:
        """Whether rows can be pinned, and whether they are."""
        self.pin.setVisible(possible or pinned)
        self.pin.setChecked(pinned)
        self.pin.setToolTip(tr(UNPIN if pinned else PIN))
        self.pin.setAccessibleName(self.pin.toolTip())

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        row.setSpacing(3 * SPACE)
        row.addWidget(self.title)
        row.addWidget(self.state, 1)
        for widget in (self.busy, self.ports, self.views, self.charts, self.pin, self.test, self.size, self.refresh):
            row.addWidget(widget)
        self.row = row

    def _on_size(self, index: int) -> None:
        self.rows_chosen.emit(self.size.itemData(index))

    def _dress(self) -> None:
        self.refresh.setIcon(self._theme.icon("refresh"))
