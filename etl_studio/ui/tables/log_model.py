"""The lines of a log: a bounded ring with filters, fed in batches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.engine.events import LogWritten
    from etl_studio.ui.theme.theme import Theme

LIMIT = 50_000
LEVELS = ("debug", "info", "warning", "error")
TITLES = (N_("Time"), N_("Level"), N_("Node"), N_("Message"))
TIME, LEVEL, NODE, MESSAGE = range(4)
_NOWHERE = QModelIndex()


class LogModel(QAbstractTableModel):
    """The last lines of a log; the oldest are dropped past the limit.

    Args:
        theme: gives the colours of levels.
        parent: its parent.
        limit: how many lines are kept.

    Attributes:
        shown: the lines that pass the filters, oldest first.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None, *, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self._theme, self._limit = theme, limit
        self._lines: list[LogWritten] = []
        self._level, self._node, self._text = 0, "", ""
        self.shown: list[LogWritten] = []

    def append(self, lines: Sequence[LogWritten]) -> None:
        """Add lines at the end."""
        self._lines += lines
        over = len(self._lines) - self._limit
        if over > 0:
            gone = {id(line) for line in self._lines[:over]}
            del self._lines[:over]
            dropped = next((i for i, line in enumerate(self.shown) if id(line) not in gone), len(self.shown))
            if dropped:
                self.beginRemoveRows(_NOWHERE, 0, dropped - 1)
                del self.shown[:dropped]
                self.endRemoveRows()
        new = [line for line in lines[-self._limit :] if self._passes(line)]
        if new:
            self.beginInsertRows(_NOWHERE, len(self.shown), len(self.shown) + len(new) - 1)
            self.shown += new
            self.endInsertRows()

    def clear(self) -> None:
        """Drop every line."""
        self._lines = []
        self._filter_again()

    def show_only(self, *, level: str = "debug", node: str = "", text: str = "") -> None:
        """Show lines of this level or worse, of this node (empty: of all), holding this text in any case."""
        wanted = (LEVELS.index(level), node, text.casefold())
        if wanted != (self._level, self._node, self._text):
            self._level, self._node, self._text = wanted
            self._filter_again()

    def text(self, line: LogWritten) -> str:
        """A line as text, for the clipboard."""
        return "  ".join((_clock(line.at), line.level.upper(), line.node or "-", message(line)))

    def _filter_again(self) -> None:
        self.beginResetModel()
        self.shown = [line for line in self._lines if self._passes(line)]
        self.endResetModel()

    def _passes(self, line: LogWritten) -> bool:
        if _rank(line.level) < self._level or (self._node and line.node != self._node):
            return False
        return not self._text or self._text in message(line).casefold() or self._text in (line.node or "").casefold()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, column = self.shown[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (_clock(line.at), line.level, line.node or "", message(line).replace("\n", " ⏎ "))[column]
        if role == Qt.ItemDataRole.ForegroundRole:
            tokens = self._theme.tokens
            if column == MESSAGE:
                return QColor(tokens.text)
            bad = {"warning": tokens.warning, "error": tokens.danger}
            return QColor(bad.get(line.level, tokens.text_muted) if column == LEVEL else tokens.text_muted)
        if role == Qt.ItemDataRole.ToolTipRole and column == MESSAGE:
            return message(line)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(TITLES[section])
        return None


def message(line: LogWritten) -> str:
    """The message with its facts."""
    facts = ", ".join(f"{name}={value}" for name, value in line.facts.items())
    return f"{line.message} ({facts})" if facts else line.message


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 1


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
