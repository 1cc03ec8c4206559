"""``run --dry-run``: what a run would insert, update and delete; nothing is written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from etl_studio.app.studio import Studio
    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import Listener, RunEnded
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import StartWorker
    from etl_studio.engine.trial import Trial
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk.database import Diff

LIMIT = 20
"""Changes of each kind that are shown."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a sink would do: rows that it would load; ``diff`` is None where it cannot tell more."""

    node: str
    rows: int
    diff: Diff | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The report of a dry run; ``trial``: what it was tried on, if not on everything."""

    ended: RunEnded
    sinks: tuple[Rehearsed, ...]
    trial: Trial | None = None


def dry_run(  # noqa: PLR0913 - as a run
    studio: Studio,
    pipeline: Pipeline,
    *,
    file: Path | None,
    workspace: Path,
    parameters: Mapping[str, str],
    only: Sequence[str] | None = None,
    trial: Trial | None = None,
    listeners: Sequence[Listener] = (),
    start_worker: StartWorker | None = None,
    on_run: Callable[[Run], object] | None = None,
    limit: int = LIMIT,
    debugger: Debugger | None = None,
    record: bool = False,
    tape: Tape | None = None,
) -> DryRun:
    """Run a pipeline up to its commits.

    Args:
        studio: what all share.
        pipeline: the document.
        file: its file, where relative paths start.
        workspace: folder whose tables are compared.
        parameters: values as typed.
        only: ids of the nodes to run; default: all.
        trial: what to run instead, on some rows only (``app.trials``).
        listeners: take the events.
        start_worker: starts its workers; default: plain threads.
        on_run: gets the run, so that it can be stopped.
        limit: changes of each kind in the report.
        debugger: halts it at breakpoints.
        record: keep what goes over its wires (``app.recordings``).
        tape: keeps what sites answer, or answers in their place (``app.cassettes``).

    Raises:
        PipelineError: the pipeline has errors; carries them.
        UsageError: a parameter is missing or wrong.
    """
    from etl_studio.app.recordings import new_recording
    from etl_studio.app.studio import new_run_id
    from etl_studio.engine.context import Places
    from etl_studio.engine.masking import masking
    from etl_studio.engine.plan import make_plan
    from etl_studio.engine.rehearsal import NothingNew, rehearsed
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import start_thread
    from etl_studio.engine.trial import trial_plan
    from etl_studio.pipeline.flat import nodes_of
    from etl_studio.storage.mailbox import mailbox_folder

    if trial is not None:
        only = trial.run
    pipeline = studio.flat(pipeline, parameters, file=file, only=only)
    if only is not None:
        only = [name for node in only for name in nodes_of(pipeline, node)]
    studio.refuse_errors(pipeline, parameters, only=only)
    pipeline = studio.active(pipeline).pipeline
    only = [node for node in pipeline.nodes if only is None or node in only]
    replays = tape is not None and tape.replays
    resolved = studio.settings_for(pipeline, parameters, only, replays=replays)
    begins = _bookmarks(studio, file, workspace)
    if tape is not None:
        begins = tape.begin(lambda: (*resolved.secrets, *studio.sign_ins.secrets), begins)
    sinks: dict[str, Rehearsed] = {}

    def tell(node: str, rows: int, diff: Diff | None) -> None:
        sinks[node] = Rehearsed(node, rows, None if diff is None else _shown(diff, resolved.secrets))

    run_id = new_run_id()
    if trial is None:
        plan = make_plan(pipeline, studio.registry, resolved.settings, only)
    else:
        plan = trial_plan(pipeline, studio.registry, resolved.settings, trial)
    plan = rehearsed(plan, tell, limit)
    recording = None
    if record:
        kept = {"pipeline": pipeline.name, "file": str(file or ""), "kind": "dry_run"}
        recording = new_recording(workspace, run_id, plan, kept)
    with tempfile.TemporaryDirectory(prefix="etl-studio-") as scratch:
        run = Run(
            run_id,
            plan,
            Places(
                file.resolve().parent if file else Path.cwd(),
                workspace.resolve() / "data.db",
                Path(scratch) / "scratch",
                mailbox_folder(workspace, file, pipeline.name),
            ),
            NothingNew(studio.databases, Path(scratch)),
            listeners,
            start_worker=start_worker or start_thread,
            mask=masking(resolved.secrets, studio.sign_ins),
            sign_ins=studio.sign_ins,
            bookmarks=begins,
            tape=tape,
            facts={"kind": "dry_run", "document": {} if trial is None else {"trial": trial.facts()}},
            debugger=debugger,
            recording=recording,
        )
        if on_run is not None:
            on_run(run)
        ended = run.execute()
        studio.databases.forget(Path(scratch))
    return DryRun(ended, tuple(sinks[node] for node in pipeline.nodes if node in sinks), trial)


def _bookmarks(studio: Studio, file: Path | None, workspace: Path) -> dict[tuple[str, str], Any]:
    """Where the sources of a pipeline begin; nothing is made for that."""
    if file is None or not (workspace / "workspace.db").is_file():
        return {}
    return {(one.node, one.of): one.value for one in studio.workspace(workspace).bookmarks.of(file)}


def _shown(diff: Diff, secrets: Iterable[str]) -> Diff:
    """What may be shown: a body that is sent may hold secrets of the settings."""
    from etl_studio.engine.masking import hidden

    if diff.requests is None:
        return diff
    values = sorted(filter(None, secrets), key=len, reverse=True)
    changes = tuple(replace(change, row=hidden(dict(change.row), values)) for change in diff.changes)
    return replace(diff, table=hidden(diff.table, values), changes=changes)
