"""Nodes that only got another id between two versions of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.pipeline.model import NodeSpec, Pipeline

ALIKE = 0.5
"""Share of what is said about two nodes that must be the same for them to be one node with two ids."""


def renamed_nodes(before: Pipeline, after: Pipeline) -> dict[str, str]:
    """New ids by old ones.

    A node that is gone and a new one of the same type are the same node if all their settings are equal, or if at least
    half of their settings and wires are. The most alike are taken first.
    """
    gone = [node for key, node in before.nodes.items() if key not in after.nodes]
    new = [node for key, node in after.nodes.items() if key not in before.nodes]
    if not gone or not new:
        return {}
    old_facts, new_facts = _facts(before, gone), _facts(after, new)
    pairs = []
    for old_at, old in enumerate(gone):
        for new_at, node in enumerate(new):
            if old.type == node.type:
                alike = _alike(*old_facts[old_at], *new_facts[new_at])
                if alike >= ALIKE:
                    pairs.append((-alike, old_at, new_at))
    found: dict[str, str] = {}
    for _, old_at, new_at in sorted(pairs):
        if gone[old_at].id not in found and new[new_at].id not in found.values():
            found[gone[old_at].id] = new[new_at].id
    return found


def is_one_node(before: Pipeline, old: str, after: Pipeline, new: str) -> bool:
    """Whether two nodes are equal, or alike enough to be versions of one."""
    one, other = before.nodes[old], after.nodes[new]
    if one.type != other.type:
        return False
    ((settings, wires),), ((other_settings, other_wires),) = _facts(before, [one]), _facts(after, [other])
    return settings == other_settings or _alike(settings, wires, other_settings, other_wires) >= ALIKE


def _facts(pipeline: Pipeline, nodes: list[NodeSpec]) -> list[tuple[set[Any], set[Any]]]:
    """What is said about each node: its settings, and its wires."""
    wires = _wires(pipeline)
    return [(set(_settings(node)), wires.get(node.id, set())) for node in nodes]


def _alike(one: set[Any], old_wires: set[Any], other: set[Any], new_wires: set[Any]) -> float:
    """From 0 to 1, and more for equal settings; then the wires decide."""
    if one and one == other:
        return 1 + _share(old_wires, new_wires)
    return _share(one | old_wires, other | new_wires)


def _share(one: set[Any], other: set[Any]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def _settings(node: NodeSpec) -> Iterator[tuple[Any, ...]]:
    yield from _leaves({"config": node.config, "policy": node.policy, "extra": node.extra})
    if node.title:
        yield ("title", node.title)
    if node.disabled:
        yield ("disabled",)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield (*path, repr(value))


def _wires(pipeline: Pipeline) -> dict[str, set[Any]]:
    """What is at the other end of the wires of each node."""
    found: dict[str, set[Any]] = {}
    for wire in pipeline.wires:
        found.setdefault(wire.source, set()).add(("to", wire.source_port, wire.target, wire.target_port))
        found.setdefault(wire.target, set()).add(("from", wire.target_port, wire.source, wire.source_port))
    return found
