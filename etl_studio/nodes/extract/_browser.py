"""A browser under way: Crawlee's PlaywrightCrawler on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from etl_studio.errors import Cancelled, PermanentError, TransientError
from etl_studio.nodes.extract._browser_found import find_browser, missing
from etl_studio.nodes.extract._browser_page import Reading
from etl_studio.nodes.extract._browser_tab import Order, signed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from etl_studio import sdk
    from etl_studio.nodes.extract._browser_settings import BrowserSettings

HOSTS, MOST_TABS = 4, 32
"""Of how many hosts pages may be open at once as the settings say for one, and how many pages in all."""
CLOSE_SECONDS = 2.0
"""How long a browser may take to close before it is killed."""
HEAP_MB = 1_024
"""Memory that the scripts of a tab may use."""
FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # the gate finds hosts, and nobody else
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--no-pings",
    "--mute-audio",
    "--disable-gpu",
)
NO_MEDIA = ("--blink-settings=imagesEnabled=false", "--disable-remote-fonts")
REFUSED = {"everything": (), "no_media": ("Media",), "no_styles": ("Media", "Stylesheet")}
"""What is refused one by one, as it cannot be switched off."""


class Browser:
    """Loads pages. A context manager; leaving it ends the browser and its thread.

    Args:
        settings: of the node.
        gate: the way to the web.
        context: the run.
        web: surrounds each page with the node's policy.
        agent: name and contact of the crawler, as sites are told.

    Raises:
        PermanentError: there is no browser, or it does not start.
    """

    def __init__(
        self, settings: BrowserSettings, gate: sdk.Gate, context: sdk.RunContext, web: sdk.Web, agent: str
    ) -> None:
        self._settings, self._gate, self._context, self._web, self._agent = settings, gate, context, web, agent
        self._reading = Reading(settings, gate, context)
        self._program = _program(settings)
        self._profile = context.scratch() / "browser"
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._told_of)
        self._thread = threading.Thread(target=self._loop.run_forever, name="browser")
        self._inbox: Any = None
        self._plugin: Any = None
        self._crawling: asyncio.Task[Any] | None = None
        self._pool: Any = None
        self._readings: set[asyncio.Task[sdk.HttpResponse]] = set()
        self._told = 0

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        try:
            while True:
                try:
                    starting.result(0.02)
                except TimeoutError:
                    if starting.done():
                        raise
                    if self._context.stopping.is_set():
                        starting.cancel()
                        raise Cancelled("The run was stopped.") from None
                else:
                    return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def took(self) -> int:
        """Bytes that came since this was last asked."""
        received = self._gate.received
        took, self._told = received - self._told, received
        return took

    async def send(
        self, request: sdk.HttpRequest, *, before: Callable[[], Awaitable[object]] | None = None
    ) -> sdk.HttpResponse:
        """Load a page under the policy: the answer has its HTML after all scripts; a redirect has only its head."""
        return await self._web.send(request, before=before, by=self._load)

    async def _load(self, request: sdk.HttpRequest, seconds: float | None) -> sdk.HttpResponse:
        work = asyncio.run_coroutine_threadsafe(self._ordered(request, seconds), self._loop)
        return await asyncio.wrap_future(work)

    async def _ordered(self, request: sdk.HttpRequest, seconds: float | None) -> sdk.HttpResponse:
        if self._crawling is None or self._crawling.done():
            raise TransientError("The browser has ended.")
        own = {name: value for name, value in request.headers.items() if name.lower() != "user-agent"}
        order = Order(request, seconds, own | signed(request.auth))
        key = self._inbox.put(order)
        try:
            return await order.done
        finally:
            self._inbox.orders.pop(key, None)

    async def _start(self) -> None:
        from etl_studio.nodes.extract._browser_crawlee import Chromium, Inbox, new_crawler, new_pool, silence

        silence()
        wishes = self._wishes()
        self._plugin = Chromium(self._profile / "profile", self._launch_options(), wishes)
        pool = self._pool = new_pool(self._plugin)
        await pool.__aenter__()
        try:
            page = await pool.new_page()  # one browser for all; it is there before many pages are
            await page.page.close()
        except Exception as error:  # noqa: BLE001 - whatever it was, the browser did not start
            raise self._no_start(error) from None
        self._inbox = Inbox()
        crawler = new_crawler(pool, self._inbox, wishes.tabs, self._settings.timeout)
        crawler.pre_navigation_hook(self._before)
        crawler.router.default_handler(self._handle)
        crawler.failed_request_handler(self._failed)
        self._crawling = asyncio.ensure_future(crawler.run())
        self._crawling.add_done_callback(self._crawl_ended)

    def _launch_options(self) -> dict[str, Any]:
        settings = self._settings
        flags = [*FLAGS, f"--js-flags=--max-old-space-size={HEAP_MB}"]
        if settings.load != "everything":
            flags += NO_MEDIA
        as_root = getattr(os, "geteuid", lambda: 1)() == 0
        if as_root:
            self._context.log(
                "warning",
                "The browser runs without its sandbox, as this program runs as root: a page that breaks out of it "
                "could do everything here. Run it as another user.",
            )
        if self._gate.ca_file is not None:
            self._context.log(
                "warning", "The browser trusts the certificates of the system; the policy's ca_file is not for it."
            )
        return {
            "executable_path": str(self._program),
            "headless": settings.headless,
            "chromium_sandbox": not as_root,
            "args": flags,
            "artifacts_dir": str(self._profile / "artifacts"),
            "env": self._environment(),
            "proxy": {"server": self._gate.url},
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
            "accept_downloads": False,
        }

    def _environment(self) -> dict[str, str]:
        """That of this program without its secrets, and with the run's folder for what a desktop program keeps."""
        own = {name: value for name, value in os.environ.items() if "SECRET" not in name.upper()}
        return own | {name: str(self._profile / "home") for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME")}

    def _wishes(self) -> Any:
        from etl_studio.nodes.extract._browser_crawlee import Wishes

        settings = self._settings
        width, height = settings.viewport.split("x")
        options: dict[str, Any] = {
            "viewport": {"width": int(width), "height": int(height)},
            "ignore_https_errors": not self._gate.check_certificate,
            "accept_downloads": False,
            "service_workers": "block",
        }
        options |= {"user_agent": settings.sent_as} if settings.sent_as else {}
        options |= {"locale": settings.locale} if settings.locale else {}
        return Wishes(
            tabs=min(settings.concurrency * HOSTS, MOST_TABS),
            agent=self._agent,
            options=options,
            cookies=[
                {"name": name, "value": value, "url": url}
                for url in settings.start_urls
                for name, value in settings.set_cookies.items()
            ],
            blocked=REFUSED[settings.load],
            keeps_cookies=settings.cookies,
        )

    async def _before(self, context: Any) -> None:
        order = self._inbox.orders.get(context.request.unique_key)
        if order is not None:
            order.tab = self._plugin.tabs.tab(context.page)
            await order.tab.begin(order)

    async def _handle(self, context: Any) -> None:
        order = self._inbox.orders.get(context.request.unique_key)
        if order is None or order.tab is None:
            return
        reading = asyncio.ensure_future(self._reading.read(order.tab, order))
        self._readings.add(reading)
        await asyncio.wait({reading})
        self._readings.discard(reading)
        if reading.cancelled():  # nobody waits for it any more
            order.tab.spoiled = True
        elif error := reading.exception():
            self._refuse(order, error)
        elif not order.done.done():
            order.done.set_result(reading.result())

    async def _failed(self, context: Any, error: Exception) -> None:
        order = self._inbox.orders.get(context.request.unique_key)
        if order is None:
            return
        tab = order.tab
        if tab is not None and tab.head is not None and not tab.head.is_page and not order.done.done():
            order.done.set_result(await self._reading.read(tab, order))  # a redirect
        else:
            self._refuse(order, error)

    def _refuse(self, order: Order, error: BaseException) -> None:
        if order.tab is not None:
            order.tab.spoiled = True
        if not order.done.done():
            order.done.set_exception(self._reading.meaning(error, order))

    def _crawl_ended(self, crawling: asyncio.Task[Any]) -> None:
        error = None if crawling.cancelled() else crawling.exception()
        for order in list(self._inbox.orders.values()):
            if not order.done.done():
                order.done.set_exception(TransientError(f"The browser has ended{f': {error}' if error else ''}."))

    def _told_of(self, _: asyncio.AbstractEventLoop, facts: dict[str, Any]) -> None:
        # What a browser that went away leaves without a taker; whoever wanted something of it has heard of it.
        self._context.log("debug", f"The browser's driver: {facts.get('exception') or facts.get('message')}")

    def _no_start(self, error: Exception) -> PermanentError:
        lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
        fatal = next((line for line in lines if "FATAL:" in line), "")
        said = [line.partition("[err]")[2].strip() for line in lines if "[err]" in line and "crashpad" not in line]
        reason = fatal.rpartition("] ")[2] or (said[-1] if said else lines[0] if lines else type(error).__name__)
        hint = "Start it by hand to see what is wrong, or name another in the setting browser."
        if "sandbox" in reason.lower():
            hint = "Its sandbox is not allowed here, as in some containers: allow user namespaces, or run it elsewhere."
        return PermanentError(f"{self._program} did not start: {reason}.", hint=hint, column="browser")

    async def _close(self) -> None:
        """End the browser; killed where it does not end by itself."""
        if self._inbox is not None:
            self._inbox.close()
        for reading in list(self._readings):
            reading.cancel()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._plugin is not None and self._plugin.tabs is not None:
                    await self._plugin.tabs.close()
                if self._crawling is not None:
                    await asyncio.wait({self._crawling})
                if self._pool is not None and self._pool.active:
                    await self._pool.__aexit__(None, None, None)
        except Exception:  # noqa: BLE001 - late, or what drives it has gone: nothing of it may stay
            self._kill()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()

    def _kill(self) -> None:
        import psutil

        mark = str(self._profile)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if any(mark in part for part in process.cmdline()):
                    process.kill()


def _program(settings: BrowserSettings) -> Path:
    if lacking := missing(settings.browser):
        raise PermanentError(lacking.what, hint=lacking.hint, column=lacking.setting or None)
    found = find_browser(settings.browser)
    assert found is not None  # noqa: S101 - it is not missing
    return found
