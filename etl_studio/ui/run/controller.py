"""One run, dry run or replay at a time, beside the window: in a QThread, and each of its nodes in another."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.engine.breakpoints import ARROW
from etl_studio.engine.events import PauseChanged, RunEnded, RunStarted
from etl_studio.errors import EtlError, PermanentError
from etl_studio.pipeline.flat import outer_node
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.run.mailbox import EventMailbox
from etl_studio.ui.run.qt_workers import QtWorker, start_qt_worker
from etl_studio.ui.run.replaying import Replayed, replay_letters
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from etl_studio.app.dry_run import DryRun
    from etl_studio.app.replays import Replay
    from etl_studio.app.studio import Studio
    from etl_studio.engine.breakpoints import Breakpoint
    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import Event
    from etl_studio.engine.inject import FaultReport, Injection
    from etl_studio.engine.run import Run
    from etl_studio.engine.trial import Trial
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.storage.workspace import RunRecord

    MakeTrial = Callable[..., Trial]
    """Finds what a trial runs, and on what: called with the pipeline, and ``on_run`` as in ``app.trials``."""


class RunController(QObject):
    """Starts and stops runs and tells their events on the window's thread.

    Args:
        studio: prepares runs.

    Attributes:
        records: whether runs are recorded (``app.recordings``); those that are debugged always are.
        event: every event, as in ``engine.events``; of samples that wait only the newest.
        started: the run's id.
        ended: the ``RunEnded``, after everything has stopped.
        faults_reported: the ``FaultReport`` of a run with faults, after ``ended``.
        rehearsed: what a dry run would have done (``DryRun``), after everything has stopped.
        replayed: what became of the letters (``Replayed``), after everything has stopped.
        refused: an ``EtlError`` (a ``PipelineError`` holds the problems): the run did not begin.
        running_changed: ``is_running`` changed.
        pause_changed: ``is_paused`` or ``can_pause`` changed.
    """

    event = Signal(object)
    started = Signal(str)
    ended = Signal(object)
    faults_reported = Signal(object)
    rehearsed = Signal(object)
    replayed = Signal(object)
    refused = Signal(object)
    running_changed = Signal()
    pause_changed = Signal()

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._mailbox = EventMailbox(self)
        self._mailbox.delivered.connect(self._deliver)
        self._worker: QtWorker | None = None
        self._run: Run | Replay | None = None
        self._pausable: Run | None = None
        self._report: RunEnded | DryRun | Replayed | None = None
        self._faults: FaultReport | None = None
        self._debugger: Debugger | None = None
        self.records = False
        self._error: EtlError | None = None
        self._stop_asked = False

    @property
    def is_running(self) -> bool:
        """Whether a run is being prepared or executed."""
        return self._worker is not None

    def start(  # noqa: PLR0913 - what a run may be told
        self,
        pipeline: Pipeline,
        file: Path | None,
        parameters: Mapping[str, Any] | None = None,
        injection: Injection | None = None,
        *,
        resume: RunRecord | None = None,
        accept_changes: bool = False,
        only: Sequence[str] | None = None,
        trial: MakeTrial | None = None,
    ) -> None:
        """Begin a run of the pipeline as it is now; later edits do not touch it. Ignored while one runs.

        Args:
            pipeline: what is on the screen, saved or not.
            file: its file: relative paths start there, and the workspace is beside it.
            parameters: values that replace the defaults.
            injection: faults to inject.
            resume: the run that broke off and goes on.
            accept_changes: go on even where a source has changed since.
            only: ids of the nodes to run; default: all.
            trial: makes a trial of it, in the run's thread: rows may have to be read first.
        """
        copy, given = snapshot(pipeline), dict(parameters or {})

        def prepare() -> Run:
            return self._studio.prepare(
                copy,
                file=file,
                parameters=given if resume is None else self._studio.parameters_of(resume, given),
                workspace=self._studio.workspace_folder(file),
                listeners=[self._mailbox.put],
                start_worker=start_qt_worker,
                injection=injection,
                resume=resume,
                accept_changes=accept_changes,
                only=only,
                trial=self._trial(trial, copy),
                record=self.records,
            )

        self._begin(lambda: self._execute(prepare))

    def rehearse(
        self,
        pipeline: Pipeline,
        file: Path | None,
        parameters: Mapping[str, Any] | None = None,
        trial: MakeTrial | None = None,
    ) -> None:
        """Begin a dry run of the pipeline as it is now: nothing is written. Ignored while one runs.

        Args:
            pipeline: what is on the screen, saved or not.
            file: its file.
            parameters: values that replace the defaults.
            trial: makes a trial of it.
        """
        copy, given = snapshot(pipeline), dict(parameters or {})

        self._begin(lambda: self._dry_run(copy, file, given, trial=self._trial(trial, copy)))

    def debug(  # noqa: PLR0913 - what a run may be told
        self,
        pipeline: Pipeline,
        file: Path | None,
        parameters: Mapping[str, Any] | None,
        breakpoints: Sequence[Breakpoint],
        *,
        load: bool = False,
        trial: MakeTrial | None = None,
    ) -> None:
        """Begin a run that halts at breakpoints; without any, before its first batch. Ignored while one runs.

        Args:
            pipeline: what is on the screen, saved or not.
            file: its file.
            parameters: values that replace the defaults.
            breakpoints: where it halts.
            load: write for real, with what a person changes in the rows; default: nothing is written.
            trial: makes a trial of it.
        """
        copy, given = snapshot(pipeline), dict(parameters or {})

        def make(tried: Trial | None) -> Debugger:
            from etl_studio.engine.debugger import Debugger

            halts = any(one.enabled and (tried is None or _is_met(one, tried)) for one in breakpoints)
            self._debugger = Debugger(breakpoints, halt_first=not halts)
            return self._debugger

        def prepare() -> Run:
            tried = self._trial(trial, copy)
            return self._studio.prepare(
                copy,
                file=file,
                parameters=given,
                workspace=self._studio.workspace_folder(file),
                listeners=[self._mailbox.put],
                start_worker=start_qt_worker,
                trial=tried,
                debugger=make(tried),
                record=True,
            )

        def rehearse() -> DryRun:
            tried = self._trial(trial, copy)
            return self._dry_run(copy, file, given, trial=tried, debugger=make(tried), record=True)

        self._begin((lambda: self._execute(prepare)) if load else rehearse)

    @property
    def debugger(self) -> Debugger | None:
        """That of the run which is debugged now."""
        return self._debugger

    def replay(self, ids: Sequence[int], pipeline: Pipeline, file: Path | None, *, whole: bool = False) -> None:
        """Begin replays of dead letters, a run for each node in which they failed. Ignored while one runs.

        Args:
            ids: numbers of the letters.
            pipeline: what is on the screen; letters of another file go through that file.
            file: its file; the letters are in its workspace.
            whole: give the rows out of their source, so that they pass every node.
        """
        copy, tell, take = snapshot(pipeline), self._mailbox.put, self._take
        self._begin(lambda: replay_letters(self._studio, tuple(ids), copy, file, tell, take, whole=whole))

    def _begin(self, work: Callable[[], RunEnded | DryRun | Replayed]) -> None:
        if self._worker is not None:
            return
        self._run = self._pausable = self._report = self._error = self._faults = self._debugger = None
        self._stop_asked = False
        self._worker = QtWorker("run", lambda: self._guard(work))
        self._worker.finished.connect(self._finish)
        # While it runs, the garbage collector looks only at what is made from now on: a look at all that the window
        # holds already would keep window and workers waiting for 50 ms and more.
        gc.freeze()
        self._worker.start()
        self.running_changed.emit()

    def stop(self) -> None:
        """Ask for a graceful end: sources stop, what is under way is loaded."""
        self._stop_asked = True
        if self._run is not None:
            self._run.stop()

    def stop_now(self) -> None:
        """End at once; what is not committed is given up."""
        self._stop_asked = True
        if self._run is not None:
            self._run.stop(hard=True)

    def switch_pause(self) -> None:
        """Pause the run, or let it go on."""
        if (run := self._pausable) is not None:
            (run.go_on if run.paused else run.pause)()

    @property
    def is_paused(self) -> bool:
        """Whether the run waits for a person."""
        return self._pausable is not None and self._pausable.paused

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop_asked and self.is_running

    @property
    def can_pause(self) -> bool:
        """Whether there is a run that may be paused."""
        return self._pausable is not None and not self._stop_asked

    def force_breaker(self, node: str, state: str) -> None:
        """Open, disable or close the breakers of a node of the run by hand: a value of ``BreakerState``."""
        if self._run is not None:
            self._run.force_breaker(node, state)

    def shut_down(self, timeout: float = 15.0) -> bool:
        """Stop at once and wait, at most ``timeout`` seconds; whether everything has ended."""
        worker = self._worker
        if worker is None:
            return True
        self.stop_now()
        worker.join(timeout)
        return not worker.is_alive()

    def _trial(self, make: MakeTrial | None, pipeline: Pipeline) -> Trial | None:
        """Called in the run's thread; what it reads first can be stopped, too."""

        def take(run: Run) -> None:
            if not self._take(run):
                run.stop(hard=True)

        return None if make is None else make(pipeline, on_run=take)

    def _dry_run(self, pipeline: Pipeline, file: Path | None, parameters: Mapping[str, Any], **how: Any) -> DryRun:
        """Called in the run's thread."""
        from etl_studio.app.dry_run import dry_run

        return dry_run(
            self._studio,
            pipeline,
            file=file,
            workspace=self._studio.workspace_folder(file),
            parameters=parameters,
            listeners=[self._mailbox.put],
            start_worker=start_qt_worker,
            on_run=self._prepared,
            **how,
        )

    def _execute(self, prepare: Callable[[], Run]) -> RunEnded:
        run = prepare()
        self._prepared(run)
        report = run.execute()
        if run.faults is not None:
            self._faults = run.faults.report(report)
        return report

    def _prepared(self, run: Run) -> None:
        self._pausable = run
        if not self._take(run):
            run.stop(hard=True)

    def _take(self, run: Run | Replay) -> bool:
        """Make a run the one that can be stopped; False: a stop was asked for before it began."""
        self._run = run
        return not self._stop_asked

    def _guard(self, work: Callable[[], RunEnded | DryRun | Replayed]) -> None:
        try:
            self._report = work()
        except EtlError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - a defect must end as a message, not as a dead window
            self._error = PermanentError(
                tr("The run could not begin: {reason}", reason=f"{type(error).__name__}: {error}"),
                hint=tr("This is a defect of the studio; please report it."),
            )

    def _deliver(self, event: Event) -> None:
        self.event.emit(event)
        if isinstance(event, RunStarted):
            self.started.emit(event.run)
        if isinstance(event, RunStarted | PauseChanged):
            self.pause_changed.emit()

    def _finish(self) -> None:
        gc.unfreeze()
        self._mailbox.flush()
        worker, self._worker = self._worker, None
        self._run = self._pausable = self._debugger = None
        if worker is not None:
            worker.wait()
            worker.deleteLater()
        self.running_changed.emit()
        if self._error is not None:
            self.refused.emit(self._error)
        elif isinstance(self._report, Replayed):
            if self._report.refused and not self._report.ended:
                self.refused.emit(self._report.refused[0])
            self.replayed.emit(self._report)
        elif isinstance(self._report, RunEnded):
            self.ended.emit(self._report)
            if self._faults is not None:
                self.faults_reported.emit(self._faults)
        elif self._report is not None:
            self.rehearsed.emit(self._report)


def _is_met(one: Breakpoint, trial: Trial) -> bool:
    """Whether a trial comes past a breakpoint."""
    target = one.wire.rpartition(ARROW)[2].rpartition(".")[0] or one.node
    return any(outer_node(node) == outer_node(target) for node in trial.run)
