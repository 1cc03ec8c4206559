"""Read the entries of feeds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._feed_entries import COLUMNS
from etl_studio.nodes.extract._feeds import Feed, read_entry, read_feed
from etl_studio.sdk.auth import Auth, auth_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

FEED_COLUMNS = {**COLUMNS, "feed": "text", "feed_title": "text"}
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
HIDDEN = ("***", "•")
"""What stands for a secret in an address."""


class RssSource(sdk.Source):
    """Read the entries of feeds: RSS 0.9 to 2.0, Atom and JSON Feed.

    Every entry becomes a row with the same columns, whatever the feed calls them: `id`, `title`, `link`, `published`
    and `updated` (times in UTC), `author`, `summary`, `content`, `categories` (a JSON list), `enclosure` and its
    `enclosure_type` (a podcast's file, a picture), `feed` and `feed_title`. What a feed does not tell is empty. An
    entry without an id gets its address as one.

    An entry that comes again in the same run, in this feed or another, is given once. A feed that does not answer is
    rejected and the others are read; a replay of the dead letter asks for it again. When none answers, the run fails.

    Feeds are often no XML by the letter: unknown entities, lone `&` and illegal characters are mended, and an entry
    that is still broken is read alone or rejected, so that it costs no other one. A feed that is cut off is asked for
    again. Entities that a feed declares itself are refused.
    """

    type: ClassVar[str] = "rss_source"
    title: ClassVar[str] = "RSS feed"
    icon: ClassVar[str] = "rss"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("rss", "atom", "feed", "news", "blog", "podcast", "json feed", "syndication")
    reads_web: ClassVar[bool] = True
    probes: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {"urls": ["http://127.0.0.1:8750/feeds/news.rss"]}

    class Config(sdk.Config):
        """Which feeds."""

        urls: list[str] = sdk.setting(
            title="Addresses", description="Of the feeds.", example=["https://example.org/feed.xml"], min_length=1
        )
        plain_text: bool = sdk.setting(
            False, title="Plain text", description="HTML in summary and content becomes text without tags."
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
            title="Only changed feeds",
            description="Leave out feeds that are as they were in the last run that went well. For targets that rows "
            "are added to or merged into.",
            advanced=True,
        )
        auth: Auth = auth_setting()

        @field_validator("urls")
        @classmethod
        def _web_addresses(cls, value: list[str]) -> list[str]:
            for url in value:
                if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
                    raise ValueError(f'"{url}" must be an address such as https://example.org/feed.xml')
            return value

        @model_validator(mode="after")
        def _one_site_is_signed_in_to(self) -> Self:
            sites = {urlsplit(url)[:2] for url in self.urls}
            if self.auth.kind != "none" and len(sites) > 1:
                raise ValueError("auth: what signs in to one site must not go to another; use a node for each site")
            return self

    config: Config

    @property
    def only_new(self) -> bool:
        """Feeds that have not changed may be left out."""
        return self.config.only_changed

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.Emission]:
        """Yield the entries of each feed as it comes."""
        urls = list(dict.fromkeys(self.config.urls))
        builder, entries = sdk.RecordBuilder(FEED_COLUMNS, fixed=True, wanted=self.wanted), _Entries(self.config)
        failed: list[tuple[Mapping[str, Any], PermanentError | TransientError]] = []
        for number, url in enumerate(urls, 1):
            if self.probe is not None and self.probe.enough:
                break
            try:
                yield from self._entries(number, url, entries, builder, context)
            except (PermanentError, TransientError) as error:
                if len(urls) == 1:
                    raise
                failed.append(({"feed": sdk.shown_url(url), "number": number}, error))
        if len(failed) == len(urls):
            raise failed[0][1]
        yield from builder.finish()
        if failed:
            yield _refused(failed)

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Ask for feeds that failed; read entries that were mended."""
        del schema
        builder, entries = sdk.RecordBuilder(FEED_COLUMNS, fixed=True), _Entries(self.config)
        failed: list[tuple[Mapping[str, Any], PermanentError | TransientError]] = []
        broken: list[tuple[str, str, str]] = []
        for item in tried:
            shown, text = str(item.get("feed", "")), item.get("record")
            try:
                if text is None:
                    yield from self._entries(1, self._address(item), entries, builder, context)
                else:
                    yield from builder.add(entries.new([read_entry(str(text), shown)], shown, None))
            except (PermanentError, TransientError) as error:
                if text is None:
                    failed.append((item, error))
                else:
                    broken.append((shown, str(text), f"{error.what} {error.hint or ''}".strip()))
        yield from builder.finish()
        if failed:
            yield _refused(failed)
        if broken:
            yield _unreadable(broken)

    def _entries(
        self, number: int, url: str, entries: _Entries, builder: sdk.RecordBuilder, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        request = sdk.HttpRequest(
            url,
            headers={"Accept": ACCEPT, **self.config.headers},
            auth=self.config.auth,
            unchanged="skip" if self.config.only_changed else "take",
        )
        response, feed = context.http().read(request, _read)
        if self.probe is not None:
            self.probe.see(sdk.PageSeen(number, request, response, len(feed.records) if feed else 0))
        shown = sdk.shown_url(url)
        if feed is None:
            context.log("info", f"{shown} has not changed: its entries were left out.", url=shown)
            return
        yield from builder.add(entries.new(feed.records, shown, feed.title))
        if feed.unreadable:
            yield _unreadable([(shown, text, why) for text, why in feed.unreadable])
        _tell(feed, shown, context)

    def _address(self, item: Mapping[str, Any]) -> str:
        """Where a feed is. What a letter shows may lack a secret, which the settings have."""
        shown, number, urls = str(item.get("feed", "")), item.get("number"), list(dict.fromkeys(self.config.urls))
        for url in urls:
            if sdk.shown_url(url) == shown:
                return url
        if isinstance(number, int) and number <= len(urls) and any(sign in shown for sign in HIDDEN):
            return urls[number - 1]
        raise PermanentError(f"{shown} is not among the addresses any more.", hint="Add it again, or discard it.")


class _Entries:
    """Entries that have not come before in this run."""

    def __init__(self, config: RssSource.Config) -> None:
        self._plain_text = config.plain_text
        self._seen: set[bytes] = set()

    def new(self, records: Iterable[dict[str, Any]], feed: str, title: str | None) -> list[dict[str, Any]]:
        return [
            {**(self._plain(record) if self._plain_text else record), "feed": feed, "feed_title": title}
            for record in records
            if self._is_new(record["id"], feed)
        ]

    def _is_new(self, name: str, feed: str) -> bool:
        # An id that is an address means the same entry everywhere; another, such as 17, only in its feed.
        key = hashlib.sha256((name if ":" in name else f"{feed}\n{name}").encode("utf-8", "replace")).digest()[:16]
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    @staticmethod
    def _plain(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, **{name: _without_tags(record[name]) for name in ("summary", "content")}}


def _read(response: sdk.HttpResponse) -> Feed | None:
    return None if response.unchanged else read_feed(response)


def _without_tags(text: str | None) -> str | None:
    from lxml import etree, html

    if not text:
        return None
    try:
        root = html.fragment_fromstring(text, create_parent="div", parser=html.HTMLParser(no_network=True))
    except etree.ParserError:
        return None
    for element in root.xpath("//script | //style"):
        element.drop_tree()
    for element in root.iter("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"):
        element.tail = "\n" + (element.tail or "")
    lines = (" ".join(line.split()) for line in root.text_content().splitlines())
    return "\n".join(line for line in lines if line) or None


def _tell(feed: Feed, shown: str, context: sdk.RunContext) -> None:
    context.log("debug", f"{len(feed.records)} entries in {shown}.", url=shown)
    if feed.mended:
        context.log("warning", f"{feed.mended} entries of {shown} are no XML by the letter; parts may be missing.")
    if feed.unread_dates:
        number, first = len(feed.unread_dates), feed.unread_dates[0][:40]
        context.log("warning", f'{number} dates of {shown} cannot be read, such as "{first}"; they are empty.')


def _refused(failed: Sequence[tuple[Mapping[str, Any], PermanentError | TransientError]]) -> sdk.Rejected:
    import pyarrow as pa

    rows = pa.record_batch({"feed": pa.array([item["feed"] for item, _ in failed], pa.string())})
    problems = [
        sdk.Problem(
            "http",
            f"{error.what} {error.hint}" if error.hint else error.what,
            "feed",
            value=error.status,
            operation={"feed": item["feed"], "number": item.get("number")},
            attempts=getattr(error, "attempts", None) or 1,
        )
        for item, error in failed
    ]
    return sdk.Rejected(rows, problems)


def _unreadable(broken: Sequence[tuple[str, str, str]]) -> sdk.Rejected:
    """Entries of feeds: address, text, and what is wrong."""
    import pyarrow as pa

    rows = pa.record_batch(
        {
            "feed": pa.array([feed for feed, _, _ in broken], pa.string()),
            "record": pa.array([text for _, text, _ in broken], pa.string()),
        }
    )
    return sdk.Rejected(rows, [sdk.Problem("entry", why, "record") for _, _, why in broken])
