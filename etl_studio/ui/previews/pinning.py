"""The pinned rows of one document: read and written in a thread, one thing after the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.app.pins import Pins
from etl_studio.ui.panels.in_order import InOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.model import NodeSpec
    from etl_studio.sdk import Node
    from etl_studio.ui.document import PipelineDocument


class Pinning(QObject):
    """Pins rows, and follows the nodes of the document.

    The rows of a node that was deleted stay, so that undo brings them back, until another node takes its name.

    Signals:
        changed: other nodes have pinned rows, or other rows.
        failed: why something could not be done.

    Args:
        document: its file tells where the rows are.
        parent: its parent.

    Attributes:
        nodes: ids of the nodes with pinned rows.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, document: PipelineDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.nodes: frozenset[str] = frozenset()
        self._known: dict[str, NodeSpec] = {}
        self._work = InOrder(self)
        self._work.done.connect(self._on_done)
        self._work.failed.connect(self.failed)
        document.node_renamed.connect(self._on_renamed)
        document.node_added.connect(self._on_added)
        document.path_changed.connect(self._on_reset)
        document.reset.connect(self._on_reset)
        self._on_reset()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be done."""
        return self._work.is_busy

    def pin(self, node: str, sample: Sample) -> None:
        """Keep the rows of a node."""
        self._do(partial(self._pins().write, node, self._type(node), sample))

    def unpin(self, node: str) -> None:
        """Let a node run again."""
        self._do(partial(self._pins().remove, node))

    def edit(self, node: str, row: int, column: str, text: str) -> None:
        """Change a value of pinned rows."""
        self._do(partial(self._pins().edit, node, row, column, text))

    def close(self) -> None:
        """Finish what was asked for, and wait until nothing runs."""
        self._work.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def _pins(self) -> Pins:
        return Pins(self._document.path)

    def _type(self, node: str) -> Any:
        found: type[Node] | None = self._document.registry.get(self._document.pipeline.nodes[node].type)
        return found

    def _do(self, work: Callable[[], object]) -> None:
        pins = self._pins()

        def done() -> frozenset[str]:
            work()
            return pins.nodes()

        self._work.do(done)

    def _on_done(self, nodes: frozenset[str]) -> None:
        self.nodes = nodes
        self.changed.emit()

    def _on_reset(self) -> None:
        self._known = dict(self._document.pipeline.nodes)
        self._do(lambda: None)

    def _on_renamed(self, old: str, new: str) -> None:
        self._known[new] = self._document.pipeline.nodes[new]
        if old in self.nodes:
            self.nodes = self.nodes - {old} | {new}
            self._do(partial(self._pins().rename, old, new))

    def _on_added(self, node: str) -> None:
        spec = self._document.pipeline.nodes[node]
        if node in self.nodes and self._known.get(node) is not spec:
            self.unpin(node)
        self._known[node] = spec
