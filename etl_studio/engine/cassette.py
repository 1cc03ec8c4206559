"""Cassettes: answers of sites, kept in a file, so that a pipeline can run without them.

A file of JSON lines: first what the cassette is, then an exchange in each line, in the order in which they were begun.
It holds no secrets (``cassette_masks``); a request is found again by what it looks like without them.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
MOST_BYTES = 64 * 2**20
"""Of all bodies on a cassette."""

Bookmarks = dict[tuple[str, str], Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request without secrets.

    Attributes:
        headers: those that only this request has, by name in lower case.
        body: as text, or base64 where it is none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What an answer is found by."""
        return self.method, self.url, self.body


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a request.

    Attributes:
        status: 0 where there was no answer.
        headers: by name in lower case.
        content: the body as it was sent.
        cut: it was not read to its end, as the streams that never end.
        failure: what went wrong where there was no answer: the name of a class of httpx2.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    cut: bool = False
    failure: str = ""


@dataclass(slots=True)
class Cassette:
    """All that a file holds.

    Attributes:
        pipeline: name of the pipeline that was recorded.
        exchanges: in their order.
        bookmarks: where its sources began.
        full: more came than a cassette holds.
    """

    pipeline: str = ""
    exchanges: list[tuple[Asked, Answered]] = field(default_factory=list)
    bookmarks: Bookmarks = field(default_factory=dict)
    full: bool = False


def write(cassette: Cassette, path: Path) -> None:
    """Write a cassette in place of one that is there.

    Raises:
        UsageError: it cannot be written.
    """
    head = {
        "cassette": FORMAT,
        "pipeline": cassette.pipeline,
        "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
        "answers": len(cassette.exchanges),
        "full": cassette.full,
        "bookmarks": [[node, of, value] for (node, of), value in cassette.bookmarks.items()],
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            for line in (head, *map(_line, cassette.exchanges)):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another file.") from None
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> Cassette:
    """Read a cassette.

    Raises:
        UsageError: there is none, or it is damaged; with the line.
    """
    number = 1
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            head = json.loads(file.readline())
            if not isinstance(head, dict) or "cassette" not in head:
                raise ValueError("no cassette")
            if head["cassette"] > FORMAT:
                raise UsageError(f"{path} was recorded by a newer ETL Studio.", hint="Update ETL Studio.")
            cassette = Cassette(str(head.get("pipeline", "")), full=bool(head.get("full")))
            cassette.bookmarks = {(node, of): value for node, of, value in head.get("bookmarks", ())}
            for line in file:
                number += 1
                cassette.exchanges.append(_exchange(json.loads(line)))
    except OSError as error:
        hint = "Record one: etl-studio run FILE --record CASSETTE."
        raise UsageError(f"The cassette {path} cannot be read: {error.strerror}.", hint=hint) from None
    except (ValueError, TypeError, KeyError, AttributeError, LookupError):
        hint = "Mend the line, or record it anew: etl-studio run FILE --record CASSETTE."
        raise UsageError(f"{path}, line {number}, is not that of a cassette.", hint=hint) from None
    return cassette


def is_cassette(path: Path) -> bool:
    """Whether a file looks like one."""
    try:
        with path.open("rb") as file:
            return file.read(12) == b'{"cassette":'
    except OSError:
        return False


def text_or_base64(content: bytes) -> str:
    """Bytes as text, where they are some."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _line(exchange: tuple[Asked, Answered]) -> dict[str, Any]:
    asked, answered = exchange
    request: dict[str, Any] = {"method": asked.method, "url": asked.url}
    request |= {"headers": dict(asked.headers)} if asked.headers else {}
    request |= {"body": asked.body} if asked.body else {}
    if answered.failure:
        return {"request": request, "failure": answered.failure}
    response: dict[str, Any] = {"status": answered.status, "headers": dict(answered.headers)}
    response |= _packed(answered)
    return {"request": request, "response": response, **({"cut": True} if answered.cut else {})}


def _packed(answered: Answered) -> dict[str, str]:
    """The body, as text if it can be."""
    for charset in ("utf-8", _charset(answered.headers)):
        try:
            text = answered.content.decode(charset)
            if text.encode(charset) == answered.content:
                return {"text": text} if charset == "utf-8" else {"text": text, "charset": charset}
        except (UnicodeError, LookupError):
            continue
    return {"base64": base64.b64encode(answered.content).decode()}


def _charset(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip(' "') or "utf-8"


def _exchange(line: Mapping[str, Any]) -> tuple[Asked, Answered]:
    request = line["request"]
    asked = Asked(request["method"], request["url"], request.get("headers", {}), request.get("body", ""))
    if "failure" in line:
        return asked, Answered(0, failure=line["failure"])
    response = line["response"]
    if "base64" in response:
        content = base64.b64decode(response["base64"], validate=True)
    else:
        content = response.get("text", "").encode(response.get("charset", "utf-8"))
    return asked, Answered(int(response["status"]), response.get("headers", {}), content, bool(line.get("cut")))
