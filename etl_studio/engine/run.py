"""One execution of a plan: starts a worker for each node, tells facts, ends with a report."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from etl_studio.engine.checkpoints import Checkpoints, Interval
from etl_studio.engine.conservation import check_rows
from etl_studio.engine.context import NodeContext
from etl_studio.engine.events import (
    CheckpointSaved,
    LogWritten,
    NodeChanged,
    NodeCounts,
    NodeState,
    PauseChanged,
    RunEnded,
    RunResumed,
    RunStarted,
    RunStatus,
)
from etl_studio.engine.http_changes import Changes, keep_seen, what_matters
from etl_studio.engine.inbox import Inbox
from etl_studio.engine.ledger import keep
from etl_studio.engine.memory import Limits, MemoryBudget
from etl_studio.engine.meter import Meter
from etl_studio.engine.monitor import Monitor
from etl_studio.engine.outlet import Outlet
from etl_studio.engine.plan import why_no_barriers
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.recording import tap
from etl_studio.engine.resume import Resumption, left_by, loaded, resumption
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.engine.sql import SqlSession
from etl_studio.engine.station import Station
from etl_studio.engine.threads import start_thread
from etl_studio.engine.unexpected import as_etl_error, unexpected
from etl_studio.engine.workers import work
from etl_studio.errors import Cancelled, EtlError
from etl_studio.sdk import Operator, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.checkpoints import Checkpoint
    from etl_studio.engine.context import OpenDatabase, Places
    from etl_studio.engine.debugger import Debugger
    from etl_studio.engine.events import Event, Listener
    from etl_studio.engine.http import HttpService
    from etl_studio.engine.http_auth import SignIns
    from etl_studio.engine.http_changes import PageMemory
    from etl_studio.engine.inbox import Bounds
    from etl_studio.engine.inject import Injector
    from etl_studio.engine.ledger import Ledger
    from etl_studio.engine.plan import Plan, PlannedNode
    from etl_studio.engine.recording import Recording
    from etl_studio.engine.resume import History
    from etl_studio.engine.threads import StartWorker, Worker


class Run:
    """One execution. ``execute`` may be called once, from any thread; ``stop`` from any other.

    Args:
        run: id.
        plan: what to execute.
        places: where it reads and writes.
        databases: opens SQLite files.
        listeners: take the events, in the order given, on the thread that met the fact.
        start_worker: starts a worker.
        ledger: keeps the facts; a run whose facts cannot be kept has failed.
        mask: hides secret values in texts and rows.
        facts: ``file``, ``parameters`` and ``document`` for the record; ``changes``: lines for the log; ``kind``.
        memory: what the process may hold; default: a share of the machine's.
        interval: how often sinks commit before the end, where that is possible.
        history: of a run that broke off and goes on under its id.
        faults: makes nodes fail on purpose.
        bounds: of each wire; default: by the memory.
        sql: a DuckDB that it shares with other runs and leaves open; default: one of its own.
        debugger: halts it at breakpoints.
        recording: keeps what goes over its wires.
        sign_ins: who is signed in where; default: nobody.
        bookmarks: where sources begin, by node and what it reads.
        pages: what the last runs saw of the web; None: each answer is taken as new.
        tape: keeps what sites answer, or answers in their place.
    """

    def __init__(  # noqa: PLR0913 - a run is where everything meets
        self,
        run: str,
        plan: Plan,
        places: Places,
        databases: OpenDatabase,
        listeners: Sequence[Listener],
        *,
        start_worker: StartWorker = start_thread,
        ledger: Ledger | None = None,
        mask: Callable[[Event], Event] | None = None,
        facts: Mapping[str, Any] | None = None,
        memory: MemoryBudget | None = None,
        interval: Interval | None = None,
        history: History | None = None,
        bounds: Bounds | None = None,
        faults: Injector | None = None,
        sql: SqlSession | None = None,
        debugger: Debugger | None = None,
        recording: Recording | None = None,
        sign_ins: SignIns | None = None,
        bookmarks: Mapping[tuple[str, str], Any] | None = None,
        pages: PageMemory | None = None,
        tape: Tape | None = None,
    ) -> None:
        self.id = run
        self.plan = plan
        self._places = places
        self._databases = databases
        self._ledger = ledger
        own: tuple[Listener | None, ...] = (ledger, recording)
        self._listeners: tuple[Listener, ...] = (*filter(None, own), *listeners)
        self._recording = recording
        self._start_worker = start_worker
        self._mask = mask
        self._sign_ins = sign_ins
        self._bookmarks = bookmarks or {}
        self._pages = pages
        self._tape = tape
        self._facts = dict(facts or {})
        self._memory = memory or MemoryBudget.of_machine()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._hard = threading.Event()
        self._finished = threading.Event()
        self._error: EtlError | None = None
        self._sql = self._shared_sql = sql
        self._http: HttpService | None = None
        self._running = threading.Event()
        self._running.set()
        self._interval = interval or Interval()
        self._history = history
        self._once = why_no_barriers(plan)
        self._checkpoints = self._gate(Resumption())
        self._meters = {node: Meter() for node in plan.nodes}
        bounds = bounds or self._memory.bounds(len(plan.wires))
        self._inboxes = {node: Inbox(item.inputs, bounds) for node, item in plan.nodes.items()}
        self._stations: dict[str, Station] = {}
        self.faults = faults
        self.debugger = debugger
        if debugger is not None:
            debugger.begin(run, self._emit)
        self._policies = SharedPolicies(faults=faults)
        folders = (places.scratch, places.data.parent)
        self._limits = Limits(self._memory, folders, sql=self._sql_memory)

    def execute(self) -> RunEnded:
        """Run to the end and return the report; errors are in it."""
        try:
            return self._execute()
        finally:
            if self._ledger is not None:
                self._ledger.close()

    def _execute(self) -> RunEnded:
        started = time.monotonic()
        self._emit(
            RunStarted(
                self.id,
                time.time(),
                self.plan.pipeline,
                self._facts.get("file"),
                tuple(self.plan.nodes),
                self._facts.get("parameters", {}),
                resumed=self._history is not None,
                document=self._facts.get("document", {}),
                kind=self._facts.get("kind", "run"),
            )
        )
        for text in self._facts.get("changes", ()):
            self._log("info", text)
        if self._once is not None:
            self._log("debug", f"Everything is committed at the end only: {self._once}.")
        shutil.rmtree(self._places.scratch, ignore_errors=True)
        self._places.scratch.mkdir(parents=True, exist_ok=True)
        monitor: Worker | None = None
        try:
            self._stations.update((node, self._station(item)) for node, item in self.plan.nodes.items())
            monitor = self._start_worker("monitor", partial(self._monitor().watch, self._finished))
            workers = []
            if self._prepared():
                workers = [
                    self._start_worker(f"node {node}", self._worker(station))
                    for node, station in self._stations.items()
                ]
            for worker in workers:
                worker.join()
        finally:
            self._finished.set()
            if monitor is not None:
                monitor.join()
            if self._http is not None:
                self._http.close()
            if self._sql is not None and self._sql is not self._shared_sql:
                self._sql.close()
                self._sql = None
            if self.debugger is not None:
                self.debugger.close()
            shutil.rmtree(self._places.scratch, ignore_errors=True)
        return self._report(time.monotonic() - started)

    def pause(self) -> None:
        """Sources give nothing more until ``go_on``; what they gave is still processed."""
        self._pause(paused=True)

    def go_on(self) -> None:
        """End a pause."""
        self._pause(paused=False)

    @property
    def paused(self) -> bool:
        """Whether sources wait."""
        return not self._running.is_set()

    def stop(self, *, hard: bool = False) -> None:
        """End early. Gracefully: sources stop, wires drain, sinks commit what may be committed. Hard: all at once."""
        self._stopping.set()
        if hard:
            self._cancel()
        elif self.debugger is not None:
            self.debugger.release()

    def obey(self, command: str) -> None:
        """Do what another process asks: ``stop``, ``kill``, ``pause`` or ``go_on``."""
        self._log("info", f"Asked from outside: {command.replace('_', ' ')}.")
        match command:
            case "pause":
                self.pause()
            case "go_on":
                self.go_on()
            case _:
                self.stop(hard=command == "kill")

    def force_breaker(self, node: str, state: str) -> None:
        """Obey a person while it runs: ``forced_open``, ``disabled`` or ``closed`` for the breakers of a node."""
        self._policies.force(node, state)

    def _pause(self, *, paused: bool) -> None:
        with self._lock:
            if self.paused is paused:
                return
            if paused:
                self._running.clear()
            else:
                self._running.set()
        self._emit(PauseChanged(self.id, time.time(), paused))

    def _station(self, planned: PlannedNode) -> Station:
        meter = self._meters[planned.id]
        caller = PolicyCaller(self.id, planned.id, planned.policy, self._policies, meter, self._emit, self._stopping)
        context = NodeContext(
            self.id,
            planned.id,
            planned.policy,
            caller,
            self._places,
            self._databases,
            self._http_service,
            self._stopping,
            self._emit,
        )
        context.bookmarks = self._bookmarks
        context.loaded = partial(loaded, planned.id, self._stations)
        if self._pages is not None and isinstance(planned.node, Source) and planned.node.only_new:
            context.changes = Changes(planned.id, self._pages, what_matters(self.plan, planned.id))
        inboxes = {wire: self._inboxes[wire.target] for wires in planned.outputs.values() for wire in wires}
        outlet = Outlet(self.id, planned, inboxes, meter, self._emit, tap(meter, self.debugger, self._recording))
        return Station(
            planned,
            context,
            self._inboxes[planned.id],
            outlet,
            meter,
            self._checkpoints,
            self._stopping,
            self._running,
            self._places.scratch,
            self._sql_session,
            draining=lambda: self._stopping.is_set() and not self._hard.is_set(),
            all_counts=lambda: {node: meter.counts() for node, meter in self._meters.items()},
            fail=lambda error: self._fail(self._stations[planned.id], as_etl_error(error)),
            keep=partial(keep, self._ledger),
            resumable=self._once is None,
            faults=self.faults,
            debugger=self.debugger,
            recording=self._recording,
            clock=self.debugger.clock if self.debugger is not None else time.monotonic,
        )

    def _gate(self, resumed: Resumption) -> Checkpoints:
        nodes = {node: item.node for node, item in self.plan.nodes.items()}
        return Checkpoints(
            {node: source.replays for node, source in nodes.items() if isinstance(source, Source)},
            [node for node, sink in nodes.items() if isinstance(sink, Sink)],
            self._interval,
            possible=self._once is None,
            save=self._save,
            first=resumed.newest + 1,
            positions=resumed.positions,
        )

    def _save(self, checkpoint: Checkpoint) -> None:
        if self._ledger is not None:
            self._ledger.save(self.id, checkpoint)
        rows = sum(position.rows for position in checkpoint.positions.values())
        self._emit(CheckpointSaved(self.id, time.time(), checkpoint.epoch, rows))

    def _prepared(self) -> bool:
        """Whether there is anything to do; a run that broke off is taken up where it was."""
        if self._history is None:
            return True
        try:
            return self._take_up(self._history)
        except EtlError as error:
            self._fail(self._stations[error.node or next(iter(self._stations))], error)
        except Exception as error:  # noqa: BLE001 - a defect of a node must end as a message
            self._fail(next(iter(self._stations.values())), unexpected(error))
        return False

    def _take_up(self, history: History) -> bool:
        sinks, marks, unfinished = left_by(self._stations.values())
        resumed = resumption(sinks, marks, history.checkpoints())
        self._checkpoints = self._gate(resumed)
        if self._hard.is_set():
            self._checkpoints.cancel()
        for node, station in self._stations.items():
            station.checkpoints = self._checkpoints
            station.outlet.epoch = resumed.epoch + 1
            station.meter.restore(resumed.counts.get(node, NodeCounts()))
            if isinstance(station.planned.node, Source):
                station.position = resumed.positions.get(node, station.position)
                station.context.resume = station.position.value
                station.replays = tuple((one.epoch, one.positions[node].rows) for one in resumed.replays)
            elif isinstance(station.planned.node, Operator) and station.planned.node.holds_rows:
                station.planned.node.restore(history.snapshots(node, resumed.epoch))
            mark = marks.get(node)
            if mark is not None and (mark.final or mark.epoch > resumed.epoch):
                station.ahead = mark
        later = {node: mark.epoch for node, mark in marks.items() if mark.epoch > resumed.epoch}
        history.forget_after(resumed.epoch, later, unfinished)
        self._emit(RunResumed(self.id, time.time(), history.attempt, resumed.epoch))
        if resumed.finished:
            self._log("info", "Everything had been loaded before the run broke off.")
        return not resumed.finished

    def _http_service(self) -> HttpService:
        from etl_studio.engine.http import HttpService

        with self._lock:
            if self._http is None:
                self._http = HttpService(sign_ins=self._sign_ins, tape=self._tape)
            return self._http

    def _sql_session(self) -> SqlSession:
        with self._lock:
            if self._sql is None:
                self._sql = SqlSession(self._places.scratch, memory_limit=self._memory.sql)
            return self._sql

    def _worker(self, station: Station) -> Callable[[], None]:
        def run() -> None:
            self._change(station, NodeState.RUNNING)
            try:
                work(station)
            except Cancelled as cancelled:
                # Without a stop, a node itself gave up: that is an error like any other.
                if not self._stopping.is_set():
                    self._fail(station, cancelled)
                self._change(station, NodeState.STOPPED)
                self._abandon(station)
            except EtlError as error:
                self._fail(station, error)
            except Exception as error:  # noqa: BLE001 - a defect of a node must end as a message
                self._fail(station, unexpected(error))
            else:
                self._change(station, NodeState.DONE)

        return run

    def _abandon(self, station: Station) -> None:
        """A node ended without closing its wires; only a hard end leaves readers behind."""
        if not self._hard.is_set():
            if self._once is None and not isinstance(station.planned.node, Sink):
                # Rows that it took are gone: a commit now would tell that they are loaded.
                self._checkpoints.commit_no_more()
            station.inbox.abandon()
            station.outlet.close_wires()

    def _fail(self, station: Station | None, error: EtlError) -> None:
        node = station.planned.id if station is not None else None
        error.at(pipeline=self.plan.pipeline, node=node)
        with self._lock:
            first = self._error is None
            if first:
                self._error = error
        if station is not None:
            self._change(station, NodeState.FAILED, error.what)  # where it stands, the address is known
        if first:
            self._log("error", str(error), node)
        self._stopping.set()
        self._cancel()

    def _cancel(self) -> None:
        self._hard.set()
        self._checkpoints.cancel()
        if self.debugger is not None:
            self.debugger.cancel()
        for inbox in self._inboxes.values():
            inbox.cancel()
        for station in self._stations.values():
            station.cancel()

    def _monitor(self) -> Monitor:
        fail = partial(self._fail, None)
        return Monitor(self.id, self._stations, self._limits, self._waits, self._emit, fail, self._obey_others)

    def _waits(self) -> bool:
        """Whether it waits for a person."""
        return self.paused or (self.debugger is not None and self.debugger.waits)

    def _obey_others(self) -> None:
        if self._ledger is not None and (command := self._ledger.command()) is not None:
            self.obey(command)

    def _sql_memory(self) -> int | None:
        sql = self._sql
        return sql.memory() if sql is not None else None

    def _change(self, station: Station, state: NodeState, detail: str = "") -> None:
        if station.meter.state is not state:
            station.meter.state = state
            self._emit(NodeChanged(self.id, time.time(), station.planned.id, state, detail))

    def _report(self, duration: float) -> RunEnded:
        counts = {node: meter.counts() for node, meter in self._meters.items()}
        if self._error is None and not self._stopping.is_set():
            try:
                check_rows(self.plan, counts, self._inboxes)
            except EtlError as error:
                self._fail(self._stations[error.node or next(iter(self._stations))], error)
        if self._ledger is not None and (lost := self._ledger.flush()) is not None and self._error is None:
            self._error = lost
        self._monitor().sample()
        dead = sum(count.dead_letters for count in counts.values())
        if self._error is not None:
            status = RunStatus.FAILED
        elif self._stopping.is_set():
            status = RunStatus.STOPPED
        else:
            status = RunStatus.DONE_WITH_DEAD_LETTERS if dead else RunStatus.DONE
            keep_seen({node: station.context.changes for node, station in self._stations.items()}, self._log)
        kinds = {node: item.node for node, item in self.plan.nodes.items()}
        ended = RunEnded(
            self.id,
            time.time(),
            status,
            duration,
            rows_in=sum(count.rows_in for node, count in counts.items() if isinstance(kinds[node], Source)),
            rows_out=sum(count.rows_out for node, count in counts.items() if isinstance(kinds[node], Sink)),
            rejected=sum(count.rejected for count in counts.values()),
            dead_letters=dead,
            nodes=counts,
            error=str(self._error) if self._error else None,
            error_node=self._error.node if self._error else None,
            peak_memory=self._limits.peak,
            bookmarks=self._checkpoints.bookmarks() if status.is_done else {},
        )
        if self._mask is not None:
            ended = replace(ended, error=getattr(self._mask(ended), "error", None))
        self._emit(ended)
        return ended

    def _log(self, level: str, text: str, node: str | None = None) -> None:
        self._emit(LogWritten(self.id, time.time(), level, node, text))

    def _emit(self, event: Event) -> None:
        if self._mask is not None:
            event = self._mask(event)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a worker that ended here would leave its neighbours waiting
                self._error = self._error or unexpected(error)
                self._stopping.set()
                self._cancel()
