"""Columns followed through a pipeline: where each comes from, what uses it, and where it goes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from etl_studio.pipeline.column_tables import OUTSIDE, Arriving, Column, Made, Star
from etl_studio.pipeline.node_columns import Mention, NodeColumns, node_columns
from etl_studio.pipeline.wire_text import default_output, node_types
from etl_studio.sdk.ports import REJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from etl_studio.pipeline.column_tables import Table
    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.pipeline.wire_text import NodeTypes

Place = tuple[str, Column]
"""A node and a column inside of it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A place at which a column stands.

    Attributes:
        node: whose settings.
        mention: where in them.
        computed: the column there is computed from the one that was asked for.
    """

    node: str
    mention: Mention
    computed: bool = False


@dataclass(slots=True)
class Trace:
    """A column's way.

    Attributes:
        origins: nodes where it begins, with the name that it has there.
        uses: every mention, in the order of the nodes in the file.
        carried: the names under which each node has it, by node; of nodes that only carry it, too.
        wires: those that carry it.
    """

    origins: list[tuple[str, str]] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    carried: dict[str, list[str]] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)


class Lineage:
    """What the settings of all nodes say about columns. Nothing is read and nothing runs.

    Args:
        pipeline: the document; it must not change meanwhile.
        registry: the node types.
        known: columns that a node is known to give, such as those of its last preview, by node.
    """

    def __init__(
        self, pipeline: Pipeline, registry: NodeTypes, known: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.pipeline = pipeline
        self.types = node_types(pipeline, registry)
        self.nodes: dict[str, NodeColumns] = {}
        self._into: dict[str, list[Wire]] = {}
        self._out_of: dict[str, list[Wire]] = {}
        for wire in pipeline.wires:
            if wire.source in pipeline.nodes and wire.target in pipeline.nodes:
                self._into.setdefault(wire.target, []).append(wire)
                self._out_of.setdefault(wire.source, []).append(wire)
        for node in self._in_order():
            self._look_at(node, dict(known or {}))

    def table(self, node: str, port: str) -> Table:
        """The columns that leave by an output."""
        found = self.nodes[node]
        if port == REJECTS.name and found.arriving:
            return Made(stars=[Star(table) for table in found.arriving.values()])
        return found.gives

    def wires_into(self, node: str, port: str) -> list[Wire]:
        """The wires that end at an input."""
        return [wire for wire in self._into.get(node, ()) if wire.target_port == port]

    def wires_out_of(self, node: str) -> list[Wire]:
        """The wires that begin at a node."""
        return self._out_of.get(node, [])

    def behind(self, node: str, column: Column) -> Iterator[tuple[Wire, Column]]:
        """Where a column goes next: the wires, and what it is in the nodes at their ends."""
        for wire in self.wires_out_of(node):
            for name in dict.fromkeys(self.table(node, wire.source_port).leaving(column)):
                yield wire, Column(wire.target_port, name.lower())

    def before(self, node: str, column: Column) -> Iterator[tuple[Wire, Column]]:
        """Where a column that arrives comes from: the wires, and what it is in the nodes at their beginnings."""
        if column.port:
            for wire in self.wires_into(node, column.port):
                for source in self.table(wire.source, wire.source_port).find(column.name):
                    yield wire, source

    def origins(self, node: str, columns: Iterable[Column]) -> list[Place]:
        """Where columns get the names that they have in a node."""
        seen: dict[Place, None] = {}
        found: dict[Place, None] = {}
        waiting = [(node, column) for column in columns]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen[place] = None
            earlier = [(wire.source, column) for wire, column in self.before(*place)]
            waiting += earlier
            if not place[1].port:
                found[place] = None
        return list(found)

    def trace(self, node: str, name: str, port: str | None = None, *, arriving: bool = False) -> Trace:
        """Follow a column that leaves a node (or arrives at one without outputs) both ways.

        Args:
            node: the node.
            name: the column's name there.
            port: the output; None: the first one.
            arriving: it is rather a name with which the column arrives there.
        """
        begin = [(node, column) for column in self.meaning(node, name, port, arriving=arriving)]
        forward: dict[Place, bool] = {}
        backward: dict[Place, None] = {}
        wires: dict[Wire, None] = {}
        self._go_back(begin, backward, wires)
        self._go_on([*backward, *begin], forward, wires, within=set(backward) | set(begin))
        trace = Trace(wires=list(wires))
        trace.origins = [(at, column.name) for at, column in backward if not column.port and not self._same(at, column)]
        places: dict[str, dict[Column, bool]] = {}
        for (at, column), computed in {**dict.fromkeys(backward, False), **forward}.items():
            places.setdefault(at, {})[column] = computed
        for at in self.pipeline.nodes:
            here = places.get(at, {})
            names: dict[str, None] = {}
            for mention in self.nodes[at].mentions:
                hits = [here[column] for column in mention.columns if column in here]
                if hits:
                    trace.uses.append(Use(at, mention, all(hits)))
                    names |= {} if all(hits) else {mention.name: None}
            if here:
                names |= {column.name: None for column, computed in here.items() if not computed and not names}
                trace.carried[at] = list(names)
        return trace

    def meaning(self, node: str, name: str, port: str | None = None, *, arriving: bool = False) -> tuple[Column, ...]:
        """What a name at a node means.

        Args:
            node: the node.
            name: the column's name there.
            port: the output by which it leaves; None: the first one.
            arriving: it is rather one that arrives at the node.
        """
        out = port or default_output(self.types[node])
        leaving = self.table(node, out).find(name) if out is not None else ()
        coming = tuple(column for table in self.nodes[node].arriving.values() for column in table.find(name))
        return (coming or leaving) if arriving else (leaving or coming)

    def names(self, node: str) -> list[str]:
        """The columns that are known to leave a node, or to arrive at one without outputs."""
        found = self.nodes[node]
        tables: list[Table] = [found.gives] if default_output(self.types[node]) else list(found.arriving.values())
        return list(dict.fromkeys(name for table in tables for name in table.named()))

    def _same(self, node: str, column: Column) -> bool:
        return column in self.nodes[node].same

    def _go_back(self, begin: list[Place], seen: dict[Place, None], wires: dict[Wire, None]) -> None:
        waiting = list(begin)
        while waiting:
            node, column = place = waiting.pop()
            if place in seen:
                continue
            seen[place] = None
            for wire, source in self.before(node, column):
                wires[wire] = None
                waiting.append((wire.source, source))
            if self._same(node, column):
                waiting += [(node, source) for source in self.nodes[node].sources[column]]

    def _go_on(self, begin: list[Place], seen: dict[Place, bool], wires: dict[Wire, None], within: set[Place]) -> None:
        """Follow places downstream; ``seen`` learns whether each is only computed from the column."""
        waiting = [(place, False) for place in begin]
        while waiting:
            (node, column), computed = waiting.pop()
            if not seen.get((node, column), True) or seen.get((node, column)) == computed:
                continue
            seen[node, column] = computed
            for wire, target in self.behind(node, column):
                if not computed:
                    wires[wire] = None
                waiting.append(((wire.target, target), computed))
            for made, sources in self.nodes[node].sources.items():
                if column in sources and (node, made) not in within:
                    waiting.append(((node, made), computed or made not in self.nodes[node].same))

    def _look_at(self, node: str, known: dict[str, Sequence[str]]) -> None:
        spec, node_type = self.pipeline.nodes[node], self.types[node]
        ports = [port.name for port in node_type.inputs] if node_type is not None else []
        ports += [wire.target_port for wire in self._into.get(node, ())]
        arriving = {port: self._arriving(node, port, known) for port in dict.fromkeys(ports)}
        if node_type is not None and node_type.open_inputs:
            arriving = {port: table for port, table in arriving.items() if self.wires_into(node, port)}
        gives_others = not arriving or (node_type is not None and node_type.open_outputs)
        outside = Arriving("", known.get(node, ()) if gives_others else ())
        self.nodes[node] = node_columns(node_type, spec, arriving, outside)

    def _arriving(self, node: str, port: str, known: dict[str, Sequence[str]]) -> Arriving:
        names: dict[str, None] = {}
        wires = self.wires_into(node, port)
        complete = bool(wires)
        for wire in wires:
            if wire.source not in self.nodes:  # a loop, which is a mistake anyway
                complete = False
                continue
            table = self.table(wire.source, wire.source_port)
            names |= dict.fromkeys(table.named())
            if wire.source_port == default_output(self.types[wire.source]):
                names |= dict.fromkeys(known.get(wire.source, ()))
            complete = complete and table.complete and wire.source_port != REJECTS.name
        return Arriving(port, names, complete=complete)

    def _in_order(self) -> Iterator[str]:
        """The nodes, each behind those that feed it; those of a loop come last."""
        feeding = {node: len(self._into.get(node, ())) for node in self.pipeline.nodes}
        ready = deque(node for node, wires in feeding.items() if not wires)
        left = dict.fromkeys(self.pipeline.nodes)
        while left:
            node = ready.popleft() if ready else next(iter(left))
            if node not in left:
                continue
            del left[node]
            yield node
            for wire in self.wires_out_of(node):
                feeding[wire.target] -= 1
                if not feeding[wire.target]:
                    ready.append(wire.target)


def is_from_outside(column: Column) -> bool:
    """Whether a source gets the column from outside under its name."""
    return not column.port and column.place == OUTSIDE
