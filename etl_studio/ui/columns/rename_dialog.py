"""Asks for the new name of a column, and shows everything that changes before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.pipeline.renaming import Change
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.forms.text import Line
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.pipeline.renaming import FileChange, Renaming
    from etl_studio.ui.theme.theme import Theme

CHANGE = Qt.ItemDataRole.UserRole
QUIET = 150
"""Milliseconds without a keystroke before the changes are looked for."""
_Index = QModelIndex | QPersistentModelIndex


class ChangeLine(QStyledItemDelegate):
    """Draws a change: what goes in red, what comes in green, the rest as it is.

    Args:
        theme: colours and the fixed-width font.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), 6 * SPACE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        change = index.data(CHANGE)
        super().paint(painter, option, index)
        if change is None:
            return
        tokens = self._theme.tokens
        painter.save()
        font = painter.font()
        font.setFamily(self._theme.mono)
        painter.setFont(font)
        measure, x = painter.fontMetrics(), option.rect.left() + SPACE
        for text, ink in pieces(change.before, change.after):
            colour = {"old": tokens.danger, "new": tokens.success}.get(ink, tokens.text_muted)
            painter.setPen(QColor(colour))
            shown = measure.elidedText(text, Qt.TextElideMode.ElideRight, max(option.rect.right() - x, 0))
            room = QRect(x, option.rect.top(), max(option.rect.right() - x, 0), option.rect.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            if ink == "old":
                width = measure.horizontalAdvance(shown)
                middle = option.rect.center().y() + 1
                painter.drawLine(x, middle, x + width, middle)
            x += measure.horizontalAdvance(shown)
        painter.restore()


def pieces(before: str, after: str) -> list[tuple[str, str]]:
    """A change in parts: ``same``, ``old`` and ``new`` words of the text, with little of what stays around them."""
    from difflib import SequenceMatcher

    from etl_studio.pipeline.sql_words import words

    ones, others = ([text[w.start : w.end] for w in words(text)] for text in (before, after))
    spans = [(w.start, w.end) for w in words(before)]
    new_spans = [(w.start, w.end) for w in words(after)]
    found: list[tuple[str, str]] = []
    at = 0
    for kind, i, j, k, m in SequenceMatcher(None, ones, others, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        start = spans[i][0] if i < len(spans) else len(before)
        found.append((_short(before[at:start], first=not found), "same"))
        if j > i:
            found.append((before[start : spans[j - 1][1]], "old"))
            at = spans[j - 1][1]
        else:
            at = start
        if m > k:
            found.append((after[new_spans[k][0] : new_spans[m - 1][1]], "new"))
    found.append((_short(before[at:], last=True), "same"))
    return [(" ".join(text.split("\n")), ink) for text, ink in found if text]


_AROUND = 16


def _short(text: str, *, first: bool = False, last: bool = False) -> str:
    if first and len(text) > _AROUND:
        return f"…{text[-_AROUND:]}"
    if last and len(text) > _AROUND:
        return f"{text[:_AROUND]}…"
    return text if len(text) <= 2 * _AROUND else f"{text[:_AROUND]}…{text[-_AROUND:]}"


TITLES = {"column": N_("Rename column"), "parameter": N_("Rename parameter"), "node": N_("Rename node")}
KINDS = {"column": N_("Column"), "parameter": N_("Parameter"), "node": N_("Node")}


class RenameDialog(QDialog):
    """Shows what a new name changes, as it is typed.

    Args:
        old: the old name.
        find: finds what must change for a new name; called in a thread.
        titles: what nodes are called for people, by id.
        theme: colours.
        what: what is renamed: ``column``, ``parameter`` or ``node``.
        new: a name to begin with.
        parent: its parent.

    Attributes:
        renaming: what must change, once it is known.
    """

    def __init__(  # noqa: PLR0913 - what a question needs
        self,
        old: str,
        find: Callable[[str], Renaming],
        titles: Mapping[str, str],
        theme: Theme,
        what: str = "column",
        new: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr(TITLES[what]))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 480)
        self.old = old
        self._find, self._titles, self._what = find, titles, what
        self.renaming: Renaming | None = None
        self.name = Line(self)
        self.name.setAccessibleName(tr("New name"))
        self.name.setText(new or old)
        self.name.selectAll()
        self.summary = QLabel(self)
        self.summary.setProperty("role", "muted")
        self.tree = QTreeWidget(self)
        self.tree.setHeaderLabels([tr("Place"), tr("Change")])
        self.tree.setAccessibleName(tr("Changes"))
        self.tree.setUniformRowHeights(True)
        self.tree.setItemDelegateForColumn(1, ChangeLine(theme, self.tree))
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.SingleSelection)
        self.obstacles, self.doubts = problem_label(self), problem_label(self)
        self.doubts.setProperty("role", "warning")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.rename = self.buttons.addButton(tr("Rename"), QDialogButtonBox.ButtonRole.AcceptRole)
        set_role(self.rename, "primary")
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self.look)
        self._fetcher = Fetcher(self)
        self._lay_out()
        self._connect()
        self.name.setFocus()
        self._on_typed()

    @property
    def new(self) -> str:
        """The name that is typed."""
        return self.name.text().strip()

    @property
    def chosen(self) -> list[Change]:
        """The changes that have a check mark."""
        return [
            change
            for item in self._items()
            if isinstance(change := item.data(1, CHANGE), Change) and item.checkState(0) == Qt.CheckState.Checked
        ]

    def look(self) -> None:
        """Find the changes for what is typed."""
        self._quiet.stop()
        find, new = self._find, self.new
        if new not in ("", self.old):
            self._fetcher.ask(lambda: find(new))

    def done(self, result: int) -> None:
        self._fetcher.close()
        super().done(result)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(2 * SPACE)
        old = QLabel(self.old, self)
        old.setProperty("role", "code")
        old.setTextFormat(Qt.TextFormat.PlainText)
        form.addRow(tr(KINDS[self._what]), old)
        form.addRow(tr("New name"), self.name)
        line = QHBoxLayout()
        line.addWidget(self.summary, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addLayout(form)
        column.addWidget(self.obstacles)
        column.addWidget(self.doubts)
        column.addLayout(line)
        column.addWidget(self.tree, 1)
        column.addWidget(self.buttons)

    def _connect(self) -> None:
        self.name.textEdited.connect(self._on_typed)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self._refuse)
        self.tree.itemChanged.connect(self._count)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _on_typed(self) -> None:
        self.renaming = None
        self.rename.setEnabled(False)
        self._fetcher.cancel()
        if self.new in ("", self.old):
            self._quiet.stop()
            self.tree.clear()
            show_problem(self.obstacles, [])
            show_problem(self.doubts, [])
            self.summary.setText(tr("Type a new name, and everything that changes with it is listed here."))
        else:
            self._quiet.start()

    def _refuse(self, message: str) -> None:
        self.tree.clear()
        show_problem(self.doubts, [])
        show_problem(self.obstacles, [message])
        self.summary.setText("")

    def _show(self, renaming: Renaming) -> None:
        self.renaming = renaming
        show_problem(self.obstacles, renaming.obstacles)
        show_problem(self.doubts, renaming.doubts)
        self.tree.blockSignals(True)
        self.tree.clear()
        for insertion in renaming.insertions:
            names = ", ".join(f"{old} → {new}" for old, new in insertion.names.items())
            self._head(tr("New node Select behind {node}", node=self._title(insertion.behind)), names)
        for node, more in renaming.extensions.items():
            names = ", ".join(f"{old} → {new}" for old, new in more.items())
            self._head(self._title(node), tr("Renames {names}", names=names))
        heads: dict[tuple[str, bool], QTreeWidgetItem] = {}
        for change in renaming.changes:
            key = (change.node, change.section == "note")
            if key not in heads:
                heads[key] = self._head(tr("Note {note}", note=change.node) if key[1] else self._title(change.node))
            self._add(heads[key], change)
        for file in renaming.files:
            key = (file.place, False)
            if key not in heads:
                heads[key] = self._head(tr("Test {test}", test=file.place))
            self._add_file(heads[key], file)
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.tree.setColumnWidth(0, min(self.tree.columnWidth(0) + 4 * SPACE, 300))
        self.tree.blockSignals(False)
        self._count()

    def _head(self, text: str, change: str = "") -> QTreeWidgetItem:
        item = QTreeWidgetItem(self.tree, [text, change])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        return item

    def _add(self, head: QTreeWidgetItem, change: Change) -> None:
        place = " > ".join(str(int(part) + 1) if part.isdecimal() else part for part in change.path)
        item = QTreeWidgetItem(head, [place if change.is_sure else tr("{place} (look at it)", place=place), ""])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
        checked = change.is_sure or change.section != "note"
        item.setCheckState(0, Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
        self._show_change(item, change)

    def _show_change(self, item: QTreeWidgetItem, change: Change | FileChange) -> None:
        item.setData(1, CHANGE, change)
        words = tr("{before} becomes {after}", before=change.before, after=change.after)
        item.setData(1, Qt.ItemDataRole.AccessibleTextRole, words)
        item.setToolTip(1, f"{change.before}\n→\n{change.after}")

    def _add_file(self, head: QTreeWidgetItem, file: FileChange) -> None:
        item = QTreeWidgetItem(head, [tr("name of its file") if "\n" not in file.before else "case.yaml", ""])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self._show_change(item, file)

    def _items(self) -> list[QTreeWidgetItem]:
        heads = [self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount())]
        return [head.child(number) for head in heads for number in range(head.childCount())]

    def _count(self, *_: Any) -> None:
        if self.renaming is None:
            return
        changes, all_ = len(self.chosen), len(self.renaming.changes)
        renaming = self.renaming
        more = len(renaming.insertions) + len(renaming.extensions)
        files = len(renaming.files)
        nodes = len({change.node for change in self.renaming.changes})
        counts = {
            "changes": trn("{count} change", "{count} changes", changes + more),
            "nodes": trn("{count} node", "{count} nodes", nodes + more),
        }
        text = tr("{changes} in {nodes}.", **counts)
        if all_ > changes:
            text = tr("{changes} in {nodes}, {left} left out.", **counts, left=all_ - changes)
        if files:
            text += " " + trn("{count} change in tests.", "{count} changes in tests.", files)
        elif renaming.nodes and not all_:
            text = tr("Nothing else mentions it.")
        self.summary.setText(text)
        named = len(renaming.parameters) + len(renaming.nodes)
        self.rename.setEnabled(not renaming.obstacles and bool(changes + more + named))

    def _title(self, node: str) -> str:
        return self._titles.get(node, node)
