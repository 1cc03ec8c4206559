"""Peewee's database as the studio uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playhouse.apsw_ext import APSWDatabase

if TYPE_CHECKING:
    from pathlib import Path

    import apsw


class StudioDatabase(APSWDatabase):  # type: ignore[misc]  # Peewee has no types
    """Peewee's APSW database that remembers the connections of all threads, so that they can be closed."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        # Peewee's own lock type for atomic(): a deferred BEGIN fails at once when it turns into a write.
        pragmas = [("foreign_keys", 1), ("synchronous", "NORMAL"), ("cache_size", -16_384)]
        super().__init__(str(path), pragmas=pragmas, timeout=busy_seconds, lock_type="IMMEDIATE")
        self.path = path
        self.connections: set[apsw.Connection] = set()

    def _connect(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        self.connections.add(connection)
        return connection

    def _close(self, connection: apsw.Connection) -> None:
        self.connections.discard(connection)
        super()._close(connection)

    def release(self) -> None:
        """Close this thread's connection; the next statement opens one anew."""
        if not self.is_closed():
            self.close()
