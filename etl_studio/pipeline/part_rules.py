"""Rules about sources that give only what is new: nothing behind them may need the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.setting_rules import configured
from etl_studio.sdk import Sink, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.sdk import Node


def check_parts(
    pipeline: Pipeline, types: Mapping[str, type[Node] | None], given: Mapping[str, str]
) -> Iterator[Problem]:
    """Targets that are emptied first would lose all that such a source leaves out; a sum would be one of a part."""
    for name, node_type in types.items():
        if node_type is None or not issubclass(node_type, Source) or node_type.only_new is Source.only_new:
            continue
        source = configured(pipeline, name, node_type, given)
        if isinstance(source, Source) and source.only_new:
            yield from _behind(pipeline, types, given, name)


def _behind(
    pipeline: Pipeline, types: Mapping[str, type[Node] | None], given: Mapping[str, str], source: str
) -> Iterator[Problem]:
    title = getattr(types[source], "title", source)
    for name, ports in _reached(pipeline.wires, source).items():
        node_type = types.get(name)
        node = configured(pipeline, name, node_type, given) if node_type is not None else None
        place = position(pipeline, "nodes", name) or (None, None)
        if isinstance(node, Sink):
            if not node.empties:
                continue
            message = f"{name} empties its target first, and {source} ({title}) gives only what is new."
            hint = f"What was loaded before would be lost. Let {name} add or merge, or let {source} give all rows."
            yield Problem("error", message, hint, name, None, *place)
        elif node is not None and node.rows != "same" and not all(map(node.takes_part, ports)):
            message = f"{name} needs all rows, and {source} ({title}) gives only what is new."
            hint = f"It works on a part of them only. Let {source} give all rows if that is not what you want."
            yield Problem("warning", message, hint, name, None, *place)


def _reached(wires: Iterable[Wire], source: str) -> dict[str, set[str]]:
    """The nodes behind one, with the ports by which its rows come."""
    found: dict[str, set[str]] = {}
    pending = [source]
    while pending:
        node = pending.pop()
        for wire in wires:
            if wire.source == node:
                if wire.target not in found:
                    pending.append(wire.target)
                found.setdefault(wire.target, set()).add(wire.target_port)
    return found
