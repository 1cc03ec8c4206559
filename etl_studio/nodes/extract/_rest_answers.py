"""What an answer of an API holds. Read inside each attempt, so that what is damaged is asked for again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._pagination.auto import items_path
from etl_studio.nodes.extract._rest_json import json_of
from etl_studio.nodes.extract._rest_records import items_of
from etl_studio.sdk.json_path import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from etl_studio.nodes.extract._response_actions import ResponseAction

NO_CONTENT = 204
SHOWN = 200
"""Characters of an error that a message quotes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer holds.

    Attributes:
        body: its JSON; None where it has none.
        items: the items in it.
        action: ``ignore``, ``stop`` or ``reject``, where a response action means the answer. Then it has no items.
    """

    body: Any
    items: list[Any]
    action: str | None = None


class AnswerReader:
    """Reads the answers of one API.

    Args:
        path: where the items are.
        paged: whether several answers are read: then an object with an error and no items is none of them.
        finding: find out from the first answer where the items are, when ``path`` is empty.
        actions: what to do with certain answers; the first that means one counts.
        streams: JSON lines and events are read, too, as the header of an answer tells.

    Attributes:
        path: where the items are.
        noting: keep what is refused.
        refused: the last answer, where it was an error or could not be read.
    """

    def __init__(
        self,
        path: str,
        *,
        paged: bool,
        finding: bool = False,
        streams: bool = False,
        actions: Sequence[ResponseAction] = (),
    ) -> None:
        self.path = path
        self._paged = paged
        self._finding = finding and not path
        self._had_items = False
        self._actions = actions
        self._streams = streams
        self.noting = False
        self.refused: sdk.HttpResponse | None = None

    def __call__(self, response: sdk.HttpResponse) -> Answer:
        """Read one answer.

        Raises:
            TransientError: it is damaged, tells of an error, or lacks what an answer before it had.
            PermanentError: it is no JSON, or has no items where they should be.
        """
        self.refused = response if self.noting else None
        answer = self._read(response)
        self.refused = None
        return answer

    def _read(self, response: sdk.HttpResponse) -> Answer:
        if response.unchanged:
            return Answer(None, [])
        action = self._action(response)
        if action is not None:
            return self._acted(action, response)
        body = None if response.status == NO_CONTENT else json_of(response, streams=self._streams)
        if self._finding:
            self.path, self._finding = items_path(body), False
        url = response.url
        told = error_told(body)
        try:
            items = items_of(body, self.path, url)
            if self._had_items and not self.path and isinstance(body, dict):
                raise PermanentError(f"{sdk.shown_url(url)} answered with an object in place of a list.")
        except PermanentError as error:
            if told:
                raise TransientError(
                    f"{sdk.shown_url(url)} answered with an error: {told}", status=response.status
                ) from error
            if self._had_items:  # the path is right, so this answer is the one that is wrong
                raise TransientError(
                    error.what, hint=error.hint, column=error.column, value=error.value, status=response.status
                ) from error
            raise
        if told and self._paged and (not items or items[0] is body):
            raise TransientError(f"{sdk.shown_url(url)} answered with an error: {told}", status=response.status)
        self._had_items = self._had_items or bool(items)
        return Answer(body, items)

    @property
    def accept(self) -> Callable[[sdk.HttpResponse], bool] | None:
        """Tells whether an action means an answer with an error status."""
        return self._accepts if self._actions or self.noting else None

    def _accepts(self, response: sdk.HttpResponse) -> bool:
        accepted = self._action(response) is not None
        self.refused = response if self.noting and not accepted else None
        return accepted

    def _action(self, response: sdk.HttpResponse) -> ResponseAction | None:
        if not self._actions:
            return None
        known: list[Any] = []

        def body() -> Any:
            if not known:
                known.append(_json_or_missing(response))
            return known[0]

        return next((action for action in self._actions if action.means(response, body)), None)

    def _acted(self, action: ResponseAction, response: sdk.HttpResponse) -> Answer:
        told = f"{sdk.shown_url(response.url)} answered {response.status}"
        if action.action == "retry":
            raise TransientError(f"{told}, which is to be tried again.", status=response.status)
        if action.action == "fail":
            raise PermanentError(
                f"{told}, which is to end the run.",
                hint="The response actions of this node say so.",
                status=response.status,
            )
        body = _json_or_missing(response)
        return Answer(None if body is MISSING else body, [], action.action)


def _json_or_missing(response: sdk.HttpResponse) -> Any:
    try:
        return json_of(response)
    except (PermanentError, TransientError):
        return MISSING


def error_told(body: Any) -> str:
    """The error that an answer tells of; empty: none."""
    if not isinstance(body, dict):
        return ""
    told: Any = body.get("error") or body.get("errors")
    if not told or told is True:
        return str(body.get("message", "it says no more."))[:SHOWN] if told else ""
    if isinstance(told, list):
        told = told[0]
    if isinstance(told, dict) and isinstance(told.get("message"), str):
        told = told["message"]
    return (told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, default=str))[:SHOWN]
