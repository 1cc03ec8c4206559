"""Requests that are committed together with the mark that tells of them, and sent afterwards.

The pattern is that of the transactional outbox (https://microservices.io/patterns/data/transactional-outbox.html).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from etl_studio.sdk.database import Outgoing
from etl_studio.storage.marks import write_mark
from etl_studio.storage.queries import Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etl_studio.sdk import Mark
    from etl_studio.storage.open_file import OpenFile

TABLE = "_etl_requests"
KEYS = "_etl_request_keys"
KEEP_SECONDS = 90 * 86_400
"""How long the key of a request is remembered that nobody knows to have arrived; as long as dead letters are."""

_TABLES = f"""
CREATE TABLE IF NOT EXISTS main.{TABLE} (
    number INTEGER PRIMARY KEY AUTOINCREMENT, place REAL NOT NULL, width REAL NOT NULL, run TEXT NOT NULL,
    node TEXT NOT NULL, key TEXT NOT NULL, rows BLOB NOT NULL, committed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS main.{TABLE}_in_order ON {TABLE} (run, node, place);
CREATE INDEX IF NOT EXISTS main.{TABLE}_by_key ON {TABLE} (key);
CREATE TABLE IF NOT EXISTS main.{KEYS} (
    key TEXT PRIMARY KEY, node TEXT NOT NULL, content BLOB NOT NULL, at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS main.{KEYS}_by_content ON {KEYS} (node, content);
"""


class Outbox:
    """What one sink of one run has to send (``sdk.Outbox``).

    Args:
        file: where it is kept.
        run, node: whose it is.
    """

    def __init__(self, file: OpenFile, run: str, node: str) -> None:
        self._file = file
        self._owner = (run, node)
        with file.translated(), file.database.atomic():
            file.connection().execute(_TABLES)
            old = time.time() - KEEP_SECONDS
            file.connection().execute(f"DELETE FROM main.{KEYS} WHERE at < ?", (old,))  # noqa: S608 - our name

    def stage(self, requests: Iterable[Outgoing]) -> None:
        """Keep requests that are not to be sent before ``commit``."""
        with self._file.translated(), self._file.database.atomic():
            [(last,)] = self._rows("SELECT coalesce(max(place), 0) FROM main.{table} WHERE run = ? AND node = ?")
            for number, one in enumerate(requests, 1):
                self._insert([(self._known(one), last + number, 1.0, 0)])

    def commit(self, mark: Mark | None) -> None:
        """What is staged may be sent from now on, also after a crash; in one transaction with the mark."""
        with self._file.translated(), self._file.database.atomic():
            self._run("UPDATE main.{table} SET committed = 1 WHERE run = ? AND node = ?")
            if mark is not None:
                write_mark(self._file.connection(), mark)

    def waiting(self, after: Outgoing | None, count: int) -> list[Outgoing]:
        """The next committed requests, in order."""
        place = -1.0 if after is None else after.place
        with self._file.translated():
            found = self._rows(
                "SELECT key, rows, number, place FROM main.{table} "
                "WHERE run = ? AND node = ? AND place > ? AND committed ORDER BY place LIMIT ?",
                place,
                count,
            )
        return [Outgoing(*one) for one in found]

    def staged(self, count: int) -> tuple[int, list[Outgoing]]:
        """How many requests wait for a commit, and the first of them."""
        with self._file.translated():
            owned = "FROM main.{table} WHERE run = ? AND node = ? AND NOT committed"
            [(number,)] = self._rows(f"SELECT count(*) {owned}")
            found = self._rows(f"SELECT key, rows, number, place {owned} ORDER BY place LIMIT ?", count)
        return number, [Outgoing(*one) for one in found]

    def settled(self, request: Outgoing, mark: Mark | None = None, *, again: bytes | None = None) -> None:
        """A request has come to its end and is not sent again; in one transaction with the mark."""
        with self._file.translated(), self._file.database.atomic():
            connection = self._file.connection()
            connection.execute(f"DELETE FROM main.{TABLE} WHERE number = ?", (request.number,))  # noqa: S608 - our name
            connection.execute(f"DELETE FROM main.{KEYS} WHERE key = ?", (request.key,))  # noqa: S608 - our name
            if again is not None:
                connection.execute(
                    f"INSERT INTO main.{KEYS} (key, node, content, at) VALUES (?, ?, ?, ?)",  # noqa: S608 - our name
                    (request.key, self._owner[1], again, time.time()),
                )
            if mark is not None:
                write_mark(connection, mark)

    def split(self, request: Outgoing, parts: Sequence[Outgoing]) -> list[Outgoing]:
        """Put parts in the place of a request."""
        with self._file.translated(), self._file.database.atomic():
            [(width,)] = self._file.query(f"SELECT width FROM main.{TABLE} WHERE number = ?", (request.number,))  # noqa: S608
            self._file.connection().execute(f"DELETE FROM main.{TABLE} WHERE number = ?", (request.number,))  # noqa: S608
            width /= len(parts)
            self._insert((one, request.place + width * number, width, 1) for number, one in enumerate(parts))
            found = self._rows(
                "SELECT key, rows, number, place FROM main.{table} WHERE run = ? AND node = ? AND place >= ? "
                "ORDER BY place LIMIT ?",
                request.place,
                len(parts),
            )
        return [Outgoing(*one) for one in found]

    def discard(self) -> None:
        """Forget what is staged and not committed."""
        with self._file.translated(), self._file.database.atomic():
            self._run("DELETE FROM main.{table} WHERE run = ? AND node = ? AND NOT committed")

    def _known(self, request: Outgoing) -> Outgoing:
        """The request, with the key of one of the same content that may have arrived."""
        if request.content is None:
            return request
        found = rows(
            self._file.connection(),
            f"SELECT key FROM main.{KEYS} AS old WHERE node = ? AND content = ? "  # noqa: S608 - our names
            f"AND NOT EXISTS (SELECT 1 FROM main.{TABLE} AS new WHERE new.key = old.key) LIMIT 1",
            (self._owner[1], request.content),
        )
        return replace(request, key=found[0][0]) if found else request

    def _insert(self, requests: Iterable[tuple[Outgoing, float, float, int]]) -> None:
        self._file.connection().executemany(
            f"INSERT INTO main.{TABLE} (run, node, key, rows, place, width, committed) "  # noqa: S608 - our name
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*self._owner, one.key, one.rows, place, width, done) for one, place, width, done in requests),
        )

    def _rows(self, sql: str, *more: float) -> list[Row]:
        return rows(self._file.connection(), sql.format(table=TABLE), (*self._owner, *more))

    def _run(self, sql: str) -> None:
        self._file.connection().execute(sql.format(table=TABLE), self._owner)
