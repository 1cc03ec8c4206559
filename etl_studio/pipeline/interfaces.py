"""What a pipeline file takes and gives when it is used as a node: its ports and parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from etl_studio.pipeline.flat import INPUT_END, OUTPUT_END, SUB_PIPELINE, Interface
from etl_studio.pipeline.wire_text import node_types
from etl_studio.sdk.ports import Port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.model import NodeSpec, Pipeline
    from etl_studio.pipeline.wire_text import NodeTypes
    from etl_studio.sdk import Node

    Interfaces = Mapping[str, Interface]

DEFAULT_PORTS = {INPUT_END: "input", OUTPUT_END: "out"}


def interface_of(pipeline: Pipeline) -> Interface:
    """The interface of a document; of two ends with one name the first counts, the rules tell about the other."""
    return Interface(
        pipeline.name, _ports(pipeline, INPUT_END), _ports(pipeline, OUTPUT_END), dict(pipeline.parameters)
    )


def port_of(spec: NodeSpec) -> str:
    """The port that an end of a pipeline is known by."""
    return str(spec.config.get("port") or DEFAULT_PORTS[spec.type])


def file_of(spec: NodeSpec) -> str | None:
    """The file that a node runs, as written; None where it is no sub-pipeline, or its file is not chosen yet."""
    file = spec.config.get("file") if spec.type == SUB_PIPELINE else None
    return file if isinstance(file, str) and file else None


def type_of(spec: NodeSpec, registry: NodeTypes | None, interfaces: Interfaces) -> type[Node] | None:
    """The type of a node with the ports that it really has; that of a sub-pipeline has the title of its file.

    Args:
        spec: the node.
        registry: node types.
        interfaces: what is known of files, by their names as written in ``file``.
    """
    node_type = registry.get(spec.type) if registry else None
    return _with_interface(spec, node_type, interfaces)


def types_of(pipeline: Pipeline, registry: NodeTypes | None, interfaces: Interfaces) -> dict[str, type[Node] | None]:
    """As ``type_of``, for each node by its id."""
    types = node_types(pipeline, registry)
    for name, spec in pipeline.nodes.items():
        if spec.type == SUB_PIPELINE:
            types[name] = _with_interface(spec, types[name], interfaces)
    return types


def _with_interface(spec: NodeSpec, node_type: type[Node] | None, interfaces: Interfaces) -> type[Node] | None:
    file = file_of(spec)
    known = interfaces.get(file) if file else None
    if node_type is None or known is None or known.message:
        return node_type
    return _with_ports(node_type, known.name, tuple(known.inputs), tuple(known.outputs))


@lru_cache(maxsize=256)
def _with_ports(node_type: type[Node], title: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> type[Node]:
    facts = {
        "title": title or node_type.title,
        "inputs": tuple(Port(name, _title(name), many=True) for name in inputs),
        "outputs": tuple(Port(name, _title(name)) for name in outputs),
        "open_inputs": False,
        "open_outputs": False,
        "__doc__": node_type.__doc__,
        "__module__": node_type.__module__,
    }
    return type(node_type.__name__, (node_type,), facts)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _ports(pipeline: Pipeline, end: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, spec in pipeline.nodes.items():
        if spec.type == end:
            found.setdefault(port_of(spec), name)
    return found
