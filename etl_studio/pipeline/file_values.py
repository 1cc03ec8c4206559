"""A pipeline as the values that its file holds."""

from __future__ import annotations

from typing import Any

from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.model import FORMAT, Group, NodeSpec, Note, Parameter, Pipeline, free_name
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
    if pipeline.groups:
        plain["groups"] = {name: _group(group) for name, group in pipeline.groups.items()}
    if pipeline.notes:
        plain["notes"] = {name: _note(note) for name, note in pipeline.notes.items()}
    if pipeline.layout:
        plain["layout"] = {name: [_whole(number) for number in place] for name, place in pipeline.layout.items()}
    if pipeline.bends:
        plain["bends"] = {
            write_wire(wire, types): [[_whole(x), _whole(y)] for x, y in points]
            for wire, points in pipeline.bends.items()
        }
    # A file may hold something else under a name that has got a meaning since.
    return plain | {free_name(key, plain): value for key, value in pipeline.extra.items()}


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
    if node.disabled:
        plain["disabled"] = True
    if node.config:
        plain["config"] = node.config
    if node.policy:
        plain["policy"] = node.policy
    return plain | node.extra


def _group(group: Group) -> dict[str, Any]:
    plain: dict[str, Any] = {"title": group.title} if group.title else {}
    plain["nodes"] = list(group.nodes)
    if group.color:
        plain["color"] = group.color
    if group.collapsed:
        plain["collapsed"] = True
    return plain | group.extra


def _note(note: Note) -> dict[str, Any]:
    plain: dict[str, Any] = {"text": note.text}
    if note.color:
        plain["color"] = note.color
    return plain | note.extra


def _whole(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)
