"""A workspace: a folder with ``data.db`` (results) and ``workspace.db`` (runs, what is told of them, versions)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.engine.events import RunStatus
from etl_studio.engine.report import notes
from etl_studio.errors import PermanentError, UsageError
from etl_studio.storage.bookmarks import Bookmarks
from etl_studio.storage.checkpoints import RESUMABLE, RunHistory
from etl_studio.storage.letters import DeadLetterRecord, Letters, Selection
from etl_studio.storage.migrations import migrate
from etl_studio.storage.models import models_for
from etl_studio.storage.processes import is_alive
from etl_studio.storage.replays import settle_pending
from etl_studio.storage.results import Results
from etl_studio.storage.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.storage.databases import Databases

RunCommand = Literal["stop", "kill", "pause", "go_on"]

READ_ME = (
    "Runs, results and earlier versions of ETL Studio pipelines. Safe to delete when no run is active: the history and "
    "the tables go."
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of the history; times in seconds since the epoch."""

    id: str
    pipeline: str
    file: str | None
    parameters: dict[str, Any]
    status: RunStatus
    started: float
    duration: float | None
    rows_in: int
    rows_out: int
    rejected: int
    dead_letters: int
    error: str | None
    error_node: str | None
    kind: str = "run"
    attempts: int = 1
    document: dict[str, Any] = field(default_factory=dict)
    paused: bool = False
    resumed_after: int | None = None

    @property
    def resumable(self) -> bool:
        """Whether it broke off, so that it may go on; a trial never does."""
        return self.status in RESUMABLE and "trial" not in self.document

    @property
    def notes(self) -> list[str]:
        """What its report says beside the numbers."""
        return notes(self.document, self.attempts, self.resumed_after)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of a run's log."""

    at: float
    level: str
    node: str | None
    message: str
    facts: dict[str, Any]


