"""The deliveries of a listening source in an SQLite file of its own, for all runs of its pipeline (``sdk.mailbox``)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from etl_studio.errors import PermanentError
from etl_studio.sdk.mailbox import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from etl_studio.storage.open_file import OpenFile

KEEP_IDS = 30 * 86_400
"""Seconds for which the id of a delivery is remembered."""
MOST_LETTERS = 200
"""Of the name of a file."""
_TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL, id TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known (id TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handed (
    run TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (run, last)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reader (
    one INTEGER PRIMARY KEY CHECK (one = 1), run TEXT NOT NULL, done INTEGER NOT NULL
) STRICT;
"""


class Mailbox:
    """What came for one source, and how far it was read.

    Args:
        file: where it is; nobody else writes it.
        keeps: deliveries may be taken, and runs remembered.
    """

    def __init__(self, file: OpenFile, *, keeps: bool = True) -> None:
        self.keeps = keeps
        self._file = file
        self._lock = threading.Lock()
        with file.translated():
            file.connection().execute(_TABLES)
        self._bytes = int(file.query("SELECT coalesce(sum(length(body)), 0) FROM delivery")[0][0])

    def put(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Keep deliveries durably; False for each whose id has come before."""
        new: list[bool] = []
        with self._file.translated(), self._file.database.atomic("IMMEDIATE"):
            connection = self._file.connection()
            for one in deliveries:
                if one.id:
                    connection.execute("INSERT OR IGNORE INTO known VALUES (?, ?)", (one.id, one.at))
                new.append(not one.id or connection.changes() == 1)
                if new[-1]:
                    connection.execute(
                        "INSERT INTO delivery (kind, body, at, id) VALUES (?, ?, ?, ?)",
                        (one.kind, one.body, one.at, one.id),
                    )
        with self._lock:
            self._bytes += sum(len(one.body) for one, is_new in zip(deliveries, new, strict=True) if is_new)
        return new

    def size(self) -> int:
        """Bytes of all bodies that are kept."""
        return self._bytes

    def take(self, after: int, count: int, most_bytes: int, until: int | None = None) -> list[Delivery]:
        """The deliveries behind a number, in order."""
        found: list[tuple[int, int]] = self._file.query(
            "SELECT number, length(body) FROM delivery WHERE number > ? AND number <= ? ORDER BY number LIMIT ?",
            (after, 2**62 if until is None else until, count),
        )
        last, size = after, 0
        for number, length in found:
            if size and size + length > most_bytes:
                break
            last, size = number, size + length
        rows: list[tuple[Any, ...]] = self._file.query(
            "SELECT kind, body, at, id, number FROM delivery WHERE number > ? AND number <= ? ORDER BY number",
            (after, last),
        )
        return [Delivery(*row) for row in rows]

    def begin(self, run: str) -> str | None:
        """Tell that a run begins to read; the run that read before, unless it is the same."""
        with self._file.translated(), self._file.database.atomic("IMMEDIATE"):
            connection = self._file.connection()
            before: list[Any] = connection.execute("SELECT run FROM reader").fetchall()
            connection.execute(
                "INSERT INTO reader VALUES (1, ?, 0) ON CONFLICT (one) DO UPDATE SET run = excluded.run", (run,)
            )
            connection.execute("DELETE FROM handed WHERE run <> ?", (run,))
            connection.execute("DELETE FROM known WHERE at < ?", (time.time() - KEEP_IDS,))
        return next((earlier for (earlier,) in before if earlier != run), None)

    def done(self) -> int:
        """Number up to which deliveries have been loaded."""
        found = self._file.query("SELECT done FROM reader")
        return int(found[0][0]) if found else 0

    def forget(self, number: int) -> None:
        """Deliveries up to a number have been loaded."""
        with self._file.translated(), self._file.database.atomic("IMMEDIATE"):
            connection = self._file.connection()
            size = "SELECT coalesce(sum(length(body)), 0) FROM delivery WHERE number <= ?"
            gone: list[Any] = connection.execute(size, (number,)).fetchall()
            connection.execute("DELETE FROM delivery WHERE number <= ?", (number,))
            connection.execute("DELETE FROM handed WHERE last < ?", (number,))
            connection.execute("UPDATE reader SET done = max(done, ?)", (number,))
        with self._lock:
            self._bytes -= gone[0][0]

    def group(self, run: str, last: int) -> None:
        """Remember that a run gives out deliveries up to a number together."""
        with self._file.translated():
            self._file.connection().execute("INSERT OR IGNORE INTO handed VALUES (?, ?)", (run, last))

    def groups(self, run: str, after: int) -> list[int]:
        """The last numbers of the groups of a run, behind a number."""
        found = self._file.query("SELECT last FROM handed WHERE run = ? AND last > ? ORDER BY last", (run, after))
        return [int(last) for (last,) in found]

    def release(self) -> None:
        """This thread has done with it."""
        self._file.release()


def mailbox_folder(workspace: Path, file: Path | None, name: str) -> Path:
    """Where the mailboxes of a pipeline are: the same in all its runs, also after the whole folder was moved.

    Args:
        workspace: folder of the workspace.
        file: the pipeline's file.
        name: of a pipeline without a file.
    """
    if file is not None:
        path, home = file.resolve(), workspace.resolve().parent
        name = (path.relative_to(home) if path.is_relative_to(home) else path).as_posix()
    return workspace / "mailboxes" / quote(name, safe="")[-MOST_LETTERS:]


def mailbox_file(folder: Path, node: str) -> Path:
    """The file of a node's mailbox."""
    return folder / f"{quote(node, safe='')[-MOST_LETTERS:]}.db"


def open_mailbox(open_file: Callable[[Path], OpenFile], folder: Path, node: str, *, keeps: bool) -> Mailbox:
    """Open or create the mailbox of a node.

    Raises:
        PermanentError: the folder or the file cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(f"Deliveries cannot be kept in {folder}: {error.strerror}.") from error
    return Mailbox(open_file(mailbox_file(folder, node)), keeps=keeps)
