"""Pages that are counted: by number, or by the items before them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._pagination.steps import NOTHING_FOLLOWS, End, Page, Pages, Step, told

if TYPE_CHECKING:
    from collections.abc import Iterator


class CountedPages(Pages):
    """Pages by number or offset. ``has_more``, the total, or an empty page ends them, whichever comes first.

    Where the answer says that more follows, neither the total nor a short page is believed: totals may be capped.
    """

    has_more: str = sdk.setting(
        "", title="Path of has-more", description="Where the answer says whether more follows.", example="has_more"
    )
    total: str = sdk.setting(
        "",
        title="Path of the total",
        description="Where the answer tells the number of all items, or of all pages.",
        example="total",
    )
    total_of: Literal["items", "pages"] = sdk.setting(
        "items", title="Total of", description="What the total counts.", advanced=True
    )
    total_in: Literal["body", "header"] = sdk.setting(
        "body",
        title="Total in",
        description="Where the total is: at a path of the body, or in a header of that name, such as X-Total-Count.",
        advanced=True,
    )
    size: int = sdk.setting(100, title="Page size", description="Items wanted; sent with the size parameter.", ge=1)
    stop_on_short: bool = sdk.setting(
        False,
        title="A short page is the last",
        description="Stop at a page with fewer items than the page size. Not every API fills its pages.",
        advanced=True,
    )

    def place(self, pages: int, items: int) -> Step:
        """What asks for the page behind so many pages with so many items."""
        raise NotImplementedError

    def first(self) -> Step:
        """The first page."""
        return self.place(0, 0)

    def after(self, page: Page) -> Step | End:
        """The following page, unless a rule says that this was the last."""
        total = self._total(page)
        more = told(self.has_more, "pagination.has_more", page) if self.has_more else None
        if self.has_more and more in NOTHING_FOLLOWS:
            return End(f'"{self.has_more}" says that nothing follows', self._doubt(page, total))
        if not self.has_more and total is not None and self._reached(page, total):
            return End(f"all {total} {self.total_of} have come")
        following = self.place(page.number, page.seen)
        if not page.items and self.has_more:
            if following == page.step:  # an offset does not move without items
                return End(f"page {page.number} is empty", f"Page {page.number} is empty, though more should follow.")
            return following
        if not page.items:
            return End(f"page {page.number} is empty", self._doubt(page, total))
        if self.stop_on_short and not self.has_more and len(page.items) < self.size:
            return End(
                f"page {page.number} has {len(page.items)} items and is shorter than {self.size}",
                self._doubt(page, total),
            )
        return following

    def left(self, page: Page) -> int | None:
        """By the total, as long as pages are as full as this one."""
        total = self._total(page)
        if total is None:
            return None
        if self.total_of == "pages":
            return max(0, total - page.number)
        return -(-max(0, total - page.seen) // len(page.items)) if page.items else None

    def ahead(self, page: Page) -> Iterator[Step]:
        """Every further page, should all be as full as this one."""
        full = len(page.items)
        return (self.place(page.number + done, page.seen + done * full) for done in count())

    def _reached(self, page: Page, total: int) -> bool:
        return (page.seen if self.total_of == "items" else page.number) >= total

    def _total(self, page: Page) -> int | None:
        if not self.total:
            return None
        if self.total_in == "header":
            value: Any = page.headers.get(self.total.lower())
            if value is None and page.number == 1:
                raise PermanentError(
                    f'The answer of {sdk.shown_url(page.url)} has no header "{self.total}".',
                    hint="Check the name of the header with the total.",
                    column="pagination.total",
                    value=self.total,
                )
        else:
            value = told(self.total, "pagination.total", page)
        if value is None:
            return None
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            raise PermanentError(
                f"The total in the answer of {sdk.shown_url(page.url)} is no number.",
                hint="Check the path of the total.",
                column="pagination.total",
                value=value,
            ) from None

    def _doubt(self, page: Page, total: int | None) -> str | None:
        if total is None or self._reached(page, total):
            return None
        given = page.seen if self.total_of == "items" else page.number
        return f"The API promised {total} {self.total_of} and gave {given}."


class PagePagination(CountedPages):
    """Pages by number: ``?page=1``, ``?page=2``, ..."""

    kind: Literal["page"] = "page"
    page_param: str = sdk.setting("page", title="Parameter", description="Name of the page's number.", min_length=1)
    start: int = sdk.setting(1, title="First page", description="Number of the first page.", ge=0)
    size_param: str = sdk.setting(
        "", title="Size parameter", description="Name of the number of items wanted.", example="per_page"
    )

    def place(self, pages: int, items: int) -> Step:
        """The page with the next number."""
        del items
        size = ((self.size_param, self.size),) if self.size_param else ()
        return Step(((self.page_param, self.start + pages), *size))

    def beyond(self, number: int) -> Step | None:
        """The page with the next number."""
        return self.place(number, 0)


class OffsetPagination(CountedPages):
    """Pages by the number of items before them: ``?offset=0&limit=100``, ``?offset=100&limit=100``, ..."""

    kind: Literal["offset"] = "offset"
    offset_param: str = sdk.setting("offset", title="Parameter", description="Name of the offset.", min_length=1)
    start: int = sdk.setting(0, title="First offset", description="Offset of the first item.", ge=0, advanced=True)
    size_param: str = sdk.setting("limit", title="Size parameter", description="Name of the number of items wanted.")

    def place(self, pages: int, items: int) -> Step:
        """What follows the items that came: right also where the API gives fewer than were wanted."""
        del pages
        size = ((self.size_param, self.size),) if self.size_param else ()
        return Step(((self.offset_param, self.start + items), *size))
