"""Whether a run that broke off may go on with the pipeline as it is now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etl_studio.engine.plan import why_at_least_once
from etl_studio.errors import SourceChanged, UsageError
from etl_studio.pipeline.flat import SEPARATOR
from etl_studio.sdk import Sink, Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.engine.plan import Plan
    from etl_studio.pipeline.active import Active
    from etl_studio.pipeline.model import NodeSpec
    from etl_studio.sdk import Node
    from etl_studio.storage.workspace import RunRecord


def document(running: Active, plan: Plan, parameters: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What a run is about, for the comparison at a resume; settings as written, so that no secret is in it.

    Returns:
        ``parameters``, ``sources``, ``sinks`` and ``others`` by node: type, settings, and what tells whether the
        source is still the same. Beside them what the report says (``engine.report``).
    """
    pipeline = running.pipeline
    found: dict[str, Any] = {"parameters": dict(parameters), "sources": {}, "sinks": {}, "others": {}}
    if running.passed or running.left_out:
        found["disabled"] = {"passed": list(running.passed), "left_out": list(running.left_out)}
    if len(plan.nodes) < len(pipeline.nodes):
        left_out = [node for node in pipeline.nodes if node not in plan.nodes]
        found |= {"part": list(plan.nodes), "of": len(pipeline.nodes), "left_out": left_out}
    if why := why_at_least_once(plan):
        found["at_least_once"] = why
    for node_id, item in plan.nodes.items():
        facts = _facts(pipeline.nodes[node_id], item.node)
        if isinstance(item.node, Source):
            found["sources"][node_id] = {**facts, "stamp": dict(item.node.stamp(folder))}
        else:
            found["sinks" if isinstance(item.node, Sink) else "others"][node_id] = facts
    return found


def refuse_changes(run: RunRecord, now: Mapping[str, Any], *, accept: bool) -> list[str]:
    """What else changed since, for people; sources and keys of sinks must be the same.

    Args:
        run: the run that broke off.
        now: its ``document`` today.
        accept: whether a person accepts that a source has changed.

    Raises:
        SourceChanged: a source or a parameter has, and nobody accepted it.
        UsageError: the run cannot go on, with the reason.
    """
    if not run.resumable:
        raise UsageError(
            f"The run {run.id} is {str(run.status).replace('_', ' ')}: there is nothing to resume.",
            hint="Run the pipeline without --resume.",
        )
    if run.document.get("replayed"):
        raise UsageError(
            f"The run {run.id} was answered from a cassette: there is nothing to resume.",
            hint="Run the pipeline again with --replay.",
        )
    before, now = run.document, json.loads(json.dumps(now, default=str))
    if not before:
        raise UsageError(f"The run {run.id} was made before runs could be resumed.", hint="Run the pipeline again.")
    for node in before["sinks"].keys() | now["sinks"].keys():
        old, new = before["sinks"].get(node), now["sinks"].get(node)
        if old != new:
            raise UsageError(
                f'The run {run.id} cannot be resumed: the sink "{node}" {_difference(old, new)}.',
                hint="Change it back, or undo the load and run the pipeline again.",
                node=node,
            )
    changed = [
        f'the source "{node}" {_difference(before["sources"].get(node), now["sources"].get(node))}'
        for node in sorted(before["sources"].keys() | now["sources"].keys())
        if before["sources"].get(node) != now["sources"].get(node)
    ]
    changed += [f'the parameter "{name}" is another' for name in _differing(before["parameters"], now["parameters"])]
    refusal = f"The run {run.id} cannot be resumed as it is: {'; '.join(changed)}."
    if before["sources"].keys() != now["sources"].keys():
        raise UsageError(refusal, hint="Undo its load and run the pipeline again.")
    if changed and not accept:
        raise SourceChanged(
            refusal, hint="Rows could be lost or come twice. Run the pipeline again, or accept it: --accept-changes."
        )
    return changed + [f'"{node}" was edited' for node in _differing(before["others"], now["others"])]


def given_parameters(run: RunRecord, given: Mapping[str, str]) -> dict[str, str]:
    """The values of the run that broke off, and those given now, which win."""
    values = run.document.get("parameters", {})
    # Those of sub-pipelines follow from the others, and from the files.
    kept = {name: _typed(value) for name, value in values.items() if value is not None and SEPARATOR not in name}
    return {**kept, **given}


def _facts(spec: NodeSpec, node: Node) -> dict[str, Any]:
    wanted = spec.config if node.identity is None else {name: spec.config.get(name) for name in node.identity}
    return {"type": spec.type, "settings": dict(wanted)}


def _difference(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old is None:
        return "is new"
    if new is None:
        return "is gone"
    if old["type"] != new["type"]:
        return f"was a {old['type']}"
    names = _differing(old["settings"], new["settings"])
    if names:
        return f"has other settings ({', '.join(names)})"
    return "reads something that has changed since"


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def _typed(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
