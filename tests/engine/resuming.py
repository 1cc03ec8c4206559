"""A source, two transforms and a target in memory that break off where a test wants it, and runs that go on."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import ClassVar

import pyarrow as pa

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.context import Places
from etl_studio.engine.events import LogWritten, RunResumed
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.errors import PermanentError
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire

PATIENCE = 20


def batch(numbers):
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


def refused(numbers):
    return sdk.Rejected(batch(numbers), [sdk.Problem("odd", f"{number} is odd") for number in numbers])


class Steps(sdk.Source):
    """Gives the numbers from 0 in batches, with a cursor behind each, or behind every second, third ...

    It waits until the barrier before has been committed, so that runs of one pipeline commit at the same rows.

    Attributes:
        settled: waits for that.
        at: what happens before a batch is given, by its number.
        began: where each reading began.
        closed: how often a reading ended, by its end or before.
    """

    type = "steps_source"
    title = "Steps"
    icon = "dice"
    group = "extract"
    settled: ClassVar = None
    at: ClassVar[dict] = {}
    began: ClassVar[list] = []
    closed: ClassVar[list] = []

    class Config(sdk.Config):
        rows: int = 40
        size: int = 10
        cursor_every: int = 1
        cursor_first: bool = False
        refuses: int | None = None
        beside: bool = False
        can_replay: bool = True
        named: str = "read"

    @property
    def replays(self):
        return self.config.can_replay

    def read(self, context):
        config = self.config
        self.began.append(context.resume)
        try:
            if config.cursor_first:
                yield sdk.Cursor(context.resume or 0)
            for number, start in enumerate(range(context.resume or 0, config.rows, config.size), 1):
                numbers = range(start, min(start + config.size, config.rows))
                Steps.settled(context.node)
                if (act := self.at.get((config.named, start))) is not None:
                    act(context)
                if config.refuses is None:
                    yield batch(numbers)
                else:
                    yield batch([n for n in numbers if n % config.refuses])
                    yield refused([n for n in numbers if n % config.refuses == 0])
                if config.beside:
                    yield sdk.Output("beside", batch(numbers))
                if number % config.cursor_every == 0:
                    yield sdk.Cursor(numbers[-1] + 1)
        finally:
            self.closed.append(config.named)


class Odd(sdk.Transform):
    """Refuses odd numbers."""

    type = "odd"
    title = "Odd"
    icon = "filter"
    group = "transform"

    def process(self, rows, context):
        numbers = rows.column("n").to_pylist()
        yield batch([n for n in numbers if n % 2 == 0])
        yield refused([n for n in numbers if n % 2])


class Together(sdk.Transform):
    """Puts wires together; of nothing it makes nothing."""

    type = "together"
    title = "Together"
    icon = "layers"
    group = "transform"
    inputs = (sdk.Port("input", "Rows", many=True),)

    def process(self, rows, context):
        if rows.num_rows:
            yield rows


class Total(sdk.SqlTransform):
    """Gives the sum of all rows at the end."""

    type = "total"
    title = "Total"
    icon = "sigma"
    group = "transform"
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True

    def query(self, inputs):
        return "SELECT sum(n)::BIGINT AS n FROM input"


@dataclass
class Content:
    """What a target holds, and what was done to it."""

    rows: list = field(default_factory=list)
    mark: sdk.Mark | None = None
    marks: list = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    columns: list = field(default_factory=list)
    opened: int = 0
    committed: int = 0
    aborted: int = 0
    written: int = 0


class Shelf(sdk.Sink):
    """Keeps rows and its mark in one step; refuses what can be divided by ``refuses``.

    Attributes:
        held: by name; they outlive a run as databases do.
        at: what happens in a commit, by name and epoch, before anything is kept; by name and "open" or "write" there.
    """

    type = "shelf_sink"
    title = "Shelf"
    icon = "database"
    group = "load"
    held: ClassVar[dict] = {}
    at: ClassVar[dict] = {}

    class Config(sdk.Config):
        name: str = "save"
        refuses: int | None = None
        once: bool = False
        partial: bool = True

    def __init__(self, config):
        super().__init__(config)
        self._staged = []

    @property
    def commits_at_barriers(self):
        return not self.config.once

    @property
    def keeps_partial(self):
        return self.config.partial

    @property
    def content(self):
        return self.held.setdefault(self.config.name, Content())

    def last_mark(self, context):
        return self.content.mark

    def open(self, schema, context):
        self._act("open", context)
        self.content.opened += 1
        self.content.columns = schema.names
        self._staged = []

    def write(self, rows, context):
        self._act("write", context)
        numbers = rows.column("n").to_pylist()
        by = self.config.refuses
        self.content.written += len(numbers)
        self._staged += [n for n in numbers if not by or n % by]
        yield refused([n for n in numbers if by and n % by == 0])

    def commit(self, context, mark=None):
        content = self.content
        self._act(mark.epoch if mark is not None else None, context)
        rows, self._staged = self._staged, []
        loaded = sdk.Loaded(inserted=len(rows))
        with content.changed:
            content.committed += 1
            content.rows += rows
            if mark is not None:
                facts = json.loads(json.dumps({**mark.facts, "loaded": asdict(loaded)}))
                content.mark = sdk.Mark(mark.run, mark.node, mark.epoch, mark.final, facts)
                content.marks.append((mark.epoch, mark.final, len(rows)))
            content.changed.notify_all()
        return loaded

    def abort(self, context):
        self._act("abort", context)
        self.content.aborted += 1
        self._staged = []

    def _act(self, moment, context):
        assert self.config.name in {"save", context.node}
        act = self.at.get((self.config.name, moment))
        if act is not None:
            act(context)


def fail(context):
    raise PermanentError("The connection broke off.")


def after(name, epoch, act=fail):
    """Do it when another shelf has committed so far."""

    def wait(context):
        content = Shelf.held[name]
        with content.changed:
            assert content.changed.wait_for(lambda: content.mark and content.mark.epoch >= epoch, PATIENCE)
        act(context)

    return wait


def settled(run, source):
    """Wait until no barrier is under way that the source has sent."""
    gate = run._checkpoints
    with gate._changed:
        assert gate._changed.wait_for(
            lambda: not gate._under_way or source not in gate._passed or gate._cancelled, PATIENCE
        )


REGISTRY = sdk.Registry([Steps, Odd, Together, Total, Shelf])


class Book:
    """The ledger and the history of one run, in memory; ``engine.ledger`` and ``engine.resume`` describe them."""

    def __init__(self):
        self.attempt = 1
        self.kept = []
        self.forgotten = []
        self.told = []

    def __call__(self, event):
        self.told.append(event)

    def flush(self):
        return None

    def save(self, run, checkpoint):
        self.kept.append(checkpoint)

    def command(self):
        return None

    def close(self):
        return None

    def checkpoints(self):
        return self.kept

    def snapshots(self, node, epoch):
        return [one.state for kept in self.kept for one in kept.snapshots if one.node == node and one.epoch <= epoch]

    def forget_after(self, epoch, later, unfinished=None):
        self.forgotten.append((epoch, dict(later)))
        self.kept = [one for one in self.kept if one.epoch <= max([epoch, *later.values()])]


class Resuming:
    """A pipeline of the nodes above that is begun, breaks off and goes on."""

    def __init__(self, folder):
        for things in (Steps.at, Steps.began, Steps.closed, Shelf.held, Shelf.at):
            things.clear()
        self.folder = folder
        self.pipeline = Pipeline("test")
        self.book = Book()
        self.events = []

    def node(self, node_id, node_type, policy=None, **config):
        self.pipeline.nodes[node_id] = NodeSpec(node_id, node_type, config, policy or {})
        return self

    def wire(self, text):
        source, target = text.split(" -> ")
        node, _, port = source.partition(".")
        self.pipeline.wires.append(Wire(node, port or "out", target, "input"))
        return self

    def plan(self):
        settings = {node.id: (node.config, node.policy) for node in self.pipeline.nodes.values()}
        return make_plan(self.pipeline, REGISTRY, settings)

    def make(self, *, resumed=False, rows=1, **options):
        """A run, with a barrier at the first cursor after so many rows."""
        places = Places(self.folder, self.folder / "data.db", self.folder / "scratch")
        history = self.book if resumed else None
        run = Run(
            "run-1", self.plan(), places, None, [self.events.append], ledger=self.book, history=history,
            interval=Interval(None, rows), **options,
        )  # fmt: skip
        Steps.settled = partial(settled, run)
        return run

    def begin(self, **options):
        return self.make(**options).execute()

    def go_on(self, **options):
        """Nothing breaks off any more."""
        for things in (Steps.at, Shelf.at):
            things.clear()
        self.events.clear()
        self.book.attempt += 1
        return self.make(resumed=True, **options).execute()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def resumed_after(self):
        return self.of(RunResumed)[0].epoch

    @property
    def log(self):
        return [event.message for event in self.of(LogWritten)]
