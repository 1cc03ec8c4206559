"""The kinds of nodes. A node type is one class in one file: what it is, its settings, its docs and its work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from etl_studio.sdk import config as settings
from etl_studio.sdk.ports import INPUT, OUT, REJECTS, Port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.sdk.checkpoint import Bookmark, Cursor, Mark
    from etl_studio.sdk.context import RunContext
    from etl_studio.sdk.database import Diff, Loaded
    from etl_studio.sdk.emissions import Output, Rejected
    from etl_studio.sdk.probing import Probe

    Emission: TypeAlias = pa.RecordBatch | Output | Rejected
    SourceEmission: TypeAlias = Emission | Cursor | Bookmark

Group = Literal["extract", "transform", "quality", "load"]
Rows = Literal["same", "fewer", "any"]
"""What a node does to the number of rows: ``same``: in = out + rejected; ``fewer``: what is missing was filtered;
``any``: the two are not comparable (aggregate, join)."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What this computer lacks for a node.

    Attributes:
        what: one sentence: what is not there.
        hint: one sentence: how to install it.
        setting: the setting that it is about; empty: the node itself.
    """

    what: str
    hint: str
    setting: str = ""


class Node(ABC):
    """What every node type declares.

    The class docstring is the node's documentation (Markdown): one line, then how and when to use it.

    Attributes:
        type: name in the pipeline file, snake_case; sources end in ``_source``, sinks in ``_sink``.
        title: name in the palette.
        icon: file name in ``resources/icons`` without ``.svg``.
        group: section of the palette, and colour.
        keywords: further words that the palette's search finds it by.
        inputs, outputs: ports; the first output is the default one.
        open_inputs: wires may name any input port (SQL node).
        open_outputs: wires may name any output port; a sub-pipeline's are known when its file is read.
        offered: a person may add it; False for what only the studio puts into a run.
        rows: what it does to the number of rows; checked at the end of each run.
        example: settings that work, for the reference and the tests.
        keeps_columns: rows leave it with the columns and values with which they came.
        tried_on: columns of a few rows on which SQL in the settings of a source may be tried out.
        identity: settings that must stay the same for a run to be resumed; None: all of them.
    """

    type: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str]
    group: ClassVar[Group]
    keywords: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[tuple[Port, ...]] = (INPUT,)
    outputs: ClassVar[tuple[Port, ...]] = (OUT, REJECTS)
    open_inputs: ClassVar[bool] = False
    open_outputs: ClassVar[bool] = False
    offered: ClassVar[bool] = True
    rows: ClassVar[Rows] = "same"
    example: ClassVar[dict[str, Any]] = {}
    keeps_columns: ClassVar[bool] = False
    tried_on: ClassVar[Mapping[str, Sequence[Any]]] = {}
    identity: ClassVar[tuple[str, ...] | None] = None

    class Config(settings.Config):
        """No settings."""

    def __init__(self, config: Any) -> None:
        self.config = config

    @classmethod
    def leaves_as(
        cls, column: str, port: str, settings: Mapping[str, Any], arriving: Mapping[str, Sequence[str]]
    ) -> str | None:
        """The name under which an arriving column leaves by itself; None: it does not.

        Optional, for nodes whose settings do not tell by their ``names``.

        Args:
            column: its name.
            port: the input by which it arrives.
            settings: as written; any of them may be missing or wrong.
            arriving: the names that are known, by input.
        """
        del port, settings, arriving
        return column

    @classmethod
    def missing(cls, settings: Mapping[str, Any]) -> Missing | None:
        """What must be installed before it can run here; None: nothing. Asked at each check, so it must be quick.

        Args:
            settings: as written; any of them may be missing or wrong.
        """
        del settings
        return None

    def takes_part(self, port: str) -> bool:
        """Whether some rows of an input may come later by themselves: what they give is a part of what all give.

        A replay of dead letters goes only through such nodes. A sum is none: that of a few rows is no part of the sum.
        """
        del port
        return True


class Source(Node):
    """Gives rows from outside. Every batch has the same schema; an empty one tells the columns where no rows are.

    Attributes:
        reads_web: whether all it reads comes through ``context.http()``.
        local: whether all it reads is on this machine, so that a preview may read its first rows without being asked.
        wanted: rows that are enough, set on the instance before ``read`` by a preview; None: all. What gives rows in
            batches may then give them earlier, so that it is not asked for more.
        probes: whether it tells a ``probe`` of the pages that it reads.
        probe: set on the instance before ``read``, see ``probed``; None: nobody looks.
    """

    inputs: ClassVar[tuple[Port, ...]] = ()
    reads_web: ClassVar[bool] = False
    local: ClassVar[bool] = False
    wanted: int | None = None
    probes: ClassVar[bool] = False
    probe: Probe | None = None

    def probed(self, probe: Probe) -> Source:
        """The source as a probe reads it: it tells of each page, finds out what is not set, and stops when told so.

        Raises:
            UsageError: it has no pages, with these settings.
        """
        self.probe = probe
        return self

    @property
    def replays(self) -> bool:
        """Whether it can go on from a cursor and then gives the same rows in the same order.

        Then a run that broke off is resumed and each row is loaded exactly once; otherwise at least once.
        """
        return False

    @property
    def only_new(self) -> bool:
        """Whether it leaves out what earlier runs have loaded: then no sink behind it may take that away (``empties``).

        Only such a source is told of unchanged answers (``HttpRequest.unchanged``).
        """
        return False

    def stamp(self, folder: Path) -> Mapping[str, Any]:
        """JSON-ready facts that tell whether what is read is still the same, such as size and time of a file.

        Args:
            folder: where relative paths of the settings start.
        """
        del folder
        return {}

    @abstractmethod
    def read(self, context: RunContext) -> Iterable[SourceEmission]:
        """Yield batches (about 65,536 rows, or what has come in 250 ms) and ``Rejected`` rows.

        A source that ``replays`` yields a ``Cursor`` after every batch and its rejects, and begins at
        ``context.resume`` when that is not None. One that reads only what is new since the last run gives a
        ``Bookmark`` at its end.
        """

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: RunContext
    ) -> Iterable[Emission]:
        """Try again what could not be read; called instead of ``read`` when dead letters of this source are replayed.

        Optional: without it, the row of a dead letter is given out as it is, with what a person changed in it.

        Args:
            tried: for each dead letter the ``operation`` of its ``Problem``, or else its row, perhaps mended.
            schema: the columns that the source gave out when the first of them failed; None where it gave none.
            context: the run.

        What fails again is given as ``Rejected`` with the same operation or row.
        """
        raise NotImplementedError


class Operator(Node):
    """Turns rows into rows: in Python a ``Transform``, in SQL a ``SqlTransform``."""

    @property
    def holds_rows(self) -> bool:
        """Whether what it gives for a batch depends on earlier ones.

        Such a node either keeps its state by ``snapshot`` and ``restore``, or its run commits only at the end.
        """
        return False

    def snapshot(self) -> bytes | None:
        """What changed in its state since the last snapshot, or since the beginning; None: it cannot tell."""
        return None

    def restore(self, snapshots: Sequence[bytes]) -> None:
        """Called before the first batch of a resumed run with all snapshots up to the checkpoint, in order."""


class Transform(Operator):
    """Turns batches into batches in Python.

    Attributes:
        reads_web: whether its work is to ask by ``context.http()``. Then the policy surrounds each request and not the
            batch as well, rows go on as soon as ``process`` yields them, and there is one worker.
    """

    reads_web: ClassVar[bool] = False

    @property
    def holds_rows(self) -> bool:
        """Whoever gives rows at the end has held them."""
        return type(self).finish is not Transform.finish

    def start(self, schema: pa.Schema, context: RunContext) -> Iterable[Emission]:
        """Called once before the first batch with the columns that will arrive."""
        del schema, context
        return ()

    @abstractmethod
    def process(self, batch: pa.RecordBatch, context: RunContext) -> Iterable[Emission]:
        """Turn one batch into any number of them. Must be repeatable: a transient error calls it again."""

    def finish(self, context: RunContext) -> Iterable[Emission]:
        """Called once after the last batch."""
        del context
        return ()


class SqlTransform(Operator):
    """Turns rows into rows by one SELECT in DuckDB's dialect over tables named as the input ports.

    Attributes:
        blocking: False: the query runs on each batch and a row that makes it fail is found by bisection and rejected.
            True: it runs once over the whole input, spilling to disk when it must; such a node has no rejects port.
        single_pass: the query of a blocking node with one input reads it exactly once, so its rows can stream in
            (three to eight times cheaper than keeping them in a table first).
    """

    blocking: bool = False
    single_pass: ClassVar[bool] = False

    def takes_part(self, port: str) -> bool:
        """A query over the whole input needs all rows at once."""
        del port
        return not self.blocking

    @abstractmethod
    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The SELECT for inputs with these columns. Raises PermanentError for settings that do not fit them."""

    def failures(self, inputs: Mapping[str, pa.Schema]) -> Mapping[str, str]:
        """For each column (or setting) it computes, a SELECT that tells for every row of the input whether that fails.

        Optional, for nodes that are not blocking: a batch with many bad rows is then split by these queries instead of
        by bisection (``sdk.fails`` writes the expression). Each must keep the rows and their order.
        """
        del inputs
        return {}

    def remember(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Called once for each batch that the query gave, in order: what goes on of it.

        For nodes that hold rows and are not blocking; their query may give a column that only this method reads.
        """
        return rows


class Sink(Node):
    """Takes rows to their end."""

    outputs: ClassVar[tuple[Port, ...]] = (REJECTS,)

    @property
    def keeps_partial(self) -> bool:
        """Whether a stopped run commits the rows that came so far: appends do, a replace would lose rows."""
        return False

    @property
    def empties(self) -> bool:
        """Whether each load takes away what earlier ones brought."""
        return False

    @property
    def commits_at_barriers(self) -> bool:
        """Whether it may commit several times in a run, each time with a mark that ``last_mark`` gives back."""
        return False

    def last_mark(self, context: RunContext) -> Mark | None:
        """The last mark that it committed in this run, before it broke off; called before ``open``."""
        del context
        return None

    def unfinished(self, context: RunContext) -> str | None:
        """What it was delivering when the run broke off, as ``RunContext.refuse`` names it; called before ``open``.

        It comes again, and so does what was refused of it. Only for a sink that delivers after it has committed.
        """
        del context
        return None

    def adding(self) -> Sink:
        """The sink as a replay of dead letters uses it: what is in the target stays.

        Raises:
            PermanentError: it can only replace what is there.
        """
        return self

    @abstractmethod
    def open(self, schema: pa.Schema, context: RunContext) -> None:
        """Called once before the first batch with the columns that will arrive."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch, context: RunContext) -> Iterable[Rejected]:
        """Take one batch; give back the rows that cannot be loaded. Must not be visible to readers yet."""

    @abstractmethod
    def commit(self, context: RunContext, mark: Mark | None = None) -> Loaded:
        """Make everything written since the last commit visible, all or nothing, together with the mark.

        Must be repeatable after a transient error.
        """

    def diff(self, context: RunContext, limit: int) -> Diff | None:
        """What ``commit`` would do now, for a dry run: at most ``limit`` changes of each kind; None: it cannot tell.

        Nothing is written. ``abort`` follows, never ``commit``.
        """
        del context, limit
        return None

    @abstractmethod
    def abort(self, context: RunContext) -> None:
        """The run failed: leave the target as it was after the last commit. Called also when ``open`` failed."""
