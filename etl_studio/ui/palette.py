"""The palette: every node type by section, with search; drag one to the canvas, or press Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.node_mime import NODE_MIME, node_mime
from etl_studio.ui.node_row import TYPE_ROLE, NodeRow
from etl_studio.ui.node_search import first_line, group_order, search
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.theme.theme import Theme

GRABBED = QPoint(24, 20)
"""Where the pointer holds the picture while it is dragged."""


class NodeList(QListWidget):
    """Node types under headings; rows can be dragged away.

    Args:
        theme: colours and icons.
        parent: the palette.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._row = NodeRow(theme, self)
        self.setItemDelegate(self._row)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Node types"))

    def show_types(self, types: Iterable[type[Node]], *, headings: bool) -> None:
        """Fill the list; with headings it is ordered by section."""
        self.clear()
        group = None
        for node_type in sorted(types, key=group_order) if headings else types:
            if headings and node_type.group != group:
                group = node_type.group
                heading = QListWidgetItem(tr(group.capitalize()), self)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
            item = QListWidgetItem(tr(node_type.title), self)
            item.setData(TYPE_ROLE, node_type)
            item.setToolTip(tr(first_line(node_type)))
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, item.toolTip())

    def row_of(self, node_type: str) -> int:
        """The row of a type, or -1."""
        rows = range(self.count())
        return next((r for r in rows if (t := self.item(r).data(TYPE_ROLE)) and t.type == node_type), -1)

    def mimeTypes(self) -> list[str]:
        return [NODE_MIME]

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        return node_mime(items[0].data(TYPE_ROLE).type)

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        del supported_actions
        item = self.currentItem()
        if item is None or item.data(TYPE_ROLE) is None:
            return
        drag = QDrag(self)
        drag.setMimeData(self.mimeData([item]))
        drag.setPixmap(self._row.picture(item.data(TYPE_ROLE), self.devicePixelRatioF()))
        drag.setHotSpot(GRABBED)
        drag.exec(Qt.DropAction.CopyAction)


class Palette(QFrame):
    """Search field, node types, and the plug-ins that could not be loaded.

    Args:
        registry: the node types.
        theme: colours and icons.
        parent: the widget around it.

    Attributes:
        search_field, nodes: the field and the list.
    """

    node_chosen = Signal(str)
    """A type was double-clicked, or Enter was pressed on it."""

    def __init__(self, registry: Registry, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._registry = registry
        self._theme = theme
        self.setProperty("role", "panel")
        self.setAccessibleName(tr("Palette"))
        self.search_field = QLineEdit(self, placeholderText=tr("Search nodes"))
        self.search_field.setAccessibleName(self.search_field.placeholderText())
        self.search_field.setClearButtonEnabled(True)
        self.search_field.setTextMargins(-SPACE, 0, 0, 0)
        self._search_icon = self.search_field.addAction(theme.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.nodes = NodeList(theme, self)
        self._nothing = QLabel("", self, alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._nothing.setMargin(4 * SPACE)
        self._nothing.setProperty("role", "muted")
        self._nothing.setWordWrap(True)
        self._failed = QLabel(self)
        self._failed.setProperty("role", "banner")
        self._failed.setMargin(2 * SPACE)
        self._failed.setWordWrap(True)
        self._failed.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        for widget in (self.search_field, self.nodes, self._nothing, self._failed):
            layout.addWidget(widget)
        layout.setStretchFactor(self.nodes, 1)
        layout.setStretchFactor(self._nothing, 1)
        self.search_field.textChanged.connect(self.refresh)
        self.search_field.returnPressed.connect(self._choose_first)
        self.nodes.itemActivated.connect(self._choose)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.refresh()

    def refresh(self) -> None:
        """Show what the registry has now and the search finds."""
        query = self.search_field.text().strip()
        found = search(query, self._registry)
        self.nodes.show_types(found, headings=not query)
        self._nothing.setText(tr("No node matches “{query}”.", query=query))
        self._nothing.setVisible(not found)
        self.nodes.setVisible(bool(found))
        failed = self._registry.failed
        self._failed.setText(
            "\n".join(
                tr("Plug-in “{name}” could not be loaded: {problem}", name=plugin.name, problem=plugin.error)
                for plugin in failed
            )
        )
        self._failed.setVisible(bool(failed))

    def _choose(self, item: QListWidgetItem) -> None:
        if node_type := item.data(TYPE_ROLE):
            self.node_chosen.emit(node_type.type)

    def _choose_first(self) -> None:
        if self.search_field.text().strip() and self.nodes.count():
            self._choose(self.nodes.item(0))

    def _on_theme_changed(self) -> None:
        self._search_icon.setIcon(self._theme.icon("search", self._theme.tokens.text_muted))
        self.nodes.viewport().update()
