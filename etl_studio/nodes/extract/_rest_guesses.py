"""Follows what is guessed about the pages of an API, until the second page shows whether it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from etl_studio.nodes.extract import _pagination as paging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.nodes.extract._pagination import Page, Pages, Step
    from etl_studio.nodes.extract._pagination.auto import Guess
    from etl_studio.nodes.extract._rest_request import RequestBuilder

SECOND = 2
WRONG = (400, 404, 405, 414, 422)
"""Statuses of the second page that show that a guess was wrong."""


class Guesses:
    """The guesses about one API, the best first.

    Args:
        requests: what it was asked with.
        log: takes level and message.

    Attributes:
        settings: of the guess that is followed; None: none is.
    """

    def __init__(self, requests: RequestBuilder, log: Callable[..., None]) -> None:
        self.settings: Mapping[str, Any] | None = None
        self._requests = requests
        self._log = log
        self._left: list[Guess] = []
        self._first: Page | None = None

    def begin(self, pagination: Pages, first: Page, items: str) -> Pages:
        """What the first page tells, or the pagination itself where it tells nothing or nothing is to be guessed."""
        if not isinstance(pagination, paging.AutoPagination):
            return pagination
        asked = dict(parse_qsl(urlsplit(first.url).query))
        guesses = pagination.guesses(first, {**self._requests.params, **asked}, self._requests.body)
        self._left, self._first = list(guesses), first
        if items:
            self._log("info", f'The items are taken from "{items}" of the answer.')
        return self._follow(self._left.pop(0)) if self._left else pagination

    def resume(self, settings: Mapping[str, Any]) -> Pages:
        """What was found out before a run broke off."""
        self.settings = settings
        return paging.of(settings)

    def another(self, number: int, asked: set[Step]) -> tuple[Pages, Step] | None:
        """The next guess, and the second page by it, when a page shows that the last one was wrong.

        Args:
            number: of that page; only the second one tells.
            asked: what has been asked for.
        """
        while self._first is not None and number == SECOND and self._left:
            self._log("info", "The second page shows that this was wrong.")
            pagination = self._follow(self._left.pop(0))
            following = pagination.after(self._first)
            if isinstance(following, paging.Step) and following not in asked:
                return pagination, following
        return None

    def _follow(self, guess: Guess) -> Pages:
        settings = guess.pagination.model_dump(exclude={"kind"}, exclude_defaults=True)
        self.settings = {"kind": guess.pagination.kind, **settings}
        shown = ", ".join(f"{name}: {value}" for name, value in self.settings.items())
        self._log("info", f"Pages are found by {guess.why}. To keep that, write pagination: {{{shown}}}.")
        return guess.pagination
