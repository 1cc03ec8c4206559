"""Which node types usually follow another: the order of the search that opens behind a node.

The order is: what follows this type in the pipeline already, the most frequent first; then ``AFTER_TYPE``; then
``AFTER_GROUP``; then the sections of the palette. A search before a node turns the same table round.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Node

    Rank = Callable[[type[Node]], int]

AFTER_TYPE: dict[str, tuple[str, ...]] = {
    "web_page_source": ("derive", "validate", "deduplicate", "filter", "sqlite_sink"),
    "browser_source": ("derive", "validate", "deduplicate", "filter", "sqlite_sink"),
    "crawl_source": ("derive", "validate", "deduplicate", "filter", "sqlite_sink"),
    "rest_source": ("select", "validate", "filter", "deduplicate", "sqlite_sink"),
    "webhook_source": ("validate", "filter", "select", "deduplicate", "sqlite_sink"),
    "rss_source": ("filter", "select", "deduplicate", "sqlite_sink"),
    "csv_source": ("filter", "derive", "validate", "select", "join", "http_lookup", "sqlite_sink"),
    "json_source": ("select", "filter", "validate", "derive", "sqlite_sink"),
    "sqlite_source": ("filter", "join", "aggregate", "sql", "csv_sink"),
    "pipeline_input": ("filter", "derive", "validate", "join"),
    "generate_source": ("derive", "filter", "sqlite_sink"),
    "filter": ("derive", "select", "aggregate", "sqlite_sink", "csv_sink"),
    "derive": ("filter", "validate", "select", "aggregate", "sqlite_sink"),
    "select": ("validate", "filter", "derive", "join", "sqlite_sink"),
    "join": ("select", "derive", "filter", "aggregate", "sqlite_sink"),
    "union": ("deduplicate", "sort", "aggregate", "sqlite_sink"),
    "aggregate": ("sort", "filter", "sqlite_sink", "csv_sink"),
    "deduplicate": ("validate", "derive", "sqlite_sink", "csv_sink"),
    "sort": ("sequence", "csv_sink", "sqlite_sink"),
    "http_lookup": ("filter", "derive", "select", "sqlite_sink", "csv_sink"),
    "sequence": ("sqlite_sink", "csv_sink"),
    "sql": ("sort", "sqlite_sink", "csv_sink"),
    "validate": ("sqlite_sink", "derive", "filter", "csv_sink", "http_sink"),
}
"""By type, the likeliest first."""

AFTER_GROUP: dict[str, tuple[str, ...]] = {
    "extract": ("transform", "quality", "load"),
    "transform": ("transform", "load", "quality"),
    "quality": ("load", "transform", "quality"),
}
"""For types that the table does not have, such as those of plug-ins."""

SEEN, KNOWN, SECTION = 10_000, 100, 1
"""What counts more than what: a wire of this pipeline, a place in the table, a section."""
MOST = 20
"""No line of the table is longer."""


def following(after: type[Node], pipeline: Pipeline) -> Rank:
    """A rank for types behind a node of type ``after``: the smallest first."""
    seen = _pairs(pipeline)
    return lambda candidate: -_weight(after, candidate, seen)


def preceding(before: type[Node], pipeline: Pipeline) -> Rank:
    """A rank for types before a node of type ``before``: the smallest first."""
    seen = _pairs(pipeline)
    return lambda candidate: -_weight(candidate, before, seen)


def _pairs(pipeline: Pipeline) -> Counter[tuple[str, str]]:
    types = {name: spec.type for name, spec in pipeline.nodes.items()}
    return Counter(
        (types[wire.source], types[wire.target])
        for wire in pipeline.wires
        if wire.source in types and wire.target in types and wire.source_port != "rejects"
    )


def _weight(first: type[Node], second: type[Node], seen: Counter[tuple[str, str]]) -> int:
    types, groups = AFTER_TYPE.get(first.type, ()), AFTER_GROUP.get(first.group, ())
    weight = SEEN * seen[first.type, second.type]
    if second.type in types:
        weight += KNOWN * (MOST - types.index(second.type))
    if second.group in groups:
        weight += SECTION * (len(groups) - groups.index(second.group))
    return weight
