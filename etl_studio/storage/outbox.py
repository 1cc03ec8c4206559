"""Requests that are committed together with the mark that tells of them, and sent afterwards.

The pattern is that of the transactional outbox (https://microservices.io/patterns/data/transactional-outbox.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.storage.marks import write_mark
from etl_studio.storage.queries import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.sdk import Mark
    from etl_studio.storage.open_file import OpenFile

TABLE = "_etl_outbox"


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
            file.connection().execute(
                f"CREATE TABLE IF NOT EXISTS main.{TABLE} (number INTEGER PRIMARY KEY AUTOINCREMENT, "
                "run TEXT NOT NULL, node TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, "
                "committed INTEGER NOT NULL DEFAULT 0)"
            )

    def stage(self, requests: Iterable[tuple[str, str]]) -> None:
        """Keep requests (idempotency key, body) that are not to be sent before ``commit``."""
        with self._file.translated(), self._file.database.atomic():
            self._file.connection().executemany(
                f"INSERT INTO main.{TABLE} (run, node, key, body) VALUES (?, ?, ?, ?)",  # noqa: S608 - our name
                ((*self._owner, key, body) for key, body in requests),
            )

    def commit(self, mark: Mark | None) -> None:
        """What is staged may be sent from now on, also after a crash; in one transaction with the mark."""
        with self._file.translated(), self._file.database.atomic():
            self._run("UPDATE main.{table} SET committed = 1 WHERE run = ? AND node = ?")
            if mark is not None:
                write_mark(self._file.connection(), mark)

    def next(self) -> tuple[int, str, str] | None:
        """The oldest committed request: number, key, body."""
        with self._file.translated():
            found = rows(
                self._file.connection(),
                f"SELECT number, key, body FROM main.{TABLE} "  # noqa: S608 - our name
                "WHERE run = ? AND node = ? AND committed ORDER BY number LIMIT 1",
                self._owner,
            )
        return found[0] if found else None

    def sent(self, number: int) -> None:
        """A request has arrived and need not be sent again."""
        with self._file.translated(), self._file.database.atomic():
            self._file.connection().execute(
                f"DELETE FROM main.{TABLE} WHERE number = ?",  # noqa: S608 - our name
                (number,),
            )

    def discard(self) -> None:
        """Forget what is staged and not committed."""
        with self._file.translated(), self._file.database.atomic():
            self._run("DELETE FROM main.{table} WHERE run = ? AND node = ? AND NOT committed")

    def _run(self, sql: str) -> None:
        self._file.connection().execute(sql.format(table=TABLE), self._owner)
