"""Writes a merged pipeline with its conflicts as comments where they are, for a person to decide and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.errors import PipelineError
from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.diff import ABSENT
from etl_studio.pipeline.file_format import UNTITLED, dumps, loads, position

if TYPE_CHECKING:
    from etl_studio.pipeline.merge import Conflict, Merged
    from etl_studio.pipeline.wire_text import NodeTypes

MARK = "CONFLICT"
"""Begins each comment, so that it can be searched for."""


def marked_text(merged: Merged, registry: NodeTypes | None = None) -> str:
    """The text of a merged pipeline: a valid pipeline file, whose conflicts are comments.

    Args:
        merged: from ``merge``.
        registry: the one that it was merged with.
    """
    text = dumps(merged.pipeline, registry, name=UNTITLED)
    if not merged.conflicts:
        return text
    pipeline = loads(text, name=UNTITLED, registry=registry)
    places = [((position(pipeline, *conflict.path) or (1, 1))[0], conflict) for conflict in merged.conflicts]
    marked = _with_comments(text, places)
    try:
        if loads(marked, name=UNTITLED, registry=registry) == pipeline:
            return marked
    except PipelineError:
        pass
    # A line of it goes on above: a comment would end it.
    return _with_comments(text, [(1, conflict) for _, conflict in places])


def conflict_lines(conflict: Conflict) -> list[str]:
    """A conflict for people: where it is, and the three values."""
    values = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs}
    return [
        f"{MARK} {conflict.place}: both sides changed it; ours is kept.",
        *(f"  {name + ':':7} {_shown(value)}" for name, value in values.items()),
    ]


def _with_comments(text: str, places: list[tuple[int, Conflict]]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    for line, conflict in sorted(places, key=lambda place: place[0], reverse=True):
        below = lines[line - 1]
        indent = below[: len(below) - len(below.lstrip(" "))]
        comments = [f"{indent}# {part}" for part in conflict_lines(conflict)]
        lines[line - 1 : line - 1] = [comment + newline[:-1] for comment in comments]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return "(not there)" if value is ABSENT else yaml_text.flow(value)
