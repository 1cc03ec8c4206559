"""The list of problems of the pipeline; a click leads to the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.pipeline.problems import Problem
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

PROBLEM = Qt.ItemDataRole.UserRole
ICON = 16
_NOWHERE = QModelIndex()
_ICONS = {"error": "alert-circle", "warning": "alert-triangle"}
_TEXTS = {"error": N_("error: {problem}"), "warning": N_("warning: {problem}")}


class ProblemsModel(QAbstractListModel):
    """Problems, errors first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problems: list[Problem] = []

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show other problems."""
        self.beginResetModel()
        self.problems = sorted(problems, key=_rank)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.problems)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        problem = self.problems[index.row()]
        if role == PROBLEM:
            return problem
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return tr(_TEXTS[problem.severity], problem=problem)
        return None


class ProblemDelegate(QStyledItemDelegate):
    """Draws a problem in two lines: what is wrong; where, and what to do.

    Args:
        theme: colours and icons.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        del index
        return QSize(0, 2 * option.fontMetrics.height() + 4 * SPACE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        problem: Problem = index.data(PROBLEM)
        tokens = self._theme.tokens
        shape = QStyleOptionViewItem(option)
        self.initStyleOption(shape, index)
        shape.text = ""
        style = shape.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shape, painter, shape.widget)
        box: QRect = option.rect.adjusted(3 * SPACE, SPACE, -3 * SPACE, -SPACE)
        colour = tokens.danger if problem.severity == "error" else tokens.warning
        picture = self._theme.pixmap(_ICONS[problem.severity], colour, ICON)
        painter.drawPixmap(box.left(), box.top() + SPACE, picture)
        measure, line = option.fontMetrics, option.fontMetrics.height()
        left = box.left() + ICON + 3 * SPACE
        width = box.right() - left
        place = ", ".join(part for part in (problem.node, problem.field) if part)
        rows = ((problem.message, tokens.text), ("   ".join(filter(None, (place, problem.hint))), tokens.text_muted))
        painter.save()
        painter.setFont(option.font)
        top = box.top() + SPACE
        for text, ink in rows:
            painter.setPen(QColor(ink))
            shown = measure.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, shown)
            top += line
        painter.restore()


class ProblemsPanel(QFrame):
    """Shows what is wrong with the pipeline.

    Signals:
        node_requested: id of a node, and the path of its setting such as ``config.where`` (may be empty).

    Args:
        document: whose problems are shown.
        theme: colours and icons.
        parent: its parent.
    """

    node_requested = Signal(str, str)

    def __init__(self, document: PipelineDocument, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._document = document
        self.model = ProblemsModel(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(ProblemDelegate(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(tr("Problems"))
        self.notice = Notice(theme, self)
        self.notice.tell("check-circle", tr("No problems"), tr("This pipeline is ready to run."))
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.list)
        self.list.clicked.connect(self._go)
        self.list.activated.connect(self._go)
        theme.changed.connect(self.list.viewport().update)
        document.problems_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        self.model.show_problems(self._document.problems)
        self._pages.setCurrentWidget(self.list if self._document.problems else self.notice)

    def _go(self, index: QModelIndex) -> None:
        problem = self.model.problems[index.row()]
        if problem.node is not None:
            self.node_requested.emit(problem.node, problem.field or "")


def _rank(problem: Problem) -> bool:
    return problem.severity != "error"
