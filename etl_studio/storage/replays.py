"""Settling replays of dead letters: those that were committed leave the queue, those that were not wait again.

Letters are in ``workspace.db`` and rows in their targets, which no transaction spans. So the letters are marked first,
each sink commits its rows together with a mark, and whoever comes next reads the marks: a process may be killed at any
moment, and no row is lost or loaded twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.errors import EtlError

if TYPE_CHECKING:
    from etl_studio.sdk import Mark
    from etl_studio.storage.databases import Databases
    from etl_studio.storage.letters import Letters, PendingReplay


def settle(letters: Letters, replay: PendingReplay, databases: Databases) -> bool:
    """Settle a replay that has ended; whether it is settled. Where only some sinks have committed, it must be finished.

    Raises:
        EtlError: a database cannot be read now.
    """
    marks = [_mark(replay, sink, databases) for sink in replay.sinks]
    committed = bool(marks) and all(mark is not None and mark.final for mark in marks)
    if not committed and (any(marks) or replay.earlier):
        letters.leave_replay(replay.run)
        return False
    letters.end_replay(replay.run, committed=committed)
    return True


def settle_pending(letters: Letters, databases: Databases) -> None:
    """Settle what processes that were killed have left; what cannot be read now waits."""
    for replay in letters.pending_replays():
        try:
            settle(letters, replay, databases)
        except EtlError:
            continue


def _mark(replay: PendingReplay, sink: str, databases: Databases) -> Mark | None:
    """What a sink has left in its target; one that is not final tells that only the sink itself can know."""
    files = [databases.open(Path(path)) for path in replay.files if Path(path).exists()]
    found = [mark for run in replay.runs for file in files if (mark := file.mark(run, sink)) is not None]
    return next((mark for mark in found if mark.final), next(iter(found), None))
