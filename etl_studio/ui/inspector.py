"""The inspector: what is selected, with its settings, its policy and its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from etl_studio.ui.forms.tab_order import move_focus, stops
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn
from etl_studio.ui.trying import Trying, secret_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa
    from PySide6.QtGui import QKeyEvent

    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.forms.editor import RenamesNodes
    from etl_studio.ui.forms.node_page import NodePage
    from etl_studio.ui.forms.pipeline_page import PipelinePage
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.trying import KnowsRows

LEAST_WIDTH = 320
"""Pixels; the policy card needs 307 and a scroll bar 10."""


class NothingKnown:
    """Knows nothing of the rows that arrive at nodes."""

    def arriving_types(self, node: str) -> Mapping[str, str]:
        """No columns."""
        del node
        return {}

    def tables_arriving(self, node: str) -> Mapping[str, pa.Table]:
        """No rows."""
        del node
        return {}


class SelectionPage(QWidget):
    """Several nodes are selected: how many, and what can be done with all of them.

    Signals:
        duplicate_requested, remove_requested: a button was clicked.

    Args:
        parent: its parent.
    """

    duplicate_requested = Signal()
    remove_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = QLabel(self)
        self.count.setProperty("role", "title")
        self.names = QLabel(self)
        self.names.setProperty("role", "muted")
        self.names.setWordWrap(True)
        self.duplicate = QPushButton(tr("Duplicate"), self)
        self.remove = QPushButton(tr("Delete"), self)
        self.remove.setProperty("role", "danger")
        self.duplicate.clicked.connect(self.duplicate_requested)
        self.remove.clicked.connect(self.remove_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        for widget in (self.count, self.names, self.duplicate, self.remove):
            column.addWidget(widget)
        column.addStretch(1)

    def show_nodes(self, nodes: Sequence[str]) -> None:
        """Tell about these nodes."""
        self.count.setText(trn("{count} node selected", "{count} nodes selected", len(nodes)))
        self.names.setText(", ".join(nodes))


class Inspector(QFrame):
    """Shows the selected node, several selected nodes, or the pipeline when nothing is selected.

    Signals:
        parameter_rename_wanted: the parameter of this name should get another one wherever it is used.
        workshop_wanted: selectors of the node of this id are to be found on its page.
        left: Escape was pressed in it: the keys go back to where they came from.

    Args:
        document: what is edited.
        theme: colours and icons.
        parent: its parent.
        known: knows the columns and rows that arrive at nodes, for completion and for trying SQL out.
        given: values of parameters that a person has given.

    Attributes:
        studio: probes sources of the web; None: nothing does.
    """

    parameter_rename_wanted = Signal(str)
    workshop_wanted = Signal(str)
    left = Signal()

    def __init__(
        self,
        document: PipelineDocument,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        known: KnowsRows | None = None,
        given: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.document, self.theme = document, theme
        self._known: KnowsRows = known or NothingKnown()
        self.renamer: RenamesNodes | None = None
        self.trying = Trying(document, self._known, given, self)
        self._given = given
        self.studio: Studio | None = None
        self.selected: tuple[str, ...] = ()
        self.node_page: NodePage | None = None
        self.pipeline_page: PipelinePage | None = None
        self.selection_page = SelectionPage(self)
        self.selection_page.duplicate_requested.connect(self._duplicate)
        self.selection_page.remove_requested.connect(self._remove)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.selection_page)
        theme.changed.connect(self._take_room)
        self._take_room()
        document.node_removed.connect(self._drop)
        document.node_renamed.connect(self._rename)
        document.node_retyped.connect(self._rebuild)
        document.reset.connect(self._clear)
        self.show_nodes(())

    def show_nodes(self, nodes: Sequence[str]) -> None:
        """Show what is selected; connect the canvas's selection here."""
        nodes = tuple(node for node in nodes if node in self.document.pipeline.nodes)
        if nodes == self.selected and self._stack.count() > 1:
            return
        self.selected = nodes
        self.flush()
        self._leave_node()
        if not nodes:
            self._stack.setCurrentWidget(self._pipeline_area())
        elif len(nodes) == 1:
            self._enter_node(nodes[0])
        else:
            self.selection_page.show_nodes(nodes)
            self._stack.setCurrentWidget(self.selection_page)

    def _take_room(self) -> None:
        self.setMinimumWidth(self.theme.px(LEAST_WIDTH))

    def show_field(self, node: str, field: str) -> None:
        """Show a node and put the cursor into one of its settings, such as ``config.where``."""
        self.show_nodes((node,))
        if self.node_page is not None:
            self.node_page.show_field(field)

    def flush(self) -> None:
        """Write what was typed and is not written yet; call it before saving and running."""
        if self.node_page is not None:
            self.node_page.flush()
        if self.pipeline_page is not None:
            self.pipeline_page.flush()

    def show_names(self) -> None:
        """Show title and id of the node as they are: another id was typed and not taken."""
        if self.node_page is not None:
            self.node_page.header.show_names()

    def enter(self) -> None:
        """Put the cursor into the first setting of the node, or where Tab would stop first."""
        inside = self.node_page.form if self.node_page is not None else None
        first = next(stops(inside), None) if inside is not None else None
        first = first or next(stops(self._stack.currentWidget()), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next_child: bool) -> bool:  # noqa: FBT001 - Qt's signature
        return move_focus(self, forward=next_child)

    def _pipeline_area(self) -> QWidget:
        from etl_studio.ui.forms.editor import FormContext
        from etl_studio.ui.forms.pipeline_page import PipelinePage

        if self.pipeline_page is None:
            self.pipeline_page = PipelinePage(self.document, FormContext(self.theme), self)
            self.pipeline_page.parameter_rename_wanted.connect(self.parameter_rename_wanted)
            self._pipeline_scroll = scrolled(self.pipeline_page, self)
            self._stack.addWidget(self._pipeline_scroll)
        return self._pipeline_scroll

    def _enter_node(self, node: str) -> None:
        # forms need pydantic and the sdk, which the first paint of the window does without
        from etl_studio.app.scraping.settings import scraper_settings
        from etl_studio.ui.forms.editor import FormContext
        from etl_studio.ui.forms.node_page import NodePage

        self.trying.leave(node)
        reads_pages = scraper_settings(self.document.type_of(node)) is not None
        context = FormContext(
            self.theme, self._arriving, self._parameters, self._folder, self._types, self._secrets, self.trying,
            self._want_workshop if reads_pages else None, self.renamer, self._above,
        )  # fmt: skip
        self.node_page = NodePage(self.document, node, context, self)
        self._stack.addWidget(self.node_page)
        self._stack.setCurrentWidget(self.node_page)

    def _above(self, node: str, parent: QWidget) -> QWidget | None:
        from etl_studio.ui.probe.card import probe_card

        if self.studio is None:
            return None
        return probe_card(self.studio, self.document, node, self._given, self.flush, self.theme, parent)

    def _leave_node(self) -> None:
        if self.node_page is not None:
            self._stack.removeWidget(self.node_page)
            self.node_page.hide()
            self.node_page.deleteLater()
            self.node_page = None

    def _want_workshop(self) -> None:
        for node in self.selected[:1]:
            self.workshop_wanted.emit(node)

    def _arriving(self) -> Sequence[str]:
        return list(self._types())

    def _types(self) -> Mapping[str, str]:
        return self._known.arriving_types(self.selected[0]) if self.selected else {}

    def _secrets(self) -> Sequence[str]:
        return secret_names(self.document.pipeline)

    def _parameters(self) -> Sequence[str]:
        return list(self.document.pipeline.parameters)

    def _folder(self):  # noqa: ANN202 - a Path or None
        return self.document.path.resolve().parent if self.document.path else None

    def _duplicate(self) -> None:
        self.document.duplicate(self.selected)

    def _remove(self) -> None:
        self.document.remove(self.selected)

    def _drop(self, node: str) -> None:
        if node in self.selected:
            self.show_nodes([other for other in self.selected if other != node])

    def _rename(self, old: str, new: str) -> None:
        self.selected = tuple(new if node == old else node for node in self.selected)
        if self.trying.node == old:
            self.trying.node = new
        if self.node_page is not None:
            self.node_page.rename(old, new)
        self.selection_page.show_nodes(self.selected)

    def _rebuild(self, node: str) -> None:
        """The node has another type: what was typed was for the old one."""
        if self.selected == (node,) and self.node_page is not None:
            self.node_page.forget()
            self._leave_node()
            self._enter_node(node)

    def _clear(self) -> None:
        self.selected = ()
        if self.node_page is not None:
            self.node_page.forget()
        self._leave_node()
        self._stack.setCurrentWidget(self._pipeline_area())


def scrolled(content: QWidget, parent: QWidget) -> QScrollArea:
    """The content in an area that scrolls up and down."""
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
