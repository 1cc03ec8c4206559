"""Add to each row what an API knows about it."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, cast

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.transform._answer_cache import AnswerCache
from etl_studio.sdk.auth import Auth, NoAuth, auth_setting
from etl_studio.sdk.json_path import MISSING, find, lookup
from etl_studio.sdk.row_template import AddressTemplate, JsonTemplate, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

GIVE_SECONDS = 0.25
"""How long rows that have their answers wait for others."""
PIECE_ROWS = 10_000
"""Rows that are turned into Python values at once."""
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked for a row; equal for rows that want the same."""

    url: str
    params: tuple[tuple[str, Any], ...] = ()
    body: str | None = None


Outcome: TypeAlias = "dict[str, Any] | sdk.Problem | None"
"""The fields that were found, None where there is nothing, or why nobody knows."""


class HttpLookup(sdk.Transform):
    """Adds to each row what an API knows about it.

    Write the address with columns in braces, `https://api.example.org/customers/{customer_id}`, and where each new
    column stands in the answer (`address.city`). Parameters and body take columns in the same way: `{first} {last}` is
    a text of both, `{age}` alone stays a number. `{{name}}` is the plain text `{name}`. Values are quoted, so that none
    leads to another place of the site.

    Rows keep their order, while several requests are under way. Rows of a batch that want the same ask once, and what
    was found, or that there is nothing, is remembered over batches.

    Nothing is found where the API says so by its status (404, 410), answers with nothing, or where the *path of the
    record* leads to nothing; a row in which a value of the address is empty is not asked for at all. *When nothing is
    found* says what becomes of such a row. A request that fails to its last attempt rejects its rows, and a replay of
    the dead letters asks again.

    Where the row says which site is asked (`{url}`), only addresses of the internet are, and the node cannot sign in:
    whoever writes the rows would get the credentials.
    """

    type: ClassVar[str] = "http_lookup"
    title: ClassVar[str] = "API lookup"
    icon: ClassVar[str] = "lookup"
    group: ClassVar[sdk.node.Group] = "transform"
    keywords: ClassVar[tuple[str, ...]] = (
        "http", "rest", "json", "web", "enrich", "request", "geocode", "join", "service", "fetch",
    )  # fmt: skip
    reads_web: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "url": "https://api.example.org/customers/{customer_id}",
        "fields": {"city": "address.city", "since": "created"},
        "columns": {"since": "date"},
    }

    class Config(sdk.Config):
        """What is asked, and what is taken of the answer."""

        url: str = sdk.setting(
            title="Address",
            description="Where the API answers, with columns in braces.",
            example="https://api.example.org/customers/{customer_id}",
            names="fills",
        )
        fields: dict[str, str] = sdk.setting(
            title="New columns",
            description="Each with the path of its value in the record, with dots between the keys; an empty path is "
            "the whole record as JSON.",
            example={"city": "address.city"},
            keys="makes",
            min_length=1,
        )
        record: str = sdk.setting(
            "",
            title="Path of the record",
            description="Where the answer holds what was looked for; of a list, the first item counts. Empty: the "
            "answer itself.",
            example="results",
        )
        missing: Literal["keep", "reject", "fail"] = sdk.setting(
            "keep",
            title="When nothing is found",
            description="keep: the row goes on, its new columns are empty. reject: it is rejected. fail: the run ends.",
        )
        params: dict[str, str | int | float | bool | None] = sdk.setting(
            {},
            title="Parameters",
            description="Added to the address, as in ?name=value; columns in braces.",
            example={"q": "{name}"},
            names="fills",
        )
        headers: dict[str, str] = sdk.setting(
            {}, title="Headers", description="Sent with each request.", example={"Accept-Language": "en"}
        )
        auth: Auth = auth_setting()
        method: Literal["GET", "POST"] = sdk.setting(
            "GET", title="Method", description="POST sends the body.", advanced=True
        )
        body: dict[str, Any] | None = sdk.setting(
            None,
            title="Body",
            description="Sent as JSON with POST; columns in braces.",
            example={"email": "{email}"},
            only_when={"method": ["POST"]},
            names="fills",
            advanced=True,
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Of the new columns: text, integer, number, boolean, date, time, timestamp, timestamptz, json "
            "or decimal(10,2). What is not named is text.",
            example={"population": "integer"},
            editor="type",
            keys="mentions",
            advanced=True,
        )
        concurrency: int = sdk.setting(
            4, title="Requests at once", description="Under way at the same time.", ge=1, le=64, advanced=True
        )
        cache: int = sdk.setting(
            10_000,
            title="Answers to remember",
            description="Over batches, in memory (64 MB at most); 0: none.",
            ge=0,
            le=1_000_000,
            advanced=True,
        )
        missing_status: list[int] = sdk.setting(
            [404, 410],
            title="Nothing found by status",
            description="HTTP statuses that say that there is no such thing.",
            advanced=True,
        )

        @field_validator("url")
        @classmethod
        def _web_address(cls, value: str) -> str:
            if not value.startswith(("http://", "https://", "{")):
                raise ValueError("must be an address such as https://api.example.org/customers/{id}")
            return value

        _types = field_validator("columns")(sdk.known_types)

        @model_validator(mode="after")
        def _fits_together(self) -> Self:
            if self.method == "GET" and self.body is not None:
                raise ValueError("a body is sent with POST only: set method to POST")
            if stray := [name for name in self.columns if name not in self.fields]:
                raise ValueError(f'columns gives the type of "{stray[0]}", which is none of the new columns')
            if AddressTemplate(self.url).site_from_row and not isinstance(self.auth, NoAuth):
                raise ValueError(
                    "the row says which site is asked, so the node cannot sign in: write the site into the address"
                )
            return self

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._address = AddressTemplate(config.url)
        self._params, self._body = JsonTemplate(config.params), JsonTemplate(config.body)
        self._types = {name: config.columns.get(name, "text") for name in config.fields}
        self._known: AnswerCache[_Question] = AnswerCache(config.cache)
        self._checks: sdk.RecordBuilder | None = None
        self._warned = False

    def start(self, schema: pa.Schema, context: sdk.RunContext) -> tuple[()]:
        """Check that the columns are there, and that the new ones are new."""
        del context
        for setting, template in (("url", self._address), ("params", self._params), ("body", self._body)):
            sdk.require_columns(template.columns, schema.names, setting=setting)
        there = {name.lower(): name for name in schema.names}
        for name in self.config.fields:
            if name.lower() in there:
                raise PermanentError(
                    f'The column "{there[name.lower()]}" is there already.',
                    hint="Choose another name for the new column.",
                    column="fields",
                    value=name,
                )
        self._checks = sdk.RecordBuilder(self._types, fixed=True)
        return ()

    def process(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterator[sdk.node.Emission]:
        """Ask for all rows; give each part of them as soon as their answers are there."""
        asked = [self._question(row) for row in self._values(batch)]
        known: dict[_Question, Outcome] = {}
        new: list[_Question] = []
        for question in dict.fromkeys(one for one in asked if isinstance(one, _Question)):
            answer = self._known.get(question, MISSING)
            if answer is MISSING:
                new.append(question)
            else:
                known[question] = answer
        answers = context.http().read_many(map(self._request, new), self._picked, concurrency=self.config.concurrency)
        came = zip(new, answers, strict=True)
        with closing(cast("Any", answers)):
            start, ready, since = 0, [], time.monotonic()
            for one in asked:
                while isinstance(one, _Question) and one not in known:
                    question, answer = next(came)
                    known[question] = self._outcome(question, answer, context)
                ready.append((one, known[one] if isinstance(one, _Question) else one))
                if time.monotonic() - since >= GIVE_SECONDS:
                    yield from self._enriched(batch.slice(start, len(ready)), ready)
                    start, ready, since = start + len(ready), [], time.monotonic()
            if ready or not asked:
                yield from self._enriched(batch.slice(start), ready)

    def _values(self, batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
        """What the templates take, by row."""
        names = dict.fromkeys((*self._address.columns, *self._params.columns, *self._body.columns))
        wanted = batch.select(list(names))
        for start in range(0, batch.num_rows, PIECE_ROWS):
            if names:
                yield from wanted.slice(start, PIECE_ROWS).to_pylist()
            else:
                yield from ({} for _ in range(min(PIECE_ROWS, batch.num_rows - start)))

    def _question(self, row: dict[str, Any]) -> _Question | Outcome:
        try:
            url = self._address.address(row)
        except ValueError as error:
            return sdk.Problem("address", f"The address of this row was not asked: {error}.", column="url")
        if url is None:
            return None
        params = tuple(
            (name, value if isinstance(value, int | float) else as_text(value))
            for name, value in self._params.value(row).items()
            if value is not None
        )
        body = None if self.config.body is None else json.dumps(self._body.value(row))
        return _Question(url, params, body)

    def _request(self, question: _Question) -> sdk.HttpRequest:
        config = self.config
        return sdk.HttpRequest(
            question.url,
            config.method,
            dict(question.params),
            config.headers,
            body=None if question.body is None else json.loads(question.body),
            auth=config.auth,
            accept=lambda response: response.status in config.missing_status,
            from_data=self._address.site_from_row,
        )

    def _picked(self, response: sdk.HttpResponse) -> tuple[Any, dict[str, Any] | None]:
        """The record and its fields; no fields where there is none."""
        if response.status in self.config.missing_status or response.status == _NO_CONTENT:
            return None, None
        record = lookup(response.json(), self.config.record)
        if isinstance(record, list):
            record = record[0] if record else MISSING
        if record is MISSING or record is None or record in ("", {}):
            return None, None
        found = {name: lookup(record, path) for name, path in self.config.fields.items()}
        return record, {name: None if value is MISSING else value for name, value in found.items()}

    def _outcome(
        self,
        question: _Question,
        answer: tuple[sdk.HttpResponse, tuple[Any, dict[str, Any] | None]] | TransientError | PermanentError,
        context: sdk.RunContext,
    ) -> Outcome:
        if isinstance(answer, TransientError):
            return sdk.Problem("call_failed", str(answer), attempts=answer.attempts or 1)
        if isinstance(answer, PermanentError):
            return sdk.Problem("call_refused", str(answer))
        record, fields = answer[1]
        if fields is not None:
            self._warn_where_empty(question, record, context)
            assert self._checks is not None  # noqa: S101 - made by start
            if (problem := self._checks.check(fields)) is not None:
                return problem
        self._known.keep(question, fields)
        return fields

    def _warn_where_empty(self, question: _Question, record: Any, context: sdk.RunContext) -> None:
        """Say it once where a record has none of the fields: most likely their paths are wrong."""
        paths = list(self.config.fields.values())
        if self._warned or any(lookup(record, path) is not MISSING for path in paths):
            return
        self._warned = True
        try:
            find(record, paths[0], setting="fields", source=sdk.shown_url(question.url))
        except PermanentError as error:
            context.log("warning", f"The new columns are empty: {error}")

    def _enriched(
        self, rows: pa.RecordBatch, outcomes: Sequence[tuple[_Question | Outcome, Outcome]]
    ) -> Iterator[sdk.node.Emission]:
        """The rows with their new columns, and those that are rejected."""
        import pyarrow as pa

        good: list[int] = []
        records: list[dict[str, Any]] = []
        bad: list[int] = []
        problems: list[sdk.Problem] = []
        for index, (question, found) in enumerate(outcomes):
            outcome = self._missing(question) if found is None and self.config.missing != "keep" else found
            if isinstance(outcome, sdk.Problem):
                bad.append(index)
                problems.append(outcome)
            else:
                good.append(index)
                records.append(outcome or {})
        builder = sdk.RecordBuilder(self._types, fixed=True)
        built = [part for part in (*builder.add(records), *builder.finish()) if isinstance(part, pa.RecordBatch)]
        new = pa.Table.from_batches(built).combine_chunks().to_batches()
        kept = rows.take(pa.array(good, pa.int64())) if bad else rows
        columns = [*kept.columns, *(new[0] if new else built[0]).columns]
        yield pa.record_batch(columns, schema=pa.schema([*rows.schema, *built[0].schema]))
        if bad:
            yield sdk.Rejected(rows.take(pa.array(bad, pa.int64())), problems)

    def _missing(self, question: _Question | Outcome) -> sdk.Problem:
        if isinstance(question, _Question):
            text = f"{sdk.shown_url(question.url)} has nothing for this row."
        else:
            text = "A value of the address is empty in this row, so nothing was asked."
        if self.config.missing == "fail":
            raise PermanentError(text, hint='Set "missing" to keep or reject where that may be.')
        return sdk.Problem("not_found", text)
