"""What arrives at a node, as far as previews have shown: names and types of columns, and a sample of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from PySide6.QtCore import SignalInstance

    from etl_studio.app.previews import Preview
    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.document import PipelineDocument


class TellsPreviews(Protocol):
    """What tells of each preview, as ``previews.runner.PreviewRunner`` does."""

    @property
    def ready(self) -> SignalInstance:
        """Carries an ``app.previews.Preview``."""
        ...


class KnownColumns(QObject):
    """Remembers the columns at the ports of each node that a preview has shown; what a form completes with.

    Nothing is computed here. Columns of a node are forgotten when it changes; those behind it are kept, since most
    edits change few of them. Rows are kept of the last preview only, and forgotten when something before them changes.

    Args:
        document: tells which nodes feed a node.
        runner: tells of each preview.
        parent: its parent.
    """

    def __init__(self, document: PipelineDocument, runner: TellsPreviews, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._types: dict[str, dict[str, dict[str, str]]] = {}
        self._samples: dict[str, Sample] = {}
        runner.ready.connect(self._learn)
        document.node_changed.connect(self._forget)
        document.node_removed.connect(self._forget)
        document.node_renamed.connect(self._rename)
        document.wire_added.connect(self._on_wire)
        document.wire_removed.connect(self._on_wire)
        document.pipeline_changed.connect(self._samples.clear)
        document.reset.connect(self._forget_all)

    def arriving(self, node: str) -> list[str]:
        """Names of the columns that the wires into a node are known to carry; those that its neighbours pass on."""
        return list(self.arriving_types(node))

    def arriving_types(self, node: str) -> dict[str, str]:
        """Types of these columns by name, in the words that people write, such as ``integer``."""
        found: dict[str, str] = {}
        for wire in self._wires_into(node):
            for name, kind in self._on(wire, {node}).items():
                found.setdefault(name, kind)
        return found

    def known(self, node: str) -> list[str]:
        """Names of the columns that a node is known to give, or else those that arrive at it."""
        given = [name for columns in self._types.get(node, {}).values() for name in columns]
        return list(dict.fromkeys(given)) or self.arriving(node)

    def leaving(self) -> dict[str, list[str]]:
        """Names of the columns that each node is known to give by its first output."""
        return {node: list(next(iter(ports.values()), ())) for node, ports in self._types.items()}

    def sample_arriving(self, node: str) -> pa.Table | None:
        """The rows of the last preview that arrive at a node's first input; None where no preview has shown them."""
        wires = list(self._wires_into(node))
        return self._sample_at(node, wires[0].target_port) if wires else None

    def tables_arriving(self, node: str) -> dict[str, pa.Table]:
        """Rows that arrive at each input; without rows where only columns are known; no table where nothing is."""
        found: dict[str, pa.Table] = {}
        for port in dict.fromkeys(wire.target_port for wire in self._wires_into(node)):
            sample = self._sample_at(node, port)
            if sample is None:
                types: dict[str, str] = {}
                for wire in self._wires_into(node):
                    if wire.target_port == port:
                        types = {**self._on(wire, {node}), **types}
                sample = _without_rows(types) if types else None
            if sample is not None:
                found[port] = sample
        return found

    def _sample_at(self, node: str, port: str) -> pa.Table | None:
        tables = []
        for wire in self._wires_into(node):
            if wire.target_port == port:
                sample = self._samples.get(wire.source)
                if sample is None or wire.source_port not in sample.ports:
                    return None
                tables.append(sample.ports[wire.source_port])
        return _together(tables) if tables else None

    def _on(self, wire: Wire, seen: set[str]) -> Mapping[str, str]:
        if wire.source in self._types:
            return self._types[wire.source].get(wire.source_port, {})
        # a node that was not looked at most often passes on what it gets
        seen = seen | {wire.source}
        found: dict[str, str] = {}
        for before in self._wires_into(wire.source):
            if before.source not in seen:
                found = {**self._on(before, seen), **found}
        return found

    def _wires_into(self, node: str) -> Iterator[Wire]:
        return (wire for wire in self._document.pipeline.wires if wire.target == node)

    def _learn(self, preview: Preview) -> None:
        from etl_studio.sdk.types import type_name

        self._samples.clear()
        self._samples.update(preview.samples)
        for node, sample in preview.samples.items():
            self._types[node] = {
                port: {field.name: type_name(field.type) for field in table.schema}
                for port, table in sample.ports.items()
            }

    def _forget(self, node: str) -> None:
        self._types.pop(node, None)
        self._drop_rows_from(node)

    def _forget_all(self) -> None:
        self._types.clear()
        self._samples.clear()

    def _on_wire(self, wire: Wire) -> None:
        self._drop_rows_from(wire.target)

    def _drop_rows_from(self, node: str) -> None:
        pending = [node]
        while pending and self._samples:
            name = pending.pop()
            if self._samples.pop(name, None) is not None or name == node:
                pending += [wire.target for wire in self._document.pipeline.wires if wire.source == name]

    def _rename(self, old: str, new: str) -> None:
        for known in (self._types, self._samples):
            if old in known:
                known[new] = known.pop(old)  # type: ignore[attr-defined] # of the same dictionary


def _without_rows(types: Mapping[str, str]) -> pa.Table:
    """An empty table; columns of types that people cannot write are texts."""
    import pyarrow as pa

    from etl_studio.errors import PermanentError
    from etl_studio.sdk.types import column_type

    fields = []
    for name, kind in types.items():
        try:
            fields.append(pa.field(name, column_type(kind)[0]))
        except PermanentError:
            fields.append(pa.field(name, pa.string()))
    return pa.schema(fields).empty_table()


def _together(tables: list[pa.Table]) -> pa.Table | None:
    """Rows of several wires into one port, by the names of their columns."""
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    except pa.ArrowException:
        return None
