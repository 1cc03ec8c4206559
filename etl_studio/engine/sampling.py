"""Plans that give a sample of the rows at one node: of a source the first ones, of others what those before it give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.engine.samples import Sample, own_rows
from etl_studio.engine.stand_ins import stand_in_plan
from etl_studio.sdk import REJECTS, Bookmark, Cursor, Rejected, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Probe, Registry, RunContext
    from etl_studio.sdk.node import SourceEmission

TIMES = 10
"""A node may give so many times the rows of a sample, such as a join; what is beyond is cut."""


class FirstRows(Source):
    """Gives the first rows of a source and then stops reading.

    Args:
        inner: the source.
        rows: how many at most.

    Attributes:
        cut: whether it may have more rows.
    """

    type = "first_rows_source"
    title = "First rows"
    icon = "eye"
    group = "extract"

    def __init__(self, inner: Source, rows: int) -> None:
        super().__init__(inner.config)
        self.outputs = inner.outputs  # type: ignore[misc] # of this one
        self._inner = inner
        inner.wanted = rows
        self._rows = rows
        self.cut = False

    def read(self, context: RunContext) -> Iterator[SourceEmission]:
        """Yield them, and the rejects among them."""
        given = refused = 0
        emissions = iter(self._inner.read(context))
        try:
            for emission in emissions:
                if isinstance(emission, Cursor | Bookmark):
                    continue
                if isinstance(emission, pa.RecordBatch):
                    yield emission.slice(0, self._rows - given)
                    given += emission.num_rows
                else:
                    yield emission
                    refused += emission.rows.num_rows if isinstance(emission, Rejected) else 0
                if given >= self._rows or refused >= TIMES * self._rows:
                    self.cut = True
                    return
        finally:
            close = getattr(emissions, "close", None)
            if close is not None:
                close()


class Sampling:
    """Takes a sample at one node, whose feeders' rows are given: a run executes ``plan``, then ``sample`` has come.

    Args:
        pipeline: the document.
        registry: node types.
        settings: config and policy of the node, parameters already put in.
        node: its id.
        feeders: samples of the nodes whose wires end at it.
        rows: how many to read of a source; other nodes may give ten times as many.
        enough: called when that many are there, so that the run may end.
        trace: name of a column that is added to what arrives, with the number of each row from 0 on.
        probe: is told of the pages that a source reads.
    """

    def __init__(  # noqa: PLR0913 - what a run of one node needs
        self,
        pipeline: Pipeline,
        registry: Registry,
        settings: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
        node: str,
        feeders: Mapping[str, Sample],
        rows: int,
        enough: Callable[[], None],
        trace: str | None = None,
        probe: Probe | None = None,
    ) -> None:
        self._node = node
        self._feeders = feeders
        node_type = registry.get(pipeline.nodes[node].type)
        assert node_type is not None  # noqa: S101 - the pipeline was checked
        given = {key: flowing(sample, pipeline.nodes[key].policy) for key, sample in feeders.items()}
        if trace is not None:
            given = {key: _numbered(ports, trace) for key, ports in given.items()}
        places = [(node, port.name) for port in node_type.outputs] if not issubclass(node_type, Sink) else []
        self.plan, self._collectors = stand_in_plan(
            pipeline, registry, settings, given, places or [(node, "input")], TIMES * rows, enough
        )
        self._source: FirstRows | None = None
        if (item := self.plan.nodes.get(node)) is not None:
            # Rows that fail are to be seen, whatever a run does with them; and a sample tells nothing about shares.
            item.policy = item.policy.model_copy(update={"on_error": "reject", "budget": None, "workers": 1})
            if isinstance(item.node, Source) and probe is not None:
                item.node = item.node.probed(probe)
            if isinstance(item.node, Source):
                item.node = self._source = FirstRows(item.node, rows)

    @property
    def full(self) -> bool:
        """Whether as many rows came as are kept."""
        return any(collector.full for collector in self._collectors.values())

    def sample(self) -> Sample:
        """What came."""
        cut = {name for sample in self._feeders.values() for name in sample.cut}
        if self.full or (self._source is not None and self._source.cut):
            cut.add(self._node)
        return Sample({port: own_rows(found.table()) for (_, port), found in self._collectors.items()}, frozenset(cut))


def flowing(sample: Sample, policy: Mapping[str, Any]) -> dict[str, pa.RecordBatch]:
    """What leaves a node in a run: its rejects only where its policy sends them to their port."""
    flowing = {}
    for port, table in sample.ports.items():
        held = port == REJECTS.name and policy.get("on_error", "reject") != "reject"
        batches = table.slice(0, 0 if held else None).combine_chunks().to_batches()
        flowing[port] = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
    return flowing


def _numbered(ports: Mapping[str, pa.RecordBatch], name: str) -> dict[str, pa.RecordBatch]:
    return {port: rows.append_column(name, pa.array(range(rows.num_rows), pa.int64())) for port, rows in ports.items()}
