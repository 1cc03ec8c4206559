"""All that is known of one column, beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from etl_studio.ui.previews.figures import as_text, facts
from etl_studio.ui.previews.profile_header import paint_chart
from etl_studio.ui.quantities import count, percent
from etl_studio.ui.tables.cells import cell_text
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QPaintEvent

    from etl_studio.engine.profile import ColumnProfile
    from etl_studio.ui.theme.theme import Theme

WIDTH, CHART, LIST = 76 * SPACE, 16 * SPACE, 44 * SPACE


class ProfileCard(QFrame):
    """Opens below a column's header and closes at a click elsewhere, or at Escape.

    Args:
        profile: of the column.
        scope: of what it is, such as ``the first 200 rows``.
        theme: colours.
        parent: its parent.
    """

    def __init__(self, profile: ColumnProfile, scope: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "card")
        self.setFixedWidth(WIDTH)
        self._profile, self._scope = profile, scope
        name, kind, about = QLabel(profile.name), QLabel(profile.type), QLabel(tr("of {scope}", scope=scope))
        name.setProperty("role", "title")
        name.setTextFormat(Qt.TextFormat.PlainText)
        for label in (kind, about):
            label.setProperty("role", "muted")
        self.copy = QPushButton(theme.icon("copy"), tr("Copy"))
        self.copy.setToolTip(tr("Copy these facts and values as text"))
        self.copy.clicked.connect(self._on_copy)
        head = QHBoxLayout()
        head.setSpacing(2 * SPACE)
        head.addWidget(name)
        head.addWidget(kind)
        head.addStretch(1)
        head.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addLayout(head)
        column.addWidget(about)
        if profile.histogram is not None:
            column.addWidget(_Chart(profile, theme))
        column.addLayout(self._grid())
        if profile.top and profile.distinct < profile.values:
            column.addWidget(self._values(theme))

    def open_at(self, place: QPoint) -> None:
        """Open with the upper left corner at a point of the screen, or as near to it as the screen has room."""
        self.adjustSize()
        room = (QGuiApplication.screenAt(place) or self.screen()).availableGeometry()
        x = max(room.left(), min(place.x(), room.right() - self.width()))
        y = max(room.top(), min(place.y(), room.bottom() - self.height()))
        self.move(x, y)
        self.show()
        self.copy.setFocus()

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * SPACE)
        grid.setVerticalSpacing(SPACE)
        for number, (what, value) in enumerate(facts(self._profile)):
            label, shown = QLabel(what), QLabel(value)
            label.setProperty("role", "muted")
            shown.setTextFormat(Qt.TextFormat.PlainText)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            row, side = number // 2, 2 * (number % 2)
            grid.addWidget(label, row, side)
            grid.addWidget(shown, row, side + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _values(self, theme: Theme) -> QWidget:
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        for value, number in self._profile.top:
            column.addWidget(_Value(cell_text(value), number, self._profile, theme))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(rows)
        area.setFixedHeight(min(LIST, rows.sizeHint().height()))
        return area

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(as_text(self._profile, self._scope))
        self.close()


class _Chart(QWidget):
    def __init__(self, profile: ColumnProfile, theme: Theme) -> None:
        super().__init__()
        self._profile, self._theme = profile, theme
        self.setFixedHeight(CHART)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        paint_chart(painter, QRectF(self.rect()), self._profile, self._theme.tokens, 0)
        painter.end()


class _Value(QWidget):
    """A value, how often it is there, and a bar of that share behind it."""

    def __init__(self, text: str, number: int, profile: ColumnProfile, theme: Theme) -> None:
        super().__init__()
        self._text, self._number, self._theme = text, number, theme
        self._share = number / profile.values
        self._most = profile.top[0][1] / profile.values
        self.setFixedHeight(6 * SPACE)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        tokens = self._theme.tokens
        painter = QPainter(self)
        bar = QRectF(self.rect())
        bar.setWidth(bar.width() * self._share / self._most)
        painter.fillRect(bar, QColor(mix(tokens.transform, tokens.surface, 0.16)))
        room = self.rect().adjusted(2 * SPACE, 0, -2 * SPACE, 0)
        figures = f"{count(self._number)}   {percent(self._share)}"
        metrics = self.fontMetrics()
        painter.setPen(QColor(tokens.text_muted))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), figures)
        room.setRight(room.right() - metrics.horizontalAdvance(figures) - 2 * SPACE)
        painter.setPen(QColor(tokens.text))
        shown = metrics.elidedText(self._text or '""', Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()
