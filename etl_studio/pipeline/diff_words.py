"""A difference between two versions of a pipeline in words: in one line, and setting by setting."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.diff import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from etl_studio.pipeline.diff import Change, PipelineDiff

    Line = tuple[str, str]

WIDEST = 70
"""Characters of a value that is shown beside the other one; longer ones are compared line by line."""


def summary(found: PipelineDiff) -> str:
    """``2 nodes added, filter changed, 1 wire removed``; a node that is the only one of its kind by its id."""
    parts = [
        _counted([entry.id for entry in found.nodes if entry.kind == kind], "node", kind)
        for kind in ("added", "removed", "changed", "renamed")
    ]
    for noun, entries in (("parameter", found.parameters), ("group", found.groups), ("note", found.notes)):
        parts.append(_number(len(entries), noun, "changed"))
    for wires, verb in ((found.wires_added, "added"), (found.wires_removed, "removed")):
        parts.append(_number(len(wires), "wire", verb))
    if found.wires_reordered:
        parts.append("wires in another order")
    if found.pipeline:
        parts.append(f"{', '.join(dict.fromkeys(change.path[0] for change in found.pipeline))} of the pipeline changed")
    if not any(parts) and found.moved:
        parts.append(f"only moved {_number(len(found.moved), 'node', '').strip()}")
    return ", ".join(filter(None, parts)) or "no change in what it does"


def setting_lines(changes: Iterable[Change]) -> Iterator[Line]:
    """Each setting with its values before and after, as (sign, line); the sign is ``+``, ``-`` or empty."""
    for change in changes:
        where, values = dotted(change.path), (change.before, change.after)
        told = [yaml_text.flow(value) for value in values if value is not ABSENT]
        if any(isinstance(value, str) and "\n" in value for value in values) or max(map(len, told)) > WIDEST:
            yield "", f"{where}:"
            yield from _line_by_line(*(_many_lines(value) for value in values))
        elif change.before is ABSENT:
            yield "+", f"+ {where}: {told[0]}"
        elif change.after is ABSENT:
            yield "-", f"- {where}: {told[0]}"
        else:
            yield "", f"{where}: {told[0]} -> {told[1]}"


def dotted(path: tuple[str, ...]) -> str:
    """``config.rules.0.column``, as it is written everywhere; odd keys in quotes."""
    return ".".join(yaml_text.flow(key) if not key.isdecimal() else key for key in path)


def _counted(names: list[str], noun: str, verb: str) -> str:
    return f"{names[0]} {verb}" if len(names) == 1 else _number(len(names), noun, verb)


def _number(number: int, noun: str, verb: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'} {verb}" if number else ""


def _line_by_line(before: list[str], after: list[str]) -> Iterator[Line]:
    for line in list(unified_diff(before, after, n=1, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield line[0].strip(), f"  {line[0]} {line[1:]}"


def _many_lines(value: Any) -> list[str]:
    if value is ABSENT:
        return []
    if isinstance(value, str):
        # Split at newlines only, and nothing that a terminal would obey.
        return [_printable(line) for line in value.split("\n")]
    if isinstance(value, list | dict) and value:
        return yaml_text.block(value).removesuffix("\n").split("\n")
    return [yaml_text.flow(value)]


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in text)
