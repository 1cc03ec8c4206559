"""One open SQLite file: Peewee on APSW, one connection per thread."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import apsw
from peewee import PeeweeException
from playhouse.apsw_ext import APSWDatabase

from etl_studio.storage.failures import translated

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

CLOSE_SECONDS = 5.0
CACHE_KIB = 16 * 1024
WAL_BYTES = 64 * 1024 * 1024
"""A larger log is cut back after it was copied into the database."""
CLOSED_WITH_ERROR = "A database was closed with an error: %s"
"""It is closed all the same; a log that could not be copied into it is read by the next one who opens it."""

logger = logging.getLogger(__name__)


class Connections(APSWDatabase):  # type: ignore[misc] # Peewee has no types
    """Peewee's database on APSW; knows the connections of all threads, and how each must be set up."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path
        self.live: WeakSet[apsw.Connection] = WeakSet()
        self._warned = False
        self._guard = threading.Lock()
        read_only = path.exists() and not path.stat().st_mode & 0o222
        flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        pragmas = {
            "foreign_keys": 1,
            "temp_store": "FILE",  # what is staged must not fill the memory
            "cache_size": -CACHE_KIB,
            "journal_size_limit": WAL_BYTES,
        }
        # IMMEDIATE: a deferred transaction that turns to writing fails at once, whatever the timeout.
        super().__init__(str(path), pragmas=pragmas, timeout=busy_timeout, lock_type="IMMEDIATE", flags=flags)

    def new_connection(self) -> apsw.Connection:
        """One besides those of the threads; ``close_all`` closes it, too."""
        return self._connect()

    def _connect(self) -> apsw.Connection:
        connection = self._open()
        try:
            # A misspelt column in double quotes must be an error, not a text.
            connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
            connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
            self._use_wal(connection)
            # A commit outlasts a power cut: the dead letters and checkpoints of one file belong to rows in another.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        with self._guard:
            self.live.add(connection)
        return connection

    def _open(self) -> apsw.Connection:
        with suppress(apsw.ReadOnlyError):
            connection: apsw.Connection = super()._connect()
            return connection
        # A write-ahead log needs files beside the database even to read it, unless nobody is going to write.
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(f"{self.path.as_uri()}?immutable=1", flags=flags)
        self._add_conn_hooks(connection)
        return connection

    def _use_wal(self, connection: apsw.Connection) -> bool:
        """Readers go on while a load is written. A file system that cannot do it keeps a rollback journal."""
        if connection.pragma("journal_mode") == "wal":
            return True
        if connection.readonly("main"):
            return False
        try:
            if connection.pragma("journal_mode", "wal") == "wal":
                return True
        except apsw.BusyError:
            return False
        except (apsw.ReadOnlyError, apsw.IOError, apsw.CantOpenError, apsw.ProtocolError) as error:
            reason = str(error)
        else:
            reason = "the file system does not allow it"
        if not self._warned:
            self._warned = True
            logger.warning("%s: no write-ahead log (%s); readers wait while a load is committed.", self.path, reason)
        return False

    def close_all(self) -> None:
        """Close the connections of all threads; a query that runs is interrupted."""
        with self._guard:
            live = list(self.live)
        for connection in live:
            _close(connection)
        self.dispose()


def _close(connection: apsw.Connection) -> None:
    """Close a connection that another thread may be using; its query is interrupted then."""
    until = time.monotonic() + CLOSE_SECONDS
    while True:
        try:
            connection.close()
        except apsw.ThreadingViolationError:
            if time.monotonic() > until:
                logger.warning("A query did not end; its database stays open.")
                return
            # Not before it is needed: it would also end the copying of the log that closing does.
            with suppress(apsw.Error):
                connection.interrupt()
            time.sleep(0.005)
            # An empty query takes the mark of the interruption away.
            with suppress(apsw.Error):
                connection.execute("SELECT 1").fetchall()
        except apsw.Error as error:
            logger.warning(CLOSED_WITH_ERROR, error)
            return
        else:
            return


class OpenFile:
    """One SQLite file, for use by any thread.

    Args:
        path: resolved path.
        busy_timeout: seconds to wait for another program's lock.

    Attributes:
        path: the file.
        database: Peewee's database, for models and queries.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path
        self.database = Connections(path, busy_timeout)
        self._watching = threading.Lock()
        self._watcher: apsw.Connection | None = None
        try:
            with self.translated():
                # Reading anything finds out whether it is a database at all.
                self.connection().execute("SELECT count(*) FROM main.sqlite_schema").fetchall()
        except BaseException:
            self.database.close_all()
            raise
        self._identity = self._stat()

    def connection(self) -> apsw.Connection:
        """This thread's connection; opened when it is not there yet."""
        connection: apsw.Connection = self.database.connection()
        return connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small SELECT.

        Raises:
            EtlError: what SQLite refused, in words.
        """
        with self.translated():
            return self.connection().execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: Sequence[Any] = (), rows: int = 10_000) -> Generator[list[tuple[Any, ...]]]:
        """The rows of a SELECT in lists of at most ``rows``. One snapshot; close the generator to end it early.

        Raises:
            EtlError: what SQLite refused, in words.
        """
        with self.translated():
            cursor = self.connection().cursor()
            try:
                cursor.execute(sql, parameters)
                while chunk := list(itertools.islice(cursor, rows)):
                    yield chunk
            finally:
                cursor.close(True)

    def translated(self) -> AbstractContextManager[None]:
        """Errors of SQLite inside the block become errors for people, with this file's name."""
        return translated(self.path)

    @property
    def is_read_only(self) -> bool:
        """Whether it may not be written."""
        return bool(self.connection().readonly("main"))

    def version(self) -> int:
        """Changes with every commit of any connection and program; of no use to another process."""
        with self._watching, self.translated():
            if self._watcher is None:
                # Such numbers can only be compared on one and the same connection, which itself writes nothing.
                self._watcher = self.database.new_connection()
            number: int = self._watcher.pragma("data_version")
            return number

    def is_current(self) -> bool:
        """Whether the path still leads to the file that is open."""
        return self._stat() == self._identity

    def release(self) -> None:
        """Close this thread's connection, with its temporary tables; the next call opens one anew."""
        if not self.database.is_closed():
            try:
                self.database.close()
            except (apsw.Error, PeeweeException) as error:
                logger.warning(CLOSED_WITH_ERROR, error)

    def close(self) -> None:
        """Close the connections of all threads."""
        self.database.close_all()

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
