"""Rows at nodes while a pipeline is designed: computed from samples, kept in memory, nothing is written.

Each source gives its first rows; every other node runs on what those before it gave, and pinned rows stand in the place
of their node. A sample is kept under a key made of everything that it depends on, so a change computes again only what
follows it.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.app.comparing import ROW, compared
from etl_studio.app.look import Look, part_before
from etl_studio.app.pins import Pins
from etl_studio.engine.samples import MOST_BYTES, Sample, SampleCache
from etl_studio.engine.stand_ins import default_port
from etl_studio.errors import UsageError
from etl_studio.pipeline.flat import SEPARATOR, SUB_PIPELINE, FlatPipeline, outer_node
from etl_studio.sdk import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.app.studio import Studio
    from etl_studio.engine.alignment import Alignment
    from etl_studio.engine.run import Run
    from etl_studio.pipeline.active import Active
    from etl_studio.pipeline.model import Pipeline

ROWS = 200
"""Rows that are read of each source where nobody wants more."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a node and of those before it.

    Attributes:
        samples: by node; that of the node itself is missing where it waits.
        unasked: sources before it that ask another machine and were not allowed to.
        computed: nodes that ran for it; the others were known.
    """

    node: str
    samples: Mapping[str, Sample]
    unasked: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()

    @property
    def sample(self) -> Sample | None:
        """The rows at the node."""
        return self.samples.get(self.node)


class Previews:
    """Computes samples and keeps them. Several threads may use it.

    Args:
        studio: registry, secrets and databases.
        most_bytes: of all samples that are kept.

    Attributes:
        studio: what all share.
    """

    def __init__(self, studio: Studio, most_bytes: int = MOST_BYTES) -> None:
        self.studio = studio
        self._cache = SampleCache(most_bytes)
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def look(  # noqa: PLR0913 - what a look needs
        self,
        pipeline: Pipeline,
        node: str,
        *,
        file: Path | None,
        rows: int = ROWS,
        parameters: Mapping[str, str] | None = None,
        ask: bool = True,
        again: bool = False,
        compute: bool = True,
        on_run: Callable[[Run], Any] | None = None,
    ) -> Preview:
        """The rows at a node and at those before it.

        Args:
            pipeline: the document.
            node: id of the node; ``clean/keep`` is one in a sub-pipeline.
            file: its file, where relative paths start.
            rows: how many are read of each source.
            parameters: values as typed.
            ask: whether sources that read from other machines may do so now.
            again: read all sources before it again, whatever is known of them.
            compute: False: give only what is known.
            on_run: gets each run, so that it can be stopped.

        Raises:
            PipelineError: the node or what feeds it has errors.
            UsageError: there is no such node, or a parameter is missing.
            Cancelled: it was stopped.
            EtlError: reading failed.
        """
        pins = Pins(file)
        flat, running = self.running(pipeline, node, file, parameters)
        origin = running.passed[node][0] if node in running.passed else node
        samples: dict[str, Sample] = {}
        unasked: dict[str, None] = {}
        computed: list[str] = []
        for end in sorted(set(ends_of(flat, node).values())) or [origin]:
            look = Look(self.studio, running.pipeline, end, file, rows, parameters or {}, pins)
            with self._lock:
                if again:
                    self._asked.update(look.source_keys())
                keys = look.keys(self._asked)
            samples |= {name: sample for name, key in keys.items() if (sample := self._cache.get(key)) is not None}
            needed = look.needed(samples) if compute else []
            unasked |= dict.fromkeys(name for name in needed if not ask and look.asks(name))
            with look:
                for name in needed:
                    if name in unasked or not all(feeder in samples for feeder in look.feeders[name]):
                        continue
                    samples[name] = look.run(name, samples, on_run)
                    self._cache.keep(keys[name], samples[name])
                    computed.append(name)
        for name, (source, port) in running.passed.items():
            if (known := samples.get(source)) is not None:
                samples[name] = Sample({self._default_port(flat, name): known.ports[port]}, known.cut)
        return Preview(node, {**samples, **_of_sub_pipelines(flat, samples)}, tuple(unasked), tuple(computed))

    def compare(  # noqa: PLR0913 - as a look
        self,
        pipeline: Pipeline,
        node: str,
        *,
        file: Path | None,
        rows: int = ROWS,
        parameters: Mapping[str, str] | None = None,
        on_run: Callable[[Run], Any] | None = None,
    ) -> Alignment:
        """What a node with one wire into it does to the rows of its sample; no other machine is asked.

        Args:
            pipeline: the document.
            node: id of the node.
            file: its file, where relative paths start.
            rows: how many are read of each source.
            parameters: values as typed.
            on_run: gets each run, so that it can be stopped.

        Raises:
            UsageError: several wires end at the node, or none; or its rows are not known.
            EtlError: as ``look``.
        """
        known = self.look(pipeline, node, file=file, rows=rows, parameters=parameters, ask=False, on_run=on_run)
        _, running = self.running(pipeline, node, file, parameters)
        node_type = self.studio.registry.get(pipeline.nodes[node].type)
        runs = node in running.pipeline.nodes
        if known.sample is None or node_type is None or not runs or issubclass(node_type, Sink):
            raise UsageError("There is nothing to compare.", hint="Look at the rows that leave the node.")
        with Look(self.studio, running.pipeline, node, file, rows, parameters or {}, Pins(file)) as look:
            arriving = look.arriving(known.samples)
            if arriving is None:
                raise UsageError(
                    "Rows are compared where one wire ends at a node.", hint="Look at the rows that leave the node."
                )
            return compared(node_type, arriving, known.sample, lambda: look.run(node, known.samples, on_run, trace=ROW))

    def schema_at(
        self, pipeline: Pipeline, node: str, port: str | None = None, *, file: Path | None, rows: int = ROWS
    ) -> pa.Schema | None:
        """The columns at an output port of a node (default: its first one) as far as samples tell; nothing runs."""
        sample = self.look(pipeline, node, file=file, rows=rows, compute=False).sample
        if sample is None:
            return None
        first = next(iter(sample.ports)) if pipeline.nodes[node].type == SUB_PIPELINE else None
        table = sample.ports.get(port or first or self._default_port(pipeline, node))
        return None if table is None else table.schema

    def running(
        self, pipeline: Pipeline, node: str, file: Path | None, parameters: Mapping[str, str] | None = None
    ) -> tuple[Pipeline, Active]:
        """The node and those before it, up to pinned ones: without sub-pipelines, and what of that runs.

        Raises:
            UsageError: the node does not run.
        """
        pinned = {
            name
            for name in Pins(file).nodes() & pipeline.nodes.keys()
            if not pipeline.nodes[name].disabled and pipeline.nodes[name].type != SUB_PIPELINE
        }
        flat = self.studio.flat(part_before(pipeline, outer_node(node), pinned), parameters, file=file)
        running = self.studio.active(flat)
        if node in running.left_out:
            why = "It is disabled." if running.left_out[node] else "Only disabled nodes feed it."
            raise UsageError(why, node=node, hint="Enable it, or what feeds it, to see rows.")
        return flat, running

    def _default_port(self, pipeline: Pipeline, node: str) -> str:
        node_type = self.studio.registry.get(pipeline.nodes[node].type)
        return "out" if node_type is None else default_port(node_type)


def ends_of(pipeline: Pipeline, node: str) -> dict[str, str]:
    """Where the rows of a sub-pipeline are looked at, by port: at its outputs, or at its inputs where it has none."""
    interface = pipeline.interfaces.get(node) if isinstance(pipeline, FlatPipeline) else None
    ports = (interface.outputs or interface.inputs) if interface is not None else {}
    return {port: f"{node}{SEPARATOR}{end}" for port, end in ports.items()}


def _of_sub_pipelines(pipeline: Pipeline, samples: Mapping[str, Sample]) -> dict[str, Sample]:
    """Samples of the sub-pipelines all of whose rows are known."""
    found = {}
    for node in pipeline.interfaces if isinstance(pipeline, FlatPipeline) else ():
        ends = ends_of(pipeline, node)
        if ends and all(end in samples for end in ends.values()):
            cut = frozenset(name for end in ends.values() for name in samples[end].cut)
            found[node] = Sample({port: samples[end].ports["out"] for port, end in ends.items()}, cut)
    return found
