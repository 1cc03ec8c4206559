"""What is put into Crawlee's PlaywrightCrawler, so that it only drives the browser.

Crawlee asks an ``Inbox`` for requests and never waits half a second for the next one; queue, robots.txt, pace, retries
and cookies are those of the crawl. Nothing of it is global, reads the load of the computer, or writes a file.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from crawlee import ConcurrencySettings, Request, service_locator
from crawlee.browsers import BrowserPool, PlaywrightBrowserController, PlaywrightBrowserPlugin
from crawlee.configuration import Configuration
from crawlee.crawlers import PlaywrightCrawler
from crawlee.errors import ServiceConflictError
from crawlee.events import EventManager
from crawlee.request_loaders import RequestManager
from crawlee.statistics import Statistics
from crawlee.storage_clients import MemoryStorageClient
from playwright.async_api import Error, async_playwright

from etl_studio.nodes.extract._browser_tab import Tab

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from etl_studio.nodes.extract._browser_tab import Order

NEVER = timedelta(days=365)
MOST_USES = 100
"""Pages for which a tab is kept; then its memory is given back."""
LAUNCH_SECONDS = 60.0
LET_GO_SECONDS = 3.0
"""How long a page may take to let go of its tab."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How pages are opened.

    Attributes:
        tabs: pages at once.
        agent: what stands behind the browser's user agent.
        options: of Playwright's contexts.
        cookies: that a context begins with, as Playwright writes them.
        blocked: kinds of resources that are refused one by one, in the words of the developer tools.
        keeps_cookies: whether pages share a context.
    """

    tabs: int
    agent: str
    options: Mapping[str, Any]
    cookies: Sequence[Mapping[str, str]]
    blocked: tuple[str, ...]
    keeps_cookies: bool


class Inbox(RequestManager):
    """The pages that are wanted next."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._came = asyncio.Event()
        self._closed = False
        self._count = 0
        self.orders: dict[str, Order] = {}

    def put(self, order: Order) -> str:
        """Want a page; its key."""
        self._count += 1
        key = str(self._count)
        self.orders[key] = order
        self._waiting.append(key)
        self._came.set()
        return key

    def close(self) -> None:
        """Want none any more."""
        self._closed = True
        self._waiting.clear()
        self._came.set()

    async def is_empty(self) -> bool:
        """Whether nothing is wanted; asked when there is room for a page, so it waits for one."""
        while not self._waiting and not self._closed:
            self._came.clear()
            await self._came.wait()
        return not self._waiting

    async def is_finished(self) -> bool:
        return self._closed

    async def fetch_next_request(self) -> Request | None:
        while self._waiting:
            key = self._waiting.popleft()
            if (order := self.orders.get(key)) is not None:  # otherwise nobody waits for it any more
                return Request.from_url(order.request.url, unique_key=key, enqueue_strategy="all")
        return None

    async def mark_request_as_handled(self, request: Request) -> None:
        del request

    async def reclaim_request(self, request: Request, *, forefront: bool = False) -> None:
        del request, forefront

    async def add_request(self, request: str | Request, *, forefront: bool = False) -> None:
        del request, forefront

    async def get_handled_count(self) -> int:
        return self._count - len(self._waiting)

    async def get_total_count(self) -> int:
        return self._count

    async def drop(self) -> None:
        return


