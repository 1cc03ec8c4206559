"""Crawl web sites."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from etl_studio import sdk
from etl_studio.nodes.extract._again import records_again
from etl_studio.nodes.extract._crawl_settings import CrawlSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from etl_studio.nodes.extract._crawl_hosts import Pages
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan
    from etl_studio.nodes.extract._crawl_rows import CrawlRows
    from etl_studio.sdk.frontier import Visit


class CrawlSource(sdk.Source):
    r"""Read rows from a whole site: follow its links, or its sitemaps, and take items from each page.

    Give where to begin, which links to follow, and the selectors of items and fields as for the node *Web page*: CSS
    with `::text` and `::attr(href)`, or XPath. `jsonld:offers.price` and `microdata:price` read what a page says about
    itself for machines; as an item, `jsonld:Product` makes a row of each such object.

    A rule of *Follow* takes links by a selector, by patterns (`/shop*`, `*sort=*`, `re:\?page=\d+$`), or both; a link
    that one rule wants is followed. Without a rule only the start addresses are read. A page is read once, however its
    address is written. The crawl stays on the hosts of the start addresses unless *Stay on* says otherwise, also
    after a redirect, and leaves out traps: paths that repeat themselves, calendars, queries without end.

    It is polite: robots.txt is respected (one that cannot be read forbids everything), its Crawl-delay and
    Request-rate are kept, and no host gets more requests at once, or more often, than the settings say. Put a contact
    into the settings when you crawl sites of others.

    Each row has `_url`, `_depth` (links from a start address) and `_fetched_at`; with several kinds of items also
    `_type`. Columns are text unless *Column types* says otherwise.

    A page that fails is asked for again as the policy says, then rejected, and the crawl goes on; a replay of the dead
    letter fetches that page again. The queue is kept in the workspace: a crawl that was killed goes on with
    `run --resume`, and each page is loaded once. A warning tells of selectors that match nothing, and of fields that
    are found less often than in the last run.
    """

    type: ClassVar[str] = "crawl_source"
    title: ClassVar[str] = "Crawl"
    icon: ClassVar[str] = "spider"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = (
        "spider", "scrape", "site", "html", "links", "sitemap", "robots", "css", "xpath", "selector", "web",
    )  # fmt: skip
    reads_web: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "start_urls": ["http://127.0.0.1:8750/shop"],
        "follow": [{"links": "nav.pages", "allow": ["/shop*"]}],
        "item": ".card",
        "fields": {"name": "h2 a::text", "price": ".price::text", "link": "h2 a::attr(href)"},
        "max_pages": 100,
    }

    class Config(CrawlSettings):
        """Where a crawl begins, how far it goes, what it takes, and how politely."""

    config: CrawlSettings

    @property
    def replays(self) -> bool:
        """What was given out is kept with the queue, and given again in the same order."""
        return True

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the items of pages as they come, with a cursor behind each batch."""
        from etl_studio.nodes.extract._crawl import Crawl
        from etl_studio.nodes.extract._crawl_plan import CrawlPlan
        from etl_studio.nodes.extract._emission_log import from_bytes, to_bytes
        from etl_studio.nodes.extract._hit_rates import compare_and_keep

        plan = CrawlPlan(self.config)
        rows = self._rows(plan)
        with context.frontier() as frontier:
            number = context.resume["entry"] if context.resume is not None else 0
            for number, entry in frontier.entries(number):  # noqa: B020 - the last one counts below
                yield from from_bytes(entry)
                yield sdk.Cursor({"entry": number})
            facts = frontier.facts()
            if facts.get("ended"):
                return
            with context.web(cookies=self.config.cookies) as web, self.pages(plan, context, web) as pages:
                crawl = Crawl(plan, context, frontier, pages)
                crawl.restore(facts)
                crawl.begin(anew=not facts)
                while (taken := web.run(crawl.next(web, self.wanted))) is not None:
                    emissions = list(rows.emissions(taken.columns))
                    emissions += [_refused(visit, error) for visit, error in taken.refused]
                    if not number:
                        emissions.insert(0, rows.empty())
                    given = to_bytes(emissions) if emissions else None
                    number = frontier.commit(taken.done, given, crawl.facts)
                    yield from emissions
                    if emissions:
                        yield sdk.Cursor({"entry": number})
            crawl.conclude()
            compare_and_keep(plan.items, self.config.start_urls, context)
            frontier.commit((), None, {"ended": True})

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Fetch pages that failed; take items whose values were mended. Links are not followed."""
        del schema
        from etl_studio.nodes.extract._crawl_again import pages_again
        from etl_studio.nodes.extract._crawl_plan import CrawlPlan

        plan = CrawlPlan(self.config)
        rows = self._rows(plan)
        if items := [item for item in tried if "record" in item]:
            yield from records_again(items, rows.builder(), lambda text: [json.loads(text)])
        if failed := [item for item in tried if "record" not in item]:
            with context.web(cookies=self.config.cookies) as web, self.pages(plan, context, web) as pages:
                send = None if pages is None else lambda request: web.run(pages.send(request))
                yield from pages_again(failed, plan, rows, context, send)

    def pages(self, plan: CrawlPlan, context: sdk.RunContext, web: sdk.Web) -> AbstractContextManager[Pages | None]:
        """What asks for pages while the block lasts; None: the client."""
        del plan, context, web
        return nullcontext()

    def first_page(self, context: sdk.RunContext) -> sdk.HttpResponse:
        """The answer to the first address; the selector workshop looks at it."""
        from etl_studio.nodes.extract._crawl_first import first_page
        from etl_studio.nodes.extract._crawl_plan import CrawlPlan

        plan, url = CrawlPlan(self.config), self.config.start_urls[0]
        with context.web(cookies=self.config.cookies) as web, self.pages(plan, context, web) as pages:
            return web.run(first_page(plan, url, web if pages is None else pages))

    def _rows(self, plan: CrawlPlan) -> CrawlRows:
        from etl_studio.nodes.extract._crawl_rows import CrawlRows

        return CrawlRows(plan.fields, self.config.columns, typed=plan.typed, parents=plan.parents)


def _refused(visit: Visit, error: Exception) -> sdk.Rejected:
    from etl_studio.nodes.extract._crawl_rows import refused_page

    shown = sdk.shown_url(visit.url)
    asks = {"method": "GET", "url": shown, "depth": visit.depth}
    if visit.parent:
        asks["parent"] = sdk.shown_url(visit.parent)
    return refused_page(shown, error, asks)
