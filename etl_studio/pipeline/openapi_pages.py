"""How an API cuts its items into pages, as far as its description says so; the rest is found out by its answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.openapi_schema import is_type

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES = {"page", "pagenumber", "pagenum", "pageno", "pageindex", "currentpage"}
OFFSETS = {"offset", "skip", "start", "startat", "startindex", "firstresult"}
CURSORS = {
    "cursor", "after", "pagetoken", "nexttoken", "nextpagetoken", "startingafter", "continuationtoken", "continuation",
    "marker", "nextcursor", "scrollid",
}  # fmt: skip
SIZES = {"limit", "perpage", "pagesize", "size", "maxresults", "take", "top", "itemsperpage", "count"}
_NEXT_CURSORS = {
    "nextcursor", "endcursor", "nextpagetoken", "nexttoken", "continuationtoken", "nextcontinuationtoken", "nextmarker",
    "nextpagecursor", "scrollid",
}  # fmt: skip
_HAS_MORE = {"hasmore", "hasnext", "hasnextpage", "moreavailable", "hasmoreitems"}
_TOTALS = {"total", "totalcount", "totalitems", "totalresults", "totalelements", "totalrecords", "numfound"}
LARGEST_SIZE = 1000
"""Items of a page that are asked for, at most, where an API allows more."""

Leaves = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Paging:
    """How pages follow each other.

    Attributes:
        setting: ``pagination`` of the source.
        params: those that it sends itself.
        doubt: what a person should check, as a sentence.
    """

    setting: dict[str, Any]
    params: frozenset[str] = frozenset()
    doubt: str = ""


def paging(params: Mapping[str, dict[str, Any]], leaves: Leaves, headers: Mapping[str, Any]) -> Paging:
    """What the description of an operation says.

    Args:
        params: schemas of the parameters of the query, by name.
        leaves: what an answer holds.
        headers: those of an answer.
    """
    whole = {name: schema for name, schema in params.items() if schema.get("type", "integer") in ("integer", "number")}
    page, offset, size = _named(whole, PAGES), _named(whole, OFFSETS), _named(whole, SIZES)
    cursor = _named(params, CURSORS)
    own = frozenset(name for name in (page, offset, cursor) if name)
    if any(str(name).lower() == "link" for name in headers):
        return Paging({"kind": "link"}, own)
    found = next((path for path, schema in leaves if path and _plain(path) in _NEXT_CURSORS), "")
    if cursor and found:
        return Paging({"kind": "cursor", "cursor": found, "cursor_param": cursor}, own)
    sized = {"size_param": size, "size": wanted_size(params[size]) or 100} if size else {}
    if offset and size:
        first = {"start": 1} if _first(params[offset]) == 1 else {}
        return Paging({"kind": "offset", "offset_param": offset, **first, **sized, **_rules(leaves)}, own | {size})
    if page:
        start = _first(params[page])
        doubt = "" if start is not None else "It is not said whether pages count from 0 or 1: check the first page."
        first = {"start": 1 if start is None else start}
        return Paging({"kind": "page", "page_param": page, **first, **sized, **_rules(leaves)}, own | {size}, doubt)
    return Paging({"kind": "auto"}, own)


def wanted_size(schema: Mapping[str, Any]) -> int | None:
    """As many items as a page may have, so that few requests are needed."""
    for word in ("maximum", "default", "example"):
        value = schema.get(word)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return min(value, LARGEST_SIZE)
    return None


def is_size(name: str) -> bool:
    """Whether a parameter most likely tells how many items a page has."""
    return _plain(name) in SIZES


def _rules(leaves: Leaves) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    for path, schema in leaves:
        if is_type(schema, "boolean") and _plain(path) in _HAS_MORE:
            rules.setdefault("has_more", path)
        if is_type(schema, "integer") and _plain(path) in _TOTALS:
            rules.setdefault("total", path)
    return rules


def _first(schema: Mapping[str, Any]) -> int | None:
    """The number of the first page, where it is told: a wrong one would leave out a page."""
    for word in ("default", "minimum"):
        value = schema.get(word)
        if isinstance(value, int) and not isinstance(value, bool) and value in (0, 1):
            return value
    return None


def _named(params: Mapping[str, Any], names: set[str]) -> str:
    return next((name for name in params if _plain(name) in names), "")


def _plain(path: str) -> str:
    """The last name of a path without what only spells it: ``meta.next_cursor`` is ``nextcursor``."""
    return re.sub(r"[_\-\[\]$]", "", path.rpartition(".")[2]).lower()
