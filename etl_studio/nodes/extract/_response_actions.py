"""What to do with answers that a person knows by their status or content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.sdk.json_path import MISSING, lookup

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUSES = re.compile(r"(\d)xx|(\d{3})(?:\s*-\s*(\d{3}))?", re.IGNORECASE)

Action = Literal["ignore", "stop", "retry", "reject", "fail"]


class ResponseAction(sdk.Config):
    """Answers that are meant, and what is done with them. All conditions that are written must hold."""

    action: Action = sdk.setting(
        title="Then",
        description="ignore: the answer has no items, and reading goes on. stop: reading ends here. retry: as often as "
        "the policy says. reject: the page is a dead letter, and reading goes on. fail: the run ends.",
    )
    status: str = sdk.setting(
        "", title="Status", description="HTTP statuses: 404, 5xx, or 500-503, with commas between.", example="404, 410"
    )
    contains: str = sdk.setting(
        "", title="Text in the answer", description="Anywhere in the body.", example="no more data"
    )
    path: str = sdk.setting("", title="Path", description="A place in the answer's JSON.", example="error.code")
    equals: str | int | float | bool | None = sdk.setting(
        None,
        title="Equals",
        description="What stands at the path; empty: anything but null, false and nothing.",
        example="not_ready",
    )

    @field_validator("status")
    @classmethod
    def _known_statuses(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            if _STATUSES.fullmatch(part) is None:
                raise ValueError("must be statuses such as 404, 5xx or 500-503, with commas between")
        return value

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not (self.status or self.contains or self.path):
            raise ValueError("write a status, a text or a path: no answer is meant")
        if self.equals is not None and not self.path:
            raise ValueError("equals compares what stands at a path: write the path")
        return self

    def means(self, response: sdk.HttpResponse, json: Callable[[], Any]) -> bool:
        """Whether an answer is meant.

        Args:
            response: the answer.
            json: gives its JSON; ``MISSING`` where it is none.
        """
        if self.status and not self._has_status(response.status):
            return False
        if self.contains and self.contains not in response.text:
            return False
        return not self.path or self._is_there(json())

    def _has_status(self, status: int) -> bool:
        for hundreds, first, last in _STATUSES.findall(self.status):
            if hundreds and status // 100 == int(hundreds):
                return True
            if first and int(first) <= status <= int(last or first):
                return True
        return False

    def _is_there(self, body: Any) -> bool:
        found = MISSING if body is MISSING else lookup(body, self.path)
        if self.equals is None:
            return found not in (MISSING, None, False, "")
        return found is not MISSING and (found == self.equals or _plain(found) == _plain(self.equals))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
