"""Where the next runs of sources begin (``sdk.Bookmark``), in ``workspace.db``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.storage.models import Models
    from etl_studio.storage.open_file import OpenFile

KEPT = 100
"""Bookmarks of one node: as many as things that it read lately, such as addresses with other parameters."""


@dataclass(frozen=True, slots=True)
class BookmarkRecord:
    """Where a node begins for one thing that it reads; ``at`` in seconds since the epoch."""

    node: str
    of: str
    value: Any
    shown: str
    run: str
    at: float


class Bookmarks:
    """The bookmarks of a workspace.

    Args:
        file, models: its database.
        folder: in which it is; pipeline files there are known also after all of it was moved.
    """

    def __init__(self, file: OpenFile, models: Models, folder: Path) -> None:
        self._file = file
        self._models = models
        self._folder = folder.resolve().parent

    def of(self, pipeline: Path, node: str | None = None) -> list[BookmarkRecord]:
        """Those of a pipeline file, or of one node of it."""
        model = self._models.bookmark
        query = model.select().where(self._chosen(pipeline, node)).order_by(model.node, model.at.desc())
        with self._file.translated():
            return [BookmarkRecord(row.node, row.of, row.value, row.shown, row.run, row.at) for row in query]

    def forget(self, pipeline: Path, node: str | None = None) -> int:
        """Remove them, so that the next run begins anew; how many there were."""
        with self._file.translated(), self._file.database.atomic():
            return int(self._models.bookmark.delete().where(self._chosen(pipeline, node)).execute())

    def keep(self, pipeline: Path, run: str, bookmarks: Mapping[str, Mapping[str, Any]]) -> None:
        """Put those of a run in the place of the ones before; called inside a transaction."""
        model = self._models.bookmark
        name = self._name(pipeline)
        for node, bookmark in bookmarks.items():
            model.replace(file=name, node=node, run=run, at=time.time(), **bookmark).execute()
            newest = model.select(model.of).where(self._chosen(pipeline, node)).order_by(model.at.desc()).limit(KEPT)
            model.delete().where(self._chosen(pipeline, node), model.of.not_in(newest)).execute()

    def _chosen(self, pipeline: Path, node: str | None) -> Any:
        model = self._models.bookmark
        mine = model.file == self._name(pipeline)
        return mine if node is None else mine & (model.node == node)

    def _name(self, pipeline: Path) -> str:
        path = pipeline.resolve()
        return (path.relative_to(self._folder) if path.is_relative_to(self._folder) else path).as_posix()
