"""Replays of dead letters: runs of their own, prepared from what the letters tell."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from etl_studio.errors import EtlError, UsageError
from etl_studio.pipeline.flat import SEPARATOR

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from etl_studio.app.studio import Studio
    from etl_studio.engine.events import Event, Listener, RunEnded
    from etl_studio.engine.plan import Plan
    from etl_studio.engine.replay import Entry
    from etl_studio.engine.replay_nodes import Delivery
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import StartWorker
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Database, Reader
    from etl_studio.sdk.frontier import Frontier
    from etl_studio.sdk.mailbox import Mailbox
    from etl_studio.sdk.memory import Memory
    from etl_studio.storage.letters import DeadLetterRecord, PendingReplay
    from etl_studio.storage.recorder import Recorder
    from etl_studio.storage.workspace import RunRecord, Workspace


class Replay:
    """One replay, ready to run. ``execute`` may be called once; ``stop`` from any thread.

    Args:
        run: the run.
        workspace: where the letters are.
        ids: their numbers.
        continues: a replay of them that only some sinks have committed.
        recorder: keeps what the run tells.
        settle: settles a replay that did not end well.
    """

    def __init__(  # noqa: PLR0913 - a replay is a run and its letters
        self,
        run: Run,
        workspace: Workspace,
        ids: Sequence[int],
        continues: PendingReplay | None,
        recorder: Recorder,
        settle: Callable[[PendingReplay], bool],
    ) -> None:
        self._run = run
        self._letters = workspace.letters
        self.ids = tuple(ids)
        self._continues = continues
        self._recorder = recorder
        self._settle = settle

    @property
    def id(self) -> str:
        """Id of the run."""
        return self._run.id

    def stop(self, *, hard: bool = False) -> None:
        """End early; a replay that has not come to its commits changes nothing then."""
        self._run.stop(hard=hard)

    def force_breaker(self, node: str, state: str) -> None:
        """Open, disable or close the breakers of a node by hand: a value of ``BreakerState``."""
        self._run.force_breaker(node, state)

    def execute(self) -> RunEnded:
        """Mark the letters, run, and settle: what arrived has left the queue, what failed again waits there.

        Raises:
            UsageError: a letter is gone, or is being replayed already.
        """
        from etl_studio.engine.events import RunStatus

        try:
            self._letters.begin_replay(self.id, self.ids, self._continues)
        except BaseException:
            self._recorder.close()
            raise
        ended = self._run.execute()
        if ended.status in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS):
            self._letters.end_replay(self.id, committed=True)
        elif (replay := self._letters.replay(self.id)) is not None:
            self._settle(replay)
        return ended


class Refused:
    """Letters that cannot be replayed; the others can.

    Args:
        ids: their numbers.
        error: why.
    """

    def __init__(self, ids: Sequence[int], error: EtlError) -> None:
        self.ids = tuple(ids)
        self.error = error

    def stop(self, *, hard: bool = False) -> None:
        """Nothing runs."""

    def execute(self) -> NoReturn:
        """Tell why.

        Raises:
            EtlError: the error.
        """
        raise self.error


def replays(  # noqa: PLR0913 - a run is where everything meets
    studio: Studio,
    workspace: Workspace,
    letters: Sequence[DeadLetterRecord],
    *,
    whole: bool = False,
    pipeline: Pipeline | None = None,
    file: Path | None = None,
    listeners: Sequence[Listener] = (),
    start_worker: StartWorker | None = None,
) -> Iterator[Replay | Refused]:
    """The replays that letters need: one for each node, for the values of the parameters and for types that differ.

    Each is prepared when the one before has run. Where the pipeline has errors, or the rows cannot go that way, the
    letters are refused.

    Args:
        studio: prepares runs.
        workspace: where the letters are.
        letters: them.
        whole: give rows out of their source, so that they pass every node, and not only those behind the failing one.
        pipeline: what is open; default: the file of the run in which they failed, as it is now.
        file: its file.
        listeners: take the events.
        start_worker: starts workers; default: plain threads.
    """
    from etl_studio.storage.replays import settle_pending

    settle_pending(workspace.letters, studio.databases)
    for group, continues in _groups(workspace, [letter.id for letter in letters]):
        record = workspace.run(group[0].run)
        assert record is not None  # noqa: S101 - it made the group
        try:
            _refuse_what_comes_again(workspace, record, group)
            document, place = _flat_document(studio, workspace, record, pipeline, file)
            document = _running(studio, document, group[0].node)
            parts = list(_entries(studio, document, group, whole=whole))
        except EtlError as error:
            yield Refused([letter.id for letter in group], error)
            continue
        given = _given(record, document)
        for part, entry in parts:
            try:
                replay: Replay | Refused = _prepare(
                    studio, workspace, part, entry, continues, document, place, given, listeners, start_worker
                )
            except EtlError as error:
                replay = Refused([letter.id for letter in part], error)
            yield replay


def why_not_whole(
    studio: Studio,
    workspace: Workspace,
    letters: Sequence[DeadLetterRecord],
    *,
    pipeline: Pipeline | None = None,
    file: Path | None = None,
) -> dict[int, EtlError]:
    """Why letters cannot be given out of their source, by their numbers; those that can are not among them.

    Args:
        studio: knows the node types.
        workspace: where the letters are.
        letters: them.
        pipeline: what is open, as for ``replays``.
        file: its file.
    """
    groups: dict[tuple[str, str, str], list[DeadLetterRecord]] = defaultdict(list)
    for letter in letters:
        groups[letter.run, letter.node, letter.port].append(letter)
    found: dict[int, EtlError] = {}
    for group in groups.values():
        try:
            _refuse_whole(studio, workspace, group[0], pipeline, file)
        except EtlError as error:
            found |= dict.fromkeys([letter.id for letter in group], error)
    return found


def _refuse_whole(
    studio: Studio, workspace: Workspace, letter: DeadLetterRecord, pipeline: Pipeline | None, file: Path | None
) -> None:
    from etl_studio.engine.replay import route
    from etl_studio.engine.replay_nodes import Delivery

    record = workspace.run(letter.run)
    if record is None:
        raise UsageError(f"The run {letter.run} is not in this workspace.")
    document, _ = _flat_document(studio, workspace, record, pipeline, file)
    document = _running(studio, document, letter.node)
    if route(document, studio.registry, letter.node, letter.port, whole=True).start == letter.node:
        raise UsageError(f'"{letter.node}" is the source itself.', hint="Replay it as it is.", node=letter.node)
    given = _given(record, document)
    for _, entry in _entries(studio, document, [letter], whole=True):
        _plan(studio, document, entry, given, Delivery((), lambda _: None))


def _running(studio: Studio, pipeline: Pipeline, node: str) -> Pipeline:
    """What of a pipeline runs.

    Raises:
        UsageError: the node is there, and does not run.
    """
    part = studio.active(pipeline).pipeline
    if node in pipeline.nodes and node not in part.nodes:
        why = "is disabled" if pipeline.nodes[node].disabled else "is fed by disabled nodes only"
        raise UsageError(f"{node} {why}: its dead letters wait.", hint="Enable it, then replay them.", node=node)
    return part


def _given(record: RunRecord, pipeline: Pipeline) -> dict[str, str]:
    """The parameters of a run that the pipeline still has; those of its sub-pipelines have their values in it."""
    values = record.parameters.items()
    return {name: _text(value) for name, value in values if name in pipeline.parameters and SEPARATOR not in name}


def _plan(
    studio: Studio, pipeline: Pipeline, entry: Entry, parameters: Mapping[str, str], delivery: Delivery
) -> tuple[Plan, Any]:
    """What a replay runs, and the values that are put in (``pipeline.parameters``)."""
    from etl_studio.engine.replay import replay_plan, route

    way = route(pipeline, studio.registry, entry.node, entry.port, whole=entry.whole)
    resolved = studio.settings_for(pipeline, parameters, only=sorted(way.nodes))
    return replay_plan(pipeline, studio.registry, resolved.settings, way, entry, delivery), resolved


def _prepare(  # noqa: PLR0913 - a run is where everything meets
    studio: Studio,
    workspace: Workspace,
    letters: Sequence[DeadLetterRecord],
    entry: Entry,
    continues: PendingReplay | None,
    pipeline: Pipeline,
    file: Path | None,
    parameters: Mapping[str, str],
    listeners: Sequence[Listener],
    start_worker: StartWorker | None,
) -> Replay:
    from etl_studio.app.retention import Retention
    from etl_studio.app.studio import new_run_id
    from etl_studio.engine.context import Places
    from etl_studio.engine.json_values import json_rows
    from etl_studio.engine.masking import masking
    from etl_studio.engine.replay_nodes import Delivery, Matcher
    from etl_studio.engine.run import Run
    from etl_studio.engine.threads import start_thread
    from etl_studio.storage.letters import PendingReplay
    from etl_studio.storage.recorder import Recorder
    from etl_studio.storage.replays import settle

    run_id = new_run_id()
    databases = _Watched(studio.databases)
    earlier = continues.runs if continues else ()
    recorder: Recorder | None = None

    def prepare(sinks: Sequence[str]) -> None:
        assert recorder is not None  # noqa: S101 - made before the run
        if (lost := recorder.flush()) is not None:
            raise lost
        # Sinks whose rows are in files keep their marks in the workspace's own database.
        files = tuple(dict.fromkeys((*databases.files, str(workspace.data_path))))
        workspace.letters.about_to_commit(PendingReplay(run_id, earlier, files, tuple(sinks)))

    plan, resolved = _plan(studio, pipeline, entry, parameters, Delivery(earlier, prepare))
    tried = json_rows(entry.rows) if entry.rows is not None else entry.tried
    match = Matcher(entry.node, zip([letter.id for letter in letters], tried, strict=True))
    mask = masking(resolved.secrets, studio.sign_ins)

    def told(event: Event) -> Event:
        # Matched first: what is hidden no longer equals what was given in.
        event = match(event)
        return mask(event) if mask is not None else event

    recorder = Recorder(workspace)
    run = Run(
        run_id,
        plan,
        Places(
            file.resolve().parent if file else Path.cwd(), workspace.data_path, workspace.folder / "scratch" / run_id
        ),
        databases,
        [*listeners, Retention(workspace, [recorder, *listeners])],
        start_worker=start_worker or start_thread,
        ledger=recorder,
        mask=told,
        sign_ins=studio.sign_ins,
        facts={"file": str(file) if file else None, "parameters": resolved.shown},
    )
    ids = [letter.id for letter in letters]
    return Replay(
        run, workspace, ids, continues, recorder, lambda replay: settle(workspace.letters, replay, studio.databases)
    )  # fmt: skip


class _Watched:
    """Opens databases and remembers which."""

    def __init__(self, databases: Any) -> None:
        self._databases = databases
        self._files: dict[str, None] = {}

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self._files)

    def open(self, path: Path) -> Database:
        self._files[str(path.resolve())] = None
        database: Database = self._databases.open(path)
        return database

    def frontier(self, folder: Path, run: str, node: str) -> Frontier:
        frontier: Frontier = self._databases.frontier(folder, run, node)
        return frontier

    def has_mailbox(self, folder: Path, node: str) -> bool:
        return bool(self._databases.has_mailbox(folder, node))

    def mailbox(self, folder: Path, node: str, *, keeps: bool) -> Mailbox:
        mailbox: Mailbox = self._databases.mailbox(folder, node, keeps=keeps)
        return mailbox

    def memory(self, folder: Path) -> Memory:
        memory: Memory = self._databases.memory(folder)
        return memory

    def reading(self, path: Path, stopping: threading.Event) -> AbstractContextManager[Reader]:
        reader: AbstractContextManager[Reader] = self._databases.reading(path, stopping)
        return reader


def _groups(workspace: Workspace, ids: Sequence[int]) -> Iterator[tuple[list[DeadLetterRecord], PendingReplay | None]]:
    """Letters that enter together, the oldest first. A replay that broke off is finished with all its letters."""
    from etl_studio.storage.letters import Selection

    pending = {replay.run: replay for replay in workspace.letters.pending_replays()}
    chosen = {letter.id: letter for letter in workspace.letters.find(Selection(ids=ids), None)}
    for run in {letter.replay_run for letter in chosen.values()} & set(pending):
        chosen |= {letter.id: letter for letter in workspace.letters.find(Selection(replay=run), None)}
    groups: dict[tuple[Any, ...], list[DeadLetterRecord]] = defaultdict(list)
    for letter in sorted(chosen.values(), key=lambda letter: letter.id):
        record = workspace.run(letter.run)
        if record is None:
            raise UsageError(f"The run {letter.run} is not in this workspace.")
        parameters = json.dumps(record.parameters, sort_keys=True, default=str)
        groups[record.file, record.pipeline, parameters, letter.node, letter.port, letter.replay_run].append(letter)
    for group in groups.values():
        yield group, pending.get(group[0].replay_run or "")


def _refuse_what_comes_again(workspace: Workspace, record: RunRecord, letters: Sequence[DeadLetterRecord]) -> None:
    """A run that broke off has loaded nothing of what came after its last checkpoint: those rows will be read again.

    Raises:
        UsageError: letters are among them.
    """
    from etl_studio.engine.events import RunStatus

    if not record.resumable or record.kind != "run":
        return
    last = workspace.last_checkpoint(record.id)
    # A run that ended by itself may have died between its last checkpoint and the commits.
    sure = last if record.status is RunStatus.STOPPED else last - 1
    late = [letter.id for letter in letters if letter.epoch > sure]
    if late:
        which = f"the dead letter {late[0]}" if len(late) == 1 else f"{len(late):,} of these dead letters"
        raise UsageError(
            f"The run {record.id} is {record.status}: the rows around {which} were not loaded and will come again.",
            hint="Resume it (run --resume) or run the pipeline again; then discard what is left of these.",
        )


def _flat_document(
    studio: Studio, workspace: Workspace, record: RunRecord, pipeline: Pipeline | None, file: Path | None
) -> tuple[Pipeline, Path | None]:
    """As ``_document``, with the nodes of sub-pipelines in their place: rows failed in them, too."""
    document, place = _document(studio, workspace, record, pipeline, file)
    return studio.flat(document, _given(record, document), file=place), place


def _document(
    studio: Studio, workspace: Workspace, record: RunRecord, pipeline: Pipeline | None, file: Path | None
) -> tuple[Pipeline, Path | None]:
    """The pipeline of a run as it is now, and its file: the one that is open if it is that one, else from its file."""
    if pipeline is not None and (record.file is None or (file is not None and Path(record.file).name == file.name)):
        return pipeline, file
    places = (Path(record.file), workspace.folder.parent / Path(record.file).name) if record.file else ()
    place = next((place for place in places if place.is_file()), None)
    if place is not None:
        return studio.load(place), place
    if pipeline is not None:
        return pipeline, file
    if record.file is None:
        raise UsageError(
            f"The pipeline of the run {record.id} was never saved.",
            hint="Open it in the window and replay there, or give its file: --pipeline FILE.",
        )
    raise UsageError(f"The pipeline file {record.file} is not there any more.", hint="Give it: --pipeline FILE.")


def _entries(
    studio: Studio, pipeline: Pipeline, letters: Sequence[DeadLetterRecord], *, whole: bool
) -> Iterator[tuple[list[DeadLetterRecord], Entry]]:
    """What enters, in parts whose types go together."""
    from etl_studio.engine.letter_rows import batch_of, schema_of
    from etl_studio.engine.masking import MASK
    from etl_studio.engine.replay import Entry, tries_again

    for letter in letters:
        if letter.operation is None and MASK in json.dumps(letter.payload, ensure_ascii=False):
            raise UsageError(
                f"The row of the dead letter {letter.id} holds a secret, which is never kept ({MASK}).",
                hint="Edit the row and put the value in, or run the pipeline again.",
            )
    node, port = letters[0].node, letters[0].port
    spec = pipeline.nodes.get(node)
    node_type = studio.registry.get(spec.type) if spec else None
    by_source = node_type is not None and tries_again(node_type)
    parts: list[tuple[list[DeadLetterRecord], pa.Schema | None]] = []
    for letter in letters:
        schema = None if by_source and letter.gives is None else _schema(letter, gives=by_source)
        for number, (part, known) in enumerate(parts):
            joined = _joined(known, schema)
            if joined is not False:
                parts[number] = ([*part, letter], joined)
                break
        else:
            parts.append(([letter], schema))
    for part, schema in parts:
        if by_source:
            tried = [letter.operation or letter.payload for letter in part]
            yield part, Entry(node, port, None, tried, schema, whole=whole)
        else:
            rows = batch_of([letter.payload for letter in part], schema or schema_of({}))
            yield part, Entry(node, port, rows, whole=whole)


def _schema(letter: DeadLetterRecord, *, gives: bool) -> pa.Schema:
    from etl_studio.engine.letter_rows import schema_of, types_of

    return schema_of(letter.gives or {} if gives else types_of(letter.payload, letter.types))


def _joined(first: pa.Schema | None, second: pa.Schema | None) -> Any:
    """One schema for both; False: their types do not go together."""
    import pyarrow as pa

    if first is None or second is None:
        return False if first is not second else None
    try:
        return pa.unify_schemas([first, second], promote_options="default")
    except pa.ArrowException:
        return False


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
