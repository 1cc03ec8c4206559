"""How a value is written in a cell."""

from __future__ import annotations

import json
from typing import Any

NULL = "null"
LONGEST, LONGEST_TIP = 300, 2_000


def cell_text(value: Any) -> str:
    """A value in one line, cut where no cell is that wide."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = value if isinstance(value, str) else str(value)
    return text[:LONGEST].replace("\r", "").replace("\n", " ⏎ ")


def tip_text(value: Any) -> str | None:
    """The whole text of a value that a cell may not hold; None for what is short."""
    text = cell_text(value)
    if not isinstance(value, str | dict | list) or len(text) < 40:  # noqa: PLR2004 - about a cell's width
        return None
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str, indent=2)
    return value if len(value) <= LONGEST_TIP else value[: LONGEST_TIP - 1] + "…"
