"""What a renaming changes in a pipeline, to be shown first and then done at once."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.errors import UsageError
from etl_studio.pipeline.model import NodeSpec, Wire
from etl_studio.pipeline.setting_fields import map_texts
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.sdk.ports import INPUT, OUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import Pipeline

SELECT, RENAME = "select", "rename"
SECTIONS: tuple[Literal["config", "policy"], ...] = ("config", "policy")
BELOW = 112
"""Pixels by which a new node stands lower than the wire that it takes over, so that it covers no other."""


@dataclass(frozen=True, slots=True)
class Change:
    """One text that changes.

    Attributes:
        node: whose settings; or the id of a note.
        path: the setting; for a key, of its value.
        is_key: whether the key of a map changes.
        before, after: the whole text.
        is_sure: False where the name may mean another column, as in the text of a note.
        section: of the node; or that it is a note.
    """

    node: str
    path: tuple[str, ...]
    is_key: bool
    before: str
    after: str
    is_sure: bool = True
    section: Literal["config", "policy", "note"] = "config"


@dataclass(frozen=True, slots=True)
class Insertion:
    """A node Select that comes behind a source, which names its columns itself.

    Attributes:
        behind: the source.
        node: id of the new node.
        names: old and new names.
    """

    behind: str
    node: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What changes in a file beside the pipeline.

    Attributes:
        place: the file in words.
        before, after: its name, or the text in it.
    """

    place: str
    before: str
    after: str


@dataclass(slots=True)
class Renaming:
    """What must change for a column, a parameter or a node to have another name.

    Attributes:
        changes: texts, in the order of the file.
        extensions: entries that a node Select gets under *rename*: old and new name, by node.
        insertions: new nodes.
        parameters: old and new names of parameters.
        nodes: old and new ids of nodes.
        files: what changes in other files.
        obstacles: why the pipeline would do something else afterwards, as sentences; empty: it does the same.
        doubts: places that a person should look at, as sentences.
    """

    changes: list[Change] = field(default_factory=list)
    extensions: dict[str, dict[str, str]] = field(default_factory=dict)
    insertions: list[Insertion] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    files: list[FileChange] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def rename_parameter(pipeline: Pipeline, old: str, new: str) -> Renaming:
    """Find what must change for a parameter to have another name, as ``rename_column`` does for columns.

    Raises:
        UsageError: the new name is none, or is taken.
    """
    if not new.isidentifier():
        raise UsageError(
            f'"{new}" cannot be the name of a parameter.',
            hint="Use letters, digits and underscores, and begin with a letter.",
        )
    if new in pipeline.parameters and new != old:
        raise UsageError(f'There is a parameter "{new}" already.', hint="Choose another name.")
    reference = re.compile(r"\$\$\{|\$\{" + re.escape(old) + r"\}")
    result = Renaming(parameters={old: new})
    for node in pipeline.nodes.values():
        for section in SECTIONS:

            def look(path: tuple[str, ...], text: str, _: Any, at: str = node.id, part: Any = section) -> str:
                after = reference.sub(lambda found: found[0] if found[0] == "$${" else f"${{{new}}}", text)
                if after != text:
                    result.changes.append(Change(at, path, False, text, after, section=part))
                return text

            map_texts(getattr(node, section), (), look)
    return result


def apply(pipeline: Pipeline, renaming: Renaming, chosen: Iterable[Change] | None = None) -> Pipeline:
    """The pipeline after a renaming; with ``chosen``, only these of its changes are made. The original stays."""
    result = snapshot(pipeline)
    for spec in result.nodes.values():
        spec.config, spec.policy = deepcopy(spec.config), deepcopy(spec.policy)
    # Values first: the path of a value holds its old key. Of keys, the inner ones first.
    for change in sorted(renaming.changes if chosen is None else chosen, key=lambda one: (one.is_key, -len(one.path))):
        if change.section == "note":
            result.notes[change.node].text = change.after
        else:
            _write(getattr(result.nodes[change.node], change.section), change)
    for node, names in renaming.extensions.items():
        config = result.nodes[node].config
        config[RENAME] = {**(config.get(RENAME) or {}), **names}
    for insertion in renaming.insertions:
        _insert(result, insertion)
    if renaming.parameters:
        names = renaming.parameters
        result.parameters = {
            names.get(name, name): replace(one, name=names.get(name, name)) for name, one in pipeline.parameters.items()
        }
    return result


def _insert(pipeline: Pipeline, insertion: Insertion) -> None:
    """Put a new node where the wires of a source begin; it stands in the middle of the first of them."""
    source, new = insertion.behind, insertion.node
    pipeline.nodes[new] = NodeSpec(new, SELECT, {RENAME: dict(insertion.names)})
    moved = [wire for wire in pipeline.wires if (wire.source, wire.source_port) == (source, OUT.name)]
    pipeline.wires = [replace(wire, source=new) if wire in moved else wire for wire in pipeline.wires]
    pipeline.wires.append(Wire(source, OUT.name, new, INPUT.name))
    pipeline.bends = {wire: bends for wire, bends in pipeline.bends.items() if wire not in moved}
    for group in pipeline.groups.values():
        if source in group.nodes:
            group.nodes.append(new)
    if source in pipeline.layout:
        x, y = pipeline.layout[source][:2]
        target = next((pipeline.layout[wire.target] for wire in moved if wire.target in pipeline.layout), (x + 240, y))
        pipeline.layout[new] = ((x + target[0]) / 2, (y + target[1]) / 2 + BELOW)


def _write(settings: dict[str, Any], change: Change) -> None:
    *way, last = change.path
    holder: Any = settings
    for part in way:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    if not change.is_key:
        holder[int(last) if isinstance(holder, list) else last] = change.after
        return
    entries = [(change.after if key == last else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(entries)
