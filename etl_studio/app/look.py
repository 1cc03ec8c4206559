"""One look at the rows of a node: what is before it, what its sample depends on, and the run of each node."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from etl_studio.engine.sampling import Sampling, flowing
from etl_studio.errors import Cancelled, PermanentError, UsageError
from etl_studio.pipeline.parameters import references
from etl_studio.sdk import Sink, Source
from etl_studio.sdk.config import editor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from etl_studio.app.pins import Pins
    from etl_studio.app.studio import Studio
    from etl_studio.engine.run import Run
    from etl_studio.engine.samples import Sample
    from etl_studio.engine.sql import SqlSession
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Node, Probe


class Look:
    """A node and those before it. Used as a context around ``run``: it holds a DuckDB and a folder for spilling.

    Args:
        studio: registry, secrets and databases.
        pipeline: the document.
        node: id of the node.
        file: its file, where relative paths start.
        rows: how many are read of each source.
        parameters: values as typed.
        pins: rows that stand in the place of nodes.

    Attributes:
        order: the node and those before it, each behind those that feed it.
        feeders: nodes whose wires end at a node.

    Raises:
        PipelineError: one of these nodes has errors.
        UsageError: there is no such node, a parameter is missing, or rows are wanted that only a load would tell.
    """

    def __init__(  # noqa: PLR0913 - what a look needs
        self,
        studio: Studio,
        pipeline: Pipeline,
        node: str,
        file: Path | None,
        rows: int,
        parameters: Mapping[str, str],
        pins: Pins,
    ) -> None:
        from etl_studio.storage.mailbox import mailbox_folder

        self._studio, self._node, self._rows, self._pins = studio, node, rows, pins
        self._pinned = pins.nodes() & pipeline.nodes.keys()
        self.feeders = _feeders(pipeline, node, self._pinned)
        self.order = _ordered(self.feeders)
        self._types: dict[str, type[Node]] = {}
        self._pipeline = _part(pipeline, self.order)
        self._resolved = studio.settings_for(
            self._pipeline,
            {key: value for key, value in parameters.items() if key in pipeline.parameters},
            [name for name in self.order if name not in self._pinned],
        )
        for name in self.order:
            node_type = studio.registry.get(pipeline.nodes[name].type)
            if node_type is None:  # of a pinned node: others are checked by settings_for
                raise UsageError(f'There is no node type "{pipeline.nodes[name].type}".', node=name)
            self._types[name] = node_type
            if name != node and issubclass(node_type, Sink):
                raise UsageError(
                    f'"{name}" tells only when it loads which rows it refuses, and a preview loads nothing.',
                    hint="Look at the rows that arrive at it.",
                )
        self._folder = file.resolve().parent if file else Path.cwd()
        self._data = studio.workspace_folder(file) / "data.db"
        self._mailboxes = mailbox_folder(studio.workspace_folder(file), file, pipeline.name)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._sql: SqlSession | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._sql is not None:
            self._sql.close()
            self._sql = None
        if self._scratch is not None:
            self._studio.databases.forget(Path(self._scratch.name))
            self._scratch.cleanup()
            self._scratch = None

    @property
    def secrets(self) -> frozenset[str]:
        """Values of secrets in the settings, to be hidden in all that is shown."""
        return frozenset(self._resolved.secrets)

    def asks(self, node: str) -> bool:
        """Whether a node may ask another machine."""
        if node in self._pinned:
            return False
        node_type = self._types[node]
        return not node_type.local if issubclass(node_type, Source) else bool(getattr(node_type, "reads_web", False))

    def keys(self, asked: Mapping[str, int]) -> dict[str, str]:
        """What the sample of each node depends on, as a hash; equal for equal samples.

        Args:
            asked: how often each source was read again because a person wanted it, by its key in ``source_keys``.
        """
        keys: dict[str, str] = {}
        for name in self.order:
            key = self._key(name, keys)
            keys[name] = _hash(key, asked[key]) if asked.get(key) else key
        return keys

    def source_keys(self) -> list[str]:
        """The key of each source, but for how often it was read again."""
        return [self._key(name, {}) for name in self.order if not self.feeders[name]]

    def _key(self, node: str, keys: Mapping[str, str]) -> str:
        if node in self._pinned:
            return _hash("pinned", node, str(self._folder), self._pins.stamp(node))
        config, policy = self._resolved.settings[node]
        wires = [
            (wire.source_port, wire.target_port, keys[wire.source])
            for wire in self._pipeline.wires
            if wire.target == node
        ]
        # The name is in the rows of ``rejects``; but nobody wants another machine to be asked again for a new name.
        name = "" if self.asks(node) else node
        kept = [policy.get("on_error"), policy.get("fallback")]
        return _hash(
            name, self._types[node].type, config, kept, self._rows, str(self._folder), self._stamp(node, config), wires
        )

    def needed(self, known: Collection[str]) -> list[str]:
        """Nodes that must run so that the rows of the node, and those that arrive at it, are known; in order."""
        found: set[str] = set()
        pending = [name for name in (self._node, *self.feeders[self._node]) if name not in known]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [feeder for feeder in self.feeders[name] if feeder not in known]
        return [name for name in self.order if name in found]

    def run(
        self,
        node: str,
        samples: Mapping[str, Sample],
        on_run: Callable[[Run], Any] | None = None,
        trace: str | None = None,
        probe: Probe | None = None,
    ) -> Sample:
        """Run one node on the samples of those before it.

        Args:
            node: its id.
            samples: of those before it.
            on_run: gets the run, so that it can be stopped.
            trace: name of a column in which each row has its number.
            probe: is told of the pages that a source reads.

        Raises:
            EtlError: it failed.
            Cancelled: it was stopped.
        """
        if node in self._pinned:
            return self._pins.read(node, self._types[node])
        from etl_studio.app.studio import new_run_id
        from etl_studio.engine.context import Places
        from etl_studio.engine.events import RunStatus
        from etl_studio.engine.masking import masking
        from etl_studio.engine.rehearsal import NothingNew
        from etl_studio.engine.run import Run

        runs: list[Run] = []
        sampling = Sampling(
            self._pipeline,
            self._studio.registry,
            self._resolved.settings,
            node,
            {name: samples[name] for name in self.feeders[node]},
            self._rows,
            lambda: runs[0].stop(hard=True),
            trace,
            probe,
        )
        scratch = self._room()
        run = Run(
            new_run_id(),
            sampling.plan,
            Places(self._folder, self._data, scratch / node, self._mailboxes),
            NothingNew(self._studio.databases, scratch),
            (),
            mask=masking(self._resolved.secrets, self._studio.sign_ins),
            sign_ins=self._studio.sign_ins,
            sql=self._session(),
        )
        runs.append(run)
        if on_run is not None:
            on_run(run)
        ended = run.execute()
        if not sampling.full and ended.status is RunStatus.FAILED:
            raise PermanentError(ended.error or "The preview failed.")
        if not sampling.full and ended.status is RunStatus.STOPPED:
            raise Cancelled("The preview was stopped.")
        return sampling.sample()

    def arriving(self, samples: Mapping[str, Sample]) -> pa.Table | None:
        """The rows that arrive at the node; None where they come by several wires, or by none, or are not known."""
        wires = [wire for wire in self._pipeline.wires if wire.target == self._node]
        if len(wires) != 1 or wires[0].source not in samples:
            return None
        feeder = self._pipeline.nodes[wires[0].source]
        return pa.Table.from_batches([flowing(samples[feeder.id], feeder.policy)[wires[0].source_port]])

    def _room(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="etl-studio-")
        return Path(self._scratch.name)

    def _session(self) -> SqlSession:
        """One DuckDB for all runs of the look: to open one takes longer than to run a node on a sample."""
        if self._sql is None:
            from etl_studio.engine.sql import SqlSession

            self._sql = SqlSession(self._room())
        return self._sql

    def _stamp(self, node: str, config: Mapping[str, Any]) -> list[Any]:
        """Facts that tell whether what a node reads from files is still the same."""
        node_type = self._types[node]
        found: list[Any] = []
        if issubclass(node_type, Source):
            try:
                found.append(dict(node_type(node_type.Config.model_validate(config)).stamp(self._folder)))
            except OSError:
                found.append(None)
        if not issubclass(node_type, Sink):
            for name, field in node_type.Config.model_fields.items():
                if editor_of(field) == "file":
                    path = self._folder / str(config.get(name) or self._data)
                    found += [_file_stamp(path), _file_stamp(path.with_name(path.name + "-wal"))]
        return found


def part_before(pipeline: Pipeline, node: str, pinned: Collection[str] = ()) -> Pipeline:
    """A node of a document and those before it, with the parameters that have a value or are used in them.

    Args:
        pipeline: the document.
        node: id of the node.
        pinned: nodes whose rows are there, so that nothing before them matters.

    Raises:
        UsageError: there is no such node, or the wires before it run in a circle.
    """
    return _part(pipeline, _ordered(_feeders(pipeline, node, pinned)))


def _hash(*facts: Any) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _file_stamp(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def _feeders(pipeline: Pipeline, node: str, pinned: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The nodes whose wires end at a node, for it and all before it up to pinned ones.

    Raises:
        UsageError: there is no such node.
    """
    if node not in pipeline.nodes:
        raise UsageError(f'There is no node "{node}".', hint=f"Nodes: {', '.join(pipeline.nodes) or 'none'}.")
    ending: dict[str, dict[str, None]] = {}
    for wire in pipeline.wires:
        if wire.source in pipeline.nodes:
            ending.setdefault(wire.target, {})[wire.source] = None
    found: dict[str, tuple[str, ...]] = {}
    pending = [node]
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = () if name in pinned else tuple(ending.get(name, ()))
            pending += found[name]
    return found


def _ordered(feeders: Mapping[str, tuple[str, ...]]) -> list[str]:
    try:
        return list(TopologicalSorter(feeders).static_order())
    except CycleError:
        raise UsageError(
            "The wires before this node run in a circle.", hint="Remove one of them: rows must flow from a source."
        ) from None


def _part(pipeline: Pipeline, nodes: Collection[str]) -> Pipeline:
    """The nodes alone, with the parameters that have a value or are used in them."""
    kept = {name: spec for name, spec in pipeline.nodes.items() if name in nodes}
    used = {name for spec in kept.values() for name in references(repr((spec.config, spec.policy)))}
    return replace(
        pipeline,
        nodes=kept,
        wires=[wire for wire in pipeline.wires if wire.source in kept and wire.target in kept],
        parameters={
            name: parameter
            for name, parameter in pipeline.parameters.items()
            if parameter.default is not None or name in used
        },
    )
