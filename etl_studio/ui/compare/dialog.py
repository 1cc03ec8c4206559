"""A dialog that shows two versions of a pipeline on one canvas, beside the list of what differs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from etl_studio.pipeline.diff_union import SIGNS
from etl_studio.pipeline.diff_words import summary
from etl_studio.ui.compare.canvas import CompareCanvas
from etl_studio.ui.compare.marks import colour
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from etl_studio.pipeline.diff_union import Difference, Union
    from etl_studio.sdk import Registry
    from etl_studio.ui.theme.theme import Theme

SIZE = (1200, 760)
SIDE = 85 * SPACE
WORDS = {"added": N_("added"), "removed": N_("removed"), "changed": N_("changed"), "moved": N_("only moved")}
THINGS = {
    "pipeline": N_("pipeline"),
    "parameter": N_("parameter"),
    "node": N_("node"),
    "wire": N_("wire"),
    "group": N_("group"),
    "note": N_("note"),
}
"""What can differ."""


class CompareDialog(QDialog):
    """Shows what differs. F8 and Shift+F8 go from one difference to the next.

    Args:
        union: both versions.
        titles: what the earlier and the later version are called.
        registry: the node types.
        theme: colours and icons.
        parent: the window.
        accept: text of a button that does something with what is seen, such as ``Restore``; none without a text.

    Signals:
        agreed: that button was clicked.
    """

    agreed = Signal()

    def __init__(  # noqa: PLR0913 - two versions, their names, and where they are shown
        self,
        union: Union,
        titles: tuple[str, str],
        registry: Registry,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        accept: str = "",
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{titles[0]} → {titles[1]}")
        self.setSizeGripEnabled(True)
        self.union = union
        self._theme = theme
        self.canvas = CompareCanvas(union, registry, theme, self)
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Differences"))
        self.details = QTextBrowser(self)
        self.details.setAccessibleName(tr("Settings before and after"))
        self.next_button, self.previous_button = QToolButton(self), QToolButton(self)
        self.position = QLabel(self)
        self.accept_button = QPushButton(accept, self)
        self.accept_button.setProperty("role", "primary")
        self.accept_button.setVisible(bool(accept))
        self.accept_button.clicked.connect(self._agree)
        self.close_button = QPushButton(tr("Close"), self)
        self.close_button.clicked.connect(self.reject)
        self._lay_out(titles)
        self._keys = [
            QShortcut(QKeySequence(keys), self, act) for keys, act in (("F8", self.next), ("Shift+F8", self.previous))
        ]
        self.next_button.clicked.connect(self.next)
        self.previous_button.clicked.connect(self.previous)
        self.list.currentRowChanged.connect(self._show)
        self.canvas.chosen.connect(self._find)
        theme.changed.connect(self._dress)
        self._dress()
        self.list.setCurrentRow(0)
        self._show_position()
        room = self.screen().availableSize()
        self.resize(min(SIZE[0], room.width() - 40), min(SIZE[1], room.height() - 60))

    @property
    def current(self) -> Difference | None:
        """The difference that is shown."""
        row = self.list.currentRow()
        return self.union.differences[row] if row >= 0 else None

    def next(self) -> None:
        """Go to the next difference; behind the last one comes the first."""
        self._step(1)

    def previous(self) -> None:
        """Go to the one before."""
        self._step(-1)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self, titles: tuple[str, str]) -> None:
        body = QSplitter(Qt.Orientation.Horizontal, self)
        body.setHandleWidth(1)
        body.setChildrenCollapsible(False)
        body.addWidget(self.canvas)
        body.addWidget(self._side())
        body.setStretchFactor(0, 1)
        body.setSizes([SIZE[0] - SIDE, SIDE])
        self._legend = QLabel(self)
        foot = QHBoxLayout()
        foot.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        foot.setSpacing(2 * SPACE)
        foot.addWidget(self._legend, 1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.accept_button)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.setSpacing(0)
        outside.addWidget(self._head(titles))
        outside.addWidget(body, 1)
        outside.addLayout(foot)

    def _head(self, titles: tuple[str, str]) -> QWidget:
        heading, words = QLabel(f"{titles[0]}  →  {titles[1]}", self), QLabel(summary(self.union.found), self)
        for label, role in ((heading, "title"), (words, "muted"), (self.position, "muted")):
            label.setProperty("role", role)
            label.setTextFormat(Qt.TextFormat.PlainText)
        words.setMinimumWidth(1)  # long words must not make the window wider
        names = QVBoxLayout()
        names.setSpacing(SPACE)
        names.addWidget(heading)
        names.addWidget(words)
        head = QFrame(self)
        head.setProperty("role", "bar")
        row = QHBoxLayout(head)
        row.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        row.setSpacing(2 * SPACE)
        row.addLayout(names, 1)
        for widget in (self.position, self.previous_button, self.next_button):
            row.addWidget(widget)
        return head

    def _side(self) -> QWidget:
        side = QFrame(self)
        side.setProperty("role", "panel")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, SPACE, 0, 0)
        if not self.union.differences:
            notice = Notice(self._theme, side)
            notice.tell("check-circle", tr("Both are the same"), tr("They may differ in comments."))
            column.addWidget(notice)
            self.list.hide()
            self.details.hide()
            return side
        parts = QSplitter(Qt.Orientation.Vertical, side)
        parts.setHandleWidth(1)
        parts.addWidget(self.list)
        parts.addWidget(self.details)
        parts.setSizes([360, 240])
        self.details.document().setDocumentMargin(3 * SPACE)
        column.addWidget(parts)
        return side

    def _step(self, way: int) -> None:
        if count := self.list.count():
            self.list.setCurrentRow((self.list.currentRow() + way) % count)

    def _show(self) -> None:
        self._show_position()
        difference = self.current
        if difference is None:
            self.details.clear()
            return
        self.details.setHtml(self._html(difference))
        self.canvas.show_difference(difference)

    def _find(self, chosen: object) -> None:
        """A node or a wire on the canvas was clicked: show what differs in it."""
        differences = self.union.differences
        rows = [at for at, one in enumerate(differences) if chosen == (one.wire or one.node)]
        if rows:
            self.list.setCurrentRow(rows[0])
        else:
            self.list.setCurrentRow(-1)
            text = tr("As it was.")
            self.details.setHtml(f"<p style='color:{self._theme.tokens.text_muted}'>{escape(text)}</p>")

    def _agree(self) -> None:
        self.agreed.emit()
        self.accept()

    def _html(self, difference: Difference) -> str:
        tokens = self._theme.tokens
        colours = {"+": tokens.success, "-": tokens.danger}
        lines = "".join(
            f"<div style='color:{colours.get(sign, tokens.text)};white-space:pre-wrap'>{escape(line) or '&nbsp;'}</div>"
            for sign, line in difference.lines
        )
        change = tr("{what} {change}", what=tr(THINGS[difference.what]), change=tr(WORDS[difference.kind]))
        head = f"<b>{escape(difference.title)}</b> — {change}"
        return f"<p>{head}</p><div style='font-family:\"{self._theme.mono}\"'>{lines}</div>"

    def _show_position(self) -> None:
        count, row = self.list.count(), self.list.currentRow()
        if row >= 0:
            text = tr("{number} of {total}", number=row + 1, total=count)
        else:
            text = trn("{count} difference", "{count} differences", count) if count else ""
        self.position.setText(text)
        for button in (self.next_button, self.previous_button):
            button.setEnabled(count > 0)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        row = self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        for one in self.union.differences:
            what = tr(THINGS[one.what])
            item = QListWidgetItem(f"{SIGNS[one.kind]}  {one.title}    {what}", self.list)
            item.setForeground(QColor(colour(one.kind, tokens)))
            item.setToolTip(f"{what} {one.title}: {tr(WORDS[one.kind])}")
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        if self.current is not None:
            self.details.setHtml(self._html(self.current))
        self._legend.setText(
            "&nbsp;&nbsp;&nbsp;".join(
                f"<span style='color:{colour(kind, tokens)}'><b>{sign}</b> {tr(WORDS[kind])}</span>"
                for kind, sign in SIGNS.items()
            )
        )
        for button, icon, tip in (
            (self.next_button, "chevron-down", tr("Next difference (F8)")),
            (self.previous_button, "chevron-up", tr("Previous difference (Shift+F8)")),
        ):
            button.setIcon(self._theme.icon(icon, tokens.text_muted))
            button.setToolTip(tip)
            button.setAccessibleName(tip)
