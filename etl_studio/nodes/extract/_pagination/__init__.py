"""How an API cuts its items into pages: settings, the request for each page and the rules that stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.nodes.extract._pagination.auto import AutoPagination
from etl_studio.nodes.extract._pagination.counted import CountedPages, OffsetPagination, PagePagination
from etl_studio.nodes.extract._pagination.following import CursorPagination, LinkPagination
from etl_studio.nodes.extract._pagination.steps import SAFETY_LIMIT, End, NoPagination, Page, Pages, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SAFETY_LIMIT",
    "AutoPagination",
    "CountedPages",
    "CursorPagination",
    "End",
    "LinkPagination",
    "NoPagination",
    "OffsetPagination",
    "Page",
    "PagePagination",
    "Pages",
    "Step",
    "of",
]

_KINDS: dict[str, type[Pages]] = {
    kind.model_fields["kind"].default: kind
    for kind in (NoPagination, PagePagination, OffsetPagination, CursorPagination, LinkPagination, AutoPagination)
}


def of(settings: Mapping[str, Any]) -> Pages:
    """The pagination with these settings, of which ``kind`` is one."""
    return _KINDS[settings["kind"]].model_validate(settings)
