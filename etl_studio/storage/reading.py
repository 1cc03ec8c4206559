"""A look at an SQLite file that changes nothing in it: not a row, not its journal."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw
import apsw.ext

from etl_studio.errors import PermanentError
from etl_studio.storage.failures import translated

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOOK_EVERY = 20_000
"""Steps of SQLite's machine between two looks at the stop; some milliseconds."""
_ALLOWED = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE}


class Reader:
    """One SELECT after the other on a connection of its own (``sdk.Reader``)."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def columns(self, sql: str) -> list[tuple[str, str]]:
        """Names and declared types of what a SELECT gives; an expression has no type."""
        try:
            with translated(self._path):
                found = apsw.ext.query_info(self._connection, sql)
        except PermanentError as error:
            if isinstance(error.__cause__, apsw.AuthError):
                raise PermanentError("Only a SELECT may stand here.", hint="The file is read, never changed.") from None
            raise
        if found.query_remaining or not found.is_readonly:
            raise PermanentError("Only one SELECT may stand here.", hint="Take out what follows the semicolon.")
        return [(name, declared or "") for name, declared in found.description]

    def rows(self, sql: str, parameters: Sequence[Any], size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a SELECT in lists of at most ``size``; all of one snapshot."""
        with translated(self._path):
            cursor = self._connection.execute(sql, tuple(parameters))
        while True:
            with translated(self._path):
                found = list(itertools.islice(cursor, size))
            if not found:
                return
            yield found


@contextmanager
def reading(path: Path, busy_timeout: float, stopping: threading.Event) -> Iterator[Reader]:
    """Open a file for reading.

    Args:
        path: the file.
        busy_timeout: seconds to wait for another program's lock.
        stopping: ends a query that runs when it is set.

    Raises:
        PermanentError: there is no such file, it is no database, or it may not be read.
    """
    if not path.is_file():
        raise PermanentError(f"There is no database {path}.", hint="Check the path, or run first what makes it.")
    with translated(path):
        connection = _open(path)
    try:
        connection.set_busy_timeout(round(busy_timeout * 1000))
        connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        connection.set_authorizer(_allow)
        connection.set_progress_handler(stopping.is_set, LOOK_EVERY)
        yield Reader(connection, path)
    finally:
        connection.close(True)


def _open(path: Path) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.execute("SELECT count(*) FROM main.sqlite_schema").fetchall()
    except (apsw.ReadOnlyError, apsw.CantOpenError):
        # A write-ahead log needs files beside the database even to read it, unless nobody is going to write.
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(f"{path.as_uri()}?immutable=1", flags=flags)
        connection.execute("SELECT count(*) FROM main.sqlite_schema").fetchall()
    return connection


def _allow(action: int, *_: str | None) -> int:
    return apsw.SQLITE_OK if action in _ALLOWED else apsw.SQLITE_DENY
