"""Rules about wires: ports, loops, and what is not connected. Iterative: a pipeline may have ten thousand nodes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from etl_studio.pipeline.file_format import position, wire_position
from etl_studio.pipeline.interfaces import types_of
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.wire_text import default_output
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from etl_studio.pipeline.active import Active
    from etl_studio.pipeline.interfaces import Interfaces
    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.pipeline.wire_text import NodeTypes
    from etl_studio.sdk import Node, Port

    Types = Mapping[str, type[Node] | None]

SHOWN = 8
"""Nodes of a loop that are named."""


def check_wire(
    pipeline: Pipeline, wire: Wire, registry: NodeTypes, interfaces: Interfaces | None = None
) -> Problem | None:
    """Why a wire cannot be added to a pipeline, or None.

    Args:
        pipeline: the document, without the wire.
        wire: the wire to be.
        registry: node types.
        interfaces: what is known of the files of sub-pipelines.
    """
    types = types_of(pipeline, registry, interfaces or {})
    problem = _check_ends(wire, types)
    if problem:
        return problem
    if wire in pipeline.wires:
        return _problem(wire, "This wire is there already.")
    into = [other for other in pipeline.wires if (other.target, other.target_port) == (wire.target, wire.target_port)]
    if into and not _takes_many(wire, types):
        return _taken(wire, into[0])
    path = _path(pipeline.wires, wire.target, wire.source)
    return _problem(wire, f"This wire would close a loop: {_loop(path)}.", "Rows must end somewhere.") if path else None


def check_wires(pipeline: Pipeline, types: Types) -> list[Problem]:
    """Every problem of single wires, and loops, with positions."""
    found: list[Problem] = []
    first: dict[tuple[str, str], Wire] = {}
    seen: set[Wire] = set()
    for wire in pipeline.wires:
        problem = _check_ends(wire, types)
        if wire in seen:
            problem = problem or _problem(wire, f"The wire {wire} is there twice.", "Remove one of them.")
        seen.add(wire)
        other = first.setdefault((wire.target, wire.target_port), wire)
        if other is not wire and problem is None and not _takes_many(wire, types):
            problem = _taken(wire, other)
        if problem:
            found.append(_placed(problem, wire_position(pipeline, wire)))
    between = {(wire.source, wire.target): wire for wire in reversed(pipeline.wires)}
    for loop in _loops(pipeline.wires):
        message = f"These nodes feed each other in a loop: {_loop(loop)}."
        problem = Problem("error", message, "Remove one of the wires between them.", loop[0])
        found.append(_placed(problem, wire_position(pipeline, between[loop[0], loop[1]])))
    return found


def check_ways(pipeline: Pipeline, running: Active, types: Types) -> Iterator[Problem]:
    """Inputs without rows, rows that go nowhere, and those that come twice past disabled nodes.

    Args:
        pipeline: the document.
        running: what of it runs.
        types: of the nodes that run.
    """
    yield from _unconnected(pipeline, running.pipeline, types)
    drawn = Counter(pipeline.wires)
    for wire, times in Counter(running.pipeline.wires).items():
        if times > max(drawn[wire], 1):
            message = f"Past what is disabled, the rows of {wire.source} come to {wire.target} twice."
            yield _problem(wire, message, "Remove one of the ways, or enable a node on it.")


def _check_ends(wire: Wire, types: Types) -> Problem | None:
    for node in (wire.source, wire.target):
        if node not in types:
            near = closest(node, types)
            return _problem(wire, f'The wire {wire} names a node "{node}" that is not there.', _guess(near))
    if wire.source == wire.target:
        return _problem(wire, f"{wire.source} cannot feed itself.", "Wire it to another node.")
    source, target = types[wire.source], types[wire.target]
    output = _port(source.outputs, wire.source_port) if source else None
    if source and output is None and not (source.open_outputs and wire.source_port.isidentifier()):
        return _no_port(wire, wire.source, wire.source_port, source.outputs, "output")
    given = _port(target.inputs, wire.target_port) if target else None
    if target and given is None and not (target.open_inputs and wire.target_port.isidentifier()):
        return _no_port(wire, wire.target, wire.target_port, target.inputs, "input")
    if output and given and output.kind != given.kind:
        message = f"{wire.source}.{output.name} gives {output.kind}, {wire.target}.{given.name} takes {given.kind}."
        return _problem(wire, message, "Choose ports of the same kind.")
    return None


def _no_port(wire: Wire, node: str, port: str, ports: Sequence[Port], what: str) -> Problem:
    names = [one.name for one in ports]
    if what == "input" and not names:
        return Problem("error", f"{node} is a source: it takes no rows.", "Begin a wire there, do not end one.", node)
    if what == "output" and names in ([], ["rejects"]) and port != "rejects":
        hint = "Wire its rejects port for the rows that it refuses." if names else "End a wire there, do not begin one."
        return Problem("error", f"{node} is a sink: it gives no rows.", hint, node)
    if len(names) > 1 and port in ("input", "out"):
        hint = f"Say which: {' or '.join(f'{node}.{name}' for name in names)}."
        return Problem(
            "error",
            f"The wire {wire.source} -> {wire.target} does not say which {what} of {node} it means.",
            hint,
            node,
        )
    near = closest(port, names)
    hint = f'Did you mean "{near}"?' if near else f"Its {what}s: {', '.join(names)}."
    return Problem("error", f'{node} has no {what} "{port}".', hint, node)


def _unconnected(whole: Pipeline, pipeline: Pipeline, types: Types) -> Iterator[Problem]:
    inputs = {(wire.target, wire.target_port) for wire in pipeline.wires}
    outputs = {(wire.source, wire.source_port) for wire in pipeline.wires}
    drawn = {(wire.target, wire.target_port) for wire in whole.wires}
    drawn |= {(wire.source, wire.source_port) for wire in whole.wires}
    fed = {wire.target for wire in pipeline.wires}
    has_sink = any(node_type and default_output(node_type) is None for node_type in types.values())
    for name, node_type in types.items():
        if node_type is None:
            continue
        place = position(pipeline, "nodes", name)
        for port in node_type.inputs:
            if (name, port.name) in inputs or port.optional or (node_type.open_inputs and name in fed):
                continue
            where = f'input "{port.name}" of {name}' if len(node_type.inputs) > 1 else f"input of {name}"
            message, hint = f"No wire ends at the {where}.", "Wire a node to it."
            if (name, port.name) in drawn:
                message, hint = (
                    f"No rows come to the {where}: what feeds it is disabled.",
                    f"Enable it, or disable {name}.",
                )
            yield _placed(Problem("error", message, hint, name), place)
        output = default_output(node_type)
        if output and has_sink and (name, output) not in outputs:
            message, hint = "no wire begins at it.", "Wire it to another node, or remove it."
            if (name, output) in drawn:
                message, hint = "what they go to is disabled.", f"Enable it, or disable {name}, too."
            yield _placed(Problem("warning", f"The rows of {name} go nowhere: {message}", hint, name), place)


def _path(wires: Iterable[Wire], start: str, end: str) -> list[str]:
    """Nodes on a way from one node to another; empty when there is none."""
    following = _following(wires)
    came_from = {start: ""}
    pending = [start]
    while pending:
        node = pending.pop()
        if node == end:
            path = [node]
            while came_from[path[-1]]:
                path.append(came_from[path[-1]])
            return path[::-1]
        for after in following.get(node, ()):
            if after not in came_from:
                came_from[after] = node
                pending.append(after)
    return []


def _loops(wires: Sequence[Wire]) -> list[list[str]]:
    """Loops that have no node in common, at least one for each knot of nodes that feed each other."""
    following = _following(wire for wire in wires if wire.source != wire.target)
    state: dict[str, int] = {}  # 1: on the way, 2: done
    told: set[str] = set()
    loops = []
    for root in following:
        if root in state:
            continue
        way = [root]
        state[root] = 1
        pending = [iter(following[root])]
        while pending:
            after = next(pending[-1], None)
            if after is None:
                pending.pop()
                state[way.pop()] = 2
            elif after not in state:
                state[after] = 1
                way.append(after)
                pending.append(iter(following.get(after, ())))
            elif state[after] == 1 and after not in told:
                loop = way[way.index(after) :]
                if told.isdisjoint(loop):
                    loops.append(loop)
                told.update(loop)
    return loops


def _following(wires: Iterable[Wire]) -> dict[str, list[str]]:
    following: dict[str, list[str]] = {}
    for wire in wires:
        following.setdefault(wire.source, []).append(wire.target)
    return following


def _loop(nodes: Sequence[str]) -> str:
    shown = [*nodes, nodes[0]] if len(nodes) <= SHOWN else [*nodes[: SHOWN - 1], "...", nodes[-1], nodes[0]]
    return " -> ".join(shown)


def _port(ports: Iterable[Port], name: str) -> Port | None:
    return next((port for port in ports if port.name == name), None)


def _takes_many(wire: Wire, types: Types) -> bool:
    target = types[wire.target]
    port = _port(target.inputs, wire.target_port) if target else None
    return target is None or target.open_outputs or (port is not None and port.many)


def _taken(wire: Wire, other: Wire) -> Problem:
    message = f"The input {wire.target}.{wire.target_port} has a wire already, from {other.source}."
    return _problem(wire, message, "Put a Union before it to take rows from several nodes.")


def _guess(near: str | None) -> str:
    return f'Did you mean "{near}"?' if near else "Add the node, or remove the wire."


def _problem(wire: Wire, message: str, hint: str = "") -> Problem:
    return Problem("error", message, hint, wire.target)


def _placed(problem: Problem, place: tuple[int, int] | None) -> Problem:
    line, column = place or (None, None)
    return Problem(problem.severity, problem.message, problem.hint, problem.node, problem.field, line, column)
