"""What nodes see of databases. Only ``etl_studio.storage`` opens SQLite files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.sdk.checkpoint import Mark
    from etl_studio.sdk.emissions import Rejected

WriteDisposition = Literal["append", "replace", "merge"]
MergeStrategy = Literal["upsert", "delete_insert", "insert_only", "scd2"]
"""How rows are merged by key: ``upsert`` updates the row of a key, ``delete_insert`` puts the rows of a key in the
place of all old rows of that key, ``insert_only`` leaves known keys alone, ``scd2`` (slowly changing dimension, type 2)
keeps every version of a row with the time from and to which it was valid."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How rows are written, beyond the disposition; columns by their names.

    Attributes:
        strategy: how rows are merged.
        dedup_sort: of the rows of a load with the same key, the one with the extreme value in this column stays; None:
            the last one (``insert_only``: the first one).
        dedup_keep: which extreme.
        hard_delete: a row in which this column is true (or not NULL, where it is no boolean) deletes its key.
        version: a row whose value here is lower than that in the table is left out.
        valid_from, valid_to: columns of ``scd2``; ``valid_to`` is NULL in the version that is valid now.
    """

    strategy: MergeStrategy = "upsert"
    dedup_sort: str | None = None
    dedup_keep: Literal["highest", "lowest"] = "highest"
    hard_delete: str | None = None
    version: str | None = None
    valid_from: str = "valid_from"
    valid_to: str = "valid_to"

    def needs_all_rows(self, disposition: WriteDisposition) -> bool:
        """Whether parts of a load, committed one after the other, could leave another table than the whole does."""
        if disposition == "merge":
            # A key that was deleted has no version any more, so an older row that came after it would be inserted.
            forgets = self.version is not None and self.hard_delete is not None
            return forgets or self.dedup_sort is not None or self.strategy in ("delete_insert", "scd2")
        return disposition == "replace"


UPSERT = WriteOptions()
"""The default."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a commit did. The sum of all counts is the number of rows that were written.

    Attributes:
        inserted, updated, unchanged: rows that are new, that changed one in the table, and that were there already.
        superseded: rows whose key came again in the same load: only one of them is kept.
        deleted: rows that deleted their key (``hard_delete``).
        stale: rows left out because the table has a newer version (``version``).
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    deleted: int = 0
    stale: int = 0

    @property
    def rows(self) -> int:
        """Rows accounted for."""
        return self.inserted + self.updated + self.unchanged + self.superseded + self.deleted + self.stale


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one row of a table.

    Attributes:
        kind: ``inserted``, ``updated`` or ``deleted``.
        row: the row after it; the row that goes, for ``deleted``. Values as SQLite keeps them.
        before: for ``updated``: the old values of the columns that change.
    """

    kind: Literal["inserted", "updated", "deleted"]
    row: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Diff:
    """What a load would do to its table, or a sink would send.

    Attributes:
        table: its name; where requests go.
        loaded: what ``commit`` would return.
        rows_before, rows_after: rows in the table; ``rows_before`` is None where the table would be made.
        changes: the first changes of each kind. Of a replace, they are the rows that differ. Of requests, each is one.
        requests: how many would be sent; None: it is a table.
    """

    table: str
    loaded: Loaded
    rows_before: int | None
    rows_after: int
    changes: tuple[Change, ...]
    requests: int | None = None


class TableLoad(Protocol):
    """Loads rows into one table: staged first, then all in one transaction."""

    def write(self, batch: pa.RecordBatch) -> Sequence[Rejected]:
        """Stage a batch; the first one fixes the columns. Rows that cannot be loaded (a NULL key) come back."""
        ...

    def commit(self, mark: Mark | None = None) -> Loaded:
        """Apply everything staged since the last commit, and the mark, in one transaction.

        A load that needs all its rows (``WriteOptions.needs_all_rows``) does nothing for a mark that is not final:
        neither rows nor mark are committed, and the rows stay staged.
        """
        ...

    def preview(self, limit: int) -> Diff:
        """What ``commit`` would do now, with at most ``limit`` changes of each kind. Nothing is written."""
        ...

    def abort(self) -> None:
        """Forget what is staged; the table stays as it was."""
        ...


class Reader(Protocol):
    """Reads an SQLite file, and changes nothing in it. Only SELECTs pass."""

    def columns(self, sql: str) -> Sequence[tuple[str, str]]:
        """Names and declared types of what a SELECT gives; an expression has the type "".

        Raises:
            PermanentError: it is no SELECT that works here.
        """
        ...

    def rows(self, sql: str, parameters: Sequence[Any], size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a SELECT in lists of at most ``size``; all of one snapshot.

        Raises:
            Cancelled: the run was stopped meanwhile.
            TransientError: another program has locked the file.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that is kept until it has come to its end.

    Attributes:
        key: its idempotency key; the same however often it is sent.
        rows: what it is made of.
        number, place: given by the outbox: which it is, and where in the order.
        content: a hash of what is sent. Where a request with the same content may have arrived without an answer, its
            key is taken; None: it is not looked for.
    """

    key: str
    rows: bytes = field(repr=False)
    number: int = 0
    place: float = 0.0
    content: bytes | None = None


class Outbox(Protocol):
    """Requests of one sink in one run, kept from before they may be sent until they have come to their end."""

    def stage(self, requests: Iterable[Outgoing]) -> None:
        """Keep requests that are not to be sent before ``commit``."""
        ...

    def commit(self, mark: Mark | None) -> None:
        """What is staged may be sent from now on, also after a crash; in one transaction with the mark."""
        ...

    def waiting(self, after: Outgoing | None, count: int) -> Sequence[Outgoing]:
        """The next committed requests, in order.

        Args:
            after: the last one of those before; None: from the first.
            count: at most so many.
        """
        ...

    def staged(self, count: int) -> tuple[int, Sequence[Outgoing]]:
        """How many requests wait for a commit, and the first of them."""
        ...

    def settled(self, request: Outgoing, mark: Mark | None = None, *, again: bytes | None = None) -> None:
        """A request has come to its end and is not sent again; in one transaction with the mark.

        Args:
            request: as ``waiting`` gave it.
            mark: counts its rows; None: the old one stays.
            again: hash of its content, where nobody knows whether it arrived: a replay of its rows takes its key.
        """
        ...

    def split(self, request: Outgoing, parts: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Put parts in the place of a request; what they are from now on."""
        ...

    def discard(self) -> None:
        """Forget what is staged and not committed."""
        ...


class Database(Protocol):
    """One SQLite file."""

    def load_table(  # noqa: PLR0913 - what a load is about
        self,
        table: str,
        disposition: WriteDisposition,
        key: Sequence[str] = (),
        options: WriteOptions = UPSERT,
        *,
        run: str = "",
        node: str = "",
    ) -> TableLoad:
        """Begin a load, or go on with that of the same run and node.

        Raises:
            PermanentError: the table has other columns, or the file is read-only.
            TransientError: the database is locked by another program.
        """
        ...

    def outbox(self, run: str, node: str) -> Outbox:
        """What a sink has to send; made here when it is not there yet."""
        ...

    def mark(self, run: str, node: str) -> Mark | None:
        """The last mark that a sink committed here in a run; None: it committed nothing."""
        ...

    def save_mark(self, mark: Mark) -> None:
        """Commit a mark alone, for sinks whose rows are elsewhere, such as in a file."""
        ...
