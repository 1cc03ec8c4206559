"""What mentions a node beside its wires, and must change when it gets another id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.renaming import SECTIONS, Change, Renaming
from etl_studio.pipeline.setting_fields import map_texts
from etl_studio.sdk.ports import REJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.pipeline.model import Pipeline

NODE_COLUMN = "_node"
"""The column of rejects that says which node has refused a row."""


def rename_node(pipeline: Pipeline, old: str, new: str) -> Renaming:
    """Find what must change for a node to have another id, as ``rename_column`` does for columns.

    Wires, bends, groups and places follow by themselves and are not listed. What is: expressions that compare the
    column ``_node`` of its rejects, and notes.

    Args:
        pipeline: the document.
        old: id of the node.
        new: its new one, which is free.
    """
    return Renaming([*_expressions(pipeline, old, new), *_notes(pipeline, old, new)], nodes={old: new})


def _expressions(pipeline: Pipeline, old: str, new: str) -> Iterator[Change]:
    literal = re.compile(rf"'{re.escape(old)}'")
    for name in _behind_rejects(pipeline, old):
        for section in SECTIONS:
            settings = getattr(pipeline.nodes[name], section)
            if NODE_COLUMN not in repr(settings):
                continue
            found: list[Change] = []

            def look(path: tuple[str, ...], text: str, _: Any, at: str = name, part: Any = section) -> str:
                if literal.search(text):
                    found.append(Change(at, path, False, text, literal.sub(f"'{new}'", text), section=part))  # noqa: B023 - called at once
                return text

            map_texts(settings, (), look)
            yield from found


def _behind_rejects(pipeline: Pipeline, node: str) -> list[str]:
    """The nodes to which refused rows of a node may come, in the order of the file."""
    reached = {wire.target for wire in pipeline.wires if wire.source == node and wire.source_port == REJECTS.name}
    following: dict[str, list[str]] = {}
    for wire in pipeline.wires:
        following.setdefault(wire.source, []).append(wire.target)
    pending = list(reached)
    while pending:
        more = set(following.get(pending.pop(), ())) - reached
        reached |= more
        pending += more
    return [name for name in pipeline.nodes if name in reached]


def _notes(pipeline: Pipeline, old: str, new: str) -> Iterator[Change]:
    """Notes that name the node; in code it is surely meant."""
    word = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")
    for note in pipeline.notes.values():
        if found := list(word.finditer(note.text)):
            sure = all(note.text[one.start() - 1 : one.end() + 1] == f"`{old}`" for one in found)
            yield Change(note.id, ("text",), False, note.text, word.sub(new, note.text), sure, "note")
