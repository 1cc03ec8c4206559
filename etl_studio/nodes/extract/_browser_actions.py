"""What is done on a page in a browser before it is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.nodes.extract._browser_settings import Action

GROWTH_SECONDS = 2.0
"""How long a page may take to grow after a click or when its end came into view."""

AGREE = (
    "#onetrust-accept-btn-handler",
    "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
    "#CybotCookiebotDialogBodyButtonAccept",
    "#didomi-notice-agree-button",
    "#truste-consent-button",
    "#axeptio_btn_acceptAll",
    "#hs-eu-confirmation-button",
    "#sp-cc-accept",
    ".fc-cta-consent",
    ".cky-btn-accept",
    ".cmplz-accept",
    ".cm-btn-success",
    ".cc-btn.cc-allow",
    ".osano-cm-accept-all",
    ".qc-cmp2-summary-buttons button[mode=primary]",
    "[data-testid=uc-accept-all-button]",
    "[data-cookiefirst-action=accept]",
    "a[data-cookie-accept-all]",
)
"""Buttons of common banners: OneTrust, Cookiebot, Didomi, TrustArc, Axeptio, Google Funding Choices, CookieYes, ..."""

_SCROLL = """
async (element, [times, patience]) => {
  const place = () => element || document.scrollingElement || document.documentElement;
  const size = () => place().scrollHeight + ' ' + document.getElementsByTagName('*').length;
  for (let n = 0; n < times; n++) {
    const before = size(), end = performance.now() + patience;
    place().scrollTo(0, place().scrollHeight);
    while (size() === before) {
      if (performance.now() > end) return;
      await new Promise(done => setTimeout(done, 50));
    }
  }
}
"""
_SIZE = "document.getElementsByTagName('*').length + ' ' + (document.body || {innerText: ''}).innerText.length"
_GREW = f"""
async ([before, patience]) => {{
  const end = performance.now() + patience;
  while ({_SIZE} === before) {{
    if (performance.now() > end) return false;
    await new Promise(done => setTimeout(done, 50));
  }}
  return true;
}}
"""


async def accept_cookies(page: Any, seconds: float) -> bool:
    """Agree in a cookie banner, if one of the common ones comes within so many seconds; whether one came."""
    from playwright.async_api import Error

    button = page.locator(f"css={', '.join(AGREE)}").locator("visible=true").first
    try:
        await button.click(timeout=seconds * 1000)
    except Error:
        return False
    return True


async def act(page: Any, actions: Sequence[Action], seconds: float) -> None:
    """Do all of them.

    Args:
        page: Playwright's page.
        actions: what to do.
        seconds: in which an element must come.

    Raises:
        TransientError: an element did not come.
        PermanentError: a selector is none.
    """
    from playwright.async_api import Error
    from playwright.async_api import TimeoutError as Late

    for number, action in enumerate(actions, 1):
        try:
            await _do(page, action, seconds)
        except Late:
            if action.required:
                raise TransientError(
                    f'"{action.selector}" of action {number} ({action.do}) did not come within {seconds:g} s.',
                    hint="Check its selector, or raise the patience.",
                    column="actions",
                ) from None
        except Error as error:
            if _is_selector(error):
                raise no_selector(action.selector, "actions") from None
            raise


async def _do(page: Any, action: Action, seconds: float) -> None:
    patience = (action.seconds or GROWTH_SECONDS) * 1000
    # What need not be there is waited for only as long as a page takes to show it.
    most = (seconds if action.required else min(seconds, action.seconds or GROWTH_SECONDS)) * 1000
    where: Any = page.locator(located(action.selector)).locator("visible=true").first if action.selector else None
    match action.do:
        case "wait" if where is None:
            await asyncio.sleep(action.seconds)
        case "wait":
            wanted = page.locator(located(action.selector)).first
            await wanted.wait_for(state="attached", timeout=(action.seconds or seconds) * 1000)
        case "scroll" if where is None:
            await page.evaluate(f"asked => ({_SCROLL})(null, asked)", [action.times, patience])
        case "scroll":
            await where.evaluate(_SCROLL, [action.times, patience], timeout=most)
        case "fill":
            await where.fill(action.text, timeout=most)
        case "select":
            await where.select_option(action.text, timeout=most)
        case "press" if where is None:
            await page.keyboard.press(action.text)
        case "press":
            await where.press(action.text, timeout=most)
        case "click":
            await _click(page, where, action.times, most, patience)


async def _click(page: Any, where: Any, times: int, most: float, patience: float) -> None:
    from playwright.async_api import TimeoutError as Late

    for n in range(times):
        before = await page.evaluate(_SIZE) if times > 1 else ""
        try:
            await where.click(timeout=most if not n else patience)
        except Late:
            if not n:
                raise
            return
        if times > 1 and not await page.evaluate(_GREW, [before, patience]):
            return


def located(selector: str) -> str:
    """A selector as Playwright wants it."""
    if selector.startswith(("text=", "css=", "xpath=")):
        return selector
    return f"xpath={selector}" if selector.startswith(("/", "./", "(")) else f"css={selector}"


def no_selector(selector: str, column: str) -> PermanentError:
    """The error for a text that the browser takes for no selector."""
    return PermanentError(
        f'The browser cannot use the selector "{selector}".',
        hint="Write CSS, XPath that begins with /, or text= and what is written on the element.",
        column=column,
        value=selector,
    )


def _is_selector(error: Exception) -> bool:
    text = str(error)
    return "selector" in text and ("Unexpected" in text or "not a valid" in text or "Malformed" in text)
