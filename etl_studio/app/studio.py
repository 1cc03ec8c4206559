"""The composition root: builds registry, storage and engine once and hands them over."""

from __future__ import annotations

import os
import secrets as random_ids
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from etl_studio.app.catalogue import full_registry
from etl_studio.app.sub_pipelines import SubPipelines, refusal
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.engine.cassette import Bookmarks
    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import Listener
    from etl_studio.engine.http_auth import SignIns
    from etl_studio.engine.inject import Injection
    from etl_studio.engine.memory import MemoryBudget
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import StartWorker
    from etl_studio.engine.trial import Trial
    from etl_studio.pipeline.active import Active
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.pipeline.rules import Problem
    from etl_studio.sdk import Registry
    from etl_studio.storage.databases import Databases
    from etl_studio.storage.page_memory import PipelinePages
    from etl_studio.storage.workspace import RunRecord, Workspace

WORKSPACE_FOLDER = ".etl_studio"
SECRET_VARIABLE = "ETL_STUDIO_SECRET_"  # noqa: S105 - the prefix of names, not a secret


def secret_from_environment(name: str) -> str | None:
    """``${secret:shop_token}`` is the environment variable ``ETL_STUDIO_SECRET_SHOP_TOKEN``."""
    return os.environ.get(SECRET_VARIABLE + name.upper().replace("-", "_"))


