"""What nodes see of databases. Only ``etl_studio.storage`` opens SQLite files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from etl_studio.sdk.checkpoint import Mark
    from etl_studio.sdk.emissions import Rejected

WriteDisposition = Literal["append", "replace", "merge"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a commit did. ``inserted + updated + unchanged + superseded`` are the rows that were written.

    ``superseded`` counts rows whose key came again later in the same load: the last one won.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0

    @property
    def rows(self) -> int:
        """Rows accounted for."""
        return self.inserted + self.updated + self.unchanged + self.superseded


class TableLoad(Protocol):
    """Loads rows into one table: staged first, then all in one transaction."""

    def write(self, batch: pa.RecordBatch) -> Sequence[Rejected]:
        """Stage a batch; the first one fixes the columns. Rows that cannot be loaded (a NULL key) come back."""
        ...

    def commit(self, mark: Mark | None = None) -> Loaded:
        """Apply everything staged since the last commit, and the mark, in one transaction."""
        ...

    def abort(self) -> None:
        """Forget what is staged; the table stays as it was."""
        ...


class Database(Protocol):
    """One SQLite file."""

    def load_table(self, table: str, disposition: WriteDisposition, key: Sequence[str]) -> TableLoad:
        """Begin a load.

        Raises:
            PermanentError: the table has other columns, or the file is read-only.
            TransientError: the database is locked by another program.
        """
        ...

    def mark(self, run: str, node: str) -> Mark | None:
        """The last mark that a sink committed here in a run; None: it committed nothing."""
        ...

    def save_mark(self, mark: Mark) -> None:
        """Commit a mark alone, for sinks whose rows are elsewhere, such as in a file."""
        ...
