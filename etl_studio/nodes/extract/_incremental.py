"""Only what is new since the last run: a value that grows, such as the time of a change, tells what that is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._cursor_values import (
    Comparable,
    Format,
    comparable,
    minus,
    packed,
    unpacked,
    written,
)
from etl_studio.sdk.json_path import MISSING, lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_REMEMBERED = 20_000
"""Items at the edge that are remembered, so that they are not read twice."""
_TIDY = 1_000
_VALUE = "{value}"


class Incremental(sdk.Config):
    """Which value grows, and how the API is asked for what is new."""

    path: str = sdk.setting(
        title="Path of the value",
        description="Where an item holds what grows: the time of its last change, or a number.",
        example="updated_at",
        min_length=1,
    )
    format: Format = sdk.setting(
        "timestamp",
        title="Format",
        description="How items hold it: a time or date in ISO form, seconds or milliseconds since 1970, a number, or "
        "a text that sorts as it grows.",
    )
    param: str = sdk.setting(
        "",
        title="Parameter",
        description="By which the API is asked for what is new; empty: it gives everything, and what is old is left "
        "out here.",
        example="updated_since",
    )
    send_in: Literal["query", "body", "header"] = sdk.setting(
        "query",
        title="Send in",
        description="Where the parameter goes; a dot in its name leads into the body.",
        advanced=True,
    )
    send_as: Literal["same", "timestamp", "date", "epoch", "epoch_ms"] = sdk.setting(
        "same", title="Send as", description="The form of the parameter, where it is another.", advanced=True
    )
    template: str = sdk.setting(
        _VALUE,
        title="Template",
        description="What is sent, with {value} in it.",
        example="gte:{value}",
        pattern=r"\{value\}",
        advanced=True,
    )
    initial: str | int | float | None = sdk.setting(
        None,
        title="Begin at",
        description="Where the first run begins; empty: at the first item.",
        example="2026-01-01T00:00:00Z",
    )
    end: str | int | float | None = sdk.setting(
        None,
        title="End before",
        description="Items from this value on are left out. Such a run fills in the past: it begins at *Begin at*, "
        "and later runs begin where they would without it.",
        advanced=True,
    )
    end_param: str = sdk.setting(
        "", title="End parameter", description="By which the API is told of the end.", advanced=True
    )
    order: Literal["unordered", "asc", "desc"] = sdk.setting(
        "unordered",
        title="Order",
        description="How the API sorts its items by the value. With desc, reading stops at the first old item.",
    )
    range: Literal["closed", "open"] = sdk.setting(
        "closed",
        title="Range",
        description="Closed: items with the last value itself are looked at again, and those that came are left out. "
        "Open: only what is greater, where no two items have one value.",
        advanced=True,
    )
    lag: float = sdk.setting(
        0.0,
        title="Look back",
        description="Seconds (or numbers) that a run begins before the last value, for items that show up late. "
        "What came already is left out.",
        ge=0,
        advanced=True,
    )
    key: list[str] = sdk.setting(
        [],
        title="Key",
        description="Paths that tell items apart at the edge; empty: all that is in them.",
        example=["id"],
        advanced=True,
    )
    missing: Literal["raise", "include", "exclude"] = sdk.setting(
        "raise",
        title="Items without it",
        description="End the run with an error, read them each time, or leave them out.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("initial", "end"):
            value = getattr(self, name)
            if value is not None:
                try:
                    comparable(value, self.format)
                except ValueError as error:
                    raise ValueError(f"{name} {error}") from None
        if self.lag and self.format == "text":
            raise ValueError("lag: nothing can be taken from a text")
        if self.send_as != "same" and self.format in ("number", "text"):
            raise ValueError("send_as: only a time can be sent in another form")
        return self

    def compared(self, raw: Any) -> Comparable:
        """A value as it is compared."""
        return comparable(raw, self.format)


class Tracking:
    """What of the items is new, and where the next run begins.

    Args:
        settings: which value.
        of: what is read (``stream``).
        bookmark: where the last run came to; None: there was none.
        resumed: ``state`` of the run that broke off; None: it begins.
        log: takes level and message.

    Attributes:
        finished: what comes now is old.
    """

    def __init__(
        self,
        settings: Incremental,
        of: str,
        bookmark: Mapping[str, Any] | None,
        resumed: Mapping[str, Any] | None,
        log: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._of = of
        self._log = log
        if resumed is not None:
            bookmark = resumed["bookmark"]
        self._bookmark = bookmark if settings.end is None else None
        self._last = None if self._bookmark is None else self._bookmark["last"]
        self._greatest = None if self._last is None else settings.compared(self._last)
        self._start = self._begin()
        self._end = None if settings.end is None else settings.compared(settings.end)
        self._before = self._remembered(self._bookmark)
        self._seen = dict(self._before)
        self._tidied = len(self._seen)
        self._previous: Comparable | None = None
        self._ordered = settings.order != "unordered"
        self.finished = False
        if resumed is not None and resumed["last"] is not None:
            self._last = resumed["last"]
            self._greatest = settings.compared(self._last)
            self._seen = self._remembered(resumed)
            self._ordered = resumed["ordered"]

    @property
    def asks(self) -> dict[str, Any]:
        """Parameters by which the API is asked for what is new."""
        settings, found = self._settings, {}
        as_it_is = settings.send_as == "same"
        form: Format = settings.format if settings.send_as == "same" else settings.send_as
        if settings.param and self._start is not None:
            raw = settings.initial if self._bookmark is None else self._last_of_bookmark()
            exact = as_it_is and raw is not None and settings.compared(raw) == self._start
            found[settings.param] = self._in_template(raw if exact else written(self._start, form))
        if settings.end_param and self._end is not None:
            found[settings.end_param] = self._in_template(settings.end if as_it_is else written(self._end, form))
        return found

    def new(self, items: list[Any]) -> list[Any]:
        """The items that are new. What is no object is given on, to be refused by others.

        Raises:
            PermanentError: an item has no value, or one of another form.
        """
        return [item for item in items if not isinstance(item, dict) or self._is_new(item)]

    @property
    def state(self) -> dict[str, Any]:
        """JSON-ready: what a run that broke off needs to go on."""
        return {"bookmark": self._bookmark, "ordered": self._ordered, **self._kept()}

    def bookmark(self, *, complete: bool) -> sdk.Bookmark | None:
        """Where the next run begins; None: where this one began.

        Args:
            complete: whether all items were read, so that what is missing below the greatest value was never there.
        """
        if self._settings.end is not None or self._last is None:
            return None
        in_order = self._ordered and self._settings.order == "asc"
        if not complete and not in_order and not self.finished:
            self._log("warning", "Not all items were read, so the next run begins where this one did.")
            return None
        self._log("info", f"The next run begins at {self._settings.path} {self._last}.")
        return sdk.Bookmark(self._of, self._kept(), f"{self._settings.path} {self._last}")

    def _begin(self) -> Comparable | None:
        settings = self._settings
        initial = None if settings.initial is None else settings.compared(settings.initial)
        if self._greatest is None:
            return initial
        start = minus(self._greatest, settings.lag)
        return start if initial is None else max(start, initial)

    def _is_new(self, item: Mapping[str, Any]) -> bool:
        settings = self._settings
        raw = lookup(item, settings.path)
        if raw is MISSING or raw is None:
            return self._without_value(item)
        try:
            value: Any = settings.compared(raw)
        except ValueError as error:
            raise PermanentError(
                f'The value of "{settings.path}" {error}.',
                hint="Check path and format of incremental.",
                column=settings.path,
                value=raw,
            ) from None
        self._look_at_order(value)
        if self._end is not None and value >= self._end:
            self.finished = self._ordered and settings.order == "asc"
            return False
        start: Any = self._start
        if start is not None and (value < start or (value == start and settings.range == "open")):
            self.finished = self._ordered and settings.order == "desc"
            return False
        name = self._name(item)
        if self._before.get(name) == value:
            return False
        self._remember(name, value, raw)
        return True

    def _without_value(self, item: Mapping[str, Any]) -> bool:
        if self._settings.missing == "raise":
            keys = ", ".join(list(map(str, item))[:12])
            raise PermanentError(
                f'An item has no "{self._settings.path}". It has: {keys}.',
                hint="Check incremental.path, or set incremental.missing to include or exclude.",
                column=self._settings.path,
            )
        return self._settings.missing == "include"

    def _look_at_order(self, value: Any) -> None:
        before: Any = self._previous
        self._previous = value
        if not self._ordered or before is None:
            return
        if value < before if self._settings.order == "asc" else value > before:
            self._ordered = self.finished = False
            self._log(
                "warning",
                f'The API does not sort by "{self._settings.path}": all pages are read. Set incremental.order to '
                "unordered, or ask the API to sort.",
            )

    def _remember(self, name: str, value: Any, raw: Any) -> None:
        greatest: Any = self._greatest
        if greatest is None or value > greatest:
            self._greatest, self._last = value, raw
        elif value < minus(greatest, self._settings.lag):
            return
        self._seen[name] = value
        if len(self._seen) > 2 * self._tidied + _TIDY:
            self._tidy()

    def _tidy(self) -> None:
        """Forget what no later run comes to."""
        if self._greatest is not None:
            edge: Any = minus(self._greatest, self._settings.lag)
            self._seen = {name: value for name, value in self._seen.items() if value >= edge}
        self._tidied = len(self._seen)

    def _kept(self) -> dict[str, Any]:
        self._tidy()
        if len(self._seen) > MOST_REMEMBERED:  # they come again, and a merge takes them
            return {"last": self._last, "seen": {}}
        return {"last": self._last, "seen": {name: packed(value) for name, value in self._seen.items()}}

    def _remembered(self, kept: Mapping[str, Any] | None) -> dict[str, Any]:
        found = (kept or {}).get("seen", {})
        return {name: unpacked(value, self._settings.format) for name, value in found.items()}

    def _last_of_bookmark(self) -> Any:
        return self._bookmark["last"] if self._bookmark is not None else None

    def _name(self, item: Mapping[str, Any]) -> str:
        key = self._settings.key
        told = [None if (value := lookup(item, path)) is MISSING else value for path in key] if key else item
        return digest(told)

    def _in_template(self, value: Any) -> Any:
        template = self._settings.template
        return value if template == _VALUE else template.replace(_VALUE, str(value))


def stream(url: str, params: Mapping[str, Any], body: Any, settings: Incremental) -> str:
    """What is read, for people and as a name: with another one a run begins anew. Secrets are not in it."""
    told = [sdk.shown_url(url), *(sdk.shown_url(f"?{name}={value}") for name, value in sorted(params.items()))]
    return f"{told[0]} by {settings.path} ({digest([told, body, settings.format])})"


def digest(value: Any) -> str:
    """A short hash of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
