"""Items of an answer as records, and what could not be read as rejects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.sdk.json_path import find, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.nodes.extract._pagination import Page


def items_of(body: Any, path: str, url: str) -> list[Any]:
    """The items of an answer.

    Args:
        body: the parsed answer; None: it has none.
        path: where the items are; empty: the answer is the list, or one item.
        url: where it came from, for messages.

    Raises:
        PermanentError: there is nothing at the path, or no list.
    """
    if body is None:
        return []
    found = find(body, path, setting="items", source=sdk.shown_url(url)) if path else body
    if found is None:
        return []
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise PermanentError(
            f"The items in the answer of {sdk.shown_url(url)} are no list but a {type_of(found)}.",
            hint="Write the path of the list of items.",
            column="items",
            value=path,
        )
    return found


class Flattener:
    """Turns nested objects into columns. A field that was an object once is one also where it is null."""

    def __init__(self, nested: Iterable[str] = ()) -> None:
        self._nested: set[str] = set(nested)

    @property
    def names(self) -> list[str]:
        """The fields that were an object."""
        return sorted(self._nested)

    def __call__(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._nested.update(name for record in records for name, value in record.items() if isinstance(value, dict))
        return [self._flat(record) for record in records] if self._nested else records

    def _flat(self, record: dict[str, Any]) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in record.items():
            if isinstance(value, dict):
                for inner, part in value.items():
                    column = f"{name}_{inner}"
                    flat[column if column not in record else f"{name}__{inner}"] = part
            elif value is not None or name not in self._nested:
                flat[name] = value
        return flat


def objects(page: Page) -> tuple[list[dict[str, Any]], sdk.Rejected | None]:
    """The items that are objects, and the others as rejects."""
    records = [item for item in page.items if isinstance(item, dict)]
    if len(records) == len(page.items):
        return records, None
    import pyarrow as pa

    others = [(number, item) for number, item in enumerate(page.items, 1) if not isinstance(item, dict)]
    problems = [
        sdk.Problem(
            "not_an_object",
            f"Item {number} of page {page.number} is no object but a {type_of(item)}. Check the path of the items.",
            value=item,
        )
        for number, item in others
    ]
    texts = pa.array([json.dumps(item) for _, item in others], pa.string())
    return records, sdk.Rejected(pa.record_batch({"record": texts}), problems)


def missing(page: Mapping[str, Any], error: PermanentError | TransientError) -> sdk.Rejected:
    """A page that did not come. Its parameters ask for it again; all others, and headers, are in the settings."""
    import pyarrow as pa

    message = f"{error.what} {error.hint}" if error.hint else error.what
    attempts = getattr(error, "attempts", None) or 1
    problem = sdk.Problem("http", message, value=error.status, operation=page, attempts=attempts)
    return sdk.Rejected(pa.record_batch({"record": pa.array([json.dumps(page)], pa.string())}), [problem])


def answered(page: Page) -> PermanentError:
    """Why a page is a dead letter that answered, but not with items."""
    return PermanentError(f"{sdk.shown_url(page.url)} answered {page.status}.", status=page.status)
