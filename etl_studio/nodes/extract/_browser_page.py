"""Reading a page in a tab: wait, act, and take its HTML as it is then."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import DeadlineError, EtlError, PermanentError, TransientError
from etl_studio.nodes.extract._browser_actions import accept_cookies, act, located, no_selector
from etl_studio.nodes.extract._browser_tab import crashed

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from etl_studio.nodes.extract._browser_settings import BrowserSettings
    from etl_studio.nodes.extract._browser_tab import Order, Tab

STATES = {"parsed": "domcontentloaded", "loaded": "load", "quiet": "networkidle"}
FIRST_ERROR = 400
HTML_SECONDS = 20.0
GOES_SECONDS = 0.1
BANNERS = 3
"""Pages on which a cookie banner is waited for."""
BANNER_SECONDS, BANNER_THERE_SECONDS = 1.5, 0.1
_HTML = """
most => {
  const root = document.documentElement, shadows = [];
  if (!root) return '';
  const look = part => {
    for (const element of part.querySelectorAll('*'))
      if (element.shadowRoot) { shadows.push(element.shadowRoot); look(element.shadowRoot); }
  };
  look(document);
  const html = shadows.length ? `<html>${root.getHTML({shadowRoots: shadows})}</html>` : root.outerHTML;
  return html.length > most ? html.length : html;
}
"""
"""Shadow roots are part of it, as ``template`` elements."""
_CERTIFICATE = re.compile(r"ERR_(CERT|SSL)_\w+")
_PERMANENT = ("ERR_UNSAFE_PORT", "ERR_INVALID_URL", "ERR_UNKNOWN_URL_SCHEME", "ERR_DISALLOWED_URL_SCHEME")
_MEANING = {
    "ERR_EMPTY_RESPONSE": "closed the connection without an answer",
    "ERR_CONNECTION_RESET": "broke the connection off",
    "ERR_CONNECTION_CLOSED": "broke the connection off",
    "ERR_INCOMPLETE_CHUNKED_ENCODING": "broke the connection off",
    "ERR_CONTENT_LENGTH_MISMATCH": "broke the connection off",
    "ERR_INVALID_HTTP_RESPONSE": "answered with something that is no HTTP",
    "ERR_TOO_MANY_REDIRECTS": "leads in a circle",
}


class Reading:
    """How pages are read.

    Args:
        settings: of the node.
        gate: knows why a host could not be reached.
        context: the run.
    """

    def __init__(self, settings: BrowserSettings, gate: sdk.Gate, context: sdk.RunContext) -> None:
        self._settings, self._gate, self._context = settings, gate, context
        self.unfinished = self._banners = 0

    async def read(self, tab: Tab, order: Order) -> sdk.HttpResponse:
        """Read a page whose answer has begun to come.

        Raises:
            TransientError: it crashed, took too long, or an element did not come.
            PermanentError: it is too large, or a selector is none.
        """
        shown = sdk.shown_url(order.request.url)
        try:
            async with asyncio.timeout(order.seconds):
                if _is_over(tab):
                    return _answer(tab, order, b"")
                if not await self._settle(tab, order):
                    return _answer(tab, order, b"")
                html = await _unless_left(tab, self._html(tab, order))
        except TimeoutError:
            raise DeadlineError(
                f"{shown} was not read within {order.seconds:g} s.",
                hint="Raise the timeout in the node's policy, or have less done on the page.",
            ) from None
        if tab.crashed:
            raise crashed(shown)
        if html is None:
            return _answer(tab, order, b"")
        return _answer(tab, order, html.encode("utf-8", "replace"), tab.page.url)

    async def _settle(self, tab: Tab, order: Order) -> bool:
        """Wait and act; False: the page went elsewhere."""
        settings, page = self._settings, tab.page
        shown, most = sdk.shown_url(order.request.url), settings.timeout * 1000
        from playwright.async_api import TimeoutError as Late

        async def settle() -> bool:
            began = time.monotonic()
            try:
                await page.wait_for_load_state("domcontentloaded", timeout=most)
            except Late:
                raise DeadlineError(
                    f"{shown} was not there within {settings.timeout:g} s.", hint="Raise the patience of the node."
                ) from None
            if settings.wait_until != "parsed":
                left = max(1.0, most - (time.monotonic() - began) * 1000)
                try:
                    await page.wait_for_load_state(STATES[settings.wait_until], timeout=left)
                except Late:
                    self._never_ends(shown)
            if settings.actions or settings.accept_cookies:
                tab.acting = True
                await self._act(tab, most)
            if settings.wait_for:
                await self._wait_for(page, shown)
            return True

        return await _unless_left(tab, settle()) is True

    async def _act(self, tab: Tab, most: float) -> None:
        settings = self._settings
        if settings.accept_cookies:
            # Once is enough as long as cookies are kept; where no banner comes, none is waited for any more.
            waits = self._banners < BANNERS or not settings.cookies
            self._banners += 1
            if await accept_cookies(tab.page, BANNER_SECONDS if waits else BANNER_THERE_SECONDS):
                self._banners = BANNERS
        await act(tab.page, settings.actions, settings.timeout)
        if settings.actions:
            await asyncio.sleep(GOES_SECONDS)  # a script or a form may be about to lead on
            async with asyncio.timeout(most / 1000):
                while tab.going:  # noqa: ASYNC110 - a state of the browser
                    await asyncio.sleep(GOES_SECONDS)
            await tab.page.wait_for_load_state("domcontentloaded", timeout=most)

    async def _wait_for(self, page: Any, shown: str) -> None:
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as Late

        wanted, seconds = self._settings.wait_for, self._settings.timeout
        try:
            await page.locator(located(wanted)).first.wait_for(state="attached", timeout=seconds * 1000)
        except Late:
            raise TransientError(
                f'"{wanted}" did not come on {shown} within {seconds:g} s.',
                hint="Check the selector in wait_for, or raise the patience of the node.",
                column="wait_for",
            ) from None
        except Error as error:
            if "selector" in str(error):
                raise no_selector(wanted, "wait_for") from None
            raise

    def _never_ends(self, shown: str) -> None:
        self.unfinished += 1
        if self.unfinished == 1:
            self._context.log(
                "info",
                f"{shown} did not come to an end within {self._settings.timeout:g} s; it was read as it was then.",
                url=shown,
            )

    async def _html(self, tab: Tab, order: Order) -> str:
        most = order.request.max_bytes or 64 * 2**20
        shown = sdk.shown_url(order.request.url)
        try:
            async with asyncio.timeout(HTML_SECONDS):
                found = await tab.page.evaluate(_HTML, most)
        except TimeoutError:
            raise DeadlineError(f"The scripts of {shown} never pause, so that it cannot be read.") from None
        if isinstance(found, int):
            raise PermanentError(
                f"{shown} has {found:,} characters; {most:,} are the most.", hint="Raise the largest page."
            )
        return str(found)

    def meaning(self, error: BaseException, order: Order) -> EtlError:
        """What an error of the browser means."""
        if isinstance(error, EtlError):
            return error
        url, text = order.request.url, str(error).partition("\n")[0]
        shown, host = sdk.shown_url(url), order.request.target
        if order.tab is not None and order.tab.crashed:
            return crashed(shown)
        if isinstance(error, TimeoutError):
            return DeadlineError(
                f"{shown} did not answer within {self._settings.timeout:g} s.", hint="Raise the patience of the node."
            )
        if "ERR_SOCKS" in text or "ERR_PROXY" in text or "ERR_TUNNEL" in text:
            found = self._gate.failure(url)
            return found or TransientError(f"There is no connection to {host}.", hint="Check the address.")
        if found_certificate := _CERTIFICATE.search(text):
            return PermanentError(
                f"The certificate of {host} is not valid ({found_certificate[0].removeprefix('ERR_')}).",
                hint="Check the address and the clock of this computer.",
            )
        for sign, meaning in _MEANING.items():
            if sign in text:
                return TransientError(f"{host} {meaning}.", hint="Try again later.")
        if any(sign in text for sign in _PERMANENT):
            return PermanentError(f'"{shown}" is no address that the browser opens.', hint="Check the address.")
        return TransientError(f"The browser could not read {shown}: {_without_call(text)}.", hint="Try again later.")


async def _unless_left(tab: Tab, work: Coroutine[Any, Any, Any]) -> Any:
    """What work gives; None: the page went elsewhere or crashed meanwhile."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(tab.left.wait())
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if _is_over(tab):
            return None
        return await doing
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


def _is_over(tab: Tab) -> bool:
    return tab.crashed or tab.head is None or not tab.head.is_page or tab.head.status >= FIRST_ERROR


def _answer(tab: Tab, order: Order, content: bytes, url: str = "") -> sdk.HttpResponse:
    if tab.crashed:
        raise crashed(sdk.shown_url(order.request.url))
    head = tab.head
    if head is None:
        raise TransientError(f"{sdk.shown_url(order.request.url)} gave no page.")
    headers = dict(head.headers)
    if content:
        headers["content-type"] = "text/html; charset=utf-8"
    elif head.is_page is False and "attachment" in headers.get("content-disposition", "").lower():
        headers["content-type"] = "application/octet-stream"
    where = url if url.startswith(("http://", "https://")) else head.url
    return sdk.HttpResponse(where, head.status, headers, content, elapsed=head.seconds)


def _without_call(text: str) -> str:
    return re.sub(r"^[\w.]+: ", "", text).strip().rstrip(".")