class Workspace:
    """Opens or makes a workspace; marks runs whose process died as interrupted.

    Args:
        folder: made if it is not there.
        databases: opens the files.

    Raises:
        PermanentError: the folder or its database cannot be used.
        UsageError: it was made by a newer ETL Studio.
    """

    def __init__(self, folder: Path, databases: Databases) -> None:
        self.folder = folder
        try:
            if not folder.is_dir():
                folder.mkdir(parents=True)
                (folder / "README.txt").write_text(READ_ME + "\n", encoding="utf-8")
        except OSError as error:
            raise PermanentError(
                f"The workspace {folder} cannot be made: {error.strerror}.", hint="Give another one: --workspace DIR."
            ) from error
        self.file = databases.open(folder / "workspace.db")
        self._databases = databases
        with self.file.translated():
            migrate(self.file)
            self.models = models_for(self.file.database)
            self.letters = Letters(self.file, self.models, self._whole_id)
            self.versions = Versions(self.file, self.models)
            self.bookmarks = Bookmarks(self.file, self.models, folder)
        self.mark_interrupted()
        settle_pending(self.letters, databases)

    @property
    def data_path(self) -> Path:
        """The default target of tables."""
        return self.folder / "data.db"

    @cached_property
    def results(self) -> Results:
        """The tables of ``data.db``."""
        return Results(self._databases.open(self.data_path))

    def release(self) -> None:
        """Close this thread's connections; call it where a thread that read ends."""
        self.file.release()
        if "results" in self.__dict__:
            self.results.release()

    def runs(self, limit: int = 100) -> list[RunRecord]:
        """The last runs, the newest first."""
        run = self.models.run
        with self.file.translated():
            return [_run_record(row) for row in run.select().order_by(run.started.desc()).limit(limit)]

    def run(self, run_id: str) -> RunRecord | None:
        """A run by its id or the beginning of it.

        Raises:
            UsageError: several runs begin so.
        """
        run = self.models.run
        with self.file.translated():
            # The id itself comes first, before those that only begin with it.
            found = list(run.select().where(run.id.startswith(run_id)).order_by(run.id).limit(2))
        if len(found) > 1 and found[0].id != run_id:
            raise UsageError(f"Several runs begin with {run_id}.", hint="Give more of the id.")
        return _run_record(found[0]) if found else None

    def last_run(self, file: str) -> RunRecord | None:
        """The last run of a pipeline file; replays of its dead letters are none."""
        run = self.models.run
        with self.file.translated():
            row = run.select().where(run.file == file, run.kind == "run").order_by(run.started.desc()).first()
        return _run_record(row) if row is not None else None

    def ask(self, run_id: str, command: RunCommand) -> RunRecord:
        """Ask something of a run, whichever process it is in; it obeys within about a second.

        Args:
            run_id: the id or its beginning; empty: the only run that is going on.
            command: what it should do.

        Raises:
            UsageError: it is not running, or there are several.
        """
        record = self.run(run_id) if run_id else self._only_running()
        if record is None:
            raise UsageError(f"There is no run {run_id}.", hint="etl-studio runs lists them.")
        run = self.models.run
        with self.file.translated(), self.file.database.atomic():
            self.mark_interrupted()
            asked = run.update(command=command).where(run.id == record.id, run.status == RunStatus.RUNNING).execute()
        if not asked:
            raise UsageError(f"The run {record.id} is not going on.", hint="etl-studio runs shows how it ended.")
        return record

    def take_command(self, run_id: str) -> str | None:
        """What was asked of a run since it last looked."""
        run = self.models.run
        with self.file.translated():
            row = run.select(run.command).where(run.id == run_id).first()
            if row is None or row.command is None:
                return None
            # Not one that was asked in this moment.
            run.update(command=None).where(run.id == run_id, run.command == row.command).execute()
        return str(row.command)

    def _only_running(self) -> RunRecord:
        self.mark_interrupted()
        going = [record for record in self.runs() if record.status is RunStatus.RUNNING]
        if len(going) == 1:
            return going[0]
        if not going:
            raise UsageError("No run is going on in this workspace.")
        raise UsageError(f"{len(going)} runs are going on.", hint=f"Name one: {', '.join(one.id for one in going)}.")

    def mailboxes(self, file: Path | None, name: str) -> Path:
        """Where deliveries to a pipeline are kept, by its file, or else by its name."""
        from etl_studio.storage.mailbox import mailbox_folder

        return mailbox_folder(self.folder, file, name)

    def forget_crawls(self, days: float, ended: Mapping[str, RunStatus]) -> None:
        """Remove the queues of crawls that cannot go on, or broke off so many days ago.

        Args:
            days: how long those are kept that may go on.
            ended: runs whose end may not have been written yet.
        """
        from etl_studio.storage.frontier import forget_crawls

        def is_kept(run_id: str) -> bool:
            if run_id in ended:
                return ended[run_id] in RESUMABLE
            record = self.run(run_id)
            if record is None or record.status is RunStatus.RUNNING:
                return record is not None
            return record.resumable and time.time() - record.started < days * 86_400

        forget_crawls(self._databases.forget, self.folder / "crawls", is_kept)

    def history(self, run_id: str) -> RunHistory:
        """What a run needs to go on."""
        return RunHistory(self.file, self.models, run_id)

    def node_counts(self, run_id: str) -> dict[str, dict[str, int]]:
        """The counts of each node of a run."""
        count = self.models.node_count
        record = self.run(run_id)
        with self.file.translated():
            rows = count.select().where(count.run == (record.id if record else run_id))
            return {row.node: row.counts for row in rows}

    def metrics(self, run_id: str) -> list[tuple[float, dict[str, Any]]]:
        """One-second samples of a run: (seconds since the epoch, {nodes, wires})."""
        metric = self.models.metric
        with self.file.translated():
            rows = metric.select().where(metric.run == run_id).order_by(metric.at)
            return [(row.at, row.sample) for row in rows]

    def log(self, run_id: str, limit: int = 10_000) -> list[LogRecord]:
        """The lines of a run's log, in order."""
        line = self.models.log_line
        with self.file.translated():
            rows = line.select().where(line.run == run_id).order_by(line.id).limit(limit)
            return [LogRecord(row.at, row.level, row.node, row.message, row.facts) for row in rows]

    def dead_letters(
        self, run: str | None = None, node: str | None = None, limit: int = 10_000
    ) -> list[DeadLetterRecord]:
        """Stored rejects, the newest first; of one run or node where asked."""
        return self.letters.find(Selection(run=run, node=node), limit)

    def last_checkpoint(self, run_id: str) -> int:
        """Number of the last checkpoint of a run; 0: it has none."""
        with self.file.translated():
            found = self.file.query("SELECT coalesce(max(epoch), 0) FROM checkpoint WHERE run_id = ?", (run_id,))
        return int(found[0][0])

    def mark_interrupted(self) -> None:
        """Find the runs whose process died."""
        run = self.models.run
        with self.file.translated():
            running = list(run.select().where(run.status == RunStatus.RUNNING))
            dead = [row.id for row in running if not is_alive(row.process, row.process_started)]
            if dead:
                run.update(status=RunStatus.INTERRUPTED, error="The program ended while it ran.").where(
                    run.id.in_(dead), run.status == RunStatus.RUNNING
                ).execute()

    def _whole_id(self, beginning: str) -> str:
        record = self.run(beginning)
        return record.id if record else beginning


def _run_record(row: Any) -> RunRecord:
    duration = row.duration
    if duration is None and row.status == RunStatus.RUNNING:
        duration = time.time() - row.started
    facts = {name: getattr(row, name) for name in RunRecord.__dataclass_fields__}
    document = json.loads(row.document) if row.document else {}
    return RunRecord(**facts | {"status": RunStatus(row.status), "duration": duration, "document": document})
