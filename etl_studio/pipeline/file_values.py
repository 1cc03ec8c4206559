"""A pipeline as the values that its file holds."""

from __future__ import annotations

from typing import Any

from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.model import FORMAT, NodeSpec, Parameter, Pipeline
from etl_studio.pipeline.wire_text import NodeTypes, node_types, write_wire


def file_values(pipeline: Pipeline, registry: NodeTypes | None) -> dict[str, Any]:
    """The values of the file in canonical order, without what has its default."""
    types = node_types(pipeline, registry)
    plain: dict[str, Any] = {"etl_studio": FORMAT, "name": pipeline.name}
    if pipeline.description:
        plain["description"] = pipeline.description
    if pipeline.parameters:
        plain["parameters"] = {name: _parameter(parameter) for name, parameter in pipeline.parameters.items()}
    plain["nodes"] = {name: _node(node) for name, node in pipeline.nodes.items()}
    if pipeline.wires:
        plain["wires"] = yaml_text.OnePerLine(write_wire(wire, types) for wire in pipeline.wires)
    if pipeline.checkpoint:
        plain["checkpoint"] = dict(pipeline.checkpoint)
    if pipeline.layout:
        plain["layout"] = {node: [_whole(x), _whole(y)] for node, (x, y) in pipeline.layout.items()}
    return plain | pipeline.extra


def _parameter(parameter: Parameter) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": parameter.type}
    if parameter.default is not None:
        plain["default"] = parameter.default
    if parameter.description:
        plain["description"] = parameter.description
    plain |= parameter.extra
    return yaml_text.OneLine(plain) if yaml_text.is_short(plain) else plain


def _node(node: NodeSpec) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": node.type}
    if node.title:
        plain["title"] = node.title
    if node.config:
        plain["config"] = node.config
    if node.policy:
        plain["policy"] = node.policy
    return plain | node.extra


def _whole(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)
