"""The nodes that only a replay has: they give the letters' rows, and they deliver to the sinks exactly once."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etl_studio.engine.context import as_of
from etl_studio.engine.events import DeadLettered, RunStarted
from etl_studio.sdk import Loaded, Mark, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.engine.events import Event
    from etl_studio.sdk import Rejected, RunContext
    from etl_studio.sdk.node import Emission

BATCH_ROWS = 10_000


class LetterSource(Source):
    """Gives the rows of dead letters.

    Args:
        rows: them.
    """

    type = "dead_letters_source"
    title = "Dead letters"
    icon = "inbox"
    group = "extract"

    def __init__(self, rows: pa.RecordBatch) -> None:
        super().__init__(None)
        self._rows = rows

    def read(self, context: RunContext) -> Iterator[pa.RecordBatch]:
        """Yield them."""
        del context
        for start in range(0, self._rows.num_rows, BATCH_ROWS):
            yield self._rows.slice(start, BATCH_ROWS)


class SourceAgain(Source):
    """A source that tries again what it could not read.

    Args:
        source: it.
        tried: what it could not read.
        gives: columns that it gave out.
    """

    title = "Dead letters"

    def __init__(self, source: Source, tried: Sequence[Mapping[str, Any]], gives: pa.Schema | None) -> None:
        super().__init__(source.config)
        self.outputs = source.outputs  # type: ignore[misc] # of this one
        self._source = source
        self._tried = tried
        self._gives = gives

    def read(self, context: RunContext) -> Iterable[Emission]:
        """Try again."""
        return self._source.read_again(self._tried, self._gives, context)


class Delivery:
    """What the sinks of one replay share.

    Args:
        earlier: ids of replays of the same letters that some sinks have committed.
        prepare: called once, before the first sink commits, with the ids of the sinks: everything that was told so far
            must be on disk when it returns.
    """

    def __init__(self, earlier: Sequence[str], prepare: Callable[[Sequence[str]], None]) -> None:
        self.earlier = tuple(earlier)
        self._prepare = prepare
        self._lock = threading.Lock()
        self._sinks: set[str] = set()
        self._prepared = False

    def opened(self, sink: str) -> None:
        """Rows have come to a sink."""
        with self._lock:
            self._sinks.add(sink)

    def about_to_commit(self) -> None:
        """A sink has all its rows and so have the others: they meet before any of them commits."""
        with self._lock:
            if not self._prepared:
                self._prepare(sorted(self._sinks))
                self._prepared = True


class ReplaySink(Sink):
    """A sink that commits with a mark, and not again what an earlier replay of the same letters has committed.

    Args:
        sink: it.
        node: its id.
        delivery: what all sinks share.
    """

    title = "Dead letters"

    def __init__(self, sink: Sink, node: str, delivery: Delivery) -> None:
        super().__init__(sink.config)
        self.inputs, self.outputs = sink.inputs, sink.outputs  # type: ignore[misc] # of this one
        self._sink = sink
        self._node = node
        self._delivery = delivery
        self._has_them = False
        self._unfinished: list[str] = []
        self._rows = 0

    def open(self, schema: pa.Schema, context: RunContext) -> None:
        """Look whether the rows are there already. Even then the sink takes them, to refuse again what it refused."""
        marks = {run: self._sink.last_mark(as_of(context, run)) for run in self._delivery.earlier}
        self._has_them = any(marks.values())
        self._unfinished = [run for run, mark in marks.items() if mark is not None and not mark.final]
        self._sink.open(schema, context)
        self._delivery.opened(self._node)

    def write(self, batch: pa.RecordBatch, context: RunContext) -> Iterable[Rejected]:
        """Stage a batch."""
        refused = list(self._sink.write(batch, context))
        self._rows += batch.num_rows - sum(rejected.rows.num_rows for rejected in refused)
        return refused

    def commit(self, context: RunContext, mark: Mark | None = None) -> Loaded:
        """Commit with a mark: the engine's, or one of its own."""
        if self._has_them:
            self._sink.abort(context)
            return Loaded(unchanged=self._rows - self._finish(context, mark))
        self._delivery.about_to_commit()
        # Its rows are the last ones even where a stop was asked for meanwhile.
        mark = replace(mark, final=True) if mark else Mark(context.run, context.node, 1, final=True)
        return self._sink.commit(context, mark)

    def _finish(self, context: RunContext, mark: Mark | None) -> int:
        """Bring to its end what an earlier replay committed and did not deliver; how many rows were refused then."""
        refused = 0
        for run in self._unfinished:
            earlier = as_of(context, run)
            facts = mark.facts if mark is not None else {}
            refused -= self._sink.commit(earlier, Mark(run, self._node, 1, final=True, facts=facts)).inserted
            self._sink.abort(earlier)
        return refused

    def abort(self, context: RunContext) -> None:
        """Forget what is staged."""
        self._sink.abort(context)


class Matcher:
    """Finds the letter that a failure in a replay belongs to, so that it stays one.

    The failing node refuses rows as they came, so a row is found by its values; two letters with the same values in
    the same node are the same failure, and it does not matter which of them gets it.

    Args:
        node: where the letters failed.
        letters: number and JSON-ready row (or operation) of each.
    """

    def __init__(self, node: str, letters: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        self._node = node
        self._waiting: dict[str, list[int]] = defaultdict(list)
        for number, tried in letters:
            self._waiting[_key(tried)].append(number)

    def __call__(self, event: Event) -> Event:
        """The event, with the number of its letter where it tells of one."""
        if isinstance(event, RunStarted):
            return replace(event, kind="replay")
        if isinstance(event, DeadLettered) and event.node == self._node:
            waiting = self._waiting.get(_key(event.payload if event.operation is None else event.operation))
            if waiting:
                return replace(event, letter=waiting.pop(0))
        return event


def _key(tried: Mapping[str, Any]) -> str:
    return json.dumps(dict(tried), sort_keys=True, default=str)
