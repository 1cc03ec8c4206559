"""What runs leave for later ones (``sdk.memory.Memory``), in an SQLite file of the workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.storage.open_file import OpenFile

FILE = "memory.db"
_TABLE = "CREATE TABLE IF NOT EXISTS remembered (key TEXT PRIMARY KEY, facts TEXT NOT NULL) STRICT"


class Memory:
    """Facts under keys.

    Args:
        file: where they are.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        with file.translated():
            file.connection().execute(_TABLE)

    def remembered(self, key: str) -> dict[str, Any] | None:
        """What an earlier run kept under a key."""
        found = self._file.query("SELECT facts FROM remembered WHERE key = ?", (key,))
        return dict(json.loads(found[0][0])) if found else None

    def remember(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep facts for later runs."""
        with self._file.translated():
            self._file.connection().execute(
                "INSERT INTO remembered VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET facts = excluded.facts",
                (key, json.dumps(facts)),
            )
