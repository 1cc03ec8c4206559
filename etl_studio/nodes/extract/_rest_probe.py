"""What a probe of an API is told of each page: the request, the answer, and how the next page is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.nodes.extract import _pagination as paging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.nodes.extract._pagination import End, Page, Pages, Step


def page_seen(  # noqa: PLR0913 - what there is to tell of a page
    page: Page,
    request: sdk.HttpRequest,
    following: Step | End | None,
    pagination: Pages,
    guessed: Mapping[str, Any] | None,
    items: str,
) -> sdk.PageSeen:
    """A page as a probe sees it.

    Args:
        page: what came.
        request: what asked for it.
        following: what follows it; None: it is not known.
        pagination: how pages follow each other.
        guessed: settings of that, where it was guessed.
        items: where the items are.
    """
    if isinstance(following, paging.Step):
        shown = following.url or "&".join(f"{name}={value}" for name, value in following.params)
        why = way(pagination)
    else:
        shown, why = "", "what follows is not known" if following is None else following.reason
    settings = found_out(guessed, items)
    assert page.response is not None  # noqa: S101 - every page that is read has one
    return sdk.PageSeen(page.number, request, page.response, len(page.items), page.body, shown, why, settings)


def found_out(guessed: Mapping[str, Any] | None, items: str) -> dict[str, Any]:
    """The settings of the source that say what was guessed; none where nothing was."""
    return {} if guessed is None else {"pagination": dict(guessed), "items": items}


def way(pagination: Pages) -> str:
    """What tells of the next page."""
    match pagination:
        case paging.CursorPagination(found_in="header"):
            return f'the cursor in the header "{pagination.cursor}", sent as "{pagination.cursor_param}"'
        case paging.CursorPagination(found_in="last_item"):
            return f'"{pagination.cursor}" of the last item, sent as "{pagination.cursor_param}"'
        case paging.CursorPagination():
            return f'the cursor in "{pagination.cursor}", sent as "{pagination.cursor_param}"'
        case paging.LinkPagination(next=""):
            return "the Link header"
        case paging.LinkPagination():
            return f'the next address in "{pagination.next}"'
        case paging.OffsetPagination():
            return f'the items before it, sent as "{pagination.offset_param}"'
        case paging.PagePagination():
            return f'the number of the page, sent as "{pagination.page_param}"'
    return ""
