"""Nodes and wires as text for copy and paste: a fragment of a pipeline file that people can read and mail."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.pipeline.wire_text import NodeTypes

    Layout = dict[str, tuple[float, float]]

NAME = "clipboard"


def copy_text(pipeline: Pipeline, node_ids: Iterable[str], registry: NodeTypes | None = None) -> str:
    """The nodes, the wires between them and their places, seen from the top left one.

    Args:
        pipeline: the document.
        node_ids: what to copy; unknown ids are left out.
        registry: as for ``dumps``.
    """
    wanted = set(node_ids)
    fragment = Pipeline(name=NAME)
    fragment.nodes = {key: node for key, node in pipeline.nodes.items() if key in wanted}
    fragment.wires = [wire for wire in pipeline.wires if {wire.source, wire.target} <= fragment.nodes.keys()]
    places = {key: pipeline.layout[key] for key in fragment.nodes if key in pipeline.layout}
    left = min((x for x, _ in places.values()), default=0.0)
    top = min((y for _, y in places.values()), default=0.0)
    fragment.layout = {key: (x - left, y - top) for key, (x, y) in places.items()}
    return dumps(fragment, registry)


def paste(
    pipeline: Pipeline, text: str, registry: NodeTypes | None = None
) -> tuple[list[NodeSpec], list[Wire], Layout]:
    """Nodes and wires from a text, renamed so that they fit beside those of the pipeline; nothing is added to it.

    Args:
        pipeline: the document to paste into.
        text: from ``copy_text``, or any pipeline file.
        registry: as for ``loads``.

    Returns:
        Nodes, wires and the places of the nodes.

    Raises:
        PipelineError: the text is no pipeline.
    """
    fragment = loads(text, name=NAME, registry=registry)
    room = Pipeline(nodes=dict(pipeline.nodes))
    names: dict[str, str] = {}
    nodes = []
    for key, node in fragment.nodes.items():
        names[key] = room.new_id(key)
        copied = deepcopy(node)
        copied.id = names[key]
        room.nodes[copied.id] = copied
        nodes.append(copied)
    wires = [
        Wire(names[wire.source], wire.source_port, names[wire.target], wire.target_port) for wire in fragment.wires
    ]
    return nodes, wires, {names[key]: place for key, place in fragment.layout.items() if key in names}
