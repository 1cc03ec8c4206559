"""The pipelines that were opened last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings

KEY = "recent_files"
LIMIT = 10
BETWEEN = "\t"


@dataclass(frozen=True, slots=True)
class RecentFile:
    """A pipeline file that was opened.

    Attributes:
        path: the file; it may be gone.
        opened: when, in the time of this place; None where an older version has not noted it.
    """

    path: Path
    opened: datetime | None = None


class RecentFiles:
    """Remembers files between sessions, the newest first.

    Args:
        settings: where they are kept.
    """

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def entries(self) -> list[RecentFile]:
        """All of them, also those whose file is gone; does not look at the disk."""
        kept = self._settings.value(KEY) or []
        return [_entry(text) for text in ([kept] if isinstance(kept, str) else kept)]

    def paths(self) -> list[Path]:
        """Those that still exist."""
        return [entry.path for entry in self.entries() if entry.path.is_file()]

    def add(self, path: Path) -> None:
        """Put a file at the top."""
        path = path.resolve()
        self._keep([RecentFile(path, datetime.now().astimezone()), *self._others(path)])

    def remove(self, path: Path) -> None:
        """Forget a file."""
        self._keep(self._others(path))

    def clear(self) -> None:
        """Forget all."""
        self._settings.remove(KEY)

    def _others(self, path: Path) -> list[RecentFile]:
        return [entry for entry in self.entries() if entry.path != path]

    def _keep(self, entries: list[RecentFile]) -> None:
        self._settings.setValue(KEY, [_text(entry) for entry in entries[:LIMIT]])


def _entry(text: str) -> RecentFile:
    when, between, path = text.rpartition(BETWEEN)
    try:
        return RecentFile(Path(path), datetime.fromisoformat(when) if between else None)
    except ValueError:  # a tab in the name of a file that an older version has noted
        return RecentFile(Path(text))


def _text(entry: RecentFile) -> str:
    return f"{entry.opened.isoformat(timespec='seconds')}{BETWEEN}{entry.path}" if entry.opened else str(entry.path)
