"""The SQLite files that this process has open: one library, one object per file."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Self

from etl_studio.errors import PermanentError
from etl_studio.storage.open_file import OpenFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from etl_studio.sdk import Mark, WriteDisposition
    from etl_studio.storage.table_load import TableLoad

BUSY_SECONDS = 5.0


class SqliteFile(OpenFile):
    """One SQLite file as nodes see it (``sdk.Database``)."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        super().__init__(path, busy_timeout)
        self._numbers = itertools.count(1)

    def load_table(self, table: str, disposition: WriteDisposition, key: Sequence[str] = ()) -> TableLoad:
        """Begin a load; it must be written, committed and aborted by one and the same thread.

        Args:
            table: name of the target.
            disposition: append, replace or merge.
            key: for merge: columns that identify a row.

        Raises:
            PermanentError: the file is read-only, or the table may not be loaded.
            TransientError: the database is locked by another program.
        """
        from etl_studio.storage.table_load import TableLoad

        return TableLoad(self, table, disposition, key, next(self._numbers))

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

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            self._closed = True
            files, self._files = list(self._files.values()), {}
        for file in files:
            file.close()
