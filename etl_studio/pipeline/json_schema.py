"""The JSON Schema of the pipeline file, made from the settings of the node types, for editors that complete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.model import COLORS, FORMAT
from etl_studio.pipeline.parameters import TYPES
from etl_studio.sdk.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.sdk import Node

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = r"^[^\W\d]\w*$"
WIRE = r"^\s*\w+(\.\w+)?\s*->\s*\w+(\.\w+)?\s*$"
_REFERENCE = {"type": "string", "pattern": r"\$\{", "description": "A reference to a parameter or a secret."}


def schema(node_types: Iterable[type[Node]]) -> dict[str, Any]:
    """The schema for pipelines of these node types; a node of another type may hold any settings.

    Args:
        node_types: a ``Registry``, or any classes.
    """
    definitions: dict[str, Any] = {}
    rules = []
    for node_type in sorted(node_types, key=lambda one: one.type):
        config = _settings(node_type.Config.model_json_schema(), definitions, node_type.type)
        config["title"] = node_type.title
        needs_config = {"required": ["config"]} if config.get("required") else {}
        rules.append({
            "if": {"properties": {"type": {"const": node_type.type}}},
            "then": {"properties": {"config": config}} | needs_config,
        })  # fmt: skip
    policy = _settings(Policy.model_json_schema(), definitions, "policy")
    names = {"pattern": IDENTIFIER}
    return {
        "$schema": DIALECT,
        "title": "ETL Studio pipeline",
        "type": "object",
        "required": ["etl_studio"],
        "properties": {
            "etl_studio": {"const": FORMAT, "description": "Version of the file format."},
            "name": {"type": "string", "description": "Shown in titles and runs; default: the name of the file."},
            "description": {"type": "string"},
            "parameters": {"type": "object", "propertyNames": names, "additionalProperties": _parameter()},
            "nodes": {"type": "object", "propertyNames": names, "additionalProperties": _node(rules, policy)},
            "wires": {
                "type": "array",
                "items": {"type": "string", "pattern": WIRE},
                "description": "node -> node, or node.port -> node.port.",
            },
            "checkpoint": {
                "type": "object",
                "properties": {
                    "seconds": {"type": ["number", "null"], "exclusiveMinimum": 0, "default": 30},
                    "rows": {"type": ["integer", "null"], "exclusiveMinimum": 0},
                },
                "additionalProperties": False,
                "description": "How often sinks commit before the end; null: not by that.",
            },
            "layout": {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 4,
                },
                "description": "Place of each node on the canvas, [x, y], and of each note, [x, y, width, height].",
            },
            "groups": {"type": "object", "propertyNames": names, "additionalProperties": _group()},
            "notes": {"type": "object", "propertyNames": names, "additionalProperties": _note()},
            "bends": {
                "type": "object",
                "propertyNames": {"pattern": WIRE},
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                    "minItems": 1,
                },
                "description": "Points that wires go through on the canvas: node -> node: [[x, y], ...].",
            },
        },
        "$defs": definitions,
    }


def _parameter() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": {"enum": list(TYPES), "default": "text"},
            "default": {"description": "Without one a value must be given at each run."},
            "description": {"type": "string"},
            "choices": {"type": "array", "description": "For the type choice."},
        },
    }


def _node(rules: list[dict[str, Any]], policy: dict[str, Any]) -> dict[str, Any]:
    types = [rule["if"]["properties"]["type"]["const"] for rule in rules]
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "examples": types},
            "title": {"type": "string", "description": "Label on the canvas."},
            "disabled": {
                "type": "boolean",
                "default": False,
                "description": "It does not run; rows of a single input pass it unchanged.",
            },
            "config": {"type": "object"},
            "policy": policy,
        },
        "allOf": rules,
    }


def _group() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["nodes"],
        "properties": {
            "title": {"type": "string", "description": "Label of the frame."},
            "nodes": {"type": "array", "items": {"type": "string"}, "description": "Members; a node has one group."},
            "color": _color("gray"),
            "collapsed": {"type": "boolean", "default": False, "description": "One card stands for the members."},
        },
    }


def _note() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string", "description": "Markdown."}, "color": _color("yellow")},
    }


def _color(default: str) -> dict[str, Any]:
    return {"type": "string", "examples": list(COLORS), "default": default}


def _settings(model: dict[str, Any], definitions: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A model's schema with its definitions moved to the top and references allowed in each setting."""
    inner = model.pop("$defs", {})
    moved = {f"#/$defs/{name}": f"#/$defs/{prefix}.{name}" for name in inner}
    for name, definition in inner.items():
        definitions[f"{prefix}.{name}"] = _with_references(_pointed(definition, moved))
    return _with_references(_pointed(model, moved))


def _with_references(model: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: one if one.get("type") == "string" and "enum" not in one and "pattern" not in one else _or_reference(one)
        for name, one in model.get("properties", {}).items()
    }
    return model | {"properties": properties} if properties else model


def _or_reference(one: dict[str, Any]) -> dict[str, Any]:
    about = {key: one[key] for key in ("title", "description", "default", "examples") if key in one}
    return about | {"anyOf": [one, _REFERENCE]}


def _pointed(value: Any, moved: dict[str, str]) -> Any:
    """A copy in which every ``$ref`` points to its new place; the studio's own hints for forms are left out."""
    if isinstance(value, dict):
        return {
            key: moved.get(item, item) if key == "$ref" else _pointed(item, moved)
            for key, item in value.items()
            if not (key in ("editor", "advanced", "section") and not isinstance(item, dict))
        }
    return [_pointed(item, moved) for item in value] if isinstance(value, list) else value
