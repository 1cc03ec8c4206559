"""The pipeline as a tree: nodes in the order of the rows, with their state and problems, and their wires below them.

It is the canvas for those who do not see it: each item says in words what the picture shows.
"""

from __future__ import annotations

from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.state_words import STATE_WORDS
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QShowEvent

    from etl_studio.engine.events import NodeChanged
    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme

NODE, WIRE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
SPOKEN, READ_ON = Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole
STATE_ICONS = {
    "running": "play",
    "retrying": "repeat",
    "open": "zap",
    "done": "check-circle",
    "failed": "alert-circle",
    "stopped": "stop",
}


def flow_order(pipeline: Pipeline) -> list[str]:
    """Ids of the nodes, each behind those that feed it; where there is a choice, as they stand from left and top."""
    places = pipeline.layout

    def place(name: str) -> tuple[float, ...]:
        return tuple(places.get(name, (0.0, 0.0))[:2])

    sorter = TopologicalSorter({name: set() for name in sorted(pipeline.nodes, key=place)})
    for wire in pipeline.wires:
        if wire.source in pipeline.nodes and wire.target in pipeline.nodes:
            sorter.add(wire.target, wire.source)
    try:
        sorter.prepare()
    except CycleError:
        return sorted(pipeline.nodes, key=place)
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place)
        order += ready
        sorter.done(*ready)
    return order


class OutlineTree(QTreeWidget):
    """The tree. Letters that are typed find a title; Return opens the node."""

    opened = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.opened.emit(item.data(0, NODE))
        else:
            super().keyPressEvent(event)


