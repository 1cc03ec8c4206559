"""Keeps a preview up to date with the selection and the document: when it is computed by itself, and what is stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from etl_studio.app.previews import Preview
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.previews.runner import PreviewRunner

QUIET = 250
"""Milliseconds without a change before rows are computed by themselves."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: a node, or the rows on a wire.

    Attributes:
        node: the node that gives the rows; empty: nothing is selected.
        wire: the wire, where one is selected.
    """

    node: str = ""
    wire: Wire | None = None


class Following(QObject):
    """Asks for previews of what is selected.

    Files on this machine are read by themselves. Sources that ask other machines are read only when a person wants it;
    what they have given is used until then. While nobody sees the rows, only what is known already is looked up.

    Signals:
        turned: something else is looked at; its rows are not known yet.
        computing: rows are being computed.
        shown: an ``app.previews.Preview`` of what is looked at.
        failed: why there are no rows.
        went_stale: the rows that were shown are those of earlier settings.

    Args:
        runner: computes.
        document: tells what has changed.
        parent: its parent.

    Attributes:
        subject: what is looked at.
        seen: whether somebody sees the rows.
    """

    turned = Signal()
    computing = Signal()
    shown = Signal(object)
    failed = Signal(str)
    went_stale = Signal()

    def __init__(self, runner: PreviewRunner, document: PipelineDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._document = runner, document
        self.subject = Subject()
        self.seen = False
        self._timer = QTimer(self, singleShot=True, interval=QUIET)
        self._timer.timeout.connect(self._look)
        runner.ready.connect(self._on_ready)
        runner.failed.connect(self._on_failed)
        document.node_changed.connect(self._on_node)
        document.node_removed.connect(self._on_removed)
        document.node_renamed.connect(self._on_renamed)
        document.wire_added.connect(self._on_wire)
        document.wire_removed.connect(self._on_wire)
        document.pipeline_changed.connect(self.look_again)
        document.path_changed.connect(self.look_again)

    def turn_to(self, subject: Subject) -> None:
        """Look at something else; its rows come after a short while."""
        if subject == self.subject:
            return
        self._runner.cancel()
        self.subject = subject
        self.turned.emit()
        self._soon()

    def set_seen(self, seen: bool) -> None:  # noqa: FBT001 - a state, not a choice
        """Whether somebody sees the rows."""
        if seen and not self.seen:
            self._soon()
        self.seen = seen

    def read(self, *, again: bool) -> None:
        """Compute now, asking other machines where that is needed.

        Args:
            again: read all sources again.
        """
        if self.subject.node:
            self._timer.stop()
            self.computing.emit()
            self._runner.request(self.subject.node, again=again)

    def set_rows(self, rows: int) -> None:
        """Read more or fewer rows of each source from now on."""
        self._runner.rows = rows
        self.look_again()

    def look_again(self) -> None:
        """Something that the rows depend on has changed."""
        if self.subject.node:
            self._runner.cancel()
            self.went_stale.emit()
            self._soon()

    def close(self) -> None:
        """Stop, and wait until nothing runs."""
        self._timer.stop()
        self._runner.close()

    def _soon(self) -> None:
        if self.subject.node:
            self._timer.start()
        else:
            self._timer.stop()

    def _look(self) -> None:
        if self.subject.node not in self._document.pipeline.nodes:
            return
        if self.seen:
            self.computing.emit()
        self._runner.request(self.subject.node, ask=False, compute=self.seen)

    def _on_ready(self, preview: Preview) -> None:
        if preview.node == self.subject.node:
            self.shown.emit(preview)

    def _on_failed(self, node: str, message: str) -> None:
        if node == self.subject.node and self.seen:
            self.failed.emit(message)

    def _on_node(self, node: str) -> None:
        if self._depends_on(node):
            self.look_again()

    def _on_wire(self, wire: Wire) -> None:
        if wire == self.subject.wire and wire not in self._document.pipeline.wires:
            self.turn_to(Subject())
        elif self._depends_on(wire.target):
            self.look_again()

    def _on_removed(self, node: str) -> None:
        if node == self.subject.node:
            self.turn_to(Subject())

    def _on_renamed(self, old: str, new: str) -> None:
        wire = self.subject.wire
        if wire is not None and old in (wire.source, wire.target):
            source, target = (new if node == old else node for node in (wire.source, wire.target))
            wire = type(wire)(source, wire.source_port, target, wire.target_port)
        self.subject = Subject(new if self.subject.node == old else self.subject.node, wire)
        self._on_node(new)

    def _depends_on(self, changed: str) -> bool:
        feeders: dict[str, list[str]] = {}
        for wire in self._document.pipeline.wires:
            feeders.setdefault(wire.target, []).append(wire.source)
        pending, found = [self.subject.node], set()
        while pending:
            node = pending.pop()
            if node == changed:
                return True
            if node not in found:
                found.add(node)
                pending += feeders.get(node, ())
        return False
