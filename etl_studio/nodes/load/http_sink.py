"""Push rows to a web API."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import uuid4

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.load._push_answers import Verdict, verdict
from etl_studio.nodes.load._push_settings import PushSettings
from etl_studio.nodes.load._requests import RequestMaker, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    Answer = tuple[sdk.HttpResponse, None] | TransientError | PermanentError

PAGE = 16
"""Requests that are taken out of the outbox at once."""
SHOWN_BODY = 2_000
"""Characters of a body that a dry run shows."""


class HttpSink(sdk.Sink):
    """Send rows to an address, as JSON or lines of JSON, one or many in each request.

    A row is sent with all its columns, or as *Row* says: `{"name": "{first} {last}", "age": "{age}"}`. With one row in
    each request, the address may hold columns, too: `https://api.example.com/customers/{id}`. Numbers stay numbers,
    times become ISO texts, lists and structs become JSON, and an empty value (NULL, NaN) becomes `null`.

    **What arrives how often.** Requests are kept in the workspace until they have come to their end, and each has an
    **idempotency key** that stays the same however often it is sent (draft-ietf-httpapi-idempotency-key-header). A run
    that breaks off and is resumed sends what had not been answered, with the same keys, and nothing that had. So each
    row arrives exactly once at a site that looks at the keys, and at least once at any other: the requests that were
    under way when the run broke off may come twice there.

    **What is refused.** Where the site refuses a request of many rows (400, 409, 410, 413, 422), its halves are sent
    alone, until the rows at fault are found; where it tells about each row, write *Results of rows*. These rows become
    dead letters with the site's answer. A replay sends them as new requests, since the site took nothing; only rows of
    which nobody knows whether they arrived keep their key. Any other refusal (401, 404, ...) ends the run with the
    site's answer; when the cause is mended, a resume sends it and what follows it.

    Nothing is sent before a checkpoint. A dry run sends nothing and shows the requests. Retry, `Retry-After`, rate
    limit and breaker of the policy hold for each request. A redirect is not followed, since it could lose the rows.
    """

    type: ClassVar[str] = "http_sink"
    title: ClassVar[str] = "Push to API"
    icon: ClassVar[str] = "upload"
    group: ClassVar[sdk.node.Group] = "load"
    keywords: ClassVar[tuple[str, ...]] = ("http", "rest", "post", "put", "webhook", "send", "push", "json", "api")
    example: ClassVar[dict[str, Any]] = {"url": "https://api.example.com/orders", "rows_per_request": 100}
    outputs: ClassVar[tuple[sdk.Port, ...]] = ()
    identity: ClassVar[tuple[str, ...]] = (
        "url", "method", "rows_per_request", "row", "wrap", "envelope", "format",
    )  # fmt: skip

    class Config(PushSettings):
        """Where and how to send."""

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._requests = RequestMaker(config)
        self._accepted = frozenset((*config.refused_status, *config.success_status))
        self._replaying = False
        self._outbox: sdk.Outbox | None = None
        self._open: pa.RecordBatch | None = None
        self._rows = self._refused = 0
        self._counted: Mapping[str, Any] = {}

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

    def unfinished(self, context: sdk.RunContext) -> str | None:
        """The key of the first request that has not come to its end."""
        first = context.database().outbox(context.run, context.node).waiting(None, 1)
        return first[0].key if first else None

    def adding(self) -> HttpSink:
        """What may have arrived before goes with the key that it had."""
        again = HttpSink(self.config)
        again._replaying = True
        return again

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Check the columns, and forget what a run that broke off had not committed."""
        for setting, columns in self._requests.columns.items():
            sdk.require_columns(columns, schema.names, setting=setting)
        self._box(context)

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Keep the rows; full requests go to the outbox."""
        import pyarrow as pa

        refused: list[sdk.Rejected] = []
        if self._requests.by_row and (without := self._without_address(batch)) is not None:
            good, rejected = without
            refused.append(rejected)
            batch = batch.take(pa.array(good, pa.int64()))
        if batch.num_rows:
            waiting = batch if self._open is None else pa.concat_batches([self._open, batch])
            self._stage(waiting, context, whole=False)
            # Only now: a retry writes the whole batch again.
            self._rows += batch.num_rows
        return refused

    def commit(self, context: sdk.RunContext, mark: sdk.Mark | None = None) -> sdk.Loaded:
        """Commit the requests together with the mark, then send them."""
        outbox = self._box(context)
        self._stage(self._open, context, whole=True)
        outbox.commit(self._sending(mark))
        self._send_all(outbox, mark, context)
        if mark is not None and mark.final:
            # Final is only what has been sent: a run whose sinks are all final is not resumed any more.
            outbox.commit(replace(self._sending(mark) or mark, final=True))
        loaded = sdk.Loaded(inserted=self._rows - self._refused)
        self._rows = self._refused = 0
        self._counted = {}
        return loaded

    def diff(self, context: sdk.RunContext, limit: int) -> sdk.Diff:
        """The requests that a commit would send."""
        self._stage(self._open, context, whole=True)
        number, first = self._box(context).staged(limit)
        shown = []
        for one in first:
            rows = from_bytes(one.rows)
            made = self._requests.made(rows)
            body = (made.content or b"").decode()
            body = body if len(body) <= SHOWN_BODY else body[: SHOWN_BODY - 1] + "…"
            request = f"{self.config.method} {sdk.shown_url(made.url)}"
            facts = {"request": request, "rows": rows.num_rows, "body": body}
            shown.append(sdk.Change("inserted", facts, {}))
        where = f"{self.config.method} {sdk.shown_url(self.config.url)}"
        return sdk.Diff(where, sdk.Loaded(inserted=self._rows), None, self._rows, tuple(shown), requests=number)

    def abort(self, context: sdk.RunContext) -> None:
        """Forget what was not committed."""
        del context
        self._open = None
        self._rows = self._refused = 0
        self._counted = {}
        if self._outbox is not None:
            self._outbox.discard()
            self._outbox = None

    def _box(self, context: sdk.RunContext) -> sdk.Outbox:
        if self._outbox is None:
            self._outbox = context.database().outbox(context.run, context.node)
            self._outbox.discard()
        return self._outbox

    def _without_address(self, batch: pa.RecordBatch) -> tuple[list[int], sdk.Rejected] | None:
        """The numbers of the rows that have an address, and the other rows; None where all have one."""
        import pyarrow as pa

        reasons = list(map(self._requests.why_not, batch.select(list(self._requests.columns["url"])).to_pylist()))
        bad = [number for number, why in enumerate(reasons) if why is not None]
        if not bad:
            return None
        problems = [sdk.Problem("address", f"This row was not sent: {reasons[number]}.", "url") for number in bad]
        rejected = sdk.Rejected(batch.take(pa.array(bad, pa.int64())), problems)
        return [number for number, why in enumerate(reasons) if why is None], rejected

    def _stage(self, waiting: pa.RecordBatch | None, context: sdk.RunContext, *, whole: bool) -> None:
        """Keep requests made of rows, and the rows that do not fill one; ``whole``: requests made of all of them."""
        if waiting is None:
            return
        parts, left = self._requests.cut(waiting, whole=whole)
        if parts:
            self._box(context).stage([self._outgoing(part) for part in parts])
        self._open = left

    def _outgoing(self, rows: pa.RecordBatch) -> sdk.Outgoing:
        # What may have arrived without an answer is found by what is sent.
        content = self._requests.made(rows).hash if self._replaying else None
        return sdk.Outgoing(str(uuid4()), to_bytes(rows), content=content)

    def _sending(self, mark: sdk.Mark | None) -> sdk.Mark | None:
        """The mark while its requests are sent."""
        if mark is None:
            return None
        facts = {**mark.facts, **self._counted, "loaded": {"inserted": self._rows - self._refused}}
        return replace(mark, final=False, facts=facts)

    def _send_all(self, outbox: sdk.Outbox, mark: sdk.Mark | None, context: sdk.RunContext) -> None:
        asked: deque[sdk.Outgoing] = deque()
        sent = context.http().read_many(
            self._waiting(outbox, asked), lambda _: None, concurrency=self.config.concurrency
        )
        with closing(cast("Any", sent)):
            for answer in sent:
                self._settle(outbox, asked.popleft(), answer, mark, context)

    def _waiting(self, outbox: sdk.Outbox, asked: deque[sdk.Outgoing]) -> Iterator[sdk.HttpRequest]:
        last = None
        while page := outbox.waiting(last, PAGE):
            for last in page:
                asked.append(last)
                yield self._request(last)

    def _request(self, outgoing: sdk.Outgoing) -> sdk.HttpRequest:
        made = self._requests.made(from_bytes(outgoing.rows))
        return self._requests.request(made, outgoing.key, self._accepted)

    def _settle(
        self,
        outbox: sdk.Outbox,
        outgoing: sdk.Outgoing,
        answer: Answer,
        mark: sdk.Mark | None,
        context: sdk.RunContext,
    ) -> None:
        """Do what an answer says; whatever it is, the request is not sent again afterwards."""
        rows = from_bytes(outgoing.rows)
        found = self._verdict(answer, rows.num_rows)
        if found.all_refused is not None and not found.unsure and rows.num_rows > 1:
            half = (rows.num_rows + 1) // 2
            parts = [sdk.Outgoing(str(uuid4()), to_bytes(part)) for part in (rows.slice(0, half), rows.slice(half))]
            for part in outbox.split(outgoing, parts):
                [again] = context.http().read_many([self._request(part)], lambda _: None, concurrency=1)
                self._settle(outbox, part, again, mark, context)
            return
        if found.all_refused is not None:
            found = replace(found, refused=dict.fromkeys(range(rows.num_rows), found.all_refused))
        if not found.refused:
            outbox.settled(outgoing)
            return
        self._refuse(rows, found, answer, outgoing.key, context)
        unsure = self._requests.made(rows).hash if found.unsure else None
        outbox.settled(outgoing, self._sending(mark), again=unsure)

    def _verdict(self, answer: Answer, rows: int) -> Verdict:
        config = self.config
        if isinstance(answer, TransientError):
            if config.unanswered == "stop":
                raise answer
            return Verdict(all_refused=str(answer), unsure=True)
        if isinstance(answer, PermanentError):
            raise answer
        return verdict(answer[0], rows, config.success, config.results, config.success_status)

    def _refuse(self, rows: pa.RecordBatch, found: Verdict, answer: Answer, key: str, context: sdk.RunContext) -> None:
        import pyarrow as pa

        if isinstance(answer, TransientError):
            kind, attempts = "call_failed", answer.attempts or 1
        else:
            assert not isinstance(answer, PermanentError)  # noqa: S101 - raised before
            kind, attempts = f"http_{answer[0].status}", 1
        numbers = sorted(found.refused)
        problems = [sdk.Problem(kind, found.refused[number], attempts=attempts) for number in numbers]
        refused = sdk.Rejected(rows.take(pa.array(numbers, pa.int64())), problems)
        self._counted = context.refuse(refused, key)
        self._refused += len(numbers)
