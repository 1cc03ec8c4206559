"""The settings of a crawl, compiled once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from etl_studio import sdk
from etl_studio.nodes.extract._crawl_addresses import Territory, Traps, host_of, name_of
from etl_studio.nodes.extract._crawl_items import ItemType
from etl_studio.nodes.extract._crawl_links import LinkFinder, Rule
from etl_studio.sdk.auth import NoAuth

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.nodes.extract._crawl_settings import CrawlSettings
    from etl_studio.sdk.frontier import Link


NO_AUTH = NoAuth()


class CrawlPlan:
    """What a crawl looks up for each page.

    Args:
        config: the settings.

    Attributes:
        items: the kinds of items.
        fields: the columns that they have, in order.
        finder: finds links.
        typed, parents: whether rows have the columns ``_type`` and ``_parent``.
        agent: name of the crawler in robots.txt.
        agent_sent: what sites are told: the name with the contact.
        own: hosts of the start addresses.
    """

    def __init__(self, config: CrawlSettings) -> None:
        self._config = config
        self.fields = list(dict.fromkeys([*config.fields, *(name for kind in config.items for name in kind.fields)]))
        self.items = (
            [ItemType(kind.name, kind.match, kind.item, kind.fields, self.fields) for kind in config.items]
            if config.items
            else [ItemType("", "", config.item, config.fields)]
        )
        rules = [
            Rule(rule.links, rule.allow, rule.deny, rule.pages, nofollow=config.nofollow) for rule in config.follow
        ]
        self._rules = rules
        origins = [*config.start_urls, *config.sitemap_urls]
        self.own = {host_of(url) for url in origins}
        self._own_names = {name_of(host) for host in self.own}
        self._listed = {name.lower() for name in config.domains}
        territory = Territory(origins, config.stay, [*config.domains, *self.own])
        self.finder = LinkFinder(rules, territory, Traps(config.max_queries, dt.datetime.now(dt.UTC).date()))
        self.typed, self.parents = bool(config.items), config.parent
        self.agent = config.user_agent
        contact = f" (+{config.contact})" if config.contact else ""
        self.agent_sent = f"{config.user_agent}{contact}"
        self._headers = {"User-Agent": self.agent_sent}
        self._own_headers = {**self._headers, **config.headers}
        self._secret = {
            sdk.shown_url(url): url for url in [*config.start_urls, *config.sitemap_urls] if sdk.shown_url(url) != url
        }
        self.max_pages, self.max_depth = config.max_pages, config.max_depth
        self.max_bytes = None if config.max_megabytes is None else config.max_megabytes * 1e6
        self.max_seconds = None if config.max_minutes is None else config.max_minutes * 60
        self.most_page = config.max_page_kb * 1024
        self.concurrency, self.delay, self.most_delay = config.concurrency, config.delay, config.max_delay
        self.target = config.throttle_target if config.autothrottle else None
        self.respect_robots, self.sitemaps_of_robots = config.respect_robots, config.sitemaps
        self.nofollow, self.noindex, self.canonical = config.nofollow, config.noindex, config.canonical

    def starts(self) -> list[Link | None]:
        """The links to begin with. A secret in one is kept nowhere: its shown form stands for it."""
        pages = [self.finder.link(sdk.shown_url(url), 0, None, "page") for url in self._config.start_urls]
        maps = [self.finder.link(sdk.shown_url(url), 0, None, "sitemap") for url in self._config.sitemap_urls]
        return [*pages, *maps]

    def address(self, url: str) -> str:
        """What is asked for in place of an address that the frontier has."""
        return self._secret.get(url, url)

    def wants(self, url: str) -> bool:
        """Whether an address of a sitemap is read: as a link would be."""
        return not self._rules or any(rule.wants(url) for rule in self._rules)

    def request(
        self, url: str, host: str, *, most: int, follow: bool = False, reads: Callable[[str], bool] | None = None
    ) -> sdk.HttpRequest:
        """The request for an address; only hosts of start addresses get the headers and the sign-in of the settings.

        Args:
            url: the address.
            host: its host.
            most: bytes that the answer may have.
            follow: whether redirects are followed by themselves.
            reads: whether the body of an answer of a content type is read.
        """
        own = host in self.own
        headers = self._own_headers if own else self._headers
        return sdk.HttpRequest(
            url,
            headers=headers,
            auth=self._config.auth if own else NO_AUTH,
            from_data=not (own or self._is_named(host)),
            max_bytes=most,
            follow_redirects=follow,
            reads=reads,
        )

    def _is_named(self, host: str) -> bool:
        """Whether a person named a host, so that it may be a private one; a redirect may lead to another port."""
        name = name_of(host)
        return (
            host in self._listed or name in self._listed or (name in self._own_names and host in self.finder.admitted)
        )
