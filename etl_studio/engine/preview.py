"""The rows at a node, for a look: nothing is written, sources read only as much as they must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.engine.plan import Plan, PlannedNode
from etl_studio.pipeline.model import Wire
from etl_studio.sdk import REJECTS, Loaded, Policy, Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etl_studio.sdk import Mark, Rejected, RunContext

COLLECTOR = "preview"


class Collector(Sink):
    """Keeps the first rows and then ends the run.

    Args:
        rows: how many.
        enough: called once when they are there.
    """

    type = "preview_sink"
    title = "Preview"
    icon = "eye"
    group = "load"

    def __init__(self, rows: int, enough: Callable[[], None]) -> None:
        super().__init__(None)
        self._rows = rows
        self._enough = enough
        self._batches: list[pa.RecordBatch] = []
        self._schema = pa.schema([])
        self._count = 0

    def open(self, schema: pa.Schema, context: RunContext) -> None:
        """Remember the columns."""
        del context
        self._schema = schema

    def write(self, batch: pa.RecordBatch, context: RunContext) -> Iterable[Rejected]:
        """Keep what is still wanted."""
        del context
        if self._count < self._rows:
            kept = batch.slice(0, self._rows - self._count)
            self._batches.append(kept)
            self._count += kept.num_rows
            if self._count >= self._rows:
                self._enough()
        return ()

    def commit(self, context: RunContext, mark: Mark | None = None) -> Loaded:
        """Nothing is written."""
        del context, mark
        return Loaded(inserted=self._count)

    def abort(self, context: RunContext) -> None:
        """Nothing was written."""

    @property
    def full(self) -> bool:
        """Whether all wanted rows are there."""
        return self._count >= self._rows

    def table(self) -> pa.Table:
        """The rows."""
        return pa.Table.from_batches(self._batches, schema=self._schema)


def with_collector(plan: Plan, node: str, collector: Collector, port: str | None = None) -> Plan:
    """The plan of a node and its ancestors with a collector at the node's output (or at a sink's input)."""
    planned = plan.nodes[node]
    if isinstance(planned.node, Sink):
        item = plan.nodes.pop(node)
        wires = [Wire(wire.source, wire.source_port, COLLECTOR, "input") for wire in item.inputs]
        for old, new in zip(item.inputs, wires, strict=True):
            ports = plan.nodes[old.source].outputs
            ports[old.source_port] = [new if wire == old else wire for wire in ports[old.source_port]]
        plan.nodes[COLLECTOR] = PlannedNode(COLLECTOR, collector, Policy(), wires)
        return plan
    default = next(out.name for out in planned.node.outputs if out is not REJECTS)
    wire = Wire(node, port or default, COLLECTOR, "input")
    planned.outputs.setdefault(wire.source_port, []).append(wire)
    plan.nodes[COLLECTOR] = PlannedNode(COLLECTOR, collector, Policy(), [wire])
    return plan
