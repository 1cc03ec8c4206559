"""Crawl web sites whose pages need JavaScript."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from etl_studio.nodes.extract._browser_found import missing
from etl_studio.nodes.extract._browser_settings import BrowserSettings
from etl_studio.nodes.extract.crawl_source import CrawlSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etl_studio import sdk
    from etl_studio.nodes.extract._browser import Browser
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan


class BrowserSource(CrawlSource):
    r"""Read rows from sites whose pages are made by JavaScript: a crawl in a browser of this computer.

    What is crawled, which links are followed, what becomes a row and how politely is set as in *Crawl*, and the rows
    are the same. Each page is opened in Chromium, Chrome or Edge; the selectors look at the page as it is after its
    scripts, shadow roots included. Use *Crawl* where a page holds its data in its HTML: it needs a hundredth of the
    time and a tenth of the memory.

    A page is read when it has loaded and what *Wait for* names is there. *Actions* come before that: click "load more"
    as often as it brings more, scroll to the end, fill in a field and press Enter, agree in a cookie banner. They may
    lead on within the site; a page that leads elsewhere by a script counts as a redirect. A page that never comes to an
    end is read as it is when the patience is over; one that crashes its tab, or lacks what it must have, is tried again
    and then rejected. Dialogs are closed, new windows and downloads are not opened.

    robots.txt, limits and pace count for pages; their scripts and data are asked for as a browser does. *At most MB*
    counts all that comes. Pages reach addresses of the internet only, and hosts that the settings name.

    It needs `pip install etl-studio[browser]` and a browser that is installed; none is downloaded. The browser keeps
    nothing: its profile goes with the run.
    """

    type: ClassVar[str] = "browser_source"
    title: ClassVar[str] = "Crawl in a browser"
    icon: ClassVar[str] = "browser"
    keywords: ClassVar[tuple[str, ...]] = (
        "javascript", "chromium", "chrome", "playwright", "crawlee", "headless", "render", "spider", "scrape", "site",
        "html", "scroll", "click", "web", "single page", "spa",
    )  # fmt: skip
    example: ClassVar[dict[str, Any]] = {
        "start_urls": ["http://127.0.0.1:8750/shop"],
        "follow": [{"links": "nav.pages", "allow": ["/shop*"]}],
        "item": ".card",
        "fields": {"name": "h2 a::text", "price": ".price::text", "link": "h2 a::attr(href)"},
        "wait_for": ".card",
        "actions": [{"do": "click", "selector": "button.more", "times": 20}],
        "max_pages": 100,
    }

    class Config(BrowserSettings):
        """Where a crawl begins, how far it goes, what it takes, and what a browser does on each page."""

    config: BrowserSettings

    @classmethod
    def missing(cls, settings: Mapping[str, Any]) -> sdk.Missing | None:
        """The packages that drive a browser, or the browser itself."""
        wanted = settings.get("browser", "")
        return missing(wanted if isinstance(wanted, str) and "$" not in wanted else "")

    @contextmanager
    def pages(self, plan: CrawlPlan, context: sdk.RunContext, web: sdk.Web) -> Iterator[Browser]:
        """A browser in place of the client."""
        from etl_studio.nodes.extract._browser import Browser

        with (
            context.gate([*plan.own, *self.config.domains]) as gate,
            Browser(self.config, gate, context, web, plan.agent_sent) as browser,
        ):
            yield browser
