"""What the last runs of a pipeline saw of the web (``engine.http_changes``), in an SQLite file of the workspace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from etl_studio.engine.http_changes import PageState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.storage.databases import Databases
    from etl_studio.storage.open_file import OpenFile

FILE = "pages.db"
KEPT_SECONDS = 365 * 86_400
"""A page that no run has asked for in that time is forgotten."""

_TABLE = """
CREATE TABLE IF NOT EXISTS page (
    pipeline TEXT NOT NULL, node TEXT NOT NULL, key BLOB NOT NULL, etag TEXT, last_modified TEXT, body BLOB NOT NULL,
    seen_at REAL NOT NULL, PRIMARY KEY (pipeline, node, key)
) STRICT, WITHOUT ROWID
"""


class PipelinePages:
    """The pages of one pipeline file (``engine.http_changes.PageMemory``). The file is made when there is something.

    Args:
        databases: opens it.
        folder: the workspace; pipeline files beside it are known also after all of it was moved.
        pipeline: the pipeline file.
    """

    def __init__(self, databases: Databases, folder: Path, pipeline: Path) -> None:
        self._databases = databases
        self._path = folder.resolve() / FILE
        beside, path = folder.resolve().parent, pipeline.resolve()
        self._pipeline = (path.relative_to(beside) if path.is_relative_to(beside) else path).as_posix()

    def find(self, node: str, key: bytes) -> PageState | None:
        """The state of an answer, if the last run that went well had it."""
        if not self._path.is_file():
            return None
        found = self._open().query(
            "SELECT etag, last_modified, body FROM page WHERE pipeline = ? AND node = ? AND key = ?",
            (self._pipeline, node, key),
        )
        return PageState(*found[0]) if found else None

    def keep(self, node: str, states: Mapping[bytes, PageState]) -> None:
        """Keep what a run has seen that went well."""
        file, now = self._open(), time.time()
        rows = (
            (self._pipeline, node, key, state.etag, state.last_modified, state.body, now)
            for key, state in states.items()
        )
        with file.translated(), file.database.atomic():
            connection = file.connection()
            connection.executemany("INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("DELETE FROM page WHERE seen_at < ?", (now - KEPT_SECONDS,))

    def known(self) -> list[tuple[str, int, float]]:
        """Of each node: its id, how many answers are known, and when the last was seen (seconds since the epoch)."""
        if not self._path.is_file():
            return []
        sql = "SELECT node, count(*), max(seen_at) FROM page WHERE pipeline = ? GROUP BY node ORDER BY node"
        return [(node, number, at) for node, number, at in self._open().query(sql, (self._pipeline,))]

    def forget(self, node: str | None = None) -> None:
        """Let the next run take every page of the pipeline, or of a node, as new."""
        if not self._path.is_file():
            return
        file = self._open()
        with file.translated(), file.database.atomic():
            sql = "DELETE FROM page WHERE pipeline = ? AND node = coalesce(?, node)"
            file.connection().execute(sql, (self._pipeline, node))

    def _open(self) -> OpenFile:
        file = self._databases.open(self._path)
        with file.translated():
            file.connection().execute(_TABLE)
        return file
