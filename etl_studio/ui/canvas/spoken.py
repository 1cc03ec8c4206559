"""What is said of a node and of a wire to a person who hears the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.listing import listed
from etl_studio.ui.state_words import STATE_WORDS
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.live import LiveRun
    from etl_studio.ui.document import PipelineDocument


def spoken_node(document: PipelineDocument, live: LiveRun, node: str) -> str:
    """Title, type, state, problems and wires of a node, in the order in which they matter."""
    spec = document.pipeline.nodes[node]
    titles = document.titles()
    node_type = document.type_of(node)
    kind = tr(node_type.title) if node_type else tr("unknown type {type}", type=spec.type)
    parts = [titles[node] if titles[node] == kind else f"{titles[node]}, {kind}"]
    if spec.disabled:
        parts.append(tr("disabled"))
    if node in live.nodes:
        parts.append(tr(STATE_WORDS[live.nodes[node].state.value]))
    problems = [problem for problem in document.problems if problem.node == node]
    if problems:
        told = " ".join(f"{problem.message}" for problem in problems)
        parts.append(trn("{count} problem: {told}", "{count} problems: {told}", len(problems), told=told.rstrip(".")))
    into = [titles.get(wire.source, wire.source) for wire in document.pipeline.wires if wire.target == node]
    out = [_behind(wire, titles) for wire in document.pipeline.wires if wire.source == node]
    if into:
        parts.append(tr("from {nodes}", nodes=listed(into)))
    if out:
        parts.append(tr("to {nodes}", nodes=listed(out)))
    if not (into or out):
        parts.append(tr("not wired"))
    return f"{'. '.join(part[:1].upper() + part[1:] for part in parts)}."


def spoken_group(document: PipelineDocument, group: str) -> str:
    """Title and members of a collapsed group."""
    titles, spec = document.titles(), document.pipeline.groups[group]
    members = listed([titles[node] for node in spec.nodes if node in titles])
    return trn(
        "Group {group}, collapsed. {count} node: {members}.",
        "Group {group}, collapsed. {count} nodes: {members}.",
        len(spec.nodes),
        group=spec.title or group,
        members=members,
    )


def spoken_wire(document: PipelineDocument, wire: Wire) -> str:
    """Where a wire begins and ends."""
    titles = document.titles()
    ends = {"source": titles.get(wire.source, wire.source), "target": titles.get(wire.target, wire.target)}
    if wire.source_port == "rejects":
        return tr("Wire of the rejects from {source} to {target}.", **ends)
    return tr("Wire from {source} to {target}.", **ends)


def _behind(wire: Wire, titles: dict[str, str]) -> str:
    title = titles.get(wire.target, wire.target)
    return tr("{node} with the rejects", node=title) if wire.source_port == "rejects" else title
