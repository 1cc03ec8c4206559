"""DuckDB's own syntax trees of SQL that people write; nothing runs."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any

from etl_studio.sdk import sandbox

KEPT = 2_000
"""Trees that are kept."""
NOWHERE = 2**64 - 1
"""Location of what the parser has made by itself."""


@lru_cache(maxsize=KEPT)
def syntax_tree(text: str) -> dict[str, Any]:
    """The tree of a text, as ``json_serialize_sql`` gives it, or its error. Locations are bytes in UTF-8.

    Trees are kept, since the same texts are looked at after every edit: nobody may change one.
    """
    cursor = _parser().cursor()
    try:
        row = cursor.execute("SELECT json_serialize_sql($1)", [text]).fetchone()
    finally:
        cursor.close()
    tree: dict[str, Any] = json.loads(row[0])
    return tree


@cache
def reserved_words() -> frozenset[str]:
    """Words that are no column's name without quotes."""
    cursor = _parser().cursor()
    try:
        rows = cursor.execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'")
        return frozenset(name for (name,) in rows.fetchall())
    finally:
        cursor.close()


@cache
def _parser() -> Any:
    """Opening a DuckDB costs 25 ms, too much for each key press; this one holds no data."""
    return sandbox(threads=1)