class NoEvents(EventManager):
    """Tells nobody anything: no look at the load of the computer each second, and nothing that is bound to one loop."""

    @property
    def active(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    def on(self, **_: Any) -> None:
        return

    def off(self, **_: Any) -> None:
        return

    def emit(self, **_: Any) -> None:
        return


class Tabs(PlaywrightBrowserController):
    """The tabs of a browser, each for many pages: to open one costs as much as to load a page.

    Without cookies each page has a tab and a context of its own.

    Args:
        browser: Playwright's browser.
        wishes: how pages are opened.
        options: of Playwright's contexts.
    """

    def __init__(self, browser: Any, wishes: Wishes, options: Mapping[str, Any]) -> None:
        super().__init__(
            browser,
            use_incognito_pages=not wishes.keeps_cookies,
            header_generator=None,
            max_open_pages_per_browser=10 * wishes.tabs,
        )
        self._browser_context = None  # pages have contexts of their own, which keep cookies in memory
        self._wishes, self._options = wishes, options
        self._idle: list[Tab] = []
        self._tabs: dict[Any, Tab] = {}
        self._closed = False

    @property
    def has_free_capacity(self) -> bool:
        return not self._closed and self.is_browser_connected and super().has_free_capacity

    def tab(self, page: Any) -> Tab:
        """The tab of a page."""
        return self._tabs[page]

    async def new_page(self, *arguments: Any, **options: Any) -> Any:
        if self._idle:
            return self._idle.pop().page
        try:
            page = await super().new_page(*arguments, **options)
        except Error:  # it has gone, and told nobody; the next page has another browser
            self._closed = True
            raise
        tab = self._tabs[page] = Tab(page, await page.context.new_cdp_session(page), self._wishes.blocked)
        page.close = partial(self._let_go, tab, page.close)
        return page

    async def _let_go(self, tab: Tab, close: Callable[[], Awaitable[None]], **_: Any) -> None:
        """Keep a tab for the next page, or close it."""
        keeps = self._wishes.keeps_cookies
        if keeps and tab.used < MOST_USES and not (tab.crashed or tab.spoiled or self._closed):
            tab.end()
            self._idle.append(tab)
            return
        self._tabs.pop(tab.page, None)
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(LET_GO_SECONDS):
                await (close() if keeps else tab.page.context.close())

    async def close(self, *, force: bool = False) -> None:
        """Close the browser; may be called twice."""
        del force
        if not self._closed:
            self._closed = True
            with suppress(Error):
                await self._browser.close()

    async def _create_browser_context(self, *_: Any, **__: Any) -> Any:
        # Crawlee's own would add the headers of another browser.
        context = await self._browser.new_context(**self._options)
        await context.add_init_script("window.open = () => null")
        if self._wishes.cookies:
            await context.add_cookies(self._wishes.cookies)
        return context


class Chromium(PlaywrightBrowserPlugin):
    """Launches the browser that is installed, once for all tabs, and again when it has gone.

    Args:
        profile: folder for what a browser writes.
        launch: options of Playwright's launch.
        wishes: how pages are opened.
    """

    def __init__(self, profile: Path, launch: Mapping[str, Any], wishes: Wishes) -> None:
        super().__init__(browser_launch_options=dict(launch))
        self._profile, self._wishes = profile, wishes
        self._launching = asyncio.Lock()
        self.tabs: Tabs | None = None

    async def new_browser(self) -> Tabs:
        async with self._launching:
            if self.tabs is None or not self.tabs.has_free_capacity:
                carrier = await self._launch()
                self.tabs = Tabs(carrier.browser, self._wishes, await self._options(carrier.browser))
            return self.tabs

    async def _launch(self) -> Any:
        if self.tabs is not None:
            try:
                return await self._launch_once()
            except Error:  # what drives it has gone, too
                self._playwright_context_manager = async_playwright()
                self._playwright = await self._playwright_context_manager.__aenter__()
        return await self._launch_once()

    async def _launch_once(self) -> Any:
        # A context of a profile is the only way to say where the profile is.
        launch = self._playwright.chromium.launch_persistent_context
        return await launch(str(self._profile), **self.browser_launch_options)

    async def _options(self, browser: Any) -> dict[str, Any]:
        session = await browser.new_browser_cdp_session()
        own = str((await session.send("Browser.getVersion"))["userAgent"]).replace("HeadlessChrome", "Chrome")
        await session.detach()
        return {"user_agent": f"{own} {self._wishes.agent}", **self._wishes.options}


def silence() -> None:
    """Make what Crawlee has for the whole process do nothing."""
    logger = logging.getLogger("crawlee")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    with suppress(ServiceConflictError):
        service_locator.set_configuration(Configuration(persist_state_interval=NEVER, system_info_interval=NEVER))
    with suppress(ServiceConflictError):
        service_locator.set_event_manager(NoEvents())
    with suppress(ServiceConflictError):
        service_locator.set_storage_client(MemoryStorageClient())


def new_pool(plugin: Chromium) -> BrowserPool:
    """A pool that keeps its browser: Crawlee would close one that is idle, or has had a hundred pages."""
    return BrowserPool(
        [plugin],
        operation_timeout=timedelta(seconds=LAUNCH_SECONDS),
        browser_inactive_threshold=NEVER,
        identify_inactive_browsers_interval=NEVER,
        close_inactive_browsers_interval=NEVER,
        retire_browser_after_page_count=2**31,
    )


def new_crawler(pool: BrowserPool, inbox: Inbox, tabs: int, seconds: float) -> PlaywrightCrawler:
    """A crawler that takes its pages from the inbox, and leaves every judgement about them to its handlers.

    Args:
        pool: its browser.
        inbox: its queue.
        tabs: pages at once.
        seconds: in which an answer must begin to come.
    """
    return PlaywrightCrawler(
        browser_pool=pool,
        fingerprint_generator=None,
        navigation_timeout=timedelta(seconds=seconds),
        goto_options={"wait_until": "commit"},
        request_manager=inbox,
        request_handler_timeout=NEVER,
        max_request_retries=0,
        use_session_pool=False,
        retry_on_blocked=False,
        ignore_http_error_status_codes=range(400, 600),
        concurrency_settings=ConcurrencySettings(min_concurrency=tabs, desired_concurrency=tabs, max_concurrency=tabs),
        statistics=Statistics.with_default_state(persistence_enabled=False, log_interval=NEVER),
        storage_client=MemoryStorageClient(),
        status_message_logging_interval=NEVER,
        configure_logging=False,
    )
