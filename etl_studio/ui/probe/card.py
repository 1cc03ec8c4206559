"""The part of a form that probes its source: a button, what came of it, and the settings that were found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from etl_studio.sdk import Source
from etl_studio.ui.probe.prober import Prober
from etl_studio.ui.probe.words import found_words, page_words, summary
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.app.probing import Probed, ProbedPage
    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.probe.window import ProbeWindow
    from etl_studio.ui.theme.theme import Theme


class ProbeCard(QFrame):
    """Probes one node. What was found is kept as long as the form is open.

    Args:
        document: receives the settings that were found out.
        node: id of the source.
        prober: asks.
        flush: writes what was typed into the form and is not in the document yet.
        theme: colours and icons.
        parent: its parent.

    Attributes:
        seen: what the last probe found.
        pages_window: shows the pages, once it was opened.
    """

    def __init__(  # noqa: PLR0913 - a source, what asks, and where it is shown
        self,
        document: PipelineDocument,
        node: str,
        prober: Prober,
        flush: Callable[[], object],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.node = document, node
        self._prober, self._flush, self._theme = prober, flush, theme
        prober.setParent(self)
        self.seen: Probed | None = None
        self._pages: list[ProbedPage] = []
        self._asked_with: dict[str, Any] = {}
        self.pages_window: ProbeWindow | None = None
        self.button, self.show_button = QPushButton(tr("Probe")), QPushButton(tr("Show pages"))
        self.button.setToolTip(tr("Ask for pages 1 to 3 and see what comes. Nothing is saved."))
        self.button.clicked.connect(self.toggle)
        self.show_button.clicked.connect(self.open_window)
        self.text, self.found = QLabel(), QLabel()
        for label in (self.text, self.found):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use = QPushButton(tr("Use this"))
        self.use.setProperty("role", "primary")
        self.use.setToolTip(tr("Write what was found out into the settings"))
        self.use.clicked.connect(self.use_found)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(2 * SPACE)
        first.addWidget(self.button)
        first.addWidget(self.show_button)
        first.addStretch(1)
        second.addWidget(self.found, 1)
        second.addWidget(self.use, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addLayout(first)
        column.addWidget(self.text)
        column.addLayout(second)
        prober.page_came.connect(self._take_page)
        prober.ended.connect(self._take)
        prober.failed.connect(self._refuse)
        document.node_changed.connect(self._look_at_settings)
        theme.changed.connect(self._dress)
        self._dress()
        self._refresh()

    def toggle(self) -> None:
        """Probe, or stop the probe that is under way."""
        if self._prober.is_busy:
            self._prober.cancel()
            self._tell(tr("The probe was stopped."))
            return
        self._flush()
        if self.node not in self.document.pipeline.nodes:
            return
        self._asked_with = dict(self.document.pipeline.nodes[self.node].config)
        self.seen, self._pages = None, []
        self._prober.probe(self.node)
        if self.pages_window is not None:
            self.pages_window.begin()
        self._tell(tr("Asking for the first page…"))

    def open_window(self) -> None:
        """Show the pages in a window of their own."""
        from etl_studio.ui.probe.window import ProbeWindow

        if self.pages_window is None:
            title = self.document.titles().get(self.node, self.node)
            self.pages_window = ProbeWindow(title, self._theme, self)
            self.pages_window.again_wanted.connect(self.toggle)
            self.pages_window.use_wanted.connect(self.use_found)
        self.pages_window.show_pages(self._pages)
        if self.seen is not None:
            self.pages_window.show_end(self.seen, usable=self.use.isVisibleTo(self))
        self.pages_window.show()
        self.pages_window.raise_()
        self.pages_window.activateWindow()

    def use_found(self) -> None:
        """Write what was found out into the settings: one step."""
        if self.seen is None or not self.seen.settings or self.node not in self.document.pipeline.nodes:
            return
        self._flush()
        with self.document.macro(tr("Use the pages that were found")):
            for name, value in self.seen.settings.items():
                if value != "":
                    self.document.set_setting(self.node, name, value)
        self._asked_with = dict(self.document.pipeline.nodes[self.node].config)
        self._refresh()

    def _take_page(self, page: ProbedPage) -> None:
        self._pages.append(page)
        if self.pages_window is not None:
            self.pages_window.show_pages(self._pages)
        self._tell(page_words(page))

    def _take(self, seen: Probed) -> None:
        self.seen, self._pages = seen, list(seen.pages)
        self._refresh()

    def _refuse(self, message: str) -> None:
        self._tell(message, bad=True)
        if self.pages_window is not None:
            self.pages_window.show_failure(message)

    def _look_at_settings(self, node: str) -> None:
        if node == self.node and self.seen is not None:
            self._refresh()

    def _refresh(self) -> None:
        seen = self.seen
        spec = self.document.pipeline.nodes.get(self.node)
        if seen is None or spec is None:
            self._tell(tr("See pages 1 to 3 before anything is saved."))
            return
        stale = spec.config != self._asked_with
        used = all(spec.config.get(name, "") == value for name, value in seen.settings.items())
        words = seen.error or summary(seen)
        self._tell(f"{words}\n{tr('The settings have changed since.')}" if stale else words, bad=bool(seen.error))
        self.found.setText(found_words(seen))
        self.found.setVisible(bool(seen.settings) and not stale)
        self.use.setVisible(bool(seen.settings) and not used and not stale)
        if used and seen.settings:
            self.found.setText(tr("The settings say how pages follow each other."))
        if self.pages_window is not None:
            self.pages_window.show_pages(self._pages)
            self.pages_window.show_end(seen, usable=self.use.isVisibleTo(self))

    def _tell(self, text: str, *, bad: bool = False) -> None:
        busy = self._prober.is_busy
        self.button.setText(tr("Stop") if busy else tr("Probe again") if self.seen is not None else tr("Probe"))
        self.show_button.setVisible(bool(self._pages))
        self.text.setText(text)
        set_role(self.text, "danger" if bad else "muted")
        if self.seen is None:
            self.found.hide()
            self.use.hide()

    def _dress(self) -> None:
        self.button.setIcon(self._theme.icon("eye"))


def probe_card(  # noqa: PLR0913 - a source, what asks, and where it is shown
    studio: Studio,
    document: PipelineDocument,
    node: str,
    parameters: Callable[[], Mapping[str, str]],
    flush: Callable[[], object],
    theme: Theme,
    parent: QWidget,
) -> ProbeCard | None:
    """The card of a node whose pages can be seen before a run; None for others.

    Args:
        studio: registry, secrets and sign-ins.
        document: the pipeline.
        node: id of the node.
        parameters: values of parameters as typed.
        flush: writes what was typed into the form.
        theme: colours and icons.
        parent: its parent.
    """
    node_type = document.registry.get(document.pipeline.nodes[node].type)
    if node_type is None or not issubclass(node_type, Source) or not node_type.probes:
        return None
    return ProbeCard(document, node, Prober(studio, document, parameters), flush, theme, parent)
