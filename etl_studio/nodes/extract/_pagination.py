"""How an API cuts its items into pages: settings, the request for each page and the rules that stop."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.sdk.json_path import MISSING, find, lookup

SAFETY_LIMIT = 10_000
"""Pages after which a source without ``max_pages`` stops with an error: it hardly means to go on."""

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*\"?[^\";]*\bnext\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """What the request for a page adds: parameters, or another address. Equal steps ask for the same page."""

    params: tuple[tuple[str, Any], ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer.

    Attributes:
        number: 1, 2, ...
        step: what asked for it.
        body: the parsed answer.
        items: its items.
        seen: items of all pages so far, this one included.
        url: its address.
        headers: names in lower case.
    """

    number: int
    step: Step
    body: Any
    items: list[Any]
    seen: int
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """There is no further page. ``doubt`` tells what may be missing; it is shown as a warning."""

    reason: str
    doubt: str | None = None


class Pages(sdk.Config):
    """What all paginations have."""

    send_in: Literal["query", "body"] = sdk.setting(
        "query",
        title="Send in",
        description="Where the page's parameters go: the address, or the JSON body of a POST.",
        advanced=True,
    )
    max_pages: int | None = sdk.setting(
        None,
        title="At most",
        description=f"Stop after so many pages; empty: all of them (an error after {SAFETY_LIMIT:,}).",
        ge=1,
        advanced=True,
    )

    def first(self) -> Step:
        """What asks for the first page."""
        return Step()

    def after(self, page: Page) -> Step | End:
        """What asks for the page after this one, or the end."""
        raise NotImplementedError

    def beyond(self, number: int) -> Step | None:
        """What asks for the page behind the n-th without having seen that; None: nobody can tell."""
        del number
        return None


class NoPagination(Pages):
    """One request gives everything."""

    kind: Literal["none"] = "none"

    def after(self, page: Page) -> Step | End:
        """The end."""
        del page
        return End("the API has one page")


class _Counted(Pages):
    """Pages by number or offset: an empty page, ``has_more`` false or the total ends them."""

    has_more: str = sdk.setting(
        "", title="Path of has-more", description="Where the answer says whether more follows.", example="has_more"
    )
    total: str = sdk.setting(
        "", title="Path of the total", description="Where the answer tells the number of all items.", example="total"
    )

    def following(self, page: Page) -> Step:
        """What asks for the next page, if there is one."""
        raise NotImplementedError

    def after(self, page: Page) -> Step | End:
        """The following page, unless a rule says that this was the last."""
        total = _whole(_told(self.total, "pagination.total", page), page) if self.total else None
        if self.has_more and _told(self.has_more, "pagination.has_more", page) in (False, None, 0, "", "false"):
            return End(f'"{self.has_more}" says that nothing follows', _short(page, total))
        if total is not None and page.seen >= total:
            return End(f"all {total} items have come")
        if not page.items:
            return End(f"page {page.number} is empty", _short(page, total))
        return self.following(page)


class PagePagination(_Counted):
    """Pages by number: ``?page=1``, ``?page=2``, ..."""

    kind: Literal["page"] = "page"
    page_param: str = sdk.setting("page", title="Parameter", description="Name of the page's number.", min_length=1)
    start: int = sdk.setting(1, title="First page", description="Number of the first page.", ge=0)
    size_param: str = sdk.setting(
        "", title="Size parameter", description="Name of the number of items wanted.", example="per_page"
    )
    size: int = sdk.setting(100, title="Page size", description="Items wanted; sent with the size parameter.", ge=1)

    def first(self) -> Step:
        """The first page."""
        return self._step(self.start)

    def following(self, page: Page) -> Step:
        """The page with the next number."""
        return self._step(self.start + page.number)

    def beyond(self, number: int) -> Step | None:
        """The page with the next number."""
        return self._step(self.start + number)

    def _step(self, number: int) -> Step:
        size = ((self.size_param, self.size),) if self.size_param else ()
        return Step(((self.page_param, number), *size))


