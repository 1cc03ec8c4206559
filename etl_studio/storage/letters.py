"""The dead letters of a workspace: found, edited, discarded, pruned; and marked while a replay is under way."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.storage.processes import is_alive, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from etl_studio.storage.models import Models
    from etl_studio.storage.open_file import OpenFile

WAITING, REPLAYING = "waiting", "replaying"
KEEP_DAYS = 90.0
KEEP_BYTES = 256 * 1024 * 1024
CHUNK = 500
"""Numbers in one statement."""


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """One stored reject.

    Attributes:
        id: its number.
        run, node, port: where the row failed; the port is empty for a source.
        error_type, message, column, line, row_number: why, and where in the source, as far as it is known.
        attempts: how often it was tried, replays included.
        first_at, at: when it failed first and last; seconds since the epoch.
        payload: the row, JSON-ready; ``original`` is what it was before a person edited it.
        types: of the payload's columns (``engine.letter_rows``); ``gives``: of those that the source gives out.
        operation: what the source tried, where no row came of it.
        cursor: where the source stood.
        epoch: number of the barrier interval.
        state: ``waiting``, or ``replaying`` while ``replay_run`` is under way or was broken off.
    """

    id: int
    run: str
    node: str
    error_type: str
    message: str
    payload: dict[str, Any]
    column: str | None
    line: int | None
    attempts: int
    at: float
    port: str = ""
    types: dict[str, Any] = field(default_factory=dict)
    gives: dict[str, Any] | None = None
    operation: dict[str, Any] | None = None
    original: dict[str, Any] | None = None
    first_at: float = 0.0
    epoch: int = 0
    cursor: Any = None
    row_number: int | None = None
    state: str = WAITING
    replay_run: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters: all conditions hold; None asks for nothing.

    Attributes:
        ids: their numbers.
        run: beginning of a run's id.
        node, error: id of the node, short name of the error.
        text: looked for in message, error, node and row.
        replay: id of the replay that is under way or was broken off.
    """

    ids: Sequence[int] | None = None
    run: str | None = None
    node: str | None = None
    error: str | None = None
    text: str | None = None
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class PendingReplay:
    """A replay that has not been settled.

    Attributes:
        run: its id.
        earlier: ids of replays of the same letters that broke off before it, where some sinks had committed.
        files: databases in which the marks of its sinks are.
        sinks: ids of the sinks that were about to commit; empty: none was.
    """

    run: str
    earlier: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[str, ...]:
        """All ids under which a sink may have committed."""
        return self.run, *self.earlier