class OutlinePanel(QFrame):
    """Shows the document as a tree and keeps its selection the same as the canvas's.

    Signals:
        chosen: ids of the nodes and the wires that a person has selected here.
        node_opened: a node whose settings are wanted.

    Args:
        document: what is shown.
        theme: icons.
        parent: its parent.
    """

    chosen = Signal(list, list)
    node_opened = Signal(str)

    def __init__(self, document: PipelineDocument, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._document, self._theme = document, theme
        self._items: dict[str, QTreeWidgetItem] = {}
        self._states: dict[str, tuple[str, str]] = {}
        self._selected: tuple[list[str], list[Wire]] = ([], [])
        self._stale = True
        self.tree = OutlineTree(self)
        self.tree.setHeaderHidden(True)
        self.tree.setFrameShape(QFrame.Shape.NoFrame)
        self.tree.setIndentation(4 * SPACE)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName(tr("Outline of the pipeline"))
        self.notice = Notice(theme, self)
        self.notice.tell(
            "list", tr("Nothing to list yet"), tr("Add a node to the canvas. The pipeline is listed here in words.")
        )
        self._pages = QStackedLayout()
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.tree)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 0, 0)
        column.addLayout(self._pages)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._rebuild)
        self.tree.itemSelectionChanged.connect(self._tell)
        self.tree.opened.connect(self.node_opened)
        self.tree.itemDoubleClicked.connect(self._open)
        for signal in (document.node_added, document.node_removed, document.node_renamed, document.reset):
            signal.connect(self._look_again)
        for signal in (document.wire_added, document.wire_removed, document.node_moved):
            signal.connect(self._look_again)
        document.reset.connect(self._states.clear)
        document.node_changed.connect(self._describe_all)  # a title may be another's, too
        document.problems_changed.connect(self._describe_all)
        theme.changed.connect(self._describe_all)
        self._rebuild()

    def show_selection(self, nodes: Sequence[str], wires: Sequence[Wire] = ()) -> None:
        """Select what is selected on the canvas."""
        self._selected = (list(nodes), list(wires))
        if self._stale:
            return
        wanted = [self._items[name] for name in nodes if name in self._items]
        wanted += [child for item in self._items.values() for child in _children(item) if child.data(0, WIRE) in wires]
        if {id(item) for item in wanted} == {id(item) for item in self.tree.selectedItems()}:
            return
        self.tree.blockSignals(True)
        self.tree.clearSelection()
        for item in wanted:
            item.setSelected(True)
        if wanted and self.tree.currentItem() not in wanted:
            self.tree.setCurrentItem(wanted[0], 0, self.tree.selectionModel().SelectionFlag.NoUpdate)
        self.tree.blockSignals(False)
        self.tree.viewport().update()

    def show_state(self, event: NodeChanged) -> None:
        """Tell what a node is doing in the run."""
        self._states[event.node] = (event.state.value, event.detail)
        if event.node in self._items and not self._stale:
            self._describe(event.node, self._document.titles(), self._problems())

    def clear_run(self) -> None:
        """Forget the last run."""
        self._states.clear()
        self._describe_all()

    # -- Qt ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._rebuild()

    # -- inside -----------------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        self._stale = True
        if self.isVisible():
            self._soon.start()

    def _rebuild(self) -> None:
        self._soon.stop()
        self._stale = False
        closed = {name for name, item in self._items.items() if item.childCount() and not item.isExpanded()}
        self.tree.blockSignals(True)
        self.tree.clear()
        self._items = {}
        leaving: dict[str, list[Wire]] = {}
        for wire in self._document.pipeline.wires:
            leaving.setdefault(wire.source, []).append(wire)
        for name in flow_order(self._document.pipeline):
            item = self._items[name] = QTreeWidgetItem(self.tree)
            item.setData(0, NODE, name)
            for wire in leaving.get(name, ()):
                child = QTreeWidgetItem(item)
                child.setData(0, NODE, name)
                child.setData(0, WIRE, wire)
            item.setExpanded(name not in closed)
        self.tree.blockSignals(False)
        self._pages.setCurrentWidget(self.tree if self._items else self.notice)
        self._describe_all()
        self.show_selection(*self._selected)

    def _describe_all(self) -> None:
        if self._stale:
            return
        titles, problems = self._document.titles(), self._problems()
        for name in self._items:
            self._describe(name, titles, problems)

    def _describe(self, name: str, titles: dict[str, str], problems: Counter[str]) -> None:
        spec = self._document.pipeline.nodes.get(name)
        if spec is None:  # it has just been removed; the tree follows
            return
        item, tokens = self._items[name], self._theme.tokens
        node_type = self._document.registry.get(spec.type)
        kind = tr(node_type.title) if node_type else tr('unknown type "{type}"', type=spec.type)
        state, detail = self._states.get(name, ("", ""))
        off = tr("disabled") if spec.disabled else ""
        wrong = trn("{count} problem", "{count} problems", problems[name]) if problems[name] else ""
        shown_state = tr(STATE_WORDS.get(state, state))
        said = [titles[name], kind if kind != titles[name] else "", off, shown_state, wrong]
        item.setText(0, titles[name])
        item.setData(0, SPOKEN, ", ".join(filter(None, said)))
        item.setData(0, READ_ON, ". ".join(filter(None, (tr("Id {id}", id=name), self._feeds(name, titles), detail))))
        item.setToolTip(0, "\n".join(filter(None, (kind, off or shown_state, detail, wrong))))
        if problems[name]:
            item.setIcon(0, self._theme.icon("alert-triangle", tokens.danger))
        elif state in STATE_ICONS:
            item.setIcon(0, self._theme.icon(STATE_ICONS[state], tokens.state(state)))
        else:
            colour = tokens.group(node_type.group) if node_type and not off else tokens.text_muted
            item.setIcon(0, self._theme.icon(node_type.icon if node_type else "box", colour))
        for child in _children(item):
            text = self._wire_text(child.data(0, WIRE), titles)
            child.setText(0, text)
            child.setData(0, SPOKEN, tr("wire {wire}", wire=text))
            child.setIcon(0, self._theme.icon("arrow-right", tokens.text_muted))

    def _feeds(self, name: str, titles: dict[str, str]) -> str:
        sources = [titles[wire.source] for wire in self._document.pipeline.wires if wire.target == name]
        if not sources:
            return tr("Gets rows from no node")
        return tr("Gets rows from {nodes}", nodes=", ".join(dict.fromkeys(sources)))

    def _wire_text(self, wire: Wire, titles: dict[str, str]) -> str:
        target = self._document.pipeline.nodes.get(wire.target)
        node_type = self._document.registry.get(target.type) if target else None
        several = node_type is not None and (len(node_type.inputs) > 1 or node_type.open_inputs)
        out = wire.source_port if wire.source_port != "out" else ""
        node = titles.get(wire.target, wire.target)
        text = tr("{port} to {node}", port=out, node=node) if out else tr("to {node}", node=node)
        return f"{text}, {wire.target_port}" if several else text

    def _problems(self) -> Counter[str]:
        return Counter(problem.node for problem in self._document.problems if problem.node)

    def _tell(self) -> None:
        items = self.tree.selectedItems()
        nodes = [item.data(0, NODE) for item in items if item.data(0, WIRE) is None]
        wires = [item.data(0, WIRE) for item in items if item.data(0, WIRE) is not None]
        self._selected = (nodes, wires)
        self.chosen.emit(nodes, wires)

    def _open(self, item: QTreeWidgetItem) -> None:
        self.node_opened.emit(item.data(0, NODE))


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [item.child(number) for number in range(item.childCount())]
