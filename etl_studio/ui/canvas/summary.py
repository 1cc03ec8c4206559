"""One muted line that tells what a node does with its settings."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from etl_studio.sdk.config import editor_of, is_advanced
from etl_studio.ui.node_search import first_line
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from etl_studio.pipeline.model import NodeSpec
    from etl_studio.sdk import Node


def summary(spec: NodeSpec, node_type: type[Node] | None) -> str:
    """The first settings that say something, such as ``quantity >= 5``, or what is still to be chosen."""
    if node_type is None:
        return tr('unknown type "{type}"', type=spec.type)
    parts = []
    for name, field in node_type.Config.model_fields.items():
        key = next((key for key in (name, field.alias) if key in spec.config), None)
        if key is not None and not is_advanced(field) and field.annotation != list[Any]:
            parts.append(_shown(spec.config[key], as_file=editor_of(field) in ("file", "save_file")))
        elif key is None and field.is_required():
            return tr("{setting}: not set", setting=tr(field.title or name))
    if parts := [part for part in parts if part][:2]:
        return " · ".join(parts)
    return tr(node_type.title if spec.title else first_line(node_type))


def _shown(value: Any, *, as_file: bool) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(str(key) for key in value)
    if isinstance(value, list | tuple):
        if all(isinstance(item, dict) for item in value):
            return (
                trn("{count} rule", "{count} rules", len(value))
                if value and "rule" in value[0]
                else ", ".join(str(next(iter(item.values()), "")) for item in value)
            )
        return ", ".join(_shown(item, as_file=as_file) for item in value)
    text = " ".join(str(value).split())
    if as_file:
        return PurePath(text).name
    return text.removeprefix("https://").removeprefix("http://")
