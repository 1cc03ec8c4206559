"""Reads an API page by page: asks, goes on, and knows when to stop."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract import _pagination as paging
from etl_studio.nodes.extract._rest_answers import AnswerReader
from etl_studio.nodes.extract._rest_records import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etl_studio.nodes.extract._pagination import End, Page, Pages, Step
    from etl_studio.nodes.extract._pagination.auto import Guess
    from etl_studio.nodes.extract._rest_request import RequestBuilder

EMPTY_PAGES = 10
"""Empty pages in a row after which an API that still tells of more is not believed."""

SECOND = 2
WRONG_GUESS = (400, 404, 405, 414, 422)
"""Statuses of the second page that show that a guess at the pages was wrong."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A page that was read.

    Attributes:
        page: what came.
        place: JSON-ready: where to go on behind it; None: nowhere, or it would hold a secret.
    """

    page: Page
    place: Mapping[str, Any] | None


@dataclass(slots=True)
class _Progress:
    """How far reading has come.

    Attributes:
        step: what asks for the next page.
        number: its number.
        seen: items before it.
        asked: every step so far.
        bodies: hashes of the answers that held items.
        before: the items of the page before.
        empty: empty pages in a row.
        missing: the page that did not come, until the one behind it answers.
    """

    step: Step
    number: int = 1
    seen: int = 0
    asked: set[Step] = field(default_factory=set)
    bodies: set[int] = field(default_factory=set)
    before: list[Any] = field(default_factory=list)
    empty: int = 0
    missing: list[sdk.Rejected] = field(default_factory=list)


class PageReader:
    """Reads all pages of one address.

    Args:
        requests: makes the request of each page.
        pagination: how the pages follow each other.
        items: path of the items.
        client: sends the requests; one that fails is sent again by its policy, and by nobody else.
        log: takes level and message.
    """

    def __init__(
        self,
        requests: RequestBuilder,
        pagination: Pages,
        items: str,
        client: sdk.HttpClient,
        log: Callable[..., None],
    ) -> None:
        self._requests = requests
        self._pagination = pagination
        self._answers = AnswerReader(items, paged=pagination.kind != "none", finding=pagination.kind == "auto")
        self._client = client
        self._log = log
        self._guesses: list[Guess] = []
        self._guessed: Mapping[str, Any] | None = None
        self._first: Page | None = None

    def read(self, place: Mapping[str, Any] | None = None) -> Iterator[Turn | sdk.Rejected]:
        """Each page as it comes, and pages that did not come.

        Args:
            place: of a ``Turn``: the pages up to that one are left out.
        """
        progress = self._begin(place or {})
        while True:
            progress.asked.add(progress.step)
            try:
                page, body = self._ask(progress)
            except TransientError as error:
                self._skip(progress, error)
                continue
            except PermanentError as error:
                if not self._guess_again(progress, wrong=error.status in WRONG_GUESS):
                    raise
                continue
            yield from progress.missing
            progress.missing.clear()
            if self._repeats(progress, page, body):
                if self._guess_again(progress, wrong=True):
                    continue
                if self._pagination.repeats == "fail":
                    raise _loop(page, "it holds the same items as a page before")
                self._end(
                    page.number - 1,
                    progress.seen,
                    paging.End("the API gave a page again", f"Page {page.number} came before; reading ends there."),
                )
                return
            if not page.items and self._guess_again(progress, wrong=True):
                continue
            self._guess(page)
            page, following = self._judge(progress, page)
            if isinstance(following, paging.End):
                yield Turn(page, None)
                self._end(page.number, page.seen, following)
                return
            yield Turn(page, self._place(following, page))
            self._go_on(progress, page, following, body)

    def _begin(self, place: Mapping[str, Any]) -> _Progress:
        if "pages" in place:
            self._guessed, self._answers.path = place["pages"], place["items"]
            self._pagination = paging.of(place["pages"])
        if "step" not in place:
            return _Progress(self._pagination.first())
        step = paging.Step(tuple((name, value) for name, value in place["step"]), place.get("url"))
        return _Progress(step, place["number"], place["seen"])

    def _ask(self, progress: _Progress) -> tuple[Page, int]:
        request = self._requests.request(progress.step, self._pagination.send_in)
        if self._requests.leaves(progress.step):
            shown = sdk.shown_url(request.url)
            self._log("warning", f"The next page is on another site, {shown}: headers, parameters and body stay here.")
        response, answer = self._client.read(request, self._answers)
        items, number = answer.items, progress.number
        url = sdk.shown_url(response.url)
        self._log("debug", f"Page {number}: {len(items)} items.", url=url)
        seen = progress.seen + len(items)
        headers = dict(response.headers)
        page = paging.Page(number, progress.step, answer.body, items, seen, response.url, headers, response.status)
        return page, hash(response.content)

    def _skip(self, progress: _Progress, error: TransientError) -> None:
        """Go on with the page behind one that did not come: only that tells whether the site is down."""
        number = progress.number
        after = self._pagination.beyond(number)
        if after is None or progress.missing or number in (1, self._pagination.max_pages):
            raise error
        asks = {"page": number, "params": dict(progress.step.params), "url": sdk.shown_url(self._requests.url)}
        progress.missing = [missing(asks, error)]
        progress.step, progress.number = after, number + 1
        progress.seen += len(progress.before)  # as many as on the page before, for the total

    def _repeats(self, progress: _Progress, page: Page, body: int) -> bool:
        same = bool(page.items) and (page.items == progress.before or body in progress.bodies)
        return same and self._pagination.repeats != "go_on"

    def _judge(self, progress: _Progress, page: Page) -> tuple[Page, Step | End]:
        """The page, cut where enough has come, and what follows it."""
        pagination = self._pagination
        enough = pagination.max_items
        if enough is not None and page.seen >= enough:
            kept = page.items[: len(page.items) - (page.seen - enough)]
            return replace(page, items=kept, seen=enough), paging.End(f"at most {enough} items are wanted")
        following = pagination.after(page)
        if page.number == pagination.max_pages and isinstance(following, paging.Step):
            following = paging.End(f"at most {page.number} pages are wanted")
        progress.empty = 0 if page.items else progress.empty + 1
        if progress.empty >= EMPTY_PAGES and isinstance(pagination, paging.CountedPages):
            empty = f"{progress.empty} pages in a row are empty"
            following = paging.End(empty, f"The API tells of more, but {empty}.")
        return page, following

    def _go_on(self, progress: _Progress, page: Page, following: Step, body: int) -> None:
        if following in progress.asked:
            raise _loop(page, "it asks for a page that has already been read")
        if self._pagination.max_pages is None and page.number >= paging.steps.SAFETY_LIMIT:
            raise PermanentError(
                f"{sdk.shown_url(self._requests.url)} still has more after {page.number} pages.",
                hint="If that is right, set max_pages of the pagination to a larger number.",
            )
        progress.step, progress.number, progress.seen = following, page.number + 1, page.seen
        progress.before = page.items
        if page.items:
            progress.bodies.add(body)

    def _place(self, following: Step, page: Page) -> Mapping[str, Any] | None:
        guessed = {} if self._guessed is None else {"pages": self._guessed, "items": self._answers.path}
        place = {"step": list(map(list, following.params)), "number": page.number + 1, "seen": page.seen, **guessed}
        if following.url is None:
            return place
        url = self._requests.kept_url(following.url)
        return None if url is None else {**place, "url": url}

    def _end(self, pages: int, items: int, end: End) -> None:
        self._log("info", f"Read {items} items on {pages} pages; the end: {end.reason}.")
        if end.doubt:
            self._log("warning", end.doubt)

    def _guess(self, page: Page) -> None:
        """Find out from the first page how the others follow."""
        pagination = self._pagination
        if not isinstance(pagination, paging.AutoPagination):
            return
        asked = dict(parse_qsl(urlsplit(page.url).query))
        guesses = pagination.guesses(page, {**self._requests.params, **asked}, self._requests.body)
        self._guesses, self._first = list(guesses), page
        if self._answers.path:
            self._log("info", f'The items are taken from "{self._answers.path}" of the answer.')
        if self._guesses:
            self._follow(self._guesses.pop(0))

    def _guess_again(self, progress: _Progress, *, wrong: bool) -> bool:
        """Whether the second page shows that the guess was wrong, and another guess leads to another second page."""
        while wrong and self._first is not None and progress.number == SECOND and self._guesses:
            self._log("info", "The second page shows that this was wrong.")
            self._follow(self._guesses.pop(0))
            following = self._pagination.after(self._first)
            if isinstance(following, paging.Step) and following not in progress.asked:
                progress.step = following
                return True
        return False

    def _follow(self, guess: Guess) -> None:
        kind, settings = guess.pagination.kind, guess.pagination.model_dump(exclude={"kind"}, exclude_defaults=True)
        self._pagination, self._guessed = guess.pagination, {"kind": kind, **settings}
        shown = ", ".join(f"{name}: {value}" for name, value in self._guessed.items())
        self._log("info", f"Pages are found by {guess.why}. To keep that, write pagination: {{{shown}}}.")


def _loop(page: Page, why: str) -> PermanentError:
    return PermanentError(
        f"Page {page.number} of {sdk.shown_url(page.url)} leads in a circle: {why}.",
        hint="Check the names of the parameters and paths in the pagination; the API may ignore or rename one.",
    )
