"""A probe: a source of the web tells of its first pages, so that a person sees them before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.sdk.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class PageSeen:
    """One page that a probe saw. It may hold secrets: what shows it hides them.

    Attributes:
        number: 1, 2, ...
        request: what asked for it.
        response: what came.
        items: how many items it holds.
        answer: its content as JSON; None: it has none, or is something else.
        following: what asks for the next page, such as ``page=2`` or an address; empty: there is none.
        why: what tells so, or why it is the last one.
        settings: settings of the source that say what was found out; empty: nothing was.
    """

    number: int
    request: HttpRequest
    response: HttpResponse
    items: int
    answer: Any = field(default=None, repr=False)
    following: str = ""
    why: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class Probe:
    """Is given to a source, which tells it of each page and stops when that is enough.

    Args:
        pages: how many it wants to see.
        tell: gets each ``PageSeen``, in the thread of the source.
    """

    def __init__(self, pages: int, tell: Callable[[PageSeen], None]) -> None:
        self._left = pages
        self._tell = tell

    def see(self, page: PageSeen) -> None:
        """A page came."""
        if self._left > 0:
            self._left -= 1
            self._tell(page)

    @property
    def enough(self) -> bool:
        """Whether it wants no further page."""
        return self._left <= 0
