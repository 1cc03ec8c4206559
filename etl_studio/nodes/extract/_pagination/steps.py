"""A page of an API, what asks for it, and the end of all pages; the settings that every pagination has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from etl_studio import sdk
from etl_studio.sdk.json_path import MISSING, find, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

SAFETY_LIMIT = 10_000
"""Pages after which a source without ``max_pages`` stops with an error: it hardly means to go on."""

NOTHING_FOLLOWS = (False, None, 0, "", "false", "False", "0")
"""How answers say that there is no more."""


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
        status: HTTP status.
        fetched_at: when it came (UTC).
        digest: equal for equal answers.
        action: what a response action does with it, if one means it.
        response: all that came.
    """

    number: int
    step: Step
    body: Any
    items: list[Any]
    seen: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    fetched_at: datetime | None = None
    digest: int = 0
    action: str | None = None
    response: sdk.HttpResponse | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """There is no further page. ``doubt`` tells what may be missing; it is shown as a warning.

    ``cut``: there may be more, which is not wanted.
    """

    reason: str
    doubt: str | None = None
    cut: bool = False


class Pages(sdk.Config):
    """What all paginations have; ``kind`` tells them apart."""

    kind: str
    send_in: Literal["query", "body", "header"] = sdk.setting(
        "query",
        title="Send in",
        description="Where the page's parameters go: the address, the JSON body of a POST (a dot leads into it, as in "
        "variables.after), or headers.",
        advanced=True,
    )
    max_pages: int | None = sdk.setting(
        None,
        title="Pages at most",
        description=f"Stop after so many pages; empty: all of them (an error after {SAFETY_LIMIT:,}).",
        ge=1,
        advanced=True,
    )
    max_items: int | None = sdk.setting(
        None, title="Items at most", description="Stop after so many items; empty: all of them.", ge=1, advanced=True
    )
    repeats: Literal["fail", "stop", "go_on"] = sdk.setting(
        "fail",
        title="A page that comes again",
        description="What to do when a page holds what an earlier one held: fail, since the API may lead in a circle; "
        "stop, where an API gives its last page again; or go on, where items may be equal.",
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

    def left(self, page: Page) -> int | None:
        """How many pages follow this one, as far as it tells; None: it does not."""
        del page
        return None

    def ahead(self, page: Page) -> Iterator[Step]:
        """What asks for the pages after this one, without having seen them; none where only they tell."""
        del page
        return iter(())


class NoPagination(Pages):
    """One request gives everything."""

    kind: Literal["none"] = "none"

    def after(self, page: Page) -> Step | End:
        """The end."""
        del page
        return End("the API has one page")


def told(path: str, setting: str, page: Page) -> Any:
    """A value that the first page must have; a later one may leave it out."""
    if page.number == 1:
        return find(page.body, path, setting=setting, source=sdk.shown_url(page.url))
    found = lookup(page.body, path)
    return None if found is MISSING else found


def absent(path: str, setting: str, page: Page) -> str | None:
    """A doubt about a path that even the first page lacks: it may be misspelt."""
    if page.number > 1:
        return None
    keys = ", ".join(map(str, page.body)) if isinstance(page.body, dict) else "no keys: it is a list"
    return f'The first page has no "{path}" ({setting}), so it is taken for the only one. It has: {keys}.'
