"""Streams of an API: JSON lines and server-sent events, one value after the other, as lines come."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._rest_records import items_of
from etl_studio.sdk.json_path import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 16 * 2**20
"""Characters of one event; what is longer is hardly meant."""

SHOWN = 200


class Streaming(sdk.Config):
    """How long a stream is read, and what of it."""

    max_items: int | None = sdk.setting(
        None, title="Items at most", description="Stop after so many items; empty: as many as come.", ge=1
    )
    max_seconds: float | None = sdk.setting(
        None, title="Seconds at most", description="Stop after so many seconds; empty: when the stream ends.", gt=0
    )
    events: list[str] = sdk.setting(
        [], title="Events", description="Names of the events that are read; empty: all.", example=["message"]
    )
    end: str = sdk.setting(
        "[DONE]", title="Last line", description="A text that says that nothing follows.", advanced=True
    )
    quiet: float | None = sdk.setting(
        None,
        title="Quiet for at most",
        description="Seconds without a byte after which the connection is made anew; empty: for ever.",
        gt=0,
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class Received:
    """One value of a stream.

    Attributes:
        number: of its line, or of the event, from 1.
        text: as it came.
        value: parsed, None where that was not possible.
        problem: why not.
        event: name of the event.
        id: of the event, for going on behind it.
    """

    number: int
    text: str
    value: Any = None
    problem: str | None = None
    event: str | None = None
    id: str | None = None


def received(number: int, text: str, event: str | None = None, id: str | None = None) -> Received:  # noqa: A002 - its name
    """A text as the value that it holds."""
    try:
        return Received(number, text, json.loads(text), event=event, id=id)
    except ValueError as error:
        problem = f"The text is no JSON: {error}."
    except RecursionError:
        problem = "The text is nested too deeply to be read."
    return Received(number, text, problem=problem, event=event, id=id)


@dataclass(slots=True)
class EventParser:
    """Server-sent events, as the HTML standard describes them.

    Attributes:
        last_id: of the last event that had one; a new connection begins behind it.
        retry: seconds to wait before a new connection, if the server said so.
    """

    last_id: str = ""
    retry: float | None = None
    _number: int = 0
    _event: str = ""
    _data: list[str] = field(default_factory=list)
    _size: int = 0

    def take(self, line: str) -> Received | None:
        """The event that a line ends, if it ends one."""
        if not line:
            return self.finish()
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "data":
            self._size += len(value)
            if self._size <= MOST_CHARACTERS:
                self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:9]) / 1000
        return None

    def finish(self) -> Received | None:
        """The event that has begun, if any of it has come."""
        data, event, size = self._data, self._event or "message", self._size
        self._data, self._event, self._size = [], "", 0
        if not data:
            return None
        self._number += 1
        if size > MOST_CHARACTERS:
            return Received(
                self._number, data[0][:200], None, f"The event has {size:,} characters.", event, self.last_id
            )
        return received(self._number, "\n".join(data), event, self.last_id)


def events_of(lines: Iterable[str]) -> Iterator[Received]:
    """All events in lines."""
    parser = EventParser()
    for line in lines:
        if (found := parser.take(line)) is not None:
            yield found
    if (found := parser.finish()) is not None:
        yield found


def records_of(
    values: Iterable[Received], path: str, url: str
) -> tuple[list[tuple[dict[str, Any], Received]], list[tuple[dict[str, Any], sdk.Problem]]]:
    """The items in values, each with the value that held it; and what is none, with the reason.

    Args:
        values: what came.
        path: where in each the items are; empty: each is one, or a list of some.
        url: where it came from, for messages.
    """
    records: list[tuple[dict[str, Any], Received]] = []
    refused: list[tuple[dict[str, Any], sdk.Problem]] = []
    for one in values:
        problem = one.problem and sdk.Problem("json", one.problem, "record", one.number, one.text)
        items: list[Any] = []
        if not problem:
            try:
                items = items_of(one.value, path, url) if path or isinstance(one.value, list) else [one.value]
            except PermanentError as error:
                problem = sdk.Problem("items", error.what, "record", one.number, one.text)
        others = [item for item in items if not isinstance(item, dict)]
        if others:
            kind = type_of(others[0])
            problem = sdk.Problem("not_an_object", f"There is no object but a {kind}.", "record", one.number, one.text)
        if problem:
            refused.append(({"line": one.number, "record": one.text}, problem))
        records.extend((item, one) for item in items if isinstance(item, dict) and not others)
    return records, refused
