"""Asks an API for one page after the other, and for those behind it early where it is known how."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import tee
from typing import TYPE_CHECKING

from etl_studio import sdk
from etl_studio.nodes.extract._pagination import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etl_studio.errors import PermanentError, TransientError
    from etl_studio.nodes.extract._pagination import Step
    from etl_studio.nodes.extract._rest_answers import Answer, AnswerReader
    from etl_studio.nodes.extract._rest_request import RequestBuilder


class Asker:
    """Asks for pages.

    Args:
        client: sends the requests; one that fails is sent again by its policy, and by nobody else.
        requests: makes them.
        answers: reads what comes.
        log: takes level and message.
        unchanged: what to do with an answer that is as in the last run.
    """

    def __init__(
        self,
        client: sdk.HttpClient,
        requests: RequestBuilder,
        answers: AnswerReader,
        log: Callable[..., None],
        unchanged: sdk.Unchanged = "take",
    ) -> None:
        self.requests = requests
        self.answers = answers
        self._client = client
        self._log = log
        self._unchanged = unchanged
        self._early: Iterator[tuple[sdk.HttpResponse, Answer] | TransientError | PermanentError] | None = None
        self._expected: Iterator[Step] = iter(())
        self._missed = False

    @property
    def may_plan(self) -> bool:
        """Whether pages may be asked for early: none are, and no plan was wrong before."""
        return self._early is None and not self._missed

    def plan(self, steps: Iterator[Step], send_in: str, concurrency: int) -> None:
        """Ask early for pages that will most likely be asked for, in this order."""
        asked, self._expected = tee(steps)
        requests = (self.request(step, send_in) for step in asked)
        self._early = self._client.read_many(requests, self.answers, concurrency=concurrency)

    def close(self) -> None:
        """Ask for nothing any more."""
        early, self._early = self._early, None
        close = getattr(early, "close", None)
        if close is not None:
            close()

    def ask(self, step: Step, send_in: str, *, number: int = 1, seen: int = 0) -> Page:
        """Ask for a page and wait.

        Args:
            step: what asks for it.
            send_in: where its parameters go.
            number: of the page.
            seen: items on the pages before it.
        """
        if self.requests.leaves(step):
            shown = sdk.shown_url(step.url or "")
            self._log("warning", f"The next page is on another site, {shown}: headers, parameters and body stay here.")
        response, answer = self._outcome(step, send_in)
        if response.unchanged:
            shown = sdk.shown_url(response.url)
            self._log("info", f"{shown} has not changed: its items were left out.", url=shown)
        self._log("debug", f"Page {number}: {len(answer.items)} items.", url=sdk.shown_url(response.url))
        return Page(
            number,
            step,
            answer.body,
            answer.items,
            seen + len(answer.items),
            response.url,
            dict(response.headers),
            response.status,
            datetime.now(UTC),
            hash(response.content),
            answer.action,
            response,
        )

    def _outcome(self, step: Step, send_in: str) -> tuple[sdk.HttpResponse, Answer]:
        if self._early is not None:
            expected = next(self._expected, None)
            if expected == step:
                outcome = next(self._early)
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome
            # Either all that were planned have come, or the API gave other pages than expected.
            self._missed = expected is not None
            self.close()
        return self._client.read(self.request(step, send_in), self.answers)

    def request(self, step: Step, send_in: str) -> sdk.HttpRequest:
        """The request of a step."""
        request = self.requests.request(step, send_in)
        return replace(request, accept=self.answers.accept, unchanged=self._unchanged)