class Studio:
    """What window and terminal share. Close it at the end.

    Args:
        registry: node types; default: the built-in ones and plug-ins.
        secrets: finds a secret by name.

    Attributes:
        sub_pipelines: the files that pipelines use as nodes.
    """

    def __init__(
        self, registry: Registry | None = None, secrets: Callable[[str], str | None] = secret_from_environment
    ) -> None:
        self.registry = registry if registry is not None else full_registry()
        self.sub_pipelines = SubPipelines(self.registry, check_sql)
        self._sign_ins: SignIns | None = None
        self._secrets = secrets
        self._databases: Databases | None = None
        self._workspaces: dict[Path, Workspace] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every database."""
        with self._lock:
            self._workspaces.clear()
            if self._databases is not None:
                self._databases.close()
                self._databases = None

    @property
    def databases(self) -> Databases:
        """The SQLite files that are open."""
        from etl_studio.storage.databases import Databases

        with self._lock:
            if self._databases is None:
                self._databases = Databases()
            return self._databases

    @property
    def sign_ins(self) -> SignIns:
        """Who is signed in where."""
        from etl_studio.app.keychain import Keychain
        from etl_studio.engine.http_auth import SignIns

        with self._lock:
            if self._sign_ins is None:
                self._sign_ins = SignIns(Keychain())
            return self._sign_ins

    def load(self, path: Path) -> Pipeline:
        """Read a pipeline file.

        Raises:
            PipelineError: it cannot be read; carries every problem.
        """
        from etl_studio.pipeline.file_format import load

        return load(path, self.registry)

    def check(
        self, pipeline: Pipeline, parameters: Mapping[str, str] | None = None, *, file: Path | None = None
    ) -> list[Problem]:
        """Every problem of a pipeline and of its sub-pipelines, with its address; ``file`` is its own."""
        return self.sub_pipelines.check(pipeline, file=file, parameters=parameters)

    def flat(
        self,
        pipeline: Pipeline,
        parameters: Mapping[str, str] | None = None,
        *,
        file: Path | None = None,
        only: Sequence[str] | None = None,
    ) -> Pipeline:
        """The pipeline with the nodes of its sub-pipelines in their place, as ``SubPipelines.flat``."""
        return self.sub_pipelines.flat(pipeline, file=file, parameters=parameters, only=only)

    def active(self, pipeline: Pipeline) -> Active:
        """What of a pipeline runs when some of its nodes are disabled."""
        from etl_studio.pipeline.active import active

        return active(pipeline, self.registry)

    def workspace_folder(self, file: Path | None) -> Path:
        """Where runs and results are kept: ``.etl_studio`` beside the pipeline file, or the user's data folder."""
        if file is not None:
            return file.resolve().parent / WORKSPACE_FOLDER
        from platformdirs import user_data_path

        return user_data_path("etl-studio", appauthor=False)

    def workspace(self, folder: Path) -> Workspace:
        """Open a workspace (once)."""
        from etl_studio.storage.workspace import Workspace

        key = folder.resolve()
        with self._lock:
            if key not in self._workspaces:
                self._workspaces[key] = Workspace(key, self.databases)
            return self._workspaces[key]

    def prepare(  # noqa: PLR0913 - a run is where everything meets
        self,
        pipeline: Pipeline,
        *,
        file: Path | None,
        parameters: Mapping[str, str],
        workspace: Workspace | Path,
        listeners: Sequence[Listener] = (),
        start_worker: StartWorker | None = None,
        resume: RunRecord | None = None,
        accept_changes: bool = False,
        injection: Injection | None = None,
        memory: MemoryBudget | None = None,
        only: Sequence[str] | None = None,
        trial: Trial | None = None,
        debugger: Debugger | None = None,
        record: bool = False,
        tape: Tape | None = None,
    ) -> Run:
        """Check a pipeline and make it ready to run; what it tells is kept in the workspace.

        Args:
            pipeline: the document.
            file: its file, where relative paths start.
            parameters: values as typed.
            workspace: the workspace, or its folder.
            listeners: take the run's events.
            start_worker: starts its workers; default: plain threads.
            resume: the run that broke off and goes on; it keeps its id.
            accept_changes: go on even where a source has changed since.
            injection: faults to inject; ``Run.faults`` reports what became of them.
            memory: what the process may hold; default: three quarters of the machine's.
            only: ids of the nodes to run; default: those of the run that goes on, or all.
            trial: what to run instead, on some rows only (``app.trials``); such a run is never resumed.
            debugger: halts it at breakpoints; what a person edits there is loaded.
            record: keep what goes over its wires (``app.recordings``).
            tape: keeps what sites answer, or answers in their place (``app.cassettes``). What a run that is answered
                reads does not count for the next one.

        Raises:
            PipelineError: the pipeline, or what of it runs, has errors; carries them.
            SourceChanged: a source has changed since, and nobody accepted it.
            UsageError: a parameter is missing or wrong; the run cannot be resumed, with the reason; a node to fail is
                not there.
        """
        from etl_studio.app.faults import injector
        from etl_studio.app.recordings import new_recording
        from etl_studio.app.resuming import document, refuse_changes
        from etl_studio.app.retention import Retention
        from etl_studio.engine.checkpoints import Interval
        from etl_studio.engine.context import Places
        from etl_studio.engine.masking import masking
        from etl_studio.engine.plan import make_plan
        from etl_studio.engine.run import Run
        from etl_studio.engine.threads import start_thread
        from etl_studio.engine.trial import trial_plan
        from etl_studio.pipeline.flat import nodes_of
        from etl_studio.storage.recorder import Recorder

        if trial is not None:
            only = trial.run
        elif only is None and resume is not None:
            only = resume.document.get("part")
        pipeline = self.flat(pipeline, parameters, file=file, only=only)
        if only is not None:
            only = list(dict.fromkeys(name for node in only for name in nodes_of(pipeline, node)))
        running = self.active(pipeline)
        replays = tape is not None and tape.replays
        resolved = self._resolve(running.pipeline, parameters, replays=replays)
        self.refuse_errors(pipeline, parameters, only=only)
        pipeline = running.pipeline
        if only is not None:
            only = [node for node in only if node in pipeline.nodes]
        place = self.workspace(workspace) if isinstance(workspace, Path) else workspace
        run_id = resume.id if resume else new_run_id()
        folder = file.resolve().parent if file else Path.cwd()
        plan = make_plan(pipeline, self.registry, resolved.settings)
        faults = None if injection is None else injector(_inside(injection, pipeline), plan, place.data_path)
        of = pipeline, self.registry, resolved.settings
        plan = make_plan(*of, only) if trial is None else trial_plan(*of, trial)
        facts = document(running, plan, resolved.shown, folder)
        if trial is not None:
            facts["trial"] = trial.facts()
        facts |= {name: True for name, it in (("debugged", debugger), ("replayed", replays)) if it}
        # What may fail stands before what must be closed: the claim on an old run, the recorder's thread.
        bookmarks = self._begins(place, file, resolved.secrets, tape)
        # A part does not load all that it reads.
        pages = self.pages(place.folder, file) if file and only is None and not replays else None
        history = None
        changes: list[str] = []
        if resume is not None:
            changes = refuse_changes(resume, facts, accept=accept_changes)
            history = place.history(run_id)
            history.claim()
        kept = {"pipeline": pipeline.name, "file": str(file or ""), "kind": "run"}
        recording = new_recording(place.folder, run_id, plan, kept) if record else None
        recorder = Recorder(place)
        return Run(
            run_id,
            plan,
            Places(
                folder,
                place.data_path,
                place.folder / "scratch" / run_id,
                place.mailboxes(file, pipeline.name),
            ),
            self.databases,
            [*listeners, *([faults] if faults else []), Retention(place, [recorder, *listeners])],
            start_worker=start_worker or start_thread,
            ledger=recorder,
            mask=masking(resolved.secrets, self.sign_ins),
            sign_ins=self.sign_ins,
            bookmarks=bookmarks,
            pages=pages,
            tape=tape,
            facts={
                "file": str(file.resolve()) if file else None,
                "parameters": resolved.shown,
                "document": facts,
                "changes": [f"Changed since the run broke off: {change}." for change in changes],
            },
            interval=Interval(**pipeline.checkpoint),
            history=history,
            memory=memory,
            faults=faults,
            debugger=debugger,
            recording=recording,
        )

    def _begins(self, place: Workspace, file: Path | None, secrets: Iterable[str], tape: Tape | None) -> Bookmarks:
        """Where the sources of a pipeline file begin; a tape that answers knows it itself."""
        bookmarks = {(one.node, one.of): one.value for one in place.bookmarks.of(file)} if file else {}
        return bookmarks if tape is None else tape.begin(lambda: (*secrets, *self.sign_ins.secrets), bookmarks)

    def broken_off(self, place: Workspace, file: Path) -> RunRecord:
        """The last run of a file, which broke off.

        Raises:
            UsageError: it has not run here, or came to its end.
        """
        record = place.last_run(str(file.resolve()))
        if record is None:
            raise UsageError(f"{file} has not run in this workspace: there is nothing to resume.")
        if not record.resumable:
            status = str(record.status).replace("_", " ")
            raise UsageError(f"The last run of {file} is {status}: there is nothing to resume.")
        return record

    def parameters_of(self, record: RunRecord, given: Mapping[str, str]) -> dict[str, str]:
        """Values for a run that goes on: its own, and those given now, which win."""
        from etl_studio.app.resuming import given_parameters

        return given_parameters(record, given)

    def preview(  # noqa: PLR0913 - what a look needs
        self,
        pipeline: Pipeline,
        *,
        file: Path | None,
        node: str,
        rows: int = 200,
        port: str | None = None,
        parameters: Mapping[str, str] | None = None,
        on_run: Callable[[Run], Any] | None = None,
    ) -> pa.Table:
        """The first rows at a node (at a sink: what would be loaded). Nothing is written.

        Args:
            pipeline: the document.
            file: its file, where relative paths start.
            node: id of the node.
            rows: how many at most.
            port: output port; default: the node's first one.
            parameters: values as typed.
            on_run: gets the run, so that it can be stopped.

        Raises:
            PipelineError: the node or what feeds it has errors.
            EtlError: reading failed.
        """
        from etl_studio.engine.context import Places
        from etl_studio.engine.events import RunStatus
        from etl_studio.engine.masking import masking
        from etl_studio.engine.plan import ancestors, make_plan
        from etl_studio.engine.preview import Collector, with_collector
        from etl_studio.engine.run import Run
        from etl_studio.errors import PermanentError
        from etl_studio.pipeline.flat import leaving, outer_node

        pipeline = self.flat(pipeline, parameters, file=file, only=ancestors(pipeline, outer_node(node)))
        node, port = leaving(pipeline, node, port)
        self.refuse_errors(pipeline, parameters or {}, only=ancestors(pipeline, node))
        running = self.active(pipeline)
        pipeline = running.pipeline
        if node in running.passed:
            node, port = running.passed[node]
        elif node in running.left_out:
            why = "is disabled" if running.left_out[node] else "is fed by disabled nodes only"
            raise UsageError(f"{node} {why}: it has no rows.", hint="Enable it to see its rows.", node=node)
        wanted = ancestors(pipeline, node)
        resolved = self._resolve(pipeline, parameters or {})
        runs: list[Run] = []
        collector = Collector(rows, lambda: runs[0].stop(hard=True))
        plan = make_plan(pipeline, self.registry, resolved.settings, only=wanted)
        with tempfile.TemporaryDirectory(prefix="etl-studio-") as scratch:
            folder = file.resolve().parent if file else Path.cwd()
            places = Places(folder, Path(scratch) / "data.db", Path(scratch) / "scratch")
            run = Run(
                new_run_id(),
                with_collector(plan, node, collector, port),
                places,
                self.databases,
                (),
                mask=masking(resolved.secrets, self.sign_ins),
                sign_ins=self.sign_ins,
            )
            runs.append(run)
            if on_run is not None:
                on_run(run)
            ended = run.execute()
        if ended.status is RunStatus.FAILED and not collector.full:
            raise PermanentError(ended.error or "The preview failed.")
        return collector.table()

    def pages(self, workspace: Path, file: Path) -> PipelinePages:
        """What the last runs of a pipeline file saw of the web."""
        from etl_studio.storage.page_memory import PipelinePages

        return PipelinePages(self.databases, workspace, file)

    def settings_for(
        self, pipeline: Pipeline, parameters: Mapping[str, str], only: Sequence[str], *, replays: bool = False
    ) -> Any:
        """The settings of some nodes of a flat pipeline with parameters and secrets put in (``pipeline.parameters``).

        Args:
            pipeline: the document.
            parameters: values as typed.
            only: ids of the nodes.
            replays: nobody is asked, so that secrets may be missing.

        Raises:
            PipelineError: one of these nodes has errors.
            UsageError: a parameter is missing or wrong.
        """
        self.refuse_errors(pipeline, parameters, only=only)
        nodes = {key: node for key, node in pipeline.nodes.items() if key in only}
        return self._resolve(replace(pipeline, nodes=nodes), parameters, replays=replays)

    def _resolve(self, pipeline: Pipeline, parameters: Mapping[str, str], *, replays: bool = False) -> Any:
        from etl_studio.app.cassettes import with_stand_ins
        from etl_studio.pipeline.parameters import resolve

        secrets = with_stand_ins(self._secrets) if replays else self._secrets
        return resolve(pipeline, self.registry, parameters, secrets)

    def refuse_errors(
        self, pipeline: Pipeline, parameters: Mapping[str, str], only: Sequence[str] | None = None
    ) -> None:
        """Look at a pipeline, or some nodes of it, before it runs.

        Raises:
            PipelineError: there are errors; carries them.
        """
        problems = [problem for problem in self.check(pipeline, parameters) if problem.severity == "error"]
        if only is not None and not pipeline.is_newer:
            problems = [problem for problem in problems if problem.node in only]
        if problems:
            raise refusal(pipeline, problems)


def _inside(injection: Injection, pipeline: Pipeline) -> Injection:
    """To fail a sub-pipeline is to fail the nodes in it."""
    from etl_studio.pipeline.flat import nodes_of

    return replace(
        injection, nodes=tuple(name for node in injection.nodes for name in nodes_of(pipeline, node) or [node])
    )


def new_run_id() -> str:
    """Time and chance: ``20261123-221530-4f2a1c``; sorts by time."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + random_ids.token_hex(3)


def check_sql(text: str, editor: str) -> str | None:
    """What is wrong with the syntax of an expression (editor ``sql``) or a query (``sql_query``), if anything."""
    from etl_studio.engine.sql_syntax import check_expression, check_query

    return check_query(text) if editor == "sql_query" else check_expression(text)