class Letters:
    """The dead letters of one workspace.

    Args:
        file: ``workspace.db``.
        models: its tables.
        run_id: the whole id of a run from its beginning.
    """

    def __init__(self, file: OpenFile, models: Models, run_id: Callable[[str], str]) -> None:
        self._file = file
        self._letter = models.dead_letter
        self._replay = models.replay
        self._run_id = run_id

    def find(self, selection: Selection | None = None, limit: int | None = 10_000) -> list[DeadLetterRecord]:
        """The newest first."""
        query = self._chosen(self._letter.select(), selection).order_by(self._letter.id.desc()).limit(limit)
        with self._file.translated():
            return [_record(row) for row in query]

    def count(self, selection: Selection | None = None) -> int:
        """How many there are."""
        with self._file.translated():
            return int(self._chosen(self._letter.select(), selection).count())

    def get(self, letter_id: int) -> DeadLetterRecord:
        """One of them.

        Raises:
            UsageError: there is none of that number.
        """
        with self._file.translated():
            row = self._letter.get_or_none(self._letter.id == letter_id)
        if row is None:
            raise UsageError(
                f"There is no dead letter {letter_id}.", hint="etl-studio dead-letters list shows their numbers."
            )
        return _record(row)

    def edit(self, letter_id: int, payload: dict[str, Any]) -> DeadLetterRecord:
        """Give a letter another row; what it was is kept.

        Raises:
            UsageError: there is none of that number, or it is being replayed.
        """
        letter = self._letter
        before = self.get(letter_id)
        original = before.payload if before.original is None else before.original
        facts = {
            letter.payload: payload,
            letter.original: None if payload == original else original,
            letter.size: len(json.dumps(payload, ensure_ascii=False, default=str)),
        }
        with self._file.translated():
            changed = letter.update(facts).where(letter.id == letter_id, letter.state == WAITING).execute()
        if not changed:
            raise _busy([letter_id])
        return self.get(letter_id)

    def discard(self, ids: Sequence[int]) -> int:
        """Remove letters, but not those that are being replayed; how many went."""
        letter, gone = self._letter, 0
        with self._file.translated(), self._file.database.atomic():
            for part in _chunks(ids):
                gone += letter.delete().where(letter.id.in_(part), letter.state == WAITING).execute()
        return gone

    def prune(self, days: float = KEEP_DAYS, size: int = KEEP_BYTES, now: float | None = None) -> tuple[int, int]:
        """Remove the oldest letters: those older than so many days, then what is beyond so many bytes of rows.

        Returns:
            How many were too old, and how many were beyond the size.
        """
        since = (time.time() if now is None else now) - days * 86_400
        old = "DELETE FROM dead_letter WHERE state = 'waiting' AND at < ?"
        large = (
            "DELETE FROM dead_letter WHERE id IN (SELECT id FROM (SELECT id, "
            "sum(size) OVER (ORDER BY at DESC, id DESC) AS so_far FROM dead_letter WHERE state = 'waiting') "
            "WHERE so_far > ?)"
        )
        with self._file.translated(), self._file.database.atomic():
            connection = self._file.connection()
            gone = []
            for sql, limit in ((old, since), (large, size)):
                connection.execute(sql, (limit,))
                gone.append(connection.changes())
        return gone[0], gone[1]

    def begin_replay(self, run: str, ids: Sequence[int], continues: PendingReplay | None = None) -> None:
        """Mark letters before a replay starts.

        Args:
            run: its id.
            ids: numbers of the letters.
            continues: a replay of the same letters that some sinks have committed. What it left will come again.

        Raises:
            UsageError: one of the letters is gone, or is being replayed already. None is marked then.
        """
        letter, replay = self._letter, self._replay
        process, started = this_process()
        earlier = continues.runs if continues else ()
        with self._file.translated(), self._file.database.atomic():
            marked = 0
            for part in _chunks(ids):
                free = letter.state == WAITING
                if continues:
                    free |= letter.replay_run == continues.run
                query = letter.update(state=REPLAYING, replay_run=run).where(letter.id.in_(part), free)
                marked += query.execute()
            if marked != len(ids):
                raise _busy(ids)
            if continues:
                replay.delete().where(replay.run == continues.run).execute()
                letter.delete().where(letter.run == continues.run).execute()
            facts = {"earlier": earlier, "files": [], "sinks": []}
            replay.create(run=run, process=process, process_started=started, facts=facts)

    def about_to_commit(self, replay: PendingReplay) -> None:
        """Remember, durably, which sinks of a replay are going to commit, and in which databases their marks are."""
        facts = {"earlier": replay.earlier, "files": replay.files, "sinks": replay.sinks}
        with self._file.translated():
            self._replay.update(facts=facts).where(self._replay.run == replay.run).execute()

    def end_replay(self, run: str, *, committed: bool) -> int:
        """Settle a replay. Its letters leave the queue, or wait again; in one transaction.

        A letter that failed again is no longer among them: it was given back when that was told. What a replay that was
        not committed left itself, of rows that failed further down, will come again and is removed.

        Returns:
            How many letters left the queue.
        """
        letter, replay = self._letter, self._replay
        mine = (letter.replay_run == run) & (letter.state == REPLAYING)
        gone = 0
        with self._file.translated(), self._file.database.atomic():
            if committed:
                gone = letter.delete().where(mine).execute()
            else:
                letter.update(state=WAITING, replay_run=None).where(mine).execute()
                letter.delete().where(letter.run == run).execute()
            replay.delete().where(replay.run == run).execute()
        return int(gone)

    def leave_replay(self, run: str) -> None:
        """A replay that some sinks have committed and others have not waits to be finished by the next one."""
        replay = self._replay
        with self._file.translated():
            replay.update(process=0, process_started=0).where(replay.run == run).execute()

    def replay(self, run: str) -> PendingReplay | None:
        """One that has not been settled."""
        with self._file.translated():
            row = self._replay.get_or_none(self._replay.run == run)
        return None if row is None else _pending(row)

    def pending_replays(self) -> list[PendingReplay]:
        """Replays whose process has ended before they were settled."""
        with self._file.translated():
            rows = [row for row in self._replay.select() if not is_alive(row.process, row.process_started)]
        return [_pending(row) for row in rows]

    def _chosen(self, query: Any, selection: Selection | None) -> Any:
        letter = self._letter
        wanted = selection or Selection()
        if wanted.ids is not None:
            # As one value: a list of any length, and no limit of variables.
            numbers = json.dumps(list(wanted.ids))
            query = query.where(_sql("id IN (SELECT value FROM json_each(?))", numbers))
        if wanted.run is not None:
            query = query.where(letter.run == self._run_id(wanted.run))
        if wanted.node is not None:
            query = query.where(letter.node == wanted.node)
        if wanted.error is not None:
            query = query.where(letter.error_type == wanted.error)
        if wanted.replay is not None:
            query = query.where(letter.replay_run == wanted.replay)
        if wanted.text:
            query = query.where(_holds(wanted.text))
        return query


def _sql(text: str, *values: Any) -> Any:
    from peewee import SQL

    return SQL(text, values)


def _holds(text: str) -> Any:
    """Message, error, node or row hold a text; case does not matter."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    names = ("message", "error_type", "node", "payload", "operation")
    return _sql(
        "(" + " OR ".join(f"{name} LIKE ? ESCAPE '!'" for name in names) + ")", *[f"%{text}%"] * len(names)
    )  # fmt: skip


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _busy(ids: Sequence[int]) -> UsageError:
    what = f"The dead letter {ids[0]} is" if len(ids) == 1 else "Some of the dead letters are"
    return UsageError(
        f"{what} gone or just being replayed.", hint="List them again; a replay that broke off is finished by the next."
    )


def _pending(row: Any) -> PendingReplay:
    return PendingReplay(row.run, *(tuple(row.facts[name]) for name in ("earlier", "files", "sinks")))


def _record(row: Any) -> DeadLetterRecord:
    facts = {name: getattr(row, name) for name in DeadLetterRecord.__dataclass_fields__ if name != "run"}
    return DeadLetterRecord(run=row.run_id, **facts)
