"""What joins what was before some nodes with what was behind them, once these are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.pipeline.model import Wire
from etl_studio.sdk.ports import REJECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from etl_studio.pipeline.model import Pipeline


def bridges(pipeline: Pipeline, gone: Collection[str]) -> list[Wire]:
    """Wires that could stand in for nodes, best first for each input; the rules decide which of them fit.

    What the nodes reject is not what came to them, so their ``rejects`` are not joined with anything.

    Args:
        pipeline: the document, with the nodes.
        gone: ids of the nodes that will go.
    """
    into: dict[str, list[Wire]] = {name: [] for name in gone}
    for wire in pipeline.wires:
        if wire.target in into:
            into[wire.target].append(wire)
    found = [
        Wire(source, port, wire.target, wire.target_port)
        for wire in pipeline.wires
        if _gives_rows_of(wire, into) and wire.target not in into
        for source, port in _feeders(wire.source, into)
    ]
    return list(dict.fromkeys(found))


def _gives_rows_of(wire: Wire, gone: Collection[str]) -> bool:
    return wire.source in gone and wire.source_port != REJECTS.name


def _feeders(node: str, into: dict[str, list[Wire]]) -> Iterator[tuple[str, str]]:
    """The outputs outside whose rows arrive at a node, through others that go, too."""
    pending, seen = [node], {node}
    while pending:
        for wire in into[pending.pop()]:
            if wire.source not in into:
                yield wire.source, wire.source_port
            elif wire.source not in seen and _gives_rows_of(wire, into):
                seen.add(wire.source)
                pending.append(wire.source)
