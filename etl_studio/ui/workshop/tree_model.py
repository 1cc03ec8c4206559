"""The elements of a page as a tree model; children come in portions, so that a page of any size opens at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from etl_studio.ui.workshop.words import short_name

if TYPE_CHECKING:
    from etl_studio.app.scraping.dom import Dom, DomNode

PORTION = 200
"""Children that are shown at once; further ones come when they are scrolled to."""
_NOWHERE = QModelIndex()


class DomModel(QAbstractItemModel):
    """Elements, texts and comments.

    Args:
        parent: its parent.

    Attributes:
        dom: what is shown, or None.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.dom: Dom | None = None
        self._shown: dict[int, int] = {}

    def show_dom(self, dom: Dom | None) -> None:
        """Show another page."""
        self.beginResetModel()
        self.dom, self._shown = dom, {}
        self.endResetModel()

    def node(self, index: QModelIndex) -> DomNode:
        """The node of an index."""
        return self.dom.nodes[index.internalId()]

    def index_of(self, number: int) -> QModelIndex:
        """The index of a node; fetches its siblings up to it, and those of what is around it."""
        for each in self.dom.path(number):
            node = self.dom.nodes[each]
            if node.parent >= 0:
                self._fetch_to(node.parent, node.row)
        return self.createIndex(self.dom.nodes[number].row, 0, number)

    def index(self, row: int, column: int, parent: QModelIndex = _NOWHERE) -> QModelIndex:
        if self.dom is None or column:
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(0, 0, 0) if row == 0 else QModelIndex()
        children = self.node(parent).children
        return self.createIndex(row, 0, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: QModelIndex = _NOWHERE) -> QModelIndex:  # type: ignore[override] # Qt has two of them
        if self.dom is None or not index.isValid():
            return QModelIndex()
        above = self.node(index).parent
        return QModelIndex() if above < 0 else self.createIndex(self.dom.nodes[above].row, 0, above)

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        if self.dom is None:
            return 0
        if not parent.isValid():
            return 1
        node = self.node(parent)
        return min(len(node.children), self._shown.get(node.number, PORTION))

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        del parent
        return 1

    def hasChildren(self, parent: QModelIndex = _NOWHERE) -> bool:
        return self.dom is not None and (not parent.isValid() or bool(self.node(parent).children))

    def canFetchMore(self, parent: QModelIndex) -> bool:
        return parent.isValid() and self.rowCount(parent) < len(self.node(parent).children)

    def fetchMore(self, parent: QModelIndex) -> None:
        if parent.isValid():
            self._fetch_to(parent.internalId(), self.rowCount(parent))

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return plain_line(self.node(index))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            node = self.node(index)
            return f"{short_name(node)} {node.text}".strip() if node.kind == "element" else node.text
        return None

    def _fetch_to(self, number: int, row: int) -> None:
        """Show the children of a node up to a row, and some more."""
        node = self.dom.nodes[number]
        shown = min(len(node.children), self._shown.get(number, PORTION))
        wanted = min(len(node.children), (row // PORTION + 1) * PORTION)
        if wanted > shown:
            self.beginInsertRows(self.createIndex(node.row, 0, number), shown, wanted - 1)
            self._shown[number] = wanted
            self.endInsertRows()


def parts_of(node: DomNode, *, opened: bool = False) -> list[tuple[str, str]]:
    """What a line of the tree shows of a node: texts with their kinds of ink.

    Args:
        node: the node.
        opened: whether its children are shown below.
    """
    if node.kind == "comment":
        return [(f"<!-- {node.text} -->", "comment")]
    if node.kind == "text":
        return [(node.text, "plain")]
    found = [(f"<{node.tag}", "tag")]
    for key, value in node.attributes:
        found += [(f" {key}", "name"), (f'="{" ".join(value.split())}"' if value else "", "value")]
    found.append((">", "tag"))
    if node.text:
        found += [(node.text, "plain"), (f"</{node.tag}>", "tag")]
    elif node.children and not opened:
        found += [("…", "comment"), (f"</{node.tag}>", "tag")]
    return found


def plain_line(node: DomNode) -> str:
    """A line of the tree as plain text."""
    return "".join(text for text, _ in parts_of(node))
