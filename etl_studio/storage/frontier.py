"""The queue of a crawl in an SQLite file of its own: no load waits for it, and it goes with its run."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from etl_studio.errors import PermanentError
from etl_studio.sdk.frontier import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from etl_studio.sdk.frontier import Link
    from etl_studio.storage.open_file import OpenFile

_TABLES = """
CREATE TABLE IF NOT EXISTS link (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, host TEXT NOT NULL, url TEXT NOT NULL,
    depth INTEGER NOT NULL, parent INTEGER, kind TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS waiting ON link (host, number) WHERE NOT done;
CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Frontier:
    """The links of one source in one run (``sdk.frontier.Frontier``).

    Args:
        file: where they are kept; nobody else writes it.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._open = False
        with file.translated():
            file.connection().execute(_TABLES)

    def add(self, links: Iterable[Link]) -> int:
        """Put links at the end of their queues; how many were new."""
        with self._file.translated():
            self._begin()
            connection = self._file.connection()
            before = connection.total_changes()
            connection.executemany(
                "INSERT OR IGNORE INTO link (key, host, url, depth, parent, kind) VALUES (?, ?, ?, ?, ?, ?)",
                [(link.key, link.host, link.url, link.depth, link.parent, link.kind) for link in links],
            )
            return int(connection.total_changes() - before)

    def take(self, host: str, after: int, count: int) -> list[Visit]:
        """The oldest waiting links of a host with a number above ``after``."""
        found = self._file.query(
            "SELECT number, host, url, depth, (SELECT url FROM link AS page WHERE page.number = link.parent), kind "
            "FROM link WHERE NOT done AND host = ? AND number > ? ORDER BY number LIMIT ?",
            (host, after, count),
        )
        return [Visit(*row) for row in found]

    def hosts(self) -> dict[str, int]:
        """How many links wait for each host, those that came first in front."""
        return dict(
            self._file.query("SELECT host, count(*) FROM link WHERE NOT done GROUP BY host ORDER BY min(number)")
        )

    def commit(self, done: Iterable[int], entry: bytes | None, facts: Mapping[str, Any]) -> int:
        """Keep which links are done, what was given out for them, and facts; the number of the last entry."""
        with self._file.translated():
            self._begin()
            connection = self._file.connection()
            connection.executemany("UPDATE link SET done = 1 WHERE number = ?", [(number,) for number in done])
            if entry is not None:
                connection.execute("INSERT INTO entry (body) VALUES (?)", (entry,))
            connection.executemany(
                "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )
            connection.execute("COMMIT")
            self._open = False
        return int(self._file.query("SELECT coalesce(max(number), 0) FROM entry")[0][0])

    def entries(self, after: int) -> Iterator[tuple[int, bytes]]:
        """What was given out behind an entry, in order.

        Raises:
            PermanentError: that entry itself is not there.
        """
        if after and not self._file.query("SELECT 1 FROM entry WHERE number = ?", (after,)):
            raise PermanentError(
                "The queue of this crawl is gone, so it cannot go on from the middle.",
                hint="Undo its load and run again, or run again with write_disposition: merge.",
            )
        while found := self._file.query(
            "SELECT number, body FROM entry WHERE number > ? ORDER BY number LIMIT 1", (after,)
        ):
            after = found[0][0]
            yield after, found[0][1]

    def facts(self) -> dict[str, Any]:
        """The facts of the last commit."""
        return {name: json.loads(value) for name, value in self._file.query("SELECT name, value FROM fact")}

    def close(self) -> None:
        """Take back what was not committed."""
        if self._open:
            self._open = False
            with self._file.translated():
                self._file.connection().execute("ROLLBACK")

    def _begin(self) -> None:
        if not self._open:
            self._file.connection().execute("BEGIN IMMEDIATE")
            self._open = True


def open_frontier(open_file: Callable[[Path], OpenFile], folder: Path, run: str, node: str) -> Frontier:
    """Open or create the queue of a node in a run.

    Raises:
        PermanentError: the folder or a file cannot be made.
    """
    own = folder / run
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(f"The queue of the crawl cannot be kept in {own}: {error.strerror}.") from error
    name = quote(node, safe="")
    return Frontier(open_file(own / f"{name}.db"))


def forget_crawls(close_files: Callable[[Path], None], folder: Path, is_kept: Callable[[str], bool]) -> None:
    """Remove the queues of all runs that are not kept.

    Args:
        close_files: closes those in a folder.
        folder: of all crawls.
        is_kept: tells by the id of a run.
    """
    if not folder.is_dir():
        return
    for own in [each for each in folder.iterdir() if each.is_dir() and not is_kept(each.name)]:
        close_files(own)
        shutil.rmtree(own, ignore_errors=True)
