"""The checkpoints of a run in ``workspace.db``, and the claim of a process to go on with it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import peewee

from etl_studio.engine.checkpoints import Checkpoint, Position
from etl_studio.engine.events import NodeCounts, RunStatus
from etl_studio.errors import UsageError
from etl_studio.storage.processes import is_alive, this_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.storage.models import Models
    from etl_studio.storage.open_file import OpenFile

RESUMABLE = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.INTERRUPTED)


def save_checkpoint(models: Models, run: str, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint; called inside a transaction."""
    models.checkpoint.replace(
        run=run,
        epoch=checkpoint.epoch,
        at=time.time(),
        cursors={source: asdict(position) for source, position in checkpoint.positions.items()},
        counts={node: asdict(counts) for node, counts in checkpoint.counts.items()},
    ).execute()
    for snapshot in checkpoint.snapshots:
        models.node_state.replace(run=run, node=snapshot.node, epoch=snapshot.epoch, state=snapshot.state).execute()


class RunHistory:
    """What is kept of one run (``engine.resume.History``).

    Args:
        file, models: the workspace's database.
        run: its id.

    Attributes:
        attempt: how often it was begun, once it is claimed.
    """

    def __init__(self, file: OpenFile, models: Models, run: str) -> None:
        self._file = file
        self._models = models
        self._run = run
        self.attempt = 1

    def claim(self) -> None:
        """Take the run over, so that no other process does.

        Raises:
            UsageError: it goes on elsewhere, or has ended.
        """
        model = self._models.run
        process, started = this_process()
        with self._file.translated(), self._file.database.atomic():
            row = model.get_or_none(model.id == self._run)
            if row is None:
                raise UsageError(f"There is no run {self._run}.", hint="etl-studio runs lists them.")
            if row.status == RunStatus.RUNNING and is_alive(row.process, row.process_started):
                raise UsageError(f"The run {self._run} goes on in another window or terminal.", hint="Stop it there.")
            if row.status not in {*RESUMABLE, RunStatus.RUNNING}:
                raise UsageError(f"The run {self._run} came to its end; there is nothing to resume.")
            model.update(
                status=RunStatus.RUNNING,
                process=process,
                process_started=started,
                attempts=model.attempts + 1,
                error=None,
                error_node=None,
                duration=None,
                command=None,
                paused=False,
            ).where(model.id == self._run).execute()
            self.attempt = row.attempts + 1

    def checkpoints(self) -> list[Checkpoint]:
        """Those that were saved, without their snapshots, in order."""
        model = self._models.checkpoint
        with self._file.translated():
            rows = list(model.select().where(model.run == self._run).order_by(model.epoch))
        return [
            Checkpoint(
                row.epoch,
                {source: Position(**facts) for source, facts in row.cursors.items()},
                {node: NodeCounts(**facts) for node, facts in row.counts.items()},
            )
            for row in rows
        ]

    def snapshots(self, node: str, epoch: int) -> list[bytes]:
        """The snapshots of a node up to a checkpoint, in order."""
        model = self._models.node_state
        query = model.select().where(model.run == self._run, model.node == node, model.epoch <= epoch)
        with self._file.translated():
            return [bytes(row.state) for row in query.order_by(model.epoch)]

    def forget_after(self, epoch: int, later: Mapping[str, int], unfinished: Mapping[str, str] | None = None) -> None:
        """Remove checkpoints, snapshots and dead letters that the resumed run will make again.

        Checkpoints that a sink holds already (``later``) stay: the run comes to them once more. What a sink delivers
        again (``unfinished``) it refuses again.
        """
        models = self._models
        newest = max([epoch, *later.values()])
        with self._file.translated(), self._file.database.atomic():
            for model, last in ((models.checkpoint, newest), (models.node_state, epoch)):
                model.delete().where(model.run == self._run, model.epoch > last).execute()
            self._drop_letters(epoch, later)
            letter: Any = self._models.dead_letter
            for node, request in (unfinished or {}).items():
                about = peewee.fn.json_extract(letter.cursor, "$.request") == request
                letter.delete().where(letter.run == self._run, letter.node == node, about).execute()

    def _drop_letters(self, epoch: int, later: Mapping[str, int]) -> None:
        letter: Any = self._models.dead_letter
        for node, last in later.items():
            letter.delete().where(letter.run == self._run, letter.node == node, letter.epoch > last).execute()
        others = letter.node.not_in(list(later))
        letter.delete().where(letter.run == self._run, letter.epoch > epoch, others).execute()
