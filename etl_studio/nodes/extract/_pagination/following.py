"""Pages that lead to the next one: by a cursor, or by its address."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urljoin

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._pagination.steps import NOTHING_FOLLOWS, End, Page, Pages, Step, absent, told
from etl_studio.sdk.json_path import MISSING, lookup

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*\"?[^\";]*\bnext\b", re.IGNORECASE)


class CursorPagination(Pages):
    """Each answer holds a cursor that asks for the next page; none ends them."""

    kind: Literal["cursor"] = "cursor"
    cursor: str = sdk.setting(
        "next_cursor", title="Path of the cursor", description="Where the answer holds the next cursor.", min_length=1
    )
    cursor_param: str = sdk.setting("cursor", title="Parameter", description="Name of the cursor.", min_length=1)
    found_in: Literal["body", "header", "last_item"] = sdk.setting(
        "body",
        title="Cursor in",
        description="Where the cursor is: at a path of the body, in a header of that name, or at a path of the page's "
        "last item, such as id.",
        advanced=True,
    )
    has_more: str = sdk.setting(
        "", title="Path of has-more", description="Where the answer says whether more follows.", example="has_more"
    )

    def after(self, page: Page) -> Step | End:
        """The page of the answer's cursor."""
        if self.has_more and told(self.has_more, "pagination.has_more", page) in NOTHING_FOLLOWS:
            return End(f'"{self.has_more}" says that nothing follows')
        if self.found_in == "last_item" and not page.items:
            return End(f"page {page.number} is empty")
        cursor = self._found(page)
        is_id = self.found_in == "last_item" and cursor == 0  # in the body, 0 is how some APIs say that nothing follows
        if not is_id and cursor in (MISSING, None, "", False):
            doubt = _absent_value(self.found_in, self.cursor, "pagination.cursor", page) if cursor is MISSING else None
            if self.has_more:
                doubt = f'"{self.has_more}" says that more follows, but the answer has no cursor.'
            return End("the answer has no further cursor", doubt)
        if isinstance(cursor, dict | list):
            raise PermanentError(
                f'"{self.cursor}" in the answer of {sdk.shown_url(page.url)} is no cursor but nested.',
                hint="Write the path of the text or number inside it.",
                column="pagination.cursor",
                value=self.cursor,
            )
        return Step(((self.cursor_param, cursor),))

    def _found(self, page: Page) -> Any:
        if self.found_in == "header":
            return page.headers.get(self.cursor.lower(), MISSING)
        return lookup(page.items[-1] if self.found_in == "last_item" else page.body, self.cursor)


class LinkPagination(Pages):
    """Each answer holds the address of the next page: in a header, or in its body."""

    kind: Literal["link"] = "link"
    next: str = sdk.setting(
        "",
        title="Path of the next address",
        description="Where the body holds it; empty: in the Link header.",
        example="links.next",
    )
    found_in: Literal["body", "header"] = sdk.setting(
        "body",
        title="Address in",
        description="Where it is: at that path of the body, or in a header of that name.",
        advanced=True,
    )

    def after(self, page: Page) -> Step | End:
        """The page at the answer's next address."""
        if not self.next:
            target: Any = next_link(page.headers.get("link", ""))
        elif self.found_in == "header":
            target = page.headers.get(self.next.lower(), MISSING)
        else:
            target = lookup(page.body, self.next)
        if target is MISSING:
            return End(
                "the answer has no next address", _absent_value(self.found_in, self.next, "pagination.next", page)
            )
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


def _absent_value(found_in: str, name: str, setting: str, page: Page) -> str | None:
    if found_in != "header":
        return absent(name, setting, page)
    # Many APIs leave the header out on the last page, so only the first page is doubtful.
    return f'The first page has no header "{name}" ({setting}).' if page.number == 1 else None
