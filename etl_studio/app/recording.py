"""Makes a test of a pipeline from a preview: the rows that were given, and those that came of them at one node."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from etl_studio.app.golden_cases import EXPECTED, GIVEN, SETTINGS, cases_folder, place_name
from etl_studio.app.pipeline_tests import run_case
from etl_studio.app.previews import ROWS, ends_of
from etl_studio.engine.golden_rows import rows_of, write_rows
from etl_studio.errors import UsageError
from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.file_format import write_text
from etl_studio.sdk import REJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.app.previews import Previews
    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.model import NodeSpec, Pipeline
    from etl_studio.sdk import Registry


def record_preview(  # noqa: PLR0913 - as a preview
    previews: Previews,
    pipeline: Pipeline,
    node: str,
    *,
    file: Path,
    rows: int = ROWS,
    parameters: Mapping[str, str] | None = None,
) -> Path:
    """Keep what a preview shows as a test: given are samples of sources and pinned rows, expected what leaves the node.

    No other machine is asked. The test runs once; one that would not pass is not kept.

    Args:
        previews: have the rows.
        pipeline: the document.
        node: id of the node.
        file: the pipeline file; the test is beside it.
        rows: of each source; at most 200 are kept.
        parameters: values as typed.

    Returns:
        The folder of the test, called as the node.

    Raises:
        UsageError: the rows are not known, are given themselves, or differ each time.
        EtlError: as ``Previews.look``.
    """
    studio, rows = previews.studio, min(rows, ROWS)
    preview = previews.look(pipeline, node, file=file, rows=rows, parameters=parameters, ask=False)
    if preview.sample is None:
        raise UsageError("The rows of this node are not known yet.", hint="Press Refresh to read them.")
    flat, running = previews.running(pipeline, node, file, parameters)
    first, made = _between(running.pipeline, sorted(ends_of(flat, node).values()) or [node], preview.samples)
    if node in first or node in running.passed:
        raise UsageError("These rows are given, not made.", hint="Make a test of a node behind, which changes them.")
    if not set(first) <= preview.samples.keys():
        raise UsageError("Rows before this node have been forgotten.", hint="Press Refresh to read them.")
    folder = _new_folder(file, node)
    try:
        for place, table in _given(first, preview.samples).items():
            name = place_name(place, flat, studio.registry)
            write_rows(rows_of(table), folder / GIVEN / f"{name}.json")
        for name, table in _expected(pipeline.nodes[node], preview.sample).items():
            write_rows(rows_of(table), folder / EXPECTED / f"{name}.json")
        settings = _settings(studio.registry, running.pipeline, pipeline.nodes[node], made, parameters)
        if settings:
            write_text(yaml_text.block(settings), folder / SETTINGS)
        outcome = run_case(studio, pipeline, folder, file=file)
        if outcome.status != "passed":
            raise UsageError(
                outcome.error or "These rows come out differently each time, so that a test of them would fail.",
                hint="Look for random() and now() in the settings before it, or pin the node that has them.",
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _given(nodes: list[str], samples: Mapping[str, Sample]) -> dict[tuple[str, str], pa.Table]:
    """What stands in for nodes, by node and port."""
    return {
        (node, port): table
        for node in nodes
        for port, table in samples[node].ports.items()
        if port != REJECTS.name or table.num_rows
    }


def _expected(spec: NodeSpec, sample: Sample) -> dict[str, pa.Table]:
    """What leaves the node in a run, by the name of its file."""
    sends_rejects = spec.policy.get("on_error", "reject") == "reject"
    found = {}
    for number, (port, table) in enumerate(sample.ports.items()):
        if port != REJECTS.name or (table.num_rows and sends_rejects):
            found[f"{spec.id}.{port}" if number else spec.id] = table
    return found


def _settings(
    registry: Registry, running: Pipeline, spec: NodeSpec, made: list[str], parameters: Mapping[str, str] | None
) -> dict[str, Any]:
    """Values of parameters; and that rows may come in any order where a query over all of them gives none."""
    settings: dict[str, Any] = {"parameters": dict(parameters)} if parameters else {}
    types = [registry.get(running.nodes[name].type) for name in made]
    if spec.type != "sort" and any(getattr(node_type, "blocking", False) is True for node_type in types):
        settings["any_order"] = [spec.id]
    return settings


def _between(pipeline: Pipeline, ends: list[str], samples: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The nodes whose rows are given, and those that make others of them."""
    first: dict[str, None] = {}
    made: dict[str, None] = {}
    pending = list(ends)
    while pending:
        name = pending.pop()
        if name in first or name in made:
            continue
        feeders = [wire.source for wire in pipeline.wires if wire.target == name]
        if not feeders or (name in samples and samples[name].pinned):
            first[name] = None
        else:
            made[name] = None
            pending += feeders
    return list(first), list(made)


def _new_folder(file: Path, node: str) -> Path:
    name, number = node.replace("/", " "), 1
    folder = cases_folder(file) / name
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{name} {number}")
    return folder
