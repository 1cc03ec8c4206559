"""Settings of a crawl."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._crawl_addresses import Pattern
from etl_studio.nodes.extract._crawl_items import field_of, item_of
from etl_studio.nodes.extract._selectors import Selector
from etl_studio.sdk.auth import Auth, auth_setting
from etl_studio.sdk.guess import closest

ROWS, SCOPE, POLITENESS, LIMITS, REQUESTS = "Rows", "Scope", "Politeness", "Limits", "Requests"
OWN_COLUMNS = ("_type", "_url", "_depth", "_fetched_at", "_parent")


def _checked_selector(value: str) -> str:
    if value:
        Selector(value)
    return value


def _checked_patterns(value: list[str]) -> list[str]:
    for text in value:
        Pattern(text)
    return value


def _checked_addresses(value: list[str]) -> list[str]:
    for url in value:
        if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise ValueError(f'"{url}" must be an address such as https://shop.example.org/')
    return value


def _checked_fields(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if name in OWN_COLUMNS:
            raise ValueError(f"{name} is a column of every crawl; choose another name")
        try:
            field_of(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return value


class Follow(sdk.Config):
    """Links that are followed."""

    links: str = sdk.setting(
        "",
        title="Links",
        description="Selector of the links, or of the parts of a page in which they stand; empty: all links.",
        example="nav.pages",
        editor="selector",
    )
    allow: list[str] = sdk.setting(
        [],
        title="Only",
        description="Patterns of addresses, one of which must fit: * is anything, a leading / begins at the path, "
        "re: a regular expression. Empty: all.",
        example=["/shop*"],
    )
    deny: list[str] = sdk.setting(
        [], title="But not", description="Patterns of addresses that are left out.", example=["*sort=*"]
    )
    pages: list[str] = sdk.setting(
        [],
        title="On pages",
        description="Patterns of the pages whose links these are; empty: all pages.",
        example=["/category/*"],
        advanced=True,
    )

    _selector = field_validator("links")(_checked_selector)
    _patterns = field_validator("allow", "deny", "pages")(_checked_patterns)


class Items(sdk.Config):
    """One kind of item of a site that has several."""

    name: str = sdk.setting(title="Name", description="Stands in the column _type.", example="product", min_length=1)
    match: str = sdk.setting(
        "",
        title="On pages",
        description="Pattern of the addresses of their pages, such as /product/*; empty: all pages.",
        example="/product/*",
    )
    item: str = sdk.setting(
        "",
        title="Item",
        description="Selector of what becomes a row; empty: the whole page is one row.",
        example=".card",
        editor="selector",
    )
    fields: dict[str, str] = sdk.setting(
        title="Fields",
        description="Column names and the selectors of their values inside the item.",
        example={"name": "h1::text"},
        editor="selector",
        keys="makes",
        min_length=1,
    )

    @field_validator("match")
    @classmethod
    def _pattern(cls, value: str) -> str:
        if value:
            Pattern(value)
        return value

    @field_validator("item")
    @classmethod
    def _item(cls, value: str) -> str:
        item_of(value)
        return value

    _fields = field_validator("fields")(_checked_fields)


class CrawlSettings(sdk.Config):
    """Where a crawl begins, how far it goes, what it takes, and how politely."""

    start_urls: list[str] = sdk.setting(
        [], title="Start addresses", description="Pages to begin with.", example=["https://shop.example.org/"]
    )
    follow: list[Follow] = sdk.setting(
        [Follow()],
        title="Follow",
        description="Links that lead to further pages: those that one of these rules wants. No rule: none.",
        example=[{"allow": ["/shop*"]}],
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
        {},
        title="Fields",
        description="Column names and the selectors of their values inside the item; also jsonld:offers.price and "
        "microdata:price.",
        example={"name": "h2::text", "price": "jsonld:offers.price"},
        editor="selector",
        keys="makes",
    )
    max_pages: int | None = sdk.setting(
        1_000, title="At most pages", description="Stop after so many pages; empty: no limit.", ge=1
    )
    items: list[Items] = sdk.setting(
        [],
        title="Item kinds",
        description="In place of item and fields, where pages differ; rows tell theirs in the column _type.",
        example=[{"name": "product", "match": "/product/*", "fields": {"name": "h1::text"}}],
        section=ROWS,
    )
    columns: dict[str, str] = sdk.setting(
        {},
        title="Column types",
        description="Types of fields that are no text: integer, number, boolean, date, decimal(10,2), ...",
        example={"rating": "integer"},
        editor="type",
        keys="mentions",
        section=ROWS,
    )
    parent: bool = sdk.setting(
        False, title="Column _parent", description="The address of the page that led to the row's page.", section=ROWS
    )
    noindex: bool = sdk.setting(
        False,
        title="Respect noindex",
        description="Take no rows from pages that ask search engines to leave them out.",
        section=ROWS,
    )
    stay: Literal["host", "domain", "listed", "anywhere"] = sdk.setting(
        "host",
        title="Stay on",
        description="Hosts of the start addresses, their domains with all subdomains, the further domains only, or "
        "anywhere.",
        section=SCOPE,
    )
    domains: list[str] = sdk.setting(
        [],
        title="Further domains",
        description="Domains that belong to the crawl, with their subdomains.",
        example=["example.org"],
        section=SCOPE,
    )
    sitemaps: bool = sdk.setting(
        False,
        title="Read sitemaps",
        description="Begin also with the pages of the sitemaps that robots.txt names, or of /sitemap.xml.",
        section=SCOPE,
    )
    sitemap_urls: list[str] = sdk.setting(
        [],
        title="Sitemaps",
        description="Further sitemaps: XML, an index of others, or text; also gzipped.",
        example=["https://shop.example.org/sitemap.xml.gz"],
        section=SCOPE,
    )
    nofollow: bool = sdk.setting(
        True,
        title="Respect nofollow",
        description="Follow no link that is marked nofollow, and none on a page that asks for it.",
        section=SCOPE,
    )
    canonical: bool = sdk.setting(
        False,
        title="Respect canonical",
        description="Read the address that a page names as its canonical one in its place.",
        section=SCOPE,
    )
    respect_robots: bool = sdk.setting(
        True,
        title="Respect robots.txt",
        description="Ask for no page that it forbids, and keep its Crawl-delay and Request-rate.",
        section=POLITENESS,
    )
    delay: float = sdk.setting(
        0.0,
        title="Delay",
        description="Least seconds between two requests to one host.",
        ge=0,
        le=3600,
        section=POLITENESS,
    )
    concurrency: int = sdk.setting(
        8,
        title="At once",
        description="Requests that are under way at one host.",
        ge=1,
        le=64,
        section=POLITENESS,
    )
    autothrottle: bool = sdk.setting(
        True,
        title="Adapt the delay",
        description="Ask more slowly when a host answers slowly: the delay follows its answers.",
        section=POLITENESS,
    )
    throttle_target: float = sdk.setting(
        4.0,
        title="Wanted at once",
        description="Requests that should be under way on average while the delay is adapted.",
        gt=0,
        le=64,
        section=POLITENESS,
    )
    max_delay: float = sdk.setting(
        60.0, title="Longest delay", description="Seconds up to which the delay is adapted.", gt=0, section=POLITENESS
    )
    user_agent: str = sdk.setting(
        "ETL-Studio",
        title="User agent",
        description="Name of the crawler, also in robots.txt.",
        example="ShopIndex/1.0",
        min_length=1,
        section=POLITENESS,
    )
    contact: str = sdk.setting(
        "",
        title="Contact",
        description="Address or mail that stands in the user agent, so that the owner of a site can ask you.",
        example="https://example.org/crawler",
        section=POLITENESS,
    )
    max_depth: int | None = sdk.setting(
        None,
        title="At most links deep",
        description="Links from a start address; 0: only those; empty: any.",
        ge=0,
        section=LIMITS,
    )
    max_minutes: float | None = sdk.setting(
        None, title="At most minutes", description="Stop after so many; empty: no limit.", gt=0, section=LIMITS
    )
    max_megabytes: float | None = sdk.setting(
        None, title="At most MB", description="Stop after so many; empty: no limit.", gt=0, section=LIMITS
    )
    max_page_kb: int = sdk.setting(
        8_192, title="Largest page", description="KB; a larger page is rejected.", ge=1, section=LIMITS
    )
    max_queries: int = sdk.setting(
        5_000,
        title="Queries of a path",
        description="Addresses that differ in their query alone; more of them are taken for a trap.",
        ge=1,
        section=LIMITS,
    )
    auth: Auth = auth_setting(
        description="How the site knows who asks; sent to the hosts of the start addresses alone.", section=REQUESTS
    )
    headers: dict[str, str] = sdk.setting(
        {},
        title="Headers",
        description="Sent with each request to the hosts of the start addresses.",
        example={"Accept-Language": "en"},
        section=REQUESTS,
    )
    cookies: bool = sdk.setting(
        True, title="Keep cookies", description="Send back the cookies that a site sets.", section=REQUESTS
    )

    _addresses = field_validator("start_urls", "sitemap_urls")(_checked_addresses)
    _fields = field_validator("fields")(_checked_fields)

    @field_validator("item")
    @classmethod
    def _item(cls, value: str) -> str:
        item_of(value)
        return value

    @field_validator("user_agent", "contact")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not re.fullmatch(r"[\x20-\x7e]*", value):
            raise ValueError("must be one line of plain ASCII, as it is sent in a header")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.start_urls and not self.sitemap_urls:
            raise ValueError("start_urls: give at least one start address")
        if bool(self.fields) == bool(self.items):
            raise ValueError(
                "fields: give fields, or several kinds of items, not both"
                if self.fields
                else "fields: give at least one field"
            )
        if self.items and self.item:
            raise ValueError("item: each of several kinds of items has its own")
        names = [kind.name for kind in self.items]
        if len(set(names)) < len(names):
            raise ValueError("items: two of them have the same name")
        known = dict.fromkeys([*self.fields, *(name for kind in self.items for name in kind.fields)])
        for name, kind in self.columns.items():
            if name not in known:
                near = closest(name, known)
                guess = f'did you mean "{near}"?' if near else f"fields are {', '.join(known)}"
                raise ValueError(f'columns: there is no field "{name}"; {guess}')
            try:
                sdk.column_type(kind)
            except PermanentError as error:
                raise ValueError(f"columns: {error}") from None
        return self
