"""Read records from a JSON API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._again import builder_of, records_again
from etl_studio.nodes.extract._pagination import (
    SAFETY_LIMIT,
    CursorPagination,
    End,
    LinkPagination,
    NoPagination,
    OffsetPagination,
    Page,
    PagePagination,
    Step,
)
from etl_studio.sdk.json_path import find, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

NO_CONTENT = 204
DEFAULT_PORTS = {"http": 80, "https": 443}


class RestSource(sdk.Source):
    """Read records from a JSON API, page by page.

    Give the address, the path of the items in the answer (`data.items`; empty when the answer is the list itself) and
    how the API cuts them into pages. A page that fails is asked for again by itself, as the policy says; what has
    already come stays. An answer with an error status is never taken for the last page.

    Columns come from the first 1,000 items. A nested object becomes columns of its own (`supplier: {name, country}`
    gives `supplier_name` and `supplier_country`); lists and deeper objects become JSON text. An item that is no object
    is rejected.

    A numbered page (*page*) that has not answered to the last attempt is rejected when the page behind it answers; a
    replay of the dead letter asks for it again. Elsewhere, what follows such a page is not known and the run ends.

    Reading ends at an empty page, or when the answer says so (*has-more*, *total*, no cursor, no next address). An API
    that gives the same page again is stopped with an error instead of being read for ever.
    """

    type: ClassVar[str] = "rest_source"
    title: ClassVar[str] = "REST API"
    icon: ClassVar[str] = "api"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("http", "json", "web", "service", "endpoint", "request", "pagination")
    reads_web: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "url": "http://127.0.0.1:8750/api/products",
        "items": "data.items",
        "pagination": {"kind": "page", "has_more": "has_more"},
    }

    class Config(sdk.Config):
        """Which API, and how it answers."""

        url: str = sdk.setting(
            title="Address", description="Where the API answers.", example="https://api.example.org/v1/products"
        )
        items: str = sdk.setting(
            "",
            title="Path of the items",
            description="Where the answer holds the list, with dots between the keys; empty: the answer is the list.",
            example="data.items",
        )
        pagination: NoPagination | PagePagination | OffsetPagination | CursorPagination | LinkPagination = sdk.setting(
            NoPagination(), title="Pages", description="How the API cuts its items into pages.", discriminator="kind"
        )
        params: dict[str, str | int | float | bool | None] = sdk.setting(
            {}, title="Parameters", description="Added to the address, as in ?name=value.", example={"status": "active"}
        )
        headers: dict[str, str] = sdk.setting(
            {}, title="Headers", description="Sent with each request.", example={"Accept-Language": "en"}
        )
        method: Literal["GET", "POST"] = sdk.setting(
            "GET", title="Method", description="POST sends the body.", advanced=True
        )
        body: dict[str, Any] | None = sdk.setting(
            None, title="Body", description="Sent as JSON with POST.", example={"query": "mug"}, advanced=True
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types that win over those found: text, integer, number, boolean, date, time, timestamp, "
            "timestamptz, json or decimal(10,2).",
            example={"price": "decimal(10,2)"},
            editor="type",
            keys="mentions",
            advanced=True,
        )
        flatten: bool = sdk.setting(
            True,
            title="Flatten objects",
            description="A nested object becomes columns (supplier_name); off: JSON text.",
            advanced=True,
        )

        @field_validator("url")
        @classmethod
        def _web_address(cls, value: str) -> str:
            if not value.startswith(("http://", "https://")) or not urlsplit(value).hostname:
                raise ValueError("must be an address such as https://api.example.org/v1/products")
            return value

        @field_validator("columns")
        @classmethod
        def _known_types(cls, value: dict[str, str]) -> dict[str, str]:
            for name in value.values():
                try:
                    sdk.column_type(name)
                except PermanentError as error:
                    raise ValueError(str(error)) from None
            return value

        @model_validator(mode="after")
        def _body_by_post(self) -> Self:
            if self.method == "GET" and (self.body is not None or self.pagination.send_in == "body"):
                raise ValueError("a body is sent with POST only: set method to POST")
            return self

    config: Config

    @property
    def replays(self) -> bool:
        """A page is asked for again by its number, its offset or its cursor.

        An address that the API gave for the next page may hold a secret, so it is kept nowhere.
        """
        return self.config.pagination.kind in {"page", "offset", "cursor"}

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the items of each page as it comes, with a cursor where all items of a page are given."""
        resumed = context.resume or {}
        columns = {**resumed.get("columns", {}), **self.config.columns}
        builder = sdk.RecordBuilder(columns, fixed="columns" in resumed, wanted=self.wanted)
        flattened = _Flattener(resumed.get("nested", ()))
        for found in self._pages(context):
            if isinstance(found, sdk.Rejected):
                yield found
                continue
            page, following = found
            records, rejected = _objects(page)
            yield from builder.add(flattened(records) if self.config.flatten else records)
            if rejected is not None:
                yield rejected
            if self.replays and isinstance(following, Step) and builder.columns is not None:
                place = {"step": list(map(list, following.params)), "number": page.number + 1, "seen": page.seen}
                yield sdk.Cursor({**place, "columns": builder.columns, "nested": flattened.names})
        yield from builder.finish()

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Ask for pages that failed; take items that were mended, or whose columns are now declared."""
        builder, flattened = builder_of(self.config.columns, schema), _Flattener()

        def prepared(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
            records = flattened(records) if self.config.flatten else records
            # A nested object that is missing here is one column too many.
            known = builder.schema.names if builder.schema is not None else None
            return [
                {name: value for name, value in record.items() if value is not None or known is None or name in known}
                for record in records
            ]

        client, refused = context.http(), []
        for page in (item for item in tried if "params" in item):
            try:
                response, body = client.read(self._request(Step(tuple(page["params"].items())), context), _body)
            except (PermanentError, TransientError) as error:
                refused.append(_missing(page, error))
                continue
            items = self._items(body, response.url)
            records, rejected = _objects(Page(page["page"], Step(), body, items, len(items), response.url))
            yield from builder.add(prepared(records))
            if rejected is not None:
                yield rejected
        texts = (item for item in tried if "params" not in item)
        yield from records_again(texts, builder, lambda text: [json.loads(text)], prepared)
        yield from refused

    def _pages(self, context: sdk.RunContext) -> Iterator[tuple[Page, Step | End] | sdk.Rejected]:
        client, pagination = context.http(), self.config.pagination
        step, number, seen = _first(pagination, context.resume)
        asked = {step}
        before: list[Any] = []
        missing: list[sdk.Rejected] = []
        while True:
            try:
                response, body = client.read(self._request(step, context), _body)
            except TransientError as error:
                after = None if missing or number in (1, pagination.max_pages) else pagination.beyond(number)
                if after is None:
                    raise
                # Only the page behind it tells whether the site is down, or just this page.
                asks = {"page": number, "params": dict(step.params), "url": sdk.shown_url(self.config.url)}
                missing, seen = [_missing(asks, error)], seen + len(before)
                step, number = after, number + 1
                continue
            yield from missing
            missing.clear()
            items = self._items(body, response.url)
            if items and items == before:
                raise _loop(number, response.url, "it holds the same items as the page before")
            before, seen = items, seen + len(items)
            page = Page(number, step, body, items, seen, response.url, dict(response.headers))
            context.log("debug", f"Page {number}: {len(items)} items.", url=sdk.shown_url(response.url))
            following = pagination.after(page)
            yield page, following
            if isinstance(following, Step) and number == pagination.max_pages:
                following = End(f"at most {number} pages are wanted")
            if isinstance(following, End):
                context.log("info", f"Read {seen} items on {number} pages; the end: {following.reason}.")
                if following.doubt:
                    context.log("warning", following.doubt)
                return
            if following in asked:
                raise _loop(number, response.url, "it asks for a page that has already been read")
            if pagination.max_pages is None and number == SAFETY_LIMIT:
                raise PermanentError(
                    f"{sdk.shown_url(self.config.url)} still has more after {number} pages.",
                    hint="If that is right, set max_pages of the pagination to a larger number.",
                )
            asked.add(following)
            step, number = following, number + 1

    def _request(self, step: Step, context: sdk.RunContext) -> sdk.HttpRequest:
        config, pages = self.config, dict(step.params)
        url, params, headers, body = config.url, dict(config.params), config.headers, config.body
        if config.pagination.send_in == "body":
            body = {**(body or {}), **pages}
        else:
            params.update(pages)
        if step.url is not None:
            url = step.url
            present = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
            params = {name: value for name, value in params.items() if name not in present}
            if _origin(url) != _origin(config.url):
                context.log(
                    "warning",
                    f"The next page is on another site, {sdk.shown_url(url)}: headers, parameters and body stay here.",
                )
                params, headers, body = {}, {}, None
        return sdk.HttpRequest(url, config.method, params, headers, body)

    def _items(self, body: Any, url: str) -> list[Any]:
        if body is None:
            return []
        found = find(body, self.config.items, setting="items", source=sdk.shown_url(url)) if self.config.items else body
        if found is None:
            return []
        if isinstance(found, dict):
            return [found]
        if not isinstance(found, list):
            raise PermanentError(
                f"The items in the answer of {sdk.shown_url(url)} are no list but a {type_of(found)}.",
                hint="Write the path of the list of items.",
                column="items",
                value=self.config.items,
            )
        return found


class _Flattener:
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


def _objects(page: Page) -> tuple[list[dict[str, Any]], sdk.Rejected | None]:
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
    texts = pa.array([json.dumps(item, ensure_ascii=False) for _, item in others], pa.string())
    return records, sdk.Rejected(pa.record_batch({"record": texts}), problems)


def _missing(page: Mapping[str, Any], error: PermanentError | TransientError) -> sdk.Rejected:
    """A page that did not come. Its parameters ask for it again; all others, and headers, are in the settings."""
    import pyarrow as pa

    message = f"{error.what} {error.hint}" if error.hint else error.what
    attempts = getattr(error, "attempts", None) or 1
    problem = sdk.Problem("http", message, value=error.status, operation=page, attempts=attempts)
    return sdk.Rejected(pa.record_batch({"record": pa.array([json.dumps(page)], pa.string())}), [problem])


def _body(response: sdk.HttpResponse) -> Any:
    return None if response.status == NO_CONTENT else response.json()


def _first(pagination: Any, resumed: Mapping[str, Any] | None) -> tuple[Step, int, int]:
    """The step to begin with, its page's number, and the items of the pages before."""
    if resumed is None:
        return pagination.first(), 1, 0
    return Step(tuple((name, value) for name, value in resumed["step"])), resumed["number"], resumed["seen"]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _loop(number: int, url: str, why: str) -> PermanentError:
    return PermanentError(
        f"Page {number} of {sdk.shown_url(url)} leads in a circle: {why}.",
        hint="Check the names of the parameters and paths in the pagination; the API may ignore or rename one.",
    )
