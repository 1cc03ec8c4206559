"""Runs the tests of the open pipeline in a thread, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.app.golden_cases import case_folders
from etl_studio.app.pipeline_tests import Outcome, run_case
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.run.qt_workers import start_qt_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.engine.run import Run
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.ui.document import PipelineDocument

NOT_RUN, WAITING, RUNNING = "not run", "waiting", "running"
FAILED = ("failed", "error")


@dataclass(slots=True)
class KnownCase:
    """One test in the list.

    Attributes:
        folder: where its files are.
        state: ``not run``, ``waiting``, ``running``, or the status of its outcome.
        outcome: how it went when it was last run, or None.
        pipeline: what was run then.
        is_stale: whether the pipeline has become another one since.
    """

    folder: Path
    state: str = NOT_RUN
    outcome: Outcome | None = None
    pipeline: Pipeline | None = None
    is_stale: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folder.name


class CaseRunner(QObject):
    """Knows the tests beside the open file, and how each went.

    Args:
        studio: runs them.
        document: what is tested, as it is on the screen.
        flush: writes what is typed but not yet in the document; called before tests run.
        parent: its parent.

    Signals:
        listed: the tests were looked for.
        changed: a test has another state.
        failed: why the tests cannot be listed.

    Attributes:
        cases: the tests by name; those of the file as it was last listed.
    """

    listed = Signal()
    changed = Signal()
    failed = Signal(str)

    def __init__(
        self, studio: Studio, document: PipelineDocument, flush: Callable[[], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studio, self._document, self._flush = studio, document, flush
        self.cases: list[KnownCase] = []
        self._queue: list[KnownCase] = []
        self._current: KnownCase | None = None
        self._runs_all = False
        self._lister, self._worker = Fetcher(self), Fetcher(self)
        self._lister.fetched.connect(self._show)
        self._lister.failed.connect(self._not_listed)
        self._worker.fetched.connect(self._ended)
        self._worker.failed.connect(self._broke)
        document.undo_stack.indexChanged.connect(self._compare)

    @property
    def is_busy(self) -> bool:
        """Whether tests run."""
        return self._current is not None

    @property
    def failures(self) -> int:
        """How many tests failed when they were last run."""
        return sum(case.state in FAILED for case in self.cases)

    def look(self) -> None:
        """List the tests again; what is known of them stays."""
        if (path := self._document.path) is not None:
            self._lister.ask(partial(case_folders, path))

    def forget(self) -> None:
        """Another file."""
        self.stop()
        self._lister.cancel()
        self._runs_all = False
        self.cases = []
        self.listed.emit()

    def run_all(self) -> None:
        """List the tests again and run each."""
        self._runs_all = True
        self.look()

    def run(self, cases: Sequence[KnownCase]) -> None:
        """Run tests, when those that run have ended."""
        self._flush()
        for case in cases:
            if case is not self._current and case not in self._queue:
                case.state = WAITING
                self._queue.append(case)
        self._next()

    def update(self, case: KnownCase) -> None:
        """Make what comes out of a test what is expected of it, and run it again; not while tests run."""
        if not self.is_busy:
            self._begin(case, update=True)

    def stop(self) -> None:
        """Run no more; a test that is under way ends at once and counts as not run."""
        stopped = [*self._queue, self._current] if self._current else []
        self._queue, self._current = [], None
        self._worker.cancel()
        for case in stopped:
            case.state = case.outcome.status if case.outcome else NOT_RUN
        if stopped:
            self.changed.emit()

    def close(self) -> None:
        """Stop, and wait until nothing runs."""
        self.stop()
        self._lister.close()
        self._worker.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def _show(self, folders: list[Path]) -> None:
        known = {case.folder: case for case in self.cases}
        self.cases = [known.get(folder) or KnownCase(folder) for folder in folders]
        self._queue = [case for case in self._queue if case in self.cases]
        runs_all, self._runs_all = self._runs_all, False
        self.listed.emit()
        if runs_all:
            self.run(self.cases)

    def _not_listed(self, message: str) -> None:
        self._runs_all = False
        self.failed.emit(message)

    def _next(self) -> None:
        if self._current is None and self._queue:
            self._begin(self._queue.pop(0))
        else:
            self.changed.emit()

    def _begin(self, case: KnownCase, *, update: bool = False) -> None:
        file = self._document.path
        if file is None:
            return
        self._current, case.state, case.outcome = case, RUNNING, None
        case.pipeline = snapshot(self._document.pipeline)
        work = _CaseRun(self._studio, case.pipeline, case.folder, file, update=update)
        self._worker.ask(work, work.stop)
        self.changed.emit()

    def _ended(self, outcome: Outcome) -> None:
        case, self._current = self._current, None
        if case is not None:
            case.outcome, case.state = outcome, outcome.status
            case.is_stale = not self._is_as_it_was(case)
        self._next()

    def _broke(self, message: str) -> None:
        self._ended(Outcome(self._current.name if self._current else "", "error", error=message))

    def _compare(self) -> None:
        changed = False
        for case in self.cases:
            stale = case.outcome is not None and not self._is_as_it_was(case)
            changed, case.is_stale = changed or stale is not case.is_stale, stale
        if changed:
            self.changed.emit()

    def _is_as_it_was(self, case: KnownCase) -> bool:
        now, then = self._document.pipeline, case.pipeline
        return then is not None and (now.nodes, now.wires, now.parameters) == (then.nodes, then.wires, then.parameters)


class _CaseRun:
    """One run of a test, so that it can be stopped, also when the stop comes first."""

    def __init__(self, studio: Studio, pipeline: Pipeline, folder: Path, file: Path, *, update: bool) -> None:
        self._run_case = partial(
            run_case, studio, pipeline, folder, file=file, start_worker=start_qt_worker, on_run=self._add
        )
        self._update = update
        self._run: Any = None
        self._stopped = False

    def __call__(self) -> Outcome:
        try:
            if self._update:
                outcome = self._run_case(update=True)
                if outcome.error or self._stopped:
                    return outcome
            return self._run_case()
        finally:
            self._run = None

    def stop(self) -> None:
        self._stopped = True
        if (run := self._run) is not None:
            run.stop(hard=True)

    def _add(self, run: Run) -> None:
        self._run = run
        if self._stopped:
            run.stop(hard=True)
