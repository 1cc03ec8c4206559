"""Read rows from web pages."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urldefrag, urlsplit

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._again import records_again
from etl_studio.nodes.extract._crawl_items import ItemType, PageFacts, Rows, field_of, item_of
from etl_studio.nodes.extract._hit_rates import compare_and_keep
from etl_studio.nodes.extract._html_page import parse
from etl_studio.nodes.extract._selectors import Selector, resolved
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.nodes.extract._html_page import HtmlPage

SAFETY_LIMIT = 10_000
"""Pages after which a source without ``max_pages`` stops with an error: it hardly means to go on."""
URL_COLUMN = "_url"
HIDDEN = ("***", "•")
"""What stands for a secret in an address."""


class WebPageSource(sdk.Source):
    """Read rows from web pages: one row for each element that the item selector finds.

    Selectors are CSS, with `::text` for the text and `::attr(href)` for an attribute as scrapers know them, or XPath
    when they begin with `/`, `./` or `(`. A field is looked for inside its item; an XPath that begins with `//` looks
    in the whole page. The first match that is not blank counts; blanks and line breaks inside become one blank.
    Without `::text` a field is the whole text of its element. Links (`href`, `src`) become absolute addresses.
    `jsonld:offers.price` and `microdata:price` read what the page says about itself for machines.

    Columns are text unless *Column types* says otherwise; clean prices and dates with a Derive. `_url` is the address
    of the page.

    A warning tells of fields that are found less often than in the last run: the site may have changed.

    With *Next page* the link that it finds is followed until there is none. A page on which nothing matches is a
    warning; nothing on any page is an error, since the site has most likely changed. A page that fails is asked for
    again as the policy says. Of several addresses, one that answers with an error such as 404 or to no attempt at
    all is rejected and the others are read; a replay of the dead letter fetches it again and follows its next
    links. A following page that fails ends the run, since what comes after it is not known.

    With *Only changed pages* the site is asked whether a page is still the same (`ETag`, `Last-Modified`), and one that
    came with the same content is left out, too. What a run has seen counts when all that it read has been loaded; with
    other settings of this node, or another target, all pages are read anew.
    """

    type: ClassVar[str] = "web_page_source"
    title: ClassVar[str] = "Web page"
    icon: ClassVar[str] = "globe"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("scrape", "crawl", "html", "http", "site", "css", "xpath", "selector")
    reads_web: ClassVar[bool] = True
    probes: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "urls": ["http://127.0.0.1:8750/shop"],
        "item": ".card",
        "fields": {"name": "h2 a::text", "price": ".price::text", "link": "h2 a::attr(href)"},
        "next": "a.next::attr(href)",
    }

    class Config(sdk.Config):
        """Which pages, and what to take from them."""

        urls: list[str] = sdk.setting(
            title="Addresses", description="Pages to begin with.", example=["https://shop.example.org/"], min_length=1
        )
        item: str = sdk.setting(
            "",
            title="Item",
            description="Selector of what becomes a row, or jsonld:Product, or microdata:Product; empty: the page is a "
            "row.",
            example=".card",
            editor="selector",
        )
        fields: dict[str, str] = sdk.setting(
            title="Fields",
            description="Column names and the selectors of their values inside the item; also jsonld:offers.price and "
            "microdata:price.",
            example={"name": "h2::text", "link": "a::attr(href)"},
            editor="selector",
            keys="makes",
            min_length=1,
        )
        next: str = sdk.setting(
            "",
            title="Next page",
            description="Selector of the link to the following page; empty: none is followed.",
            example="a.next::attr(href)",
            editor="selector",
        )
        max_pages: int | None = sdk.setting(
            None,
            title="At most",
            description=f"Stop after so many pages; empty: all of them (an error after {SAFETY_LIMIT:,}).",
            ge=1,
            advanced=True,
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types of fields that are no text: integer, number, boolean, date, decimal(10,2), ...",
            example={"rating": "integer"},
            editor="type",
            keys="mentions",
            advanced=True,
        )
        headers: dict[str, str] = sdk.setting(
            {},
            title="Headers",
            description="Sent with each request.",
            example={"Accept-Language": "en"},
            advanced=True,
        )
        only_changed: bool = sdk.setting(
            False,
            title="Only changed pages",
            description="Leave out the rows of pages that are as they were in the last run that went well. For targets "
            "that rows are added to or merged into.",
            advanced=True,
        )

        @field_validator("urls")
        @classmethod
        def _web_addresses(cls, value: list[str]) -> list[str]:
            for url in value:
                if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
                    raise ValueError(f'"{url}" must be an address such as https://shop.example.org/')
            return value

        @field_validator("item")
        @classmethod
        def _item(cls, value: str) -> str:
            item_of(value)
            return value

        @field_validator("next")
        @classmethod
        def _next(cls, value: str) -> str:
            if value:
                Selector(value)
            return value

        @field_validator("fields")
        @classmethod
        def _field_selectors(cls, value: dict[str, str]) -> dict[str, str]:
            for name, text in value.items():
                if name == URL_COLUMN:
                    raise ValueError(f"{URL_COLUMN} is the page's address already; choose another name")
                try:
                    field_of(text)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
            return value

        @model_validator(mode="after")
        def _types_of_fields(self) -> Self:
            for name, kind in self.columns.items():
                if name not in self.fields:
                    near = closest(name, self.fields)
                    guess = f'did you mean "{near}"?' if near else f"fields are {', '.join(self.fields)}"
                    raise ValueError(f'columns: there is no field "{name}"; {guess}')
                try:
                    sdk.column_type(kind)
                except PermanentError as error:
                    raise ValueError(f"columns: {error}") from None
            return self

        @property
        def unchanged(self) -> sdk.Unchanged:
            """What to do with an unchanged page: where its link leads on, its body is needed."""
            if not self.only_changed:
                return "take"
            return "tell" if self.next else "skip"

    config: Config

    @property
    def only_new(self) -> bool:
        """Pages that have not changed may be left out."""
        return self.config.only_changed

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.Emission]:
        """Yield the items of each page as it comes."""
        config = self.config
        builder = self._builder()
        reader = _PageReader(config)
        for found in self._pages(reader, context):
            if isinstance(found, sdk.Rejected):
                yield found
            else:
                yield from builder.add(found)
        reader.conclude(context)
        yield from builder.finish()

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Fetch pages that failed and those that follow them; take items whose values were mended."""
        del schema
        items = [item for item in tried if "record" in item]
        if items:
            yield from records_again(items, self._builder(), lambda text: [json.loads(text)])
        pages = [item for item in tried if "record" not in item]
        if not pages:
            return
        builder, reader = self._builder(), _PageReader(self.config)
        refused: list[sdk.Rejected] = []
        visited: set[str] = set()
        for page in pages:
            try:
                url = self._address(page)
                for records in self._chain(url, reader, context, visited):
                    yield from builder.add(records)
            except _StartRefusedError as error:
                refused.append(_refused(page, error.reason))
        reader.conclude(context)
        yield from builder.finish()
        yield from refused

    def first_page(self, context: sdk.RunContext) -> sdk.HttpResponse:
        """The answer to the first address; the selector workshop looks at it."""
        return context.http().send(sdk.HttpRequest(self.config.urls[0], headers=self.config.headers))

    @property
    def _seen_enough(self) -> bool:
        return self.probe is not None and self.probe.enough

    def _show(self, page: sdk.PageSeen) -> None:
        if self.probe is not None:
            why = "the link to the next page" if page.following else "no link leads to a next page"
            self.probe.see(replace(page, why=why))

    def _builder(self) -> sdk.RecordBuilder:
        types = {name: self.config.columns.get(name, "text") for name in self.config.fields}
        return sdk.RecordBuilder({**types, URL_COLUMN: "text"}, fixed=True, wanted=self.wanted)

    def _address(self, page: Mapping[str, Any]) -> str:
        """Where a page is. What a letter shows may lack a secret, which the settings have.

        Raises:
            _StartRefusedError: the settings do not have it any more.
        """
        shown, number = str(page.get("url") or page.get(URL_COLUMN) or ""), page.get("number")
        urls = list(dict.fromkeys(self.config.urls))
        for url in urls:
            if sdk.shown_url(url) == shown:
                return url
        if isinstance(number, int) and number <= len(urls) and any(sign in shown for sign in HIDDEN):
            return urls[number - 1]
        reason = PermanentError(f"{shown} is not among the addresses any more.", hint="Add it again, or discard it.")
        raise _StartRefusedError(reason)

    def _pages(self, reader: _PageReader, context: sdk.RunContext) -> Iterator[list[dict[str, Any]] | sdk.Rejected]:
        refused: list[PermanentError | TransientError] = []
        starts = list(dict.fromkeys(self.config.urls))
        visited: set[str] = set()
        for number, start in enumerate(starts, 1):
            if self._seen_enough:
                return
            try:
                yield from self._chain(start, reader, context, visited)
            except _StartRefusedError as error:
                refused.append(error.reason)
                if len(refused) == len(starts):
                    raise refused[0] from None
                page = {
                    "method": "GET",
                    "url": sdk.shown_url(start),
                    "number": number,
                    "headers": list(self.config.headers),
                }
                yield _refused(page, error.reason)

    def _chain(
        self, start: str, reader: _PageReader, context: sdk.RunContext, visited: set[str]
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages from ``start`` along the next links."""
        config, client = self.config, context.http()
        chain: set[str] = set()
        url: str | None = start
        while url is not None and not self._seen_enough:
            key = urldefrag(url).url
            if key in chain:
                raise PermanentError(
                    f"The next links lead in a circle: {sdk.shown_url(url)} has already been read.",
                    hint="Check the selector of the next page; it may find the wrong link.",
                    column="next",
                    value=config.next,
                )
            if key in visited:
                context.log("info", f"{sdk.shown_url(url)} has already been read from another address.")
                return
            if reader.pages == config.max_pages:
                context.log("info", f"Stopped after {reader.pages} pages, as max_pages says.")
                return
            if config.max_pages is None and reader.pages == SAFETY_LIMIT:
                raise PermanentError(
                    f"There are still more pages after {reader.pages}: {sdk.shown_url(url)}.",
                    hint="If that is right, set max_pages to a larger number.",
                )
            chain.add(key)
            visited.add(key)
            same_site = urlsplit(url).netloc == urlsplit(start).netloc
            try:
                request = sdk.HttpRequest(
                    url,
                    headers=config.headers if same_site else {},
                    from_data=not same_site,
                    unchanged=config.unchanged,
                )
                response = client.send(request)
            except (PermanentError, TransientError) as error:
                if url == start and (error.status is not None or isinstance(error, TransientError)):
                    raise _StartRefusedError(error) from None
                raise
            if response.unchanged and not response.content:
                reader.skipped()
                return
            records, url = reader.read(response, context)
            self._show(sdk.PageSeen(reader.pages, request, response, len(records), following=url or ""))
            if response.unchanged:
                reader.skipped(read=True)
            else:
                yield records


class _PageReader:
    """Takes records from pages and remembers what never matched."""

    def __init__(self, config: WebPageSource.Config) -> None:
        self._kind = ItemType("", "", config.item, config.fields)
        self._rows = Rows(list(config.fields), typed=False, parents=False)
        self._next = Selector(config.next) if config.next else None
        self._next_found = self._next is None
        self._starts = config.urls
        self._title = ""
        self.pages = 0
        self._unchanged = 0

    def skipped(self, *, read: bool = False) -> None:
        """A page is as it was in the last run; ``read``: its items were counted all the same."""
        self._unchanged += 1
        self.pages += not read

    def read(self, response: sdk.HttpResponse, context: sdk.RunContext) -> tuple[list[dict[str, Any]], str | None]:
        """The records of a page and the address of the next one."""
        page = parse(response, context)
        self.pages += 1
        self._title = page.title
        self._kind.take(PageFacts(page, 0, dt.datetime.now(dt.UTC), None), self._rows)
        columns = self._rows.taken()
        records = [
            {**dict(zip(self._kind.selectors, values, strict=True)), URL_COLUMN: page.shown}
            for values in zip(*(columns[name] for name in self._kind.selectors), strict=True)
        ]
        if not records:
            item = self._kind.item
            what = f'The item selector "{item}" matches nothing' if item else "No field matches"
            context.log("warning", f"{what} on {page.shown} (title: {page.title!r}).", url=page.shown)
        return records, self._next_address(page)

    def conclude(self, context: sdk.RunContext) -> None:
        """Tell what never matched.

        Raises:
            PermanentError: nothing matched on any page.
        """
        pages = f"{self.pages} page{'s' if self.pages != 1 else ''}"
        if self._unchanged:
            context.log("info", f"{self._unchanged} of {pages} have not changed: their rows were left out.")
        items = self._kind.items
        if not items and self.pages > self._unchanged:
            what = f'The item selector "{self._kind.item}"' if self._kind.item else "The fields' selectors"
            raise PermanentError(
                f"{what} matched nothing on {pages}; the title of the last one is {self._title!r}.",
                hint="Check the selector against the page's source: the site may have changed, want a sign-in, or fill "
                "its page by script.",
                column="item" if self._kind.item else "fields",
                value=self._kind.item or None,
            )
        for name, selector in self._kind.selectors.items() if items else ():
            if self._kind.misses[name] == items:
                context.log("warning", f'The field "{name}" ({selector}) matched nothing in {items} items.')
        if not self._next_found and self._next is not None:
            context.log("warning", f"The next page ({self._next.text}) was found nowhere: only first pages were read.")
        compare_and_keep([self._kind], self._starts, context)
        context.log("info", f"Read {items} items on {pages}.")

    def _next_address(self, page: HtmlPage) -> str | None:
        if self._next is None:
            return None
        elements = self._next.elements(page.root)
        link = next((each.get("href") for each in elements if each.get("href")), None)
        if not elements:
            link = self._next.first(page.root, "")
        self._next_found = self._next_found or bool(elements) or link is not None
        if link is None or link.strip().startswith(("#", "javascript:")):
            return None
        address = resolved(page.base, link.strip())
        try:
            urlsplit(address)
        except ValueError:
            raise PermanentError(
                f'The link to the next page on {page.shown} is no address: "{sdk.shown_url(address)}".',
                hint="Check the selector of the next page; it may find the wrong link.",
                column="next",
            ) from None
        return address


class _StartRefusedError(Exception):
    """The site answered a start address with an error, or not at all."""

    def __init__(self, reason: PermanentError | TransientError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _refused(page: Mapping[str, Any], error: PermanentError | TransientError) -> sdk.Rejected:
    import pyarrow as pa

    rows = pa.record_batch({URL_COLUMN: pa.array([page.get("url") or page.get(URL_COLUMN)], pa.string())})
    problem = sdk.Problem(
        "http",
        f"{error.what} {error.hint}" if error.hint else error.what,
        URL_COLUMN,
        value=error.status,
        operation=page if "url" in page else None,
        attempts=getattr(error, "attempts", None) or 1,
    )
    return sdk.Rejected(rows, [problem])
