"""One tab of a browser: what its page may load, and where it may go."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from etl_studio.errors import TransientError
from etl_studio.nodes.extract._crawl_addresses import canonical
from etl_studio.nodes.extract._html_page import KINDS
from etl_studio.sdk.auth import ApiKeyAuth, BasicAuth, BearerAuth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio import sdk
    from etl_studio.sdk.auth import Auth

REDIRECTS = range(300, 400)
NO_CONTENT = (204, 205)
REST_SECONDS = 1.0
"""After which the scripts of a page that was read end."""
MOST_RELOADS = 5
"""How often a page may go to its own address again, as those do that want a cookie."""
FOUND = 302
_NOTHING = [{"name": "content-type", "value": "text/html"}]


@dataclass(slots=True, eq=False)
class Order:
    """A page that is wanted.

    Attributes:
        request: what is asked for.
        seconds: in which all must be done; None: nobody says.
        headers: sent with each request to the page's host.
        done: gets the answer or an error.
        tab: in which it is loaded.
    """

    request: sdk.HttpRequest
    seconds: float | None
    headers: Mapping[str, str]
    done: asyncio.Future[sdk.HttpResponse] = field(default_factory=asyncio.Future)
    tab: Tab | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer.

    Attributes:
        url: of what.
        status: HTTP status; 302 also where a script leads elsewhere.
        headers: names in lower case.
        is_page: False: there is nothing to be read, as it is a redirect or no web page.
        seconds: that it took to come.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    is_page: bool
    seconds: float = 0.0


class Tab:
    """One tab, for one page after the other.

    A document of the main frame is looked at before it is asked for and before its body comes: a redirect is not
    followed but told, and so is a script that leads elsewhere; what is no web page is not loaded.

    Args:
        page: Playwright's page.
        session: of the developer tools for it.
        blocked: kinds of resources that are not loaded, in the words of the developer tools.

    Attributes:
        page: Playwright's page.
        used: pages that it had.
        crashed: its process has gone.
        spoiled: a page could not be read, so that the tab is no good for the next one.
        acting: the page is being acted on, so that it may lead on.
        going: it leads on, and what it leads to has not begun to come.
        head: the beginning of the answer; None: there is none yet.
        left: set when the page leads elsewhere, or is none.
    """

    def __init__(self, page: Any, session: Any, blocked: tuple[str, ...]) -> None:
        self.page = page
        self._session, self._blocked = session, blocked
        self._order: Order | None = None
        self._frame = ""
        self._reloads = 0
        self._began = 0.0
        self._working: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        self.used = 0
        self.crashed = self.spoiled = False
        self.acting = self.going = False
        self.head: Head | None = None
        self.left = asyncio.Event()
        page.on("crash", self._crash)
        page.on("popup", self._close_popup)
        session.on("Fetch.requestPaused", self._paused)

    async def begin(self, order: Order) -> None:
        """Load the page of an order from now on."""
        self._order, self.head, self._frame, self._reloads = order, None, "", 0
        self.acting = self.going = False
        self.left.clear()
        self.used += 1
        if self._rest is not None:
            self._rest.cancel()
        patterns = [{"resourceType": "Document", "requestStage": stage} for stage in ("Request", "Response")]
        patterns += [{"resourceType": kind, "requestStage": "Request"} for kind in self._blocked]
        if order.headers:
            parts = urlsplit(order.request.url)
            patterns.append({"urlPattern": f"*://{parts.netloc.rpartition('@')[2]}/*", "requestStage": "Request"})
        await self._session.send("Fetch.enable", {"patterns": patterns})
        self._began = time.monotonic()

    def end(self) -> None:
        """Let go of the page; of its scripts, too, where the next page does not follow soon.

        To leave it at once would cost more than most pages: Chromium takes another process for each other site.
        """
        self._order = None
        self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, self._leave)

    def _leave(self) -> None:
        self._do(self.page.goto("about:blank"))

    def _crash(self, _: object) -> None:
        self.crashed = True
        self.left.set()

    def _close_popup(self, popup: Any) -> None:
        self._do(popup.close())

    def _paused(self, event: dict[str, Any]) -> None:
        self._do(self._decide(event))

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        request, kind, number = event["request"], event.get("resourceType"), event["requestId"]
        order, url = self._order, str(request["url"])
        if kind in self._blocked:
            await self._session.send("Fetch.failRequest", {"requestId": number, "errorReason": "BlockedByClient"})
            return
        if kind == "Document" and event.get("frameId") == (self._frame or event.get("frameId")):
            if order is None:
                await self._session.send("Fetch.failRequest", {"requestId": number, "errorReason": "Aborted"})
                return
            self._frame = event.get("frameId", "")
            if "responseStatusCode" in event:
                await self._answered(event, order, url)
                return
            if self.head is not None and not self._may_go_on(order, url, request["method"]):
                await self._session.send("Fetch.failRequest", {"requestId": number, "errorReason": "Aborted"})
                return
            self.going = True
        asked: dict[str, Any] = {"requestId": number}
        if order is not None and order.headers and "responseStatusCode" not in event and _is_own(url, order):
            sent = {**request["headers"], **order.headers}
            asked["headers"] = [{"name": name, "value": str(value)} for name, value in sent.items()]
        await self._session.send("Fetch.continueRequest", asked)

    async def _answered(self, event: dict[str, Any], order: Order, url: str) -> None:
        self.going = False
        status = int(event["responseStatusCode"])
        headers = {one["name"].lower(): one["value"] for one in event.get("responseHeaders", ())}
        number = event["requestId"]
        if status in REDIRECTS and "location" in headers and self._follows(order, url, headers["location"]):
            await self._session.send("Fetch.continueRequest", {"requestId": number})
            return
        is_page = status not in REDIRECTS and status not in NO_CONTENT and _is_web_page(headers)
        if self.head is None or not self.acting or is_page:
            self.head = Head(url, status, headers, is_page, time.monotonic() - self._began)
        if is_page:
            await self._session.send("Fetch.continueRequest", {"requestId": number})
            return
        self.left.set()
        if status in REDIRECTS:  # it would be followed with whatever answer it is given
            await self._session.send("Fetch.failRequest", {"requestId": number, "errorReason": "Aborted"})
            return
        nothing = {"requestId": number, "responseCode": 200, "responseHeaders": _NOTHING}
        await self._session.send("Fetch.fulfillRequest", nothing)

    def _follows(self, order: Order, url: str, location: str) -> bool:
        """Whether a redirect is followed here: of an action, or where the request says so."""
        if order.request.follow_redirects:
            return True
        return self.acting and _is_near(urljoin(url, location), order)

    def _may_go_on(self, order: Order, url: str, method: str) -> bool:
        """Whether a page that is there already may go elsewhere; if not, that is told as a redirect."""
        if order.request.follow_redirects:
            return True
        if self.acting or method != "GET":
            return _is_near(url, order)
        if _is_same(url, order.request.url):
            self._reloads += 1
            return self._reloads <= MOST_RELOADS
        self.head = Head(order.request.url, FOUND, {"location": url}, is_page=False)
        self.left.set()
        return False


async def _quietly(work: Any) -> None:
    from playwright.async_api import Error

    try:
        await work
    except Error:
        return  # the request or the tab is gone by now


def signed(auth: Auth) -> dict[str, str]:
    """The header of a sign-in that a browser can send by itself."""
    match auth:
        case BasicAuth():
            pair = b64encode(f"{auth.username}:{auth.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        case BearerAuth():
            return {"Authorization": f"Bearer {auth.token}"}
        case ApiKeyAuth():
            return {auth.name: auth.key}
        case _:
            return {}


def crashed(url: str) -> TransientError:
    """The error for a page that took its tab with it."""
    return TransientError(
        f"The tab of {url} crashed.", hint="The page may need more memory than a tab gets: 1 GB for its scripts."
    )


def _is_web_page(headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    attached = headers.get("content-disposition", "").lower().startswith("attachment")
    return (not kind or kind in KINDS) and not attached


def _is_near(url: str, order: Order) -> bool:
    return urlsplit(url).netloc.rpartition("@")[2] == urlsplit(order.request.url).netloc.rpartition("@")[2]


def _is_own(url: str, order: Order) -> bool:
    """Whether an address may get what is meant for the page's host: never without the encryption of the page."""
    return _is_near(url, order) and urlsplit(url).scheme in (urlsplit(order.request.url).scheme, "https")


def _is_same(one: str, other: str) -> bool:
    try:
        return canonical(one) == canonical(other)
    except ValueError:
        return False
