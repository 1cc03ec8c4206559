"""Read records from a JSON API."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError, UsageError
from etl_studio.nodes.extract._again import builder_of, records_again, rejected
from etl_studio.nodes.extract._children import ChildReader, Children, Parent
from etl_studio.nodes.extract._incremental import Incremental, Tracking, stream
from etl_studio.nodes.extract._pagination import (
    AutoPagination,
    CursorPagination,
    LinkPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Step,
)
from etl_studio.nodes.extract._response_actions import ResponseAction  # noqa: TC001 - a setting
from etl_studio.nodes.extract._rest_answers import AnswerReader
from etl_studio.nodes.extract._rest_asking import Asker
from etl_studio.nodes.extract._rest_pages import PageReader
from etl_studio.nodes.extract._rest_records import Flattener, answered, missing, objects
from etl_studio.nodes.extract._rest_request import RequestBuilder
from etl_studio.nodes.extract._rest_stream import Streaming, records_of
from etl_studio.nodes.extract._rest_streaming import StreamReader
from etl_studio.sdk.auth import Auth, auth_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.nodes.extract._pagination import Page

STREAMS = ("ndjson", "sse")
PROVENANCE = {"_url": "text", "_status": "integer", "_fetched_at": "timestamptz", "_page": "integer"}


class RestSource(sdk.Source):
    """Read records from a JSON API, page by page.

    Give the address, the path of the items in the answer (`data.items`; empty when the answer is the list itself) and
    how the API cuts them into pages. A page that fails is asked for again by itself, as the policy says; what has
    already come stays. An answer with an error status is never taken for the last page.

    *Sign-in* tells who asks: user and password, a token, a key, or OAuth 2.0. Passwords, tokens and keys are written as
    `${secret:name}`. With *oauth2_authorization_code* a person signs in with the browser, once
    (`etl-studio sign-in FILE NODE`); the tokens are in the keychain of the computer. Credentials never follow a
    redirect or a next address to another site.

    *Incremental reading* reads what has changed since the last run, by a value that grows (`path: updated_at`). How far
    a run came is kept when all that it read has been loaded. A run that fails, is stopped, is a dry run or covers only
    a part of the pipeline moves nothing, so that no item is lost. `etl-studio state show FILE` tells where the next run
    begins, and `etl-studio state reset FILE` lets it begin anew.

    *Requests for each item* asks for more with fields of each item (`/v1/products/{id}/reviews`). The rows are then
    what these answers hold, with what *include* takes from the item. An item for which that fails is rejected, and a
    replay of its dead letter asks again.

    Columns come from the first 1,000 items. A nested object becomes columns of its own (`supplier: {name, country}`
    gives `supplier_name` and `supplier_country`); lists and deeper objects become JSON text. An item that is no object
    is rejected.

    Pages follow each other by number, offset, cursor or address; *auto* finds out how from the first answer, says what
    it took, and tries the next best guess when the second page shows that it was wrong. Copy what it says to keep it.

    A numbered page (*page*) that has not answered to the last attempt is rejected when the page behind it answers; a
    replay of the dead letter asks for it again. Elsewhere, what follows such a page is not known and the run ends.

    Reading ends at an empty page, or when the answer says so (*has-more*, *total*, no cursor, no next address); the log
    names the rule. An answer that tells of an error in place of items is asked for again and never ends the reading. An
    API that gives the same page again is stopped with an error instead of being read for ever.

    A stream of JSON lines (*ndjson*) or server-sent events (*sse*) gives rows as they come. When its connection breaks,
    it goes on behind what has come: by the id of the last event, or by the same lines, which are skipped.
    """

    type: ClassVar[str] = "rest_source"
    title: ClassVar[str] = "REST API"
    icon: ClassVar[str] = "api"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = (
        "http",
        "json",
        "web",
        "service",
        "endpoint",
        "request",
        "pagination",
        "stream",
    )
    reads_web: ClassVar[bool] = True
    probes: ClassVar[bool] = True
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
        pagination: (
            NoPagination | AutoPagination | PagePagination | OffsetPagination | CursorPagination | LinkPagination
        ) = sdk.setting(
            NoPagination(), title="Pages", description="How the API cuts its items into pages.", discriminator="kind"
        )
        params: dict[str, str | int | float | bool | None] = sdk.setting(
            {}, title="Parameters", description="Added to the address, as in ?name=value.", example={"status": "active"}
        )
        headers: dict[str, str] = sdk.setting(
            {}, title="Headers", description="Sent with each request.", example={"Accept-Language": "en"}
        )
        auth: Auth = auth_setting()
        incremental: Incremental | None = sdk.setting(
            None, title="Incremental reading", description="Read what is new or changed since the last run."
        )
        children: Children | None = sdk.setting(
            None,
            title="Requests for each item",
            description="What is asked for each item; the rows are what these answers hold.",
        )
        method: Literal["GET", "POST"] = sdk.setting(
            "GET", title="Method", description="POST sends the body.", advanced=True
        )
        body: dict[str, Any] | None = sdk.setting(
            None, title="Body", description="Sent as JSON with POST.", example={"query": "mug"}, advanced=True
        )
        format: Literal["auto", "json", "ndjson", "sse"] = sdk.setting(
            "auto",
            title="Format",
            description="auto: JSON, or JSON lines or events that come as a whole. ndjson and sse: a stream of JSON "
            "lines or of server-sent events, whose rows are given as they come.",
            advanced=True,
        )
        stream: Streaming = sdk.setting(
            Streaming(),
            title="Stream",
            description="How long a stream is read, and what of it.",
            only_when={"format": ["ndjson", "sse"]},
            advanced=True,
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
        concurrency: int | None = sdk.setting(
            None,
            title="Pages at once",
            description="Pages by number or offset that are asked for at once, always given in their order; empty: 4 "
            "where the total is known, otherwise 1. With more, a few pages behind the last one may be asked for.",
            example=4,
            ge=1,
            le=64,
            advanced=True,
        )
        response_actions: list[ResponseAction] = sdk.setting(
            [],
            title="Response actions",
            description="What to do with answers of a certain status or content; the first that means one counts.",
            example=[{"status": "404", "action": "stop"}],
            advanced=True,
        )
        provenance: bool = sdk.setting(
            False,
            title="Where rows come from",
            description="Adds _url, _status, _fetched_at and _page to each row.",
            advanced=True,
        )
        only_changed: bool = sdk.setting(
            False,
            title="Only when changed",
            description="Leave out an answer that is as it was in the last run that went well. For APIs without pages, "
            "and targets that rows are added to or merged into.",
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

        _types = field_validator("columns")(sdk.known_types)

        @model_validator(mode="after")
        def _body_by_post(self) -> Self:
            in_body = self.pagination.send_in == "body" or (self.incremental and self.incremental.send_in == "body")
            if self.method == "GET" and (self.body is not None or in_body):
                raise ValueError("a body is sent with POST only: set method to POST")
            if self.format in STREAMS and self.pagination.kind != "none":
                raise ValueError("a stream has no pages: set the kind of pagination to none, or format to json")
            if self.format in STREAMS and (self.incremental or self.children):
                raise ValueError("a stream takes no incremental and no children: take them out, or set format to json")
            whole = self.pagination.kind == "none" and self.format not in STREAMS
            if self.only_changed and (not whole or self.incremental or self.children):
                raise ValueError(
                    "only_changed: it is for one answer that comes as a whole, without pages, incremental and children"
                )
            return self

    config: Config

    @property
    def only_new(self) -> bool:
        """What came in an earlier run is left out."""
        return self.config.only_changed or self.config.incremental is not None

    @property
    def replays(self) -> bool:
        """A page is asked for again by its number, its offset, its cursor or its address.

        An address may hold a secret: one that looks like it is kept nowhere, and a resume begins at a page before.
        """
        return self.config.pagination.kind != "none"

    def probed(self, probe: sdk.Probe) -> RestSource:
        """With pages that nobody has described found out."""
        if self.config.format in STREAMS:
            raise UsageError("A stream has no pages.", hint="Look at its rows in the preview.")
        found_out = {} if self.replays else {"pagination": AutoPagination()}
        source = RestSource(self.config.model_copy(update={"only_changed": False, **found_out}))
        source.probe = probe
        return source

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the items of each page as it comes, with a cursor where all items of a page are given."""
        resumed = context.resume or {}
        columns = {**resumed.get("columns", {}), **self._columns}
        builder = sdk.RecordBuilder(columns, fixed="columns" in resumed, wanted=self.wanted)
        flattened = Flattener(resumed.get("nested", ()))
        if self.config.format in STREAMS:
            yield from self._stream(builder, flattened, context)
            return
        tracking, children = self._tracking(context), self._children(context)
        asker = self._asker(context, self.config.items, tracking.asks if tracking else {})
        concurrency = 1 if self.wanted else self.config.concurrency
        reader = PageReader(asker, self.config.pagination, context.log, concurrency, self.probe)
        for found in reader.read(context.resume):
            if isinstance(found, sdk.Rejected):
                yield found
                continue
            page = replace(found.page, items=tracking.new(found.page.items)) if tracking else found.page
            if children and self.probe is not None:  # one of each page shows what their answers are like
                page = replace(page, items=page.items[:1])
            for one in children.read(page) if children else (page,):
                yield from self._rows(one, builder, flattened if self.config.flatten else list)
            if self.replays and found.place is not None and builder.columns is not None:
                state = {"incremental": tracking.state} if tracking else {}
                yield sdk.Cursor({**found.place, "columns": builder.columns, "nested": flattened.names, **state})
            if tracking is not None and tracking.finished:
                context.log("info", "What follows came in an earlier run, or is not wanted.")
                break
        yield from builder.finish()
        if tracking is not None and (bookmark := tracking.bookmark(complete=reader.complete)) is not None:
            yield bookmark

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Ask for pages that failed; take items that were mended, or whose columns are now declared."""
        builder, flattened = builder_of(self._columns, schema), Flattener()

        def prepared(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
            records = flattened(records) if self.config.flatten else records
            # A nested object that is missing here is one column too many.
            known = builder.schema.names if builder.schema is not None else None
            return [
                {name: value for name, value in record.items() if value is not None or known is None or name in known}
                for record in records
            ]

        refused, children = [], self._children(context)
        for asks in (item for item in tried if "params" in item):
            step, send_in = Step(tuple(asks["params"].items()), asks.get("next")), self.config.pagination.send_in
            asker = self._asker(context, asks.get("items", self.config.items), asks.get("asked", {}))
            try:
                page = asker.ask(step, asks.get("send_in", send_in), number=asks["page"])
            except (PermanentError, TransientError) as error:
                refused.append(missing(asks, error))
                continue
            if page.action == "reject":
                refused.append(missing(asks, answered(page)))
            for one in children.read(page) if children else (page,):
                yield from self._rows(one, builder, prepared)
        if children is not None:
            for one in children.read_again(Parent(**item["children"]) for item in tried if "children" in item):
                yield from self._rows(one, builder, prepared)
        texts = (item for item in tried if not item.keys() & {"params", "children"})
        yield from records_again(texts, builder, lambda text: [json.loads(text)], prepared)
        yield from refused

    def _stream(
        self, builder: sdk.RecordBuilder, flattened: Flattener, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """The values of a stream as they come."""
        settings, events = self.config.stream, self.config.format == "sse"
        if self.wanted is not None:
            settings = settings.model_copy(update={"max_items": min(self.wanted, settings.max_items or self.wanted)})
        request = self._requests().request(Step())
        with context.web() as web:
            reader = StreamReader(web, request, settings, context.log, events=events)
            for values in reader.read():
                url, status = reader.connection
                found, refused = records_of(values, self.config.items, url)
                records = [record for record, _ in found]
                records = flattened(records) if self.config.flatten else records
                if self.config.provenance:
                    facts = {"_url": sdk.shown_url(url), "_status": status, "_fetched_at": datetime.now(UTC)}
                    records = [
                        record | facts | {"_page": 1, "_event": one.event, "_event_id": one.id}
                        for record, (_, one) in zip(records, found, strict=True)
                    ]
                yield from builder.add(records)
                if refused:
                    yield rejected(refused)
        yield from builder.finish()

    @property
    def _columns(self) -> dict[str, str]:
        facts = PROVENANCE if self.config.provenance else {}
        if facts and self.config.format in STREAMS:
            facts = {**facts, "_event": "text", "_event_id": "text"}
        return {**facts, **self.config.columns}

    def _with_provenance(self, records: list[dict[str, Any]], page: Page) -> list[dict[str, Any]]:
        if not self.config.provenance:
            return records
        facts = {
            "_url": sdk.shown_url(page.url),
            "_status": page.status,
            "_fetched_at": page.fetched_at,
            "_page": page.number,
        }
        return [record | facts for record in records]

    def _rows(
        self,
        page: Page | sdk.Rejected,
        builder: sdk.RecordBuilder,
        prepared: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    ) -> Iterator[sdk.node.Emission]:
        """The items of a page as rows; those that are no objects, and what was refused before, as it is."""
        if isinstance(page, sdk.Rejected):
            yield page
            return
        records, rejected = objects(page)
        yield from builder.add(self._with_provenance(prepared(records), page))
        if rejected is not None:
            yield rejected

    def _children(self, context: sdk.RunContext) -> ChildReader | None:
        config = self.config
        if config.children is None:
            return None
        return ChildReader(config.children, self._requests(), context.http(), context.log)

    def _tracking(self, context: sdk.RunContext) -> Tracking | None:
        config = self.config
        if config.incremental is None:
            return None
        of = stream(config.url, config.params, config.body, config.incremental)
        resumed = (context.resume or {}).get("incremental")
        return Tracking(config.incremental, of, context.bookmark(of), resumed, context.log)

    def _asker(self, context: sdk.RunContext, items: str, new: dict[str, Any]) -> Asker:
        """What asks for pages; ``new`` are the values that ask for what is new."""
        config, kind = self.config, self.config.pagination.kind
        answers = AnswerReader(
            items,
            paged=kind != "none",
            finding=kind == "auto",
            actions=config.response_actions,
            streams=config.format == "auto",
        )
        requests = self._requests()
        if config.incremental is not None:
            requests = requests.adding(new, config.incremental.send_in)
        unchanged: sdk.Unchanged = "skip" if config.only_changed else "take"
        return Asker(context.http(), requests, answers, context.log, unchanged)

    def _requests(self) -> RequestBuilder:
        config = self.config
        return RequestBuilder(
            config.url,
            method=config.method,
            params=config.params,
            headers=config.headers,
            body=config.body,
            auth=config.auth,
        )
