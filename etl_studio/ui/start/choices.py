"""What can be clicked on the start page: cards of templates, rows of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from etl_studio.ui.elided import Elided
from etl_studio.ui.start.picture import GraphPicture
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent

    from etl_studio.app.templates import Template
    from etl_studio.sdk import Registry
    from etl_studio.ui.theme.theme import Theme

RADIUS = 8
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Choice(QAbstractButton):
    """A button that is a surface: its children show what it is for, Return and Space click it.

    Args:
        theme: colours.
        name: what a screen reader calls it.
        description: what it reads on.
        parent: its parent.
    """

    def __init__(self, theme: Theme, name: str, description: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.framed = False
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        shape = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        shape.setHeightForWidth(True)
        self.setSizePolicy(shape)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return self.layout().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.layout().minimumSize()

    def hasHeightForWidth(self) -> bool:
        return self.layout().hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        return self.layout().totalHeightForWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in ARROWS:
            event.ignore()  # the page knows better than a button what lies where
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        tokens = self.theme.tokens
        focused = self.hasFocus()
        ground = tokens.hover if self.underMouse() or self.isDown() else tokens.surface if self.framed else ""
        edge = tokens.accent if focused else tokens.border if self.framed else ""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2 if focused else 1
        painter.setPen(QPen(QColor(edge), width) if edge else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        painter.end()

    def label(self, text: str, role: str = "", *, wraps: bool = False) -> QLabel:
        """A label inside that lets clicks through."""
        made = QLabel(text, self)
        made.setTextFormat(Qt.TextFormat.PlainText)
        made.setWordWrap(wraps)
        made.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        if role:
            made.setProperty("role", role)
        return made


class TemplateCard(Choice):
    """A template: its picture, its title, what it does.

    Args:
        template: what is shown.
        registry: knows icons and colours of the nodes.
        theme: colours and icons.
        parent: its parent.
    """

    def __init__(self, template: Template, registry: Registry, theme: Theme, parent: QWidget | None = None) -> None:
        title, description = tr(template.title), tr(template.pipeline.description)
        super().__init__(theme, title, description, parent)
        self.framed = True
        self.path = template.path
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(SPACE)
        self.picture = GraphPicture(template.pipeline, registry, theme, self)
        column.addWidget(self.picture)
        column.addSpacing(SPACE)
        column.addWidget(self.label(title, "title"))
        column.addWidget(self.label(description, "muted", wraps=True))
        column.addStretch(1)


class FileRow(Choice):
    """A file: its name, and below it where it is or what it does.

    Signals:
        removed: the sign at its end was clicked, or Delete was pressed.

    Args:
        theme: colours and icons.
        icon: before the name.
        name: the first line.
        details: the second line.
        side: at the end of the first line, such as a time.
        missing: the file is gone: it cannot be opened, only removed.
        removable: with a sign that takes it out of the list.
        parent: its parent.
    """

    removed = Signal()

    def __init__(  # noqa: PLR0913 - the parts of a row
        self, theme: Theme, icon: str, name: str, details: str, side: str = "", *,
        missing: bool = False, removable: bool = False, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(theme, name, ", ".join(filter(None, (details, side))), parent)
        self.missing = missing
        self._icon = icon
        self._picture = self.label("")
        words = QVBoxLayout()
        words.setSpacing(0)
        title = Elided(name, Qt.TextElideMode.ElideRight, self)
        below = Elided(details, Qt.TextElideMode.ElideMiddle if removable else Qt.TextElideMode.ElideRight, self)
        below.setProperty("role", "small")
        if missing:
            title.setProperty("role", "muted")
            self.setCursor(Qt.CursorShape.ArrowCursor)
        first = QHBoxLayout()
        first.addWidget(title, 1)
        first.addWidget(self.label(side, "small"))
        words.addLayout(first)
        words.addWidget(below)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACE, SPACE, SPACE, SPACE)
        row.setSpacing(2 * SPACE)
        row.addWidget(self._picture)
        row.addLayout(words, 1)
        self.cross = QToolButton(self)
        self.cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Delete does the same on the row
        self.cross.setToolTip(tr("Take out of the list"))
        self.cross.setAccessibleName(tr("Take {name} out of the list", name=name))
        self.cross.clicked.connect(self.removed)
        self.cross.setVisible(removable)
        self._removable = removable
        row.addWidget(self.cross)
        self.setToolTip(details)
        theme.changed.connect(self._dress)
        self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._removable and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        tokens = self.theme.tokens
        color = tokens.text_disabled if self.missing else tokens.text_muted
        self._picture.setPixmap(self.theme.pixmap(self._icon, color, 18))
        self.cross.setIcon(self.theme.icon("x", tokens.text_muted, 14))
