"""Where nodes go that have no place yet: in columns from left to right, as the rows flow."""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Pipeline

COLUMN, ROW = 304.0, 112.0
"""Distance between columns and rows, in pixels at zoom 1."""


def arranged(pipeline: Pipeline) -> dict[str, tuple[float, float]]:
    """A position for every node: as many columns from the left as there are nodes before it.

    Within a column the nodes stand in the order of those that feed them, so that few wires cross.
    """
    before: dict[str, list[str]] = {name: [] for name in pipeline.nodes}
    for wire in pipeline.wires:
        if wire.source in before and wire.target in before:
            before[wire.target].append(wire.source)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError:
        order = list(pipeline.nodes)
    column: dict[str, int] = {}
    for name in order:
        column[name] = max((column.get(source, -1) for source in before[name]), default=-1) + 1
    columns: defaultdict[int, list[str]] = defaultdict(list)
    for name in pipeline.nodes:
        columns[column[name]].append(name)
    row: dict[str, float] = {}
    for number in sorted(columns):
        names = columns[number]
        wished = {
            name: sum(rows) / len(rows) if (rows := [row[s] for s in before[name] if s in row]) else float(index)
            for index, name in enumerate(names)
        }
        free = float("-inf")
        for name in sorted(names, key=wished.__getitem__):
            free = row[name] = max(wished[name], free + 1)
    return {name: (column[name] * COLUMN, round(row[name] * ROW / 8) * 8.0) for name in pipeline.nodes}
