"""The pipelines that were opened last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings

KEY = "recent_files"
LIMIT = 10


class RecentFiles:
    """Remembers files between sessions, the newest first.

    Args:
        settings: where they are kept.
    """

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def paths(self) -> list[Path]:
        """Those that still exist."""
        kept = self._settings.value(KEY) or []
        texts = [kept] if isinstance(kept, str) else kept
        return [Path(text) for text in texts if Path(text).is_file()]

    def add(self, path: Path) -> None:
        """Put a file at the top."""
        path = path.resolve()
        others = [other for other in self.paths() if other != path]
        self._settings.setValue(KEY, [str(item) for item in [path, *others][:LIMIT]])

    def clear(self) -> None:
        """Forget all."""
        self._settings.remove(KEY)
