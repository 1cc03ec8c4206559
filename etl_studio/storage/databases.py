"""The SQLite files that this process has open: one library, one object per file."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Self

from etl_studio.errors import PermanentError
from etl_studio.sdk.database import UPSERT
from etl_studio.storage.open_file import OpenFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from etl_studio.sdk import Mark, WriteDisposition, WriteOptions
    from etl_studio.storage.frontier import Frontier
    from etl_studio.storage.mailbox import Mailbox
    from etl_studio.storage.memory import Memory
    from etl_studio.storage.outbox import Outbox
    from etl_studio.storage.reading import Reader
    from etl_studio.storage.table_load import TableLoad

BUSY_SECONDS = 5.0


class SqliteFile(OpenFile):
    """One SQLite file as nodes see it (``sdk.Database``)."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        super().__init__(path, busy_timeout)
        self._numbers = itertools.count(1)

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
        """Begin a load; it must be written, committed and aborted by one and the same thread.

        Args:
            table: name of the target.
            disposition: append, replace or merge.
            key: for merge: columns that identify a row.
            options: how rows are merged, and which of a key stay.
            run: who loads; a load that broke off goes on when the same node of the same run loads the same table again.
            node: which node of the run.

        Raises:
            PermanentError: the file is read-only, or the table may not be loaded.
            TransientError: the database is locked by another program.
        """
        from etl_studio.storage.loads import LoadSpec
        from etl_studio.storage.table_load import TableLoad

        kept = () if disposition == "append" else tuple(dict.fromkeys(key))
        spec = LoadSpec(table, disposition, kept, options, run, node)
        return TableLoad(self, spec, next(self._numbers))

    def outbox(self, run: str, node: str) -> Outbox:
        """What a sink has to send; made here when it is not there yet."""
        from etl_studio.storage.outbox import Outbox

        return Outbox(self, run, node)

    def mark(self, run: str, node: str) -> Mark | None:
        """The last mark that a sink committed here in a run."""
        from etl_studio.storage.marks import read_mark

        with self.translated():
            return read_mark(self.connection(), run, node)

    def save_mark(self, mark: Mark) -> None:
        """Commit a mark alone."""
        from etl_studio.storage.marks import write_mark

        with self.translated(), self.database.atomic():
            write_mark(self.connection(), mark)


class Databases:
    """The registry: whoever asks for a file gets the same object. Close it at the end.

    Args:
        busy_timeout: seconds to wait for another program's lock.
    """

    def __init__(self, busy_timeout: float = BUSY_SECONDS) -> None:
        self._busy_timeout = busy_timeout
        self._files: dict[Path, SqliteFile] = {}
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, path: Path) -> SqliteFile:
        """Open or create a file.

        Raises:
            PermanentError: no such folder, no database, no right to open it.
            TransientError: it is locked by another program.
        """
        path = path.resolve()
        with self._lock:
            if self._closed:
                raise PermanentError(f'The database "{path}" was closed meanwhile.', hint="Open it again.")
            file = self._files.get(path)
            if file is not None and not file.is_current():
                # Somebody removed or exchanged the file: what is written to the old one would be lost.
                file.close()
                file = None
            if file is None:
                file = self._files[path] = SqliteFile(path, self._busy_timeout)
            return file

    def reading(self, path: Path, stopping: threading.Event) -> AbstractContextManager[Reader]:
        """Open a file only to read it; nothing in it changes.

        Args:
            path: the file.
            stopping: ends a query that runs when it is set.

        Raises:
            PermanentError: there is no such file, it is no database, or it may not be read.
        """
        from etl_studio.storage.reading import reading

        return reading(path.resolve(), self._busy_timeout, stopping)

    def frontier(self, folder: Path, run: str, node: str) -> Frontier:
        """Open or create the queue of a crawl.

        Args:
            folder: of all crawls.
            run: whose it is.
            node: which source of the run.

        Raises:
            PermanentError: the folder or a file cannot be made.
        """
        from etl_studio.storage.frontier import open_frontier

        return open_frontier(self.open, folder, run, node)

    def has_mailbox(self, folder: Path, node: str) -> bool:
        """Whether a node has one."""
        from etl_studio.storage.mailbox import mailbox_file

        return mailbox_file(folder, node).exists()

    def mailbox(self, folder: Path, node: str, *, keeps: bool) -> Mailbox:
        """Open or create the mailbox of a node.

        Args:
            folder: of the mailboxes of a pipeline.
            node: which of its nodes.
            keeps: deliveries may be taken.

        Raises:
            PermanentError: the folder or the file cannot be made.
        """
        from etl_studio.storage.mailbox import open_mailbox

        return open_mailbox(self.open, folder, node, keeps=keeps)

    def memory(self, folder: Path) -> Memory:
        """Open what runs leave for later ones.

        Args:
            folder: of the workspace.

        Raises:
            PermanentError: it cannot be made.
        """
        from etl_studio.storage.memory import FILE, Memory

        return Memory(self.open(folder / FILE))

    def forget(self, folder: Path) -> None:
        """Close the files in a folder that is going to be removed."""
        with self._lock:
            gone = {path: file for path, file in self._files.items() if path.is_relative_to(folder.resolve())}
            for path in gone:
                del self._files[path]
        for file in gone.values():
            file.close()

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            self._closed = True
            files, self._files = list(self._files.values()), {}
        for file in files:
            file.close()
