"""The inspector's page of one node: a header, then settings, policy and documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QTabWidget, QTextBrowser, QVBoxLayout, QWidget

from etl_studio.errors import UsageError
from etl_studio.ui.forms.form import SettingsForm
from etl_studio.ui.forms.rows import problem_label, show_problem
from etl_studio.ui.forms.text import Line
from etl_studio.ui.theme.tokens import FONT_LARGE, SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.forms.editor import FormContext
    from etl_studio.ui.forms.policy_card import PolicyCard

SETTINGS, POLICY, DOCS = range(3)


class NodeHeader(QWidget):
    """Icon, title, id and type of a node; title and id can be edited.

    Args:
        document: receives the changes.
        node: id of the node.
        context: gives the theme.
        parent: its parent.
    """

    def __init__(self, document: PipelineDocument, node: str, context: FormContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.document, self.node = document, node
        self._theme, self._renamer = context.theme, context.renamer
        spec = document.pipeline.nodes[node]
        self._type = document.registry.get(spec.type)
        self._icon = QLabel(self)
        self.title, self.id = Line(self), Line(self)
        self.title.setProperty("role", "heading")
        self.title.setAccessibleName(tr("Title"))
        self.title.setPlaceholderText(tr(self._type.title) if self._type else spec.type)
        self.title.editingFinished.connect(self.flush)
        self.id.setAccessibleName(tr("Name in the file"))
        self.id.setToolTip(tr("Its name in the file, in wires and in messages"))
        self.id.setProperty("role", "code")
        self.id.editingFinished.connect(self.flush)
        self.id.textEdited.connect(self._on_typed)
        self.problem = problem_label(self)
        kind = QLabel(spec.type, self)
        kind.setProperty("role", "badge")
        kind.setMinimumHeight(5 * SPACE)
        kind.setToolTip(tr("Its type"))
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(2 * SPACE)
        first.addWidget(self._icon)
        first.addWidget(self.title, 1)
        second.setSpacing(2 * SPACE)
        second.addWidget(self.id, 1)
        second.addWidget(kind, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.problem)
        self._theme.changed.connect(self._dress)
        document.node_changed.connect(self._refresh)
        self._dress()
        self._refresh(node)

    def flush(self) -> None:
        """Write title and id where they differ."""
        spec = self.document.pipeline.nodes.get(self.node)
        if spec is None:
            return
        self.title.setModified(False)
        self.document.set_title(self.node, self.title.text().strip())
        wanted = self.id.text().strip()
        rename = self._renamer.rename if self._renamer is not None else self.document.rename_node
        if wanted != self.node:
            try:
                rename(self.node, wanted)
            except UsageError as error:
                show_problem(self.problem, [str(error)])
                return
        self.id.setModified(False)
        show_problem(self.problem, [])

    def show_names(self) -> None:
        """Show title and id as they are, whatever was typed."""
        self.id.setModified(False)
        self._refresh(self.node)

    def _on_typed(self) -> None:
        if self._renamer is not None:
            self._renamer.look(self.node)

    def rename(self, node: str) -> None:
        """The node has another id now."""
        self.node = node
        self._refresh(node)

    def _refresh(self, node: str) -> None:
        spec = self.document.pipeline.nodes.get(self.node)
        if node != self.node or spec is None:
            return
        for line, text in ((self.title, spec.title), (self.id, self.node)):
            if line.text() != text and not line.isModified():
                line.setText(text)
        show_problem(self.problem, [])

    def _dress(self) -> None:
        tokens = self._theme.tokens
        icon, group = (self._type.icon, self._type.group) if self._type else ("help", "")
        self._icon.setPixmap(self._theme.pixmap(icon, tokens.group(group), FONT_LARGE))


class NodePage(QWidget):
    """One node with its tabs; policy and documentation are built when they are looked at.

    Args:
        document: receives the changes.
        node: id of the node.
        context: of the forms.
        parent: its parent.
    """

    def __init__(self, document: PipelineDocument, node: str, context: FormContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.document, self.node = document, node
        self._context = context
        self._type = document.registry.get(document.pipeline.nodes[node].type)
        self.header = NodeHeader(document, node, context, self)
        self.above: QWidget | None = None
        self.form: SettingsForm | None = None
        self.policy: PolicyCard | None = None
        self.docs: QTextBrowser | None = None
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for title in (tr("Settings"), tr("Policy"), tr("Docs")):
            self.tabs.addTab(QScrollArea(self), title)
        self.tabs.setTabEnabled(POLICY, self._type is not None)
        self.tabs.setTabEnabled(DOCS, self._type is not None)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.tabs, 1)
        self._build_settings()
        self.tabs.currentChanged.connect(self._entered)

    def show_field(self, field: str) -> None:
        """Put the cursor into a setting such as ``config.where``, or show the policy for ``policy.retry``."""
        if field.startswith("policy"):
            self.tabs.setCurrentIndex(POLICY)
        elif self.form is not None:
            self.tabs.setCurrentIndex(SETTINGS)
            self.form.focus_field(field)

    def flush(self) -> None:
        """Write what was typed and is not written yet."""
        self.header.flush()
        if self.form is not None:
            self.form.flush()
        if self.policy is not None:
            self.policy.flush()

    def forget(self) -> None:
        """The node is gone; what was typed must not reach another one of the same name."""
        for part in (self.header, self.above, self.form, self.policy):
            if part is not None:
                part.node = ""

    def rename(self, old: str, new: str) -> None:
        """A node got another id; perhaps this one."""
        if self.node == old:
            self.node = new
            self.header.rename(new)
            if self.above is not None:
                self.above.node = new
            if self.form is not None:
                self.form.node = new
            if self.policy is not None:
                self.policy.node = new

    def _build_settings(self) -> None:
        if self._type is not None:
            self.form = SettingsForm(self.document, self.node, self._type, self._context, self)
            self.above = self._context.above(self.node, self)
            self._fill(SETTINGS, *filter(None, (self.above, self.form)))
            return
        spec = self.document.pipeline.nodes[self.node]
        missing = QLabel(
            tr('The type "{type}" is not installed. Its settings are kept as they are in the file.', type=spec.type),
            self,
        )
        missing.setWordWrap(True)
        missing.setProperty("role", "danger")
        self._fill(SETTINGS, missing)

    def _entered(self, index: int) -> None:
        if index == POLICY and self.policy is None:
            from etl_studio.ui.forms.policy_card import PolicyCard

            self.policy = PolicyCard(self.document, self.node, self._context, self)
            self._fill(POLICY, self.policy)
        elif index == DOCS and self.docs is None and self._type is not None:
            from etl_studio.ui.forms.reference import reference, set_in_type

            self.docs = QTextBrowser(self)
            self.docs.setOpenExternalLinks(True)
            self.docs.setMarkdown(reference(self._type))
            set_in_type(self.docs.document())
            self._replace(DOCS, self.docs)

    def _fill(self, index: int, *contents: QWidget) -> None:
        area = self.tabs.widget(index)
        inside = QWidget(area)
        column = QVBoxLayout(inside)
        column.setContentsMargins(3 * SPACE, 4 * SPACE, 3 * SPACE, 4 * SPACE)
        for content in contents:
            column.addWidget(content)
        column.addStretch(1)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)

    def _replace(self, index: int, content: QWidget) -> None:
        title, old = self.tabs.tabText(index), self.tabs.widget(index)
        self.tabs.currentChanged.disconnect(self._entered)
        self.tabs.removeTab(index)
        self.tabs.insertTab(index, content, title)
        self.tabs.setCurrentIndex(index)
        self.tabs.currentChanged.connect(self._entered)
        old.deleteLater()
