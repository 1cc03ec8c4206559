"""What is said of a node and of a wire to a person who hears the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.commands import counted

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.live import LiveRun
    from etl_studio.ui.document import PipelineDocument


def spoken_node(document: PipelineDocument, live: LiveRun, node: str) -> str:
    """Title, type, state, problems and wires of a node, in the order in which they matter."""
    spec = document.pipeline.nodes[node]
    titles = document.titles()
    node_type = document.type_of(node)
    kind = node_type.title if node_type else f"unknown type {spec.type}"
    parts = [titles[node] if titles[node] == kind else f"{titles[node]}, {kind}"]
    if spec.disabled:
        parts.append("disabled")
    if node in live.nodes:
        parts.append(live.nodes[node].state.value)
    problems = [problem for problem in document.problems if problem.node == node]
    if problems:
        told = " ".join(f"{problem.message}" for problem in problems)
        parts.append(f"{counted(len(problems), 'problem')}: {told.rstrip('.')}")
    into = [titles.get(wire.source, wire.source) for wire in document.pipeline.wires if wire.target == node]
    out = [_behind(wire, titles) for wire in document.pipeline.wires if wire.source == node]
    if into:
        parts.append(f"from {_listed(into)}")
    if out:
        parts.append(f"to {_listed(out)}")
    if not (into or out):
        parts.append("not wired")
    return f"{'. '.join(part[:1].upper() + part[1:] for part in parts)}."


def spoken_group(document: PipelineDocument, group: str) -> str:
    """Title and members of a collapsed group."""
    titles, spec = document.titles(), document.pipeline.groups[group]
    members = _listed([titles[node] for node in spec.nodes if node in titles])
    return f"Group {spec.title or group}, collapsed. {counted(len(spec.nodes), 'node')}: {members}."


def spoken_wire(document: PipelineDocument, wire: Wire) -> str:
    """Where a wire begins and ends."""
    titles = document.titles()
    what = "Wire of the rejects" if wire.source_port == "rejects" else "Wire"
    return f"{what} from {titles.get(wire.source, wire.source)} to {titles.get(wire.target, wire.target)}."


def _behind(wire: Wire, titles: dict[str, str]) -> str:
    title = titles.get(wire.target, wire.target)
    return f"{title} with the rejects" if wire.source_port == "rejects" else title


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
