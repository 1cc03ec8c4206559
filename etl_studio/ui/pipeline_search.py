"""Where a text occurs in a pipeline: titles, types, settings, columns, notes, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.sdk.config import Config
from etl_studio.ui.forms.setting import settings_of
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from etl_studio.pipeline.model import NodeSpec, Pipeline
    from etl_studio.sdk import Node, Registry

LONGEST = 80
"""Letters of a text that are shown around what was found."""


@dataclass(frozen=True, slots=True)
class Found:
    """One place.

    Attributes:
        node: id of the node; empty for the pipeline itself.
        field: address of the setting, such as ``config.where``; empty: the node as a whole.
        where: what kind of place it is, for people, such as ``Condition`` or ``column``.
        text: what stands there, cut around the words.
        note: id of the note; empty elsewhere.
    """

    node: str
    field: str
    where: str
    text: str
    note: str = ""


def search_pipeline(
    query: str, pipeline: Pipeline, registry: Registry, columns: Callable[[str], Sequence[str]] = lambda _: ()
) -> list[Found]:
    """Every place that holds all words of a query, node by node.

    Args:
        query: words; upper and lower case are the same.
        pipeline: what is searched.
        registry: knows the titles of types and settings.
        columns: names of the columns that are known at a node.
    """
    words = query.casefold().split()
    return (
        [found for found in _places(pipeline, registry, columns, words) if _holds(found.text, words)] if words else []
    )


def _places(
    pipeline: Pipeline, registry: Registry, columns: Callable[[str], Sequence[str]], words: Sequence[str]
) -> Iterator[Found]:
    for name, spec in pipeline.nodes.items():
        node_type = registry.get(spec.type)
        title = spec.title or (tr(node_type.title) if node_type else name)
        yield Found(name, "", tr("title"), title)
        if name != title:
            yield Found(name, "", tr("id"), name)
        kind = f"{tr(node_type.title)} ({spec.type})" if node_type else spec.type
        if not _holds(title, words):
            yield Found(name, "", tr("type"), kind)
        yield from _settings(name, spec, node_type, words)
        yield from (Found(name, "", tr("column"), column) for column in columns(name))
    for parameter in pipeline.parameters.values():
        text = ", ".join(filter(None, (parameter.name, parameter.description, _text(parameter.default))))
        yield Found("", f"parameters.{parameter.name}", tr("parameter"), _around(text, words))
    for note in pipeline.notes.values():
        yield Found("", "", tr("note"), _around(note.text, words), note.id)
    for group in pipeline.groups.values():
        if group.nodes:
            yield Found(group.nodes[0], "", tr("group"), group.title)
    yield Found("", "description", tr("description"), _around(pipeline.description, words))


def _settings(name: str, spec: NodeSpec, node_type: type[Node] | None, words: Sequence[str]) -> Iterator[Found]:
    titles = {setting.key: tr(setting.title) for setting in settings_of(node_type.Config if node_type else Config)}
    for part, values in (("config", spec.config), ("policy", spec.policy)):
        for key, value in values.items():
            where = titles.get(key, key) if part == "config" else tr("policy, {setting}", setting=key)
            for text in _texts(value):
                if _holds(text, words):
                    yield Found(name, f"{part}.{key}", where, _around(text, words))
                    break


def _texts(value: Any) -> Iterable[str]:
    """Every text inside a setting, each key with its value."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if isinstance(inside, dict | list):
                yield str(key)
                yield from _texts(inside)
            else:
                yield f"{key}: {_text(inside)}"
    elif isinstance(value, list):
        for inside in value:
            yield from _texts(inside)
    else:
        yield _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(text: str, words: Sequence[str]) -> bool:
    lower = text.casefold()
    return all(word in lower for word in words)


def _around(text: str, words: Sequence[str]) -> str:
    """One line of a text around the first of the words."""
    line = " ".join(text.split())
    if len(line) <= LONGEST or not words:
        return line
    places = [at for word in words if (at := line.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - LONGEST // 3)
    end = max(start + LONGEST, max(places, default=0) + len(words[-1]))
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
