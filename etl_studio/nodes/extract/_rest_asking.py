"""Asks an API for one page after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from etl_studio import sdk
from etl_studio.nodes.extract._pagination import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.nodes.extract._pagination import Step
    from etl_studio.nodes.extract._rest_answers import AnswerReader
    from etl_studio.nodes.extract._rest_request import RequestBuilder


class Asker:
    """Asks for pages.

    Args:
        client: sends the requests; one that fails is sent again by its policy, and by nobody else.
        requests: makes them.
        answers: reads what comes.
        log: takes level and message.
    """

    def __init__(
        self, client: sdk.HttpClient, requests: RequestBuilder, answers: AnswerReader, log: Callable[..., None]
    ) -> None:
        self.requests = requests
        self.answers = answers
        self._client = client
        self._log = log

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
        request = replace(self.requests.request(step, send_in), accept=self.answers.accept)
        response, answer = self._client.read(request, self.answers)
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
        )
