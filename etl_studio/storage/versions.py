"""The local history of a pipeline file: earlier texts, kept in the workspace beside it."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from etl_studio.storage.models import Models
    from etl_studio.storage.open_file import OpenFile

Reason = Literal["found", "saved", "run", "reloaded"]

NEWEST = 100
"""So many of the last versions of a file are kept."""
DAYS = 30
"""For so many days the last version of each day is kept, too."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        file: name of the pipeline file, without its folder: the workspace moves with it.
        at: seconds since the epoch.
        why: ``found``: as it was before the first save here; ``run``: what was on the screen when a run began;
            ``reloaded``: what another program had written.
        digest: SHA-256 of its text.
    """

    id: int
    file: str
    at: float
    why: Reason
    digest: str


class Versions:
    """The versions of the pipeline files beside one workspace.

    Args:
        file: ``workspace.db``.
        models: its tables.
    """

    def __init__(self, file: OpenFile, models: Models) -> None:
        self._file = file
        self._version, self._text = models.version, models.version_text

    def keep(self, file: str, text: str, why: Reason, at: float | None = None) -> bool:
        """Keep a text, unless it is that of the newest version; whether it was kept. Old ones go.

        Raises:
            EtlError: the workspace cannot be written.
        """
        version = self._version
        digest = sha256(text.encode()).hexdigest()
        now = time.time() if at is None else at
        with self._file.translated(), self._file.database.atomic("IMMEDIATE"):
            newest = version.select().where(version.file == file).order_by(version.id.desc()).first()
            if newest is not None and newest.digest == digest:
                return False
            self._text.insert(digest=digest, content=zlib.compress(text.encode(), 6)).on_conflict_ignore().execute()
            version.create(file=file, at=now, why=why, digest=digest)
            self._prune(file, now)
        return True

    def of(self, file: str) -> list[Version]:
        """The versions of a file, the newest first."""
        version = self._version
        with self._file.translated():
            rows = version.select().where(version.file == file).order_by(version.id.desc())
            return [Version(row.id, row.file, row.at, row.why, row.digest) for row in rows]

    def text(self, digest: str) -> str:
        """The text of a version.

        Raises:
            UsageError: it is not kept any more.
        """
        text = self._text
        with self._file.translated():
            row = text.select().where(text.digest == digest).first()
        if row is None:
            raise UsageError("This version is not kept any more.", hint="Choose a newer one.")
        return zlib.decompress(row.content).decode()

    def _prune(self, file: str, now: float) -> None:
        version, text = self._version, self._text
        rows = list(version.select().where(version.file == file).order_by(version.id.desc()))
        days: set[int] = set()
        gone = []
        for number, row in enumerate(rows):
            day = int(row.at // DAY)
            is_last_of_day = day not in days
            days.add(day)
            if number >= NEWEST and not (is_last_of_day and row.at >= now - DAYS * DAY):
                gone.append(row.id)
        if gone:
            version.delete().where(version.id.in_(gone)).execute()
            text.delete().where(text.digest.not_in(version.select(version.digest))).execute()
