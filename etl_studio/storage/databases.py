"""The SQLite files that this process has open: one library, one registry, one lock per file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError
from etl_studio.storage.failures import failures_of
from etl_studio.storage.studio_database import StudioDatabase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.sdk import WriteDisposition
    from etl_studio.storage.table_load import TableLoad

BUSY_SECONDS = 5.0


class SqliteFile:
    """One SQLite file (``sdk.Database``). Each thread works on a connection of its own.

    Args:
        path: the file; made if it is not there.
        busy_seconds: how long a statement waits for another program's lock.

    Raises:
        PermanentError: it cannot be opened.
        TransientError: another program holds the lock.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        if not path.parent.is_dir():
            raise PermanentError(
                f"The database {path} cannot be made: there is no folder {path.parent}.", hint="Create the folder."
            )
        self.peewee = StudioDatabase(path, busy_seconds)
        with failures_of(path):
            # Where WAL cannot work (some network folders), SQLite keeps the mode it has.
            self.peewee.execute_sql("PRAGMA journal_mode = WAL")

    def load_table(self, table: str, disposition: WriteDisposition, key: Sequence[str]) -> TableLoad:
        """Begin a load into a table; nothing is read or written before its first batch."""
        from etl_studio.storage.table_load import TableLoad

        return TableLoad(self.peewee, table, disposition, key)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of one statement."""
        with failures_of(self.path):
            return list(self.peewee.execute_sql(sql, tuple(parameters)))

    def release(self) -> None:
        """Close this thread's connection; the next statement opens one anew."""
        self.peewee.release()

    def close(self) -> None:
        """Close the connections of all threads. None may be in use."""
        self.release()
        for connection in tuple(self.peewee.connections):
            connection.close()
        self.peewee.connections.clear()


class Databases:
    """Opens files, each once.

    Args:
        busy_seconds: how long a statement waits for another program's lock.
    """

    def __init__(self, busy_seconds: float = BUSY_SECONDS) -> None:
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._files: dict[Path, SqliteFile] = {}

    def open(self, path: Path) -> SqliteFile:
        """The file at a path, opened or made.

        Raises:
            PermanentError: it cannot be opened.
            TransientError: another program holds the lock.
        """
        key = Path(path).resolve()
        with self._lock:
            if key not in self._files:
                self._files[key] = SqliteFile(key, self._busy_seconds)
            return self._files[key]

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()
