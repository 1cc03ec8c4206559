"""Which columns arrive at a node, as far as previews have shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.panels.preview import PreviewRunner


class KnownColumns(QObject):
    """Remembers the columns of each node that was looked at; what a form completes with.

    Args:
        document: tells which nodes feed a node.
        runner: tells of each preview.
        parent: its parent.
    """

    def __init__(self, document: PipelineDocument, runner: PreviewRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._names: dict[str, list[str]] = {}
        runner.ready.connect(self._learn)
        document.node_changed.connect(self._forget)
        document.node_removed.connect(self._forget)
        document.node_renamed.connect(self._rename)
        document.reset.connect(self._names.clear)

    def arriving(self, node: str) -> list[str]:
        """Names of the columns that the wires into a node are known to carry; those that its neighbours pass on."""
        sources = [wire.source for wire in self._document.pipeline.wires if wire.target == node]
        return list(dict.fromkeys(name for source in sources for name in self._leaving(source, {node})))

    def _leaving(self, node: str, seen: set[str]) -> list[str]:
        if node in self._names:
            return self._names[node]
        # a node that was not looked at most often passes on what it gets
        sources = [wire.source for wire in self._document.pipeline.wires if wire.target == node]
        seen = seen | {node}
        return [name for source in sources if source not in seen for name in self._leaving(source, seen)]

    def _learn(self, node: str, table: pa.Table) -> None:
        self._names[node] = list(table.column_names)

    def _forget(self, node: str) -> None:
        self._names.pop(node, None)

    def _rename(self, old: str, new: str) -> None:
        if old in self._names:
            self._names[new] = self._names.pop(old)