class OffsetPagination(_Counted):
    """Pages by the number of items before them: ``?offset=0&limit=100``, ``?offset=100&limit=100``, ..."""

    kind: Literal["offset"] = "offset"
    offset_param: str = sdk.setting("offset", title="Parameter", description="Name of the offset.", min_length=1)
    start: int = sdk.setting(0, title="First offset", description="Offset of the first item.", ge=0, advanced=True)
    size_param: str = sdk.setting("limit", title="Size parameter", description="Name of the number of items wanted.")
    size: int = sdk.setting(100, title="Page size", description="Items wanted; sent with the size parameter.", ge=1)

    def first(self) -> Step:
        """The first items."""
        return self._step(self.start)

    def following(self, page: Page) -> Step:
        """What follows the items that came: right also where the API gives fewer than were wanted."""
        return self._step(self.start + page.seen)

    def _step(self, offset: int) -> Step:
        size = ((self.size_param, self.size),) if self.size_param else ()
        return Step(((self.offset_param, offset), *size))


class CursorPagination(Pages):
    """Each answer holds a cursor that asks for the next page; none ends them."""

    kind: Literal["cursor"] = "cursor"
    cursor: str = sdk.setting(
        "next_cursor", title="Path of the cursor", description="Where the answer holds the next cursor.", min_length=1
    )
    cursor_param: str = sdk.setting("cursor", title="Parameter", description="Name of the cursor.", min_length=1)
    has_more: str = sdk.setting(
        "", title="Path of has-more", description="Where the answer says whether more follows.", example="has_more"
    )

    def after(self, page: Page) -> Step | End:
        """The page of the answer's cursor."""
        if self.has_more and _told(self.has_more, "pagination.has_more", page) in (False, None, 0, "", "false"):
            return End(f'"{self.has_more}" says that nothing follows')
        cursor = lookup(page.body, self.cursor)
        if cursor is MISSING:
            return End("the answer has no further cursor", _absent(self.cursor, "pagination.cursor", page))
        if cursor in (None, "", False):
            return End("the answer has no further cursor")
        if isinstance(cursor, dict | list):
            raise PermanentError(
                f'"{self.cursor}" in the answer of {sdk.shown_url(page.url)} is no cursor but nested.',
                hint="Write the path of the text or number inside it.",
                column="pagination.cursor",
                value=self.cursor,
            )
        return Step(((self.cursor_param, cursor),))


class LinkPagination(Pages):
    """Each answer holds the address of the next page: in the ``Link`` header (rel=next), or in its body."""

    kind: Literal["link"] = "link"
    next: str = sdk.setting(
        "",
        title="Path of the next address",
        description="Where the body holds it; empty: in the Link header.",
        example="links.next",
    )

    def after(self, page: Page) -> Step | End:
        """The page at the answer's next address."""
        target = lookup(page.body, self.next) if self.next else next_link(page.headers.get("link", ""))
        if target is MISSING:
            return End("the answer has no next address", _absent(self.next, "pagination.next", page))
        if target in (None, "", False):
            return End("the answer has no next address")
        if not isinstance(target, str):
            raise PermanentError(
                f'"{self.next}" in the answer of {sdk.shown_url(page.url)} is no address.',
                hint="Write the path of the text that holds the next address.",
                column="pagination.next",
                value=target,
            )
        return Step(url=urljoin(page.url, target))


def next_link(header: str) -> str | None:
    """The address with rel=next of a ``Link`` header, or None."""
    return next((url for url, facts in _LINK.findall(header) if _REL_NEXT.search(facts)), None)


def _told(path: str, setting: str, page: Page) -> Any:
    """A value that the first page must have; a later one may leave it out."""
    if page.number == 1:
        return find(page.body, path, setting=setting, source=sdk.shown_url(page.url))
    found = lookup(page.body, path)
    return None if found is MISSING else found


def _whole(value: Any, page: Page) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise PermanentError(
            f"The total in the answer of {sdk.shown_url(page.url)} is no number.",
            hint="Check the path of the total.",
            column="pagination.total",
            value=value,
        ) from None


def _short(page: Page, total: int | None) -> str | None:
    if total is None or page.seen >= total:
        return None
    return f"The API promised {total} items and gave {page.seen}."


def _absent(path: str, setting: str, page: Page) -> str | None:
    """A doubt about a path that even the first page lacks: it may be misspelt."""
    if page.number > 1:
        return None
    keys = ", ".join(map(str, page.body)) if isinstance(page.body, dict) else "no keys: it is a list"
    return f'The first page has no "{path}" ({setting}), so it is taken for the only one. It has: {keys}.'
