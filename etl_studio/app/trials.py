"""Runs on some rows: from a node on, or of everything, with the first rows of each source and with pinned rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.app.pins import Pins
from etl_studio.app.previews import ROWS
from etl_studio.engine.trial import Trial, trial_part
from etl_studio.errors import UsageError
from etl_studio.pipeline.flat import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etl_studio.app.previews import Previews
    from etl_studio.engine.run import Run
    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.active import Active
    from etl_studio.pipeline.model import Pipeline


def make_trial(  # noqa: PLR0913 - what a run is tried on
    previews: Previews,
    pipeline: Pipeline,
    *,
    file: Path | None,
    start: str | None = None,
    end: str | None = None,
    rows: int = ROWS,
    parameters: Mapping[str, str] | None = None,
    on_run: Callable[[Run], Any] | None = None,
) -> Trial:
    """Find what a trial runs, and take the rows that it begins with.

    Pinned rows stand in the place of their nodes, as in previews. Of other nodes right before ``start`` the rows are
    those of a preview.

    Args:
        previews: compute samples and keep them.
        pipeline: the document.
        file: its file, where relative paths start and pins are.
        start: the node from which everything that follows runs; None: the whole pipeline runs.
        end: the node after which nothing runs; None: all that follows does.
        rows: how many are read of each source.
        parameters: values as typed.
        on_run: gets each run of a preview, so that it can be stopped.

    Raises:
        PipelineError: what feeds ``start`` has errors.
        UsageError: there is no such node, it does not run, or rows are wanted that only a load would tell.
        Cancelled: it was stopped.
        EtlError: reading failed.
    """
    studio = previews.studio
    flat = studio.flat(pipeline, parameters, file=file)
    running = studio.active(flat)
    pins = Pins(file)
    run, missing = trial_part(
        running.pipeline,
        pins.nodes(),
        () if start is None else _inside(flat, running, start),
        None if end is None else _inside(flat, running, end),
    )
    given: dict[str, Sample] = {}
    for node in missing:
        node_type = studio.registry.get(running.pipeline.nodes[node].type)
        if node in pins.nodes() and node_type is not None:
            given[node] = pins.read(node, node_type)
            continue
        look = previews.look(pipeline, node, file=file, rows=rows, parameters=parameters, on_run=on_run)
        given[node] = look.samples[node]
    return Trial(rows, tuple(run), given, start)


def _inside(flat: Pipeline, running: Active, node: str) -> list[str]:
    """The node, or those of a sub-pipeline.

    Raises:
        UsageError: there is none, or it does not run.
    """
    found = nodes_of(flat, node)
    if not found:
        raise UsageError(f'There is no node "{node}".', hint=f"Nodes: {', '.join(flat.nodes) or 'none'}.")
    runs = [name for name in found if name in running.pipeline.nodes]
    if not runs:
        raise UsageError("It is disabled, or all that feeds it is.", node=node, hint="Enable it to run from there.")
    return runs
