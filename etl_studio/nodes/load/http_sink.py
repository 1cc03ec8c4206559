"""Push rows to a web API."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import uuid4

from pydantic import field_validator

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class HttpSink(sdk.Sink):
    """Send rows as JSON to an address, some of them in each request.

    Requests are kept in the workspace until they have arrived, and each has an **idempotency key** that stays the same
    however often it is sent (draft-ietf-httpapi-idempotency-key-header). So a run that breaks off and is resumed sends
    each row exactly once to a site that looks at the keys, and at least once to any other.

    Nothing is sent before a checkpoint, and nothing in a dry run. A request that the site refuses for good ends the
    run with the site's answer; when the cause is mended, a resume sends it and what follows it. Retry, rate limit and
    breaker of the policy hold for each request.

    Columns become fields: numbers stay numbers, times become ISO texts, lists and structs become JSON, and an empty
    value (NULL, NaN) becomes `null`.
    """

    type: ClassVar[str] = "http_sink"
    title: ClassVar[str] = "Push to API"
    icon: ClassVar[str] = "upload"
    group: ClassVar[sdk.node.Group] = "load"
    keywords: ClassVar[tuple[str, ...]] = ("http", "rest", "post", "put", "webhook", "send", "push", "json", "api")
    example: ClassVar[dict[str, Any]] = {"url": "https://api.example.com/orders", "rows_per_request": 100}
    outputs: ClassVar[tuple[sdk.Port, ...]] = ()
    identity: ClassVar[tuple[str, ...]] = ("url", "method", "rows_per_request", "wrap")

    class Config(sdk.Config):
        """Where and how to send."""

        url: str = sdk.setting(
            title="Address", description="Where the rows go.", example="https://api.example.com/orders"
        )
        method: Literal["POST", "PUT", "PATCH"] = sdk.setting("POST", title="Method", description="Of each request.")
        headers: dict[str, str] = sdk.setting(
            {},
            title="Headers",
            description="Sent with each request. Secrets: ${secret:name}.",
            example={"Authorization": "Bearer ${secret:token}"},
        )
        rows_per_request: int = sdk.setting(
            100, title="Rows per request", description="1: the row itself instead of a list.", ge=1, le=10_000
        )
        wrap: str = sdk.setting(
            "",
            title="Field of the list",
            description='Such as items for {"items": [...]}; empty: the list alone.',
            example="items",
        )
        key_header: str = sdk.setting(
            "Idempotency-Key",
            title="Header of the key",
            description="Where the site looks for the idempotency key; empty: none is sent.",
            advanced=True,
        )

        @field_validator("url")
        @classmethod
        def _is_http(cls, value: str) -> str:
            if not value.lower().startswith(("http://", "https://")):
                raise ValueError("it must begin with http:// or https://")
            return value

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._outbox: sdk.Outbox | None = None
        self._texts: Any = None
        self._open_rows: list[str] = []
        self._rows = 0

    @property
    def keeps_partial(self) -> bool:
        """Sending only adds."""
        return True

    @property
    def commits_at_barriers(self) -> bool:
        """What is kept by then is sent, and sent again after a crash with the same keys."""
        return True

    def last_mark(self, context: sdk.RunContext) -> sdk.Mark | None:
        """The last mark whose requests are kept or sent."""
        return context.database().mark(context.run, context.node)

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Prepare what turns rows into JSON, and forget what a run that broke off had not committed."""
        self._box(context)
        if self._texts is not None:
            self._texts.close()
        self._texts = _Texts(schema)

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Keep the rows; full requests go to the outbox."""
        self._open_rows += self._texts.of(batch)
        self._rows += batch.num_rows
        self._stage(context, self.config.rows_per_request)
        return ()

    def commit(self, context: sdk.RunContext, mark: sdk.Mark | None = None) -> sdk.Loaded:
        """Commit the requests together with the mark, then send them."""
        outbox = self._box(context)
        self._stage(context, 1)
        loaded = sdk.Loaded(inserted=self._rows)
        before = None
        if mark is not None:
            # Final is only what has been sent: a run whose sinks are all final is not resumed any more.
            facts = {**mark.facts, "loaded": {"inserted": self._rows}}
            before = replace(mark, final=False, facts=facts)
        outbox.commit(before)
        while (request := outbox.next()) is not None:
            number, key, body = request
            self._send(context, key, body)
            outbox.sent(number)
        if before is not None and mark is not None and mark.final:
            outbox.commit(replace(before, final=True))
        self._rows = 0
        return loaded

    def abort(self, context: sdk.RunContext) -> None:
        """Forget what was not committed."""
        del context
        if self._texts is not None:
            self._texts.close()
            self._texts = None
        self._open_rows = []
        self._rows = 0
        if self._outbox is not None:
            self._outbox.discard()
            self._outbox = None

    def _box(self, context: sdk.RunContext) -> sdk.Outbox:
        if self._outbox is None:
            self._outbox = context.database().outbox(context.run, context.node)
            self._outbox.discard()
        return self._outbox

    def _stage(self, context: sdk.RunContext, least: int) -> None:
        """Make requests of the rows that wait, as long as there are at least so many."""
        size = self.config.rows_per_request
        requests = []
        while len(self._open_rows) >= least:
            rows, self._open_rows = self._open_rows[:size], self._open_rows[size:]
            requests.append((str(uuid4()), self._body(rows)))
        if requests:
            self._box(context).stage(requests)

    def _body(self, rows: list[str]) -> str:
        config = self.config
        text = rows[0] if config.rows_per_request == 1 else f"[{','.join(rows)}]"
        return f"{{{json.dumps(config.wrap)}:{text}}}" if config.wrap else text

    def _send(self, context: sdk.RunContext, key: str, body: str) -> None:
        config = self.config
        headers = {**config.headers, **({config.key_header: key} if config.key_header else {})}
        context.http().send(sdk.HttpRequest(config.url, config.method, headers=headers, body=json.loads(body)))


class _Texts:
    """Rows as JSON objects, by DuckDB."""

    def __init__(self, schema: pa.Schema) -> None:
        import pyarrow as pa

        self._connection = sdk.sandbox(threads=1)
        self._view = sdk.BatchView(schema)
        self._connection.register("input", self._view)
        # JSON has no word for what is no number.
        finite = ", ".join(
            f"CASE WHEN isfinite({name}) THEN {name} END AS {name}"
            for name in (sdk.identifier(field.name) for field in schema if pa.types.is_floating(field.type))
        )
        columns = f"* REPLACE ({finite})" if finite else "*"
        self._query = self._connection.sql(
            f"SELECT CAST(to_json(row) AS VARCHAR) FROM (SELECT {columns} FROM input) row"  # noqa: S608 - quoted
        )

    def of(self, batch: pa.RecordBatch) -> list[str]:
        """A text for each row."""
        self._view.batches = (batch,)
        try:
            texts: list[str] = self._query.to_arrow_table().column(0).to_pylist()
        finally:
            self._view.batches = ()
        return texts

    def close(self) -> None:
        """Close the DuckDB."""
        self._connection.close()
