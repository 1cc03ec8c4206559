"""``nodes`` and ``schema``: what pipelines can be made of."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl_studio.cli.options import AsJson  # noqa: TC001 - typer reads the annotations
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from etl_studio.sdk import Node, Registry


def nodes(
    node_type: Annotated[
        str | None, typer.Argument(metavar="TYPE", help="Show the settings of this type.", show_default=False)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the node types, or show the settings of one."""
    from etl_studio.app.catalogue import full_registry
    from etl_studio.cli.output import print_json, print_line, say, table

    registry = full_registry()
    if node_type is not None:
        found = _find(registry, node_type)
        if as_json:
            print_json(type_facts(found))
        else:
            print_line(describe(found))
        return
    types = sorted(registry, key=lambda one: (_GROUPS.index(one.group), one.type))
    if as_json:
        print_json([type_facts(one) for one in types])
    else:
        rows = [(one.type, one.group, one.title, _first(one)) for one in types]
        print_line(table(("type", "group", "title", ""), rows, widest=200))
    for failed in registry.failed:
        say(f"etl-studio: the plug-in {failed.name} cannot be loaded: {failed.error}")


def schema() -> None:
    """Print the JSON Schema of the pipeline file, for editors that complete and check it."""
    from etl_studio.app.catalogue import full_registry
    from etl_studio.cli.output import print_line
    from etl_studio.pipeline.json_schema import schema as make_schema

    print_line(json.dumps(make_schema(full_registry()), indent=2, ensure_ascii=False))


_GROUPS = ("extract", "transform", "quality", "load")


def describe(node_type: type[Node]) -> str:
    """The reference of one type as text."""
    from etl_studio.cli.output import table

    lines = [f"{node_type.type} - {node_type.title} ({node_type.group})", "", inspect.getdoc(node_type) or "", ""]
    ports = ", ".join(port.name for port in node_type.inputs) or "none"
    lines += [f"inputs: {ports}{' or any name' if node_type.open_inputs else ''}"]
    lines += [f"outputs: {', '.join(port.name for port in node_type.outputs) or 'none'}", ""]
    settings = [
        (one["name"], one["type"], "required" if one["required"] else _shown(one["default"]), one["description"])
        for one in _settings(node_type)
    ]
    if settings:
        header = ("setting", "type", "default", "")
        widths = [row[:3] for row in settings]
        body = table(header[:3], widths).split("\n")
        lines += [body[0], *(f"{line}\n    {row[3]}" for line, row in zip(body[1:], settings, strict=True))]
    return "\n".join(line.rstrip() for line in lines)


def type_facts(node_type: type[Node]) -> dict[str, Any]:
    """One type for programs."""
    return {
        "type": node_type.type,
        "title": node_type.title,
        "group": node_type.group,
        "documentation": inspect.getdoc(node_type) or "",
        "inputs": [port.name for port in node_type.inputs],
        "open_inputs": node_type.open_inputs,
        "outputs": [port.name for port in node_type.outputs],
        "settings": _settings(node_type),
        "example": node_type.example,
    }


def _settings(node_type: type[Node]) -> list[dict[str, Any]]:
    schema_of_type = node_type.Config.model_json_schema()
    found = []
    for name, about in schema_of_type.get("properties", {}).items():
        found.append(
            {
                "name": name,
                "title": about.get("title", name),
                "type": _type_text(about),
                "required": name in schema_of_type.get("required", ()),
                "default": about.get("default"),
                "description": about.get("description", ""),
                "example": next(iter(about.get("examples", ())), None),
            }
        )
    return found


def _type_text(about: dict[str, Any]) -> str:
    if "enum" in about:
        return " | ".join(str(value) for value in about["enum"])
    if "const" in about:
        return str(about["const"])
    for key in ("anyOf", "oneOf"):
        if key in about:
            return " | ".join(dict.fromkeys(_type_text(one) for one in about[key]))
    if "$ref" in about:
        return str(about["$ref"]).rsplit("/", 1)[-1]
    if about.get("type") == "array":
        return f"list of {_type_text(about.get('items', {}))}"
    if about.get("type") == "object" and isinstance(about.get("additionalProperties"), dict):
        return f"name: {_type_text(about['additionalProperties'])}"
    names = {"string": "text", "null": "empty", "object": "names with values"}
    kind = str(about.get("type", "any"))
    return names.get(kind, kind)


def _find(registry: Registry, name: str) -> type[Node]:
    found = registry.get(name)
    if found is None:
        near = registry.near(name)
        hint = f'Did you mean "{near}"?' if near else "etl-studio nodes lists them all."
        raise UsageError(f'There is no node type "{name}".', hint=hint)
    return found


def _first(node_type: type[Node]) -> str:
    return (inspect.getdoc(node_type) or "").partition("\n")[0]


def _shown(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
