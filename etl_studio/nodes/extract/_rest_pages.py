"""Reads an API page by page: asks, goes on, and knows when to stop."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract import _pagination as paging
from etl_studio.nodes.extract._rest_guesses import WRONG, Guesses
from etl_studio.nodes.extract._rest_probe import found_out, page_seen
from etl_studio.nodes.extract._rest_records import answered, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from etl_studio.nodes.extract._pagination import End, Page, Pages, Step
    from etl_studio.nodes.extract._rest_asking import Asker

EMPTY_PAGES = 10
"""Empty pages in a row after which an API that still tells of more is not believed."""

KNOWN = 4
"""Pages that are asked for at once by default, when it is known how many there are."""


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
        asker: asks for each page.
        pagination: how the pages follow each other.
        log: takes level and message.
        concurrency: pages that are asked for at once where it is known how; None: a few, where their number is known.
        probe: is told of each page, and tells when that is enough.

    Attributes:
        complete: it came to the end of all items, as far as the API tells.
    """

    def __init__(
        self,
        asker: Asker,
        pagination: Pages,
        log: Callable[..., None],
        concurrency: int | None = None,
        probe: sdk.Probe | None = None,
    ) -> None:
        self._probe = probe
        asker.answers.noting = probe is not None
        self._concurrency = concurrency
        self._asker = asker
        self._pagination = pagination
        self._log = log
        self._guesses = Guesses(asker.requests, log)
        self.complete = False

    def read(self, place: Mapping[str, Any] | None = None) -> Iterator[Turn | sdk.Rejected]:
        """Each page as it comes, and pages that did not come.

        Args:
            place: of a ``Turn``: the pages up to that one are left out.
        """
        try:
            yield from self._read(self._begin(place or {}))
        finally:
            self._asker.close()

    def _read(self, progress: _Progress) -> Iterator[Turn | sdk.Rejected]:
        goes_on = True
        while goes_on and not (self._probe is not None and self._probe.enough):
            progress.asked.add(progress.step)
            try:
                page = self._asker.ask(
                    progress.step, self._pagination.send_in, number=progress.number, seen=progress.seen
                )
            except TransientError as error:
                self._show_refused(progress)
                self._skip(progress, error)
                continue
            except PermanentError as error:
                if error.status not in WRONG or not self._guess_again(progress):
                    self._show_refused(progress)
                    raise
                continue
            yield from progress.missing
            progress.missing.clear()
            if page.action is not None:
                goes_on = yield from self._act(progress, page)
            elif self._repeats(progress, page):
                goes_on = self._guess_again(progress) or self._stop_at(progress, page)
            elif page.items or not self._guess_again(progress):
                goes_on = yield from self._take(progress, page)

    def _take(self, progress: _Progress, page: Page) -> Generator[Turn, None, bool]:
        """Give a page. Whether reading goes on behind it."""
        self._pagination = self._guesses.begin(self._pagination, page, self._asker.answers.path)
        page, following = self._judge(progress, page)
        self._show(page, following)
        if isinstance(following, paging.End):
            yield Turn(page, None)
            self._end(page.number, page.seen, following)
            return False
        yield Turn(page, self._place(following, page))
        self._go_on(progress, page, following)
        return True

    def _show(self, page: Page, following: Step | End | None) -> None:
        if self._probe is not None:
            request = self._asker.request(page.step, self._pagination.send_in)
            guessed = self._guesses.settings
            self._probe.see(page_seen(page, request, following, self._pagination, guessed, self._asker.answers.path))

    def _show_refused(self, progress: _Progress) -> None:
        """An answer that is an error, or cannot be read, is seen, too."""
        refused = self._asker.answers.refused
        if self._probe is not None and refused is not None:
            request = self._asker.request(progress.step, self._pagination.send_in)
            settings = found_out(self._guesses.settings, self._asker.answers.path)
            why = "this answer is an error, or cannot be read"
            self._probe.see(sdk.PageSeen(progress.number, request, refused, 0, why=why, settings=settings))

    def _stop_at(self, progress: _Progress, page: Page) -> bool:
        self._show(page, paging.End("it holds what a page before held"))
        if self._pagination.repeats == "fail":
            raise _loop(page, "it holds the same items as a page before")
        doubt = f"Page {page.number} came before; reading ends there."
        self._end(page.number - 1, progress.seen, paging.End("the API gave a page again", doubt))
        return False

    def _guess_again(self, progress: _Progress) -> bool:
        another = self._guesses.another(progress.number, progress.asked)
        if another is not None:
            self._pagination, progress.step = another
        return another is not None

    def _begin(self, place: Mapping[str, Any]) -> _Progress:
        if "pages" in place:
            self._pagination, self._asker.answers.path = self._guesses.resume(place["pages"]), place["items"]
        if "step" not in place:
            return _Progress(self._pagination.first())
        step = paging.Step(tuple((name, value) for name, value in place["step"]), place.get("url"))
        return _Progress(step, place["number"], place["seen"])

    def _act(self, progress: _Progress, page: Page) -> Generator[Turn | sdk.Rejected, None, bool]:
        """Whether reading goes on behind an answer that a response action means."""
        number = page.number
        if page.action == "stop":
            end = paging.End(f"page {number} is one that a response action stops at")
            self._show(page, end)
            self._end(number - 1, progress.seen, end)
            return False
        if page.action == "reject":
            yield missing(self._asks(progress), answered(page))
        following: Step | End | None = self._pagination.beyond(number)
        if following is None and page.body is not None:
            following = self._pagination.after(page)
        self._show(page, following)
        progress.empty += 1
        unknown = not isinstance(following, paging.Step)
        if unknown or progress.empty >= EMPTY_PAGES or number == self._pagination.max_pages:
            doubt = f"Page {number} was left out, and what follows it is not known." if unknown else None
            self._end(number, progress.seen, paging.End(f"page {number} is left out", doubt))
            return False
        assert isinstance(following, paging.Step)  # noqa: S101 - see above
        yield Turn(page, self._place(following, page))
        self._go_on(progress, page, following)
        return True

    def _asks(self, progress: _Progress) -> dict[str, Any]:
        """What asks for a page again, in a dead letter."""
        step, asks = progress.step, {"page": progress.number, "params": dict(progress.step.params)}
        asks |= {"url": sdk.shown_url(self._asker.requests.url), **self._asker.requests.facts}
        if step.url is not None:
            asks["next"] = self._asker.requests.kept_url(step.url)
            if asks["next"] is None:
                raise PermanentError(
                    f"Page {progress.number} cannot become a dead letter: its address holds what may be a secret.",
                    hint="Let the response action ignore it, or end the run.",
                )
        if self._guesses.settings is not None:
            asks |= {"items": self._asker.answers.path, "send_in": self._pagination.send_in}
        return asks

    def _skip(self, progress: _Progress, error: TransientError) -> None:
        """Go on with the page behind one that did not come: only that tells whether the site is down."""
        number = progress.number
        after = self._pagination.beyond(number)
        if after is None or progress.missing or number in (1, self._pagination.max_pages):
            raise error
        progress.missing = [missing(self._asks(progress), error)]
        progress.step, progress.number = after, number + 1
        progress.seen += len(progress.before)  # as many as on the page before, for the total

    def _repeats(self, progress: _Progress, page: Page) -> bool:
        same = bool(page.items) and (page.items == progress.before or page.digest in progress.bodies)
        return same and self._pagination.repeats != "go_on"

    def _judge(self, progress: _Progress, page: Page) -> tuple[Page, Step | End]:
        """The page, cut where enough has come, and what follows it."""
        pagination = self._pagination
        enough = pagination.max_items
        if enough is not None and page.seen >= enough:
            kept = page.items[: len(page.items) - (page.seen - enough)]
            return replace(page, items=kept, seen=enough), paging.End(f"at most {enough} items are wanted", cut=True)
        following = pagination.after(page)
        if page.number == pagination.max_pages and isinstance(following, paging.Step):
            following = paging.End(f"at most {page.number} pages are wanted", cut=True)
        progress.empty = 0 if page.items else progress.empty + 1
        if progress.empty >= EMPTY_PAGES and isinstance(pagination, paging.CountedPages):
            empty = f"{progress.empty} pages in a row are empty"
            following = paging.End(empty, f"The API tells of more, but {empty}.")
        return page, following

    def _go_on(self, progress: _Progress, page: Page, following: Step) -> None:
        if following in progress.asked:
            raise _loop(page, "it asks for a page that has already been read")
        if self._pagination.max_pages is None and page.number >= paging.steps.SAFETY_LIMIT:
            raise PermanentError(
                f"{sdk.shown_url(self._asker.requests.url)} still has more after {page.number} pages.",
                hint="If that is right, set max_pages of the pagination to a larger number.",
            )
        progress.step, progress.number, progress.seen = following, page.number + 1, page.seen
        progress.before = page.items
        if page.items:
            progress.bodies.add(page.digest)
        if self._asker.may_plan and (page.number > 1 or self._guesses.settings is None):
            self._plan(page)

    def _plan(self, page: Page) -> None:
        """Ask early for the pages that will follow, and for none behind the last one if that is known."""
        pagination, concurrency = self._pagination, self._concurrency
        left = pagination.left(page)
        if left is None and concurrency is None:
            return
        bounds = [left, None if pagination.max_pages is None else pagination.max_pages - page.number]
        if pagination.max_items is not None and page.items:
            bounds.append(-(-(pagination.max_items - page.seen) // len(page.items)))
        bounds.append(paging.steps.SAFETY_LIMIT)
        steps = islice(pagination.ahead(page), min(bound for bound in bounds if bound is not None))
        concurrency = KNOWN if concurrency is None else concurrency
        if concurrency > 1:
            self._asker.plan(steps, pagination.send_in, concurrency)

    def _place(self, following: Step, page: Page) -> Mapping[str, Any] | None:
        settings = self._guesses.settings
        guessed = {} if settings is None else {"pages": settings, "items": self._asker.answers.path}
        place = {"step": list(map(list, following.params)), "number": page.number + 1, "seen": page.seen, **guessed}
        if following.url is None:
            return place
        url = self._asker.requests.kept_url(following.url)
        return None if url is None else {**place, "url": url}

    def _end(self, pages: int, items: int, end: End) -> None:
        self.complete = not end.doubt and not end.cut
        self._log("info", f"Read {items} items on {pages} pages; the end: {end.reason}.")
        if end.doubt:
            self._log("warning", end.doubt)


def _loop(page: Page, why: str) -> PermanentError:
    return PermanentError(
        f"Page {page.number} of {sdk.shown_url(page.url)} leads in a circle: {why}.",
        hint="Check the names of the parameters and paths in the pagination; the API may ignore or rename one.",
    )
