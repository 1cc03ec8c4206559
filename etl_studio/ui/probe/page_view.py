"""One page of a probe: its address, its facts, how it goes on, and all that was sent and came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QTabWidget, QVBoxLayout, QWidget

from etl_studio.ui.probe.words import facts, next_words
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.app.probing import ProbedPage
    from etl_studio.ui.theme.theme import Theme


class PageView(QWidget):
    """Shows one page; everything in it can be selected and copied.

    Args:
        theme: the fixed-width font and icons.
        parent: its parent.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.address, self.facts, self.following, self.why = QLabel(), QLabel(), QLabel(), QLabel()
        for label in (self.address, self.facts, self.following, self.why):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.facts, self.why):
            label.setProperty("role", "muted")
        self._arrow = QLabel()
        self.answer, self.sent, self.came = (
            _text(tr("Answer")),
            _text(tr("Request")),
            _text(tr("Headers of the answer")),
        )
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.answer, tr("Answer"))
        self.tabs.addTab(self.sent, tr("Request"))
        self.tabs.addTab(self.came, tr("Headers of the answer"))
        onward = QHBoxLayout()
        onward.setSpacing(2 * SPACE)
        onward.addWidget(self._arrow, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.following)
        words.addWidget(self.why)
        onward.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        column.addWidget(self.address)
        column.addWidget(self.facts)
        column.addLayout(onward)
        column.addWidget(self.tabs, 1)
        theme.changed.connect(self._dress)
        self._follows = False
        self._dress()

    def show_page(self, page: ProbedPage) -> None:
        """Show a page."""
        self.address.setText(f"{page.method} {page.url}")
        self.facts.setText(f"{page.status} · {facts(page)}")
        self.following.setText(next_words(page))
        told = tr("Told by {why}", why=page.why) if page.following else page.why
        self.why.setText(told[:1].upper() + told[1:] if page.why else "")
        self.why.setVisible(bool(page.why))
        self.answer.setPlainText(page.answer)
        lines = [f"{page.method} {page.url}", *(f"{name}: {value}" for name, value in page.headers.items())]
        lines += [tr("Signed in: {kind}", kind=page.auth)] * bool(page.auth)
        self.sent.setPlainText("\n".join([*lines, "", page.sent] if page.sent else lines))
        self.came.setPlainText("\n".join(f"{name}: {value}" for name, value in page.answer_headers.items()))
        self._follows = bool(page.following)
        self._dress()

    def _dress(self) -> None:
        tokens = self._theme.tokens
        icon, colour = ("arrow-right", tokens.accent) if self._follows else ("check", tokens.text_muted)
        self._arrow.setPixmap(self._theme.pixmap(icon, colour))
        style = f"font-family: '{self._theme.mono}';"
        for widget in (self.address, self.answer, self.sent, self.came):
            widget.setStyleSheet(style)


def _text(name: str) -> QPlainTextEdit:
    text = QPlainTextEdit()
    text.setReadOnly(True)
    text.setAccessibleName(name)
    text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    return text
