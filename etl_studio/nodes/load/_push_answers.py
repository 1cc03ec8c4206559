"""What a site says about rows that were pushed: all taken, some refused, or all refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.sdk.json_path import MISSING, find, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

SAID = 300
"""Characters of an answer that are quoted."""
_FIRST_REDIRECT, _FIRST_ERROR, _MULTI_STATUS = 300, 400, 207
_REASONS = ("error", "message", "detail", "error_description", "title", "errors")


class SuccessRule(sdk.Config):
    """What an answer says when all went well, for sites that tell of errors with a good status."""

    path: str = sdk.setting(title="Path", description="A place in the answer's JSON.", example="ok", min_length=1)
    equals: str | int | float | bool = sdk.setting(
        True, title="Equals", description="What stands there when all rows were taken."
    )


class ResultsRule(sdk.Config):
    """Where an answer tells for each row whether it was taken."""

    path: str = sdk.setting(
        title="Path",
        description="Where the answer holds the list: a result for each row, in order, or only those that failed.",
        example="items",
    )
    failed: str = sdk.setting(
        "error",
        title="Tells of a failure",
        description="Path in each result: a number from 400, or anything but null, false, 0 and nothing. "
        "Empty: all in the list have failed.",
        example="status",
    )
    index: str = sdk.setting(
        "",
        title="Number of the row",
        description="Path in each result, from 0; empty: the results stand in the order of the rows.",
        example="index",
    )
    message: str = sdk.setting(
        "", title="Reason", description="Path in each result; empty: the result itself.", example="error.message"
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the rows of a request.

    Attributes:
        refused: why, by the number of the row.
        all_refused: why none was taken: perhaps because of one of them.
        unsure: nobody knows which were taken.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    all_refused: str | None = None
    unsure: bool = False


def verdict(
    response: sdk.HttpResponse, rows: int, success: SuccessRule | None, results: ResultsRule | None, good: list[int]
) -> Verdict:
    """Judge an answer.

    Args:
        response: with a status below 400, or one that the sink takes for an answer.
        rows: how many were sent.
        success: what it says when all went well.
        results: where it tells about each row.
        good: statuses from 400 that mean success.

    Raises:
        PermanentError: it leads elsewhere, or the settings do not say how to read it.
        TransientError: its JSON is damaged.
    """
    site, status = sdk.shown_url(response.url), response.status
    if _FIRST_REDIRECT <= status < _FIRST_ERROR:
        raise PermanentError(
            f"{site} answered {_named(status)} and leads to {sdk.shown_url(response.headers.get('location', '?'))}.",
            hint="Nothing was taken. Write the address to which it leads into the settings.",
            status=status,
        )
    if status in good:
        return Verdict()
    said = f"{site} answered {_named(status)}: {_said(response)}"
    if results is not None and (told := _told(response, results, rows, required=status < _FIRST_ERROR)) is not None:
        return told
    if status >= _FIRST_ERROR:
        return Verdict(all_refused=said)
    if status == _MULTI_STATUS and results is None:
        raise PermanentError(
            f"{site} answered {_named(status)}: some rows may have been refused.",
            hint='Say in "Results of rows" where the answer tells which.',
            status=status,
        )
    if success is not None and not _is(lookup(response.json(), success.path), success.equals):
        return Verdict(all_refused=said)
    return Verdict()


def _told(response: sdk.HttpResponse, rule: ResultsRule, rows: int, *, required: bool) -> Verdict | None:
    """What the answer tells about each row; None where it need not."""
    try:
        document = response.json()
        if required:
            found = find(document, rule.path, setting="results", source=sdk.shown_url(response.url))
        else:
            found = lookup(document, rule.path)
    except (PermanentError, TransientError):
        if required:
            raise
        return None
    if not isinstance(found, list):
        return Verdict() if found is None and required else None
    refused: dict[int, str] = {}
    if not rule.index and rule.failed and len(found) != rows:
        return Verdict(
            dict.fromkeys(range(rows), f"The site gave {len(found):,} results for {rows:,} rows."), unsure=True
        )
    for place, result in enumerate(found):
        if rule.failed and not _fails(lookup(result, rule.failed)):
            continue
        number = lookup(result, rule.index) if rule.index else place
        if not isinstance(number, int | str) or not str(number).isdecimal() or int(number) >= rows:
            why = f"The site tells of a failure in row {_text(number)}, and {rows:,} rows were sent."
            return Verdict(dict.fromkeys(range(rows), why), unsure=True)
        reason = lookup(result, rule.message) if rule.message else result
        refused[int(number)] = f"The site refused this row: {_text(result if reason is MISSING else reason)}"
    if not required and not refused:
        return None
    return Verdict(refused)


def _fails(value: Any) -> bool:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value >= _FIRST_ERROR
    return value not in (MISSING, None, False, "", [], {})


def _is(found: Any, wanted: Any) -> bool:
    return found is not MISSING and (found == wanted or str(found).lower() == str(wanted).lower())


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _said(response: sdk.HttpResponse) -> str:
    """The site's own reason, or the beginning of what it answered."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return _cut(response.text) or "nothing"
    if isinstance(document, dict):
        document = next((document[name] for name in _REASONS if document.get(name)), document)
        if isinstance(document, dict) and isinstance(document.get("message"), str):
            document = document["message"]
    return _text(document)


def _text(value: Any) -> str:
    if value is MISSING:
        return "?"
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SAID else text[: SAID - 1] + "…"
