"""What a table is, for lists and exports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table: its name, number of rows, and columns with SQLite's types."""

    name: str
    rows: int
    columns: dict[str, str]
