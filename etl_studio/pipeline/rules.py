"""What must hold before a pipeline can run. Every problem has an address and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from etl_studio.pipeline.active import active
from etl_studio.pipeline.canvas_rules import check_groups
from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.flat import SEPARATOR
from etl_studio.pipeline.interfaces import types_of
from etl_studio.pipeline.part_rules import check_parts
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.setting_rules import check_parameters, check_settings
from etl_studio.pipeline.sub_rules import check_sub_pipelines
from etl_studio.pipeline.wire_rules import check_ways, check_wire, check_wires
from etl_studio.sdk.ports import REJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etl_studio.pipeline.interfaces import Interfaces
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Node, Registry

__all__ = ["Problem", "check", "check_wire"]


def check(
    pipeline: Pipeline,
    registry: Registry,
    parameters: Mapping[str, str] | None = None,
    check_sql: Callable[[str, str], str | None] | None = None,
    interfaces: Interfaces | None = None,
) -> list[Problem]:
    """Every problem of a pipeline, errors first. What is disabled, and what only that feeds, may have any settings.

    Args:
        pipeline: the document.
        registry: node types.
        parameters: values as typed; defaults, or samples where there are none, stand in for what is missing.
        check_sql: tells what is wrong with a text for an editor (``sql`` or ``sql_query``), or None.
        interfaces: what is known of the files of sub-pipelines, by their names as written; of others any port may be.
    """
    if pipeline.is_newer:
        message = (
            f"The file was made by a newer ETL Studio (format {pipeline.format}): it can be looked at and not run."
        )
        return [Problem("error", message, "Update ETL Studio.")]
    running = active(pipeline, registry)
    part = running.pipeline
    types: dict[str, type[Node] | None] = types_of(part, registry, interfaces or {})
    problems = [
        *_check_nodes(part, registry, types, pipeline),
        *check_parameters(pipeline, parameters or {}),
        *check_settings(part, types, parameters or {}, check_sql),
        *check_wires(pipeline, types_of(pipeline, registry, interfaces or {})),
        *check_sub_pipelines(part, interfaces or {}),
        *check_ways(pipeline, running, types),
        *_check_installed(part, types),
        *_check_targets(part, types),
        *_check_fallbacks(part, types),
        *_check_workers(part, types),
        *check_parts(part, types, parameters or {}),
        *check_groups(pipeline),
    ]
    return sorted(problems, key=lambda problem: problem.severity != "error")


def _check_nodes(
    pipeline: Pipeline, registry: Registry, types: Mapping[str, type[Node] | None], whole: Pipeline
) -> Iterator[Problem]:
    if not whole.nodes:
        yield Problem("error", "The pipeline has no nodes.", "Add a source and a sink.")
        return
    if not pipeline.nodes:
        yield Problem("error", "Nothing would run: its nodes are disabled.", "Enable a source and a sink.")
        return
    for name, node_type in types.items():
        if not all(part.isidentifier() for part in name.split(SEPARATOR)):
            hint = "Use letters, digits and _, and begin with a letter."
            yield Problem("error", f'"{name}" cannot be the name of a node.', hint, name)
        if node_type is None:
            written = pipeline.nodes[name].type
            near = registry.near(written)
            hint = f'Did you mean "{near}"?' if near else "Install the plug-in that has it, or choose another type."
            place = position(pipeline, "nodes", name, "type") or (None, None)
            yield Problem("error", f'There is no node type "{written}".', hint, name, "type", *place)
    known = [node_type for node_type in types.values() if node_type]
    if len(known) == len(types) and not any(is_sink(node_type) for node_type in known):
        missing = next((key for key in whole.nodes if key not in types and _may_be_sink(whole, key, registry)), None)
        if missing:
            hint = f"Enable {missing}." if whole.nodes[missing].disabled else f"Enable what feeds {missing}."
            yield Problem("warning", "No sink would run: the rows are kept nowhere.", hint, missing)
        else:
            hint = "Add a sink, such as SQLite table."
            yield Problem("warning", "The pipeline has no sink: its rows are kept nowhere.", hint)


def _may_be_sink(pipeline: Pipeline, node: str, registry: Registry) -> bool:
    node_type = registry.get(pipeline.nodes[node].type)
    return node_type is not None and is_sink(node_type)


def is_sink(node_type: type[Node]) -> bool:
    """Whether rows end there."""
    return not node_type.open_outputs and all(port.name == "rejects" for port in node_type.outputs)


def _check_installed(pipeline: Pipeline, types: Mapping[str, type[Node] | None]) -> Iterator[Problem]:
    """What nodes need besides this program must be there."""
    for name, node_type in types.items():
        missing = node_type.missing(pipeline.nodes[name].config) if node_type else None
        if missing:
            field = f"config.{missing.setting}" if missing.setting else "config"
            place = position(pipeline, "nodes", name, *field.split(".")) or (None, None)
            yield Problem("error", missing.what, missing.hint, name, field, *place)


def _check_targets(pipeline: Pipeline, types: Mapping[str, type[Node] | None]) -> Iterator[Problem]:
    """Two sinks must not replace the same table or write the same file."""
    taken: dict[tuple[str, ...], str] = {}
    for name, node_type in types.items():
        if node_type is None or not is_sink(node_type):
            continue
        config = pipeline.nodes[name].config
        if config.get("write_disposition") == "replace" and "table" in config:
            target: tuple[str, ...] = (node_type.type, str(config.get("database", "")), str(config["table"]).lower())
            what, field = f'the table "{config["table"]}"', "table"
        elif "path" in config and "table" not in config:
            target = ("file", str(config["path"]))
            what, field = f'the file "{config["path"]}"', "path"
        else:
            continue
        other = taken.setdefault(target, name)
        if other != name:
            place = position(pipeline, "nodes", name, "config", field) or (None, None)
            hint = "Unite the rows first (Union), or choose another target."
            yield Problem("error", f"{name} and {other} both replace {what}.", hint, name, f"config.{field}", *place)


def _check_fallbacks(pipeline: Pipeline, types: Mapping[str, type[Node] | None]) -> Iterator[Problem]:
    """A fallback must have something to fall back to."""
    for name, node_type in types.items():
        fallback = pipeline.nodes[name].policy.get("fallback")
        if node_type is None or fallback not in ("branch", "last_good"):
            continue
        if fallback == "last_good" and not getattr(node_type, "reads_web", False):
            message = f"{name} asks no site for rows: there is no last good answer to use."
            hint = "Use it with a node such as REST API or Web page, or set policy.fallback: stop."
        elif fallback == "branch" and not (node_type.inputs and any(one is REJECTS for one in node_type.outputs)):
            message = f"{name} works on no batches whose rows another branch could take."
            hint = "Use it with a node that has an input and a rejects port, or set policy.fallback: stop."
        else:
            continue
        place = position(pipeline, "nodes", name, "policy", "fallback") or (None, None)
        yield Problem("error", message, hint, name, "policy.fallback", *place)


def _check_workers(pipeline: Pipeline, types: Mapping[str, type[Node] | None]) -> Iterator[Problem]:
    """Settings of workers must be able to do what they say."""
    for name, node_type in types.items():
        policy = pipeline.nodes[name].policy
        workers, partition_by = policy.get("workers", 1), policy.get("partition_by")
        if node_type is None or not (workers != 1 or partition_by):
            continue
        severity: Literal["error", "warning"] = "warning"
        field = "partition_by" if workers == 1 else "workers"
        if not node_type.inputs or is_sink(node_type) or getattr(node_type, "blocking", False) is True:
            message = f"{name} always has one worker."
            hint = f"Remove policy.{field}, or set it on a node that works row by row."
        elif workers == 1:
            message = f"{name} has one worker, so partition_by does nothing."
            hint = "Set policy.workers, too: 2 or more, or 0 for as many as the load asks for."
        elif partition_by and policy.get("keep_order") is True:
            severity, field = "error", "keep_order"
            message = f"{name} cannot keep the order of all rows: partition_by keeps that of rows with the same values."
            hint = "Remove policy.keep_order or policy.partition_by."
        else:
            continue
        place = position(pipeline, "nodes", name, "policy", field) or (None, None)
        yield Problem(severity, message, hint, name, f"policy.{field}", *place)
