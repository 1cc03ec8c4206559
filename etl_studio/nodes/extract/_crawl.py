"""A crawl under way: asks for pages, keeps what they hold, and finds further ones."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._crawl_addresses import canonical
from etl_studio.nodes.extract._crawl_hosts import Host
from etl_studio.nodes.extract._crawl_items import PageFacts, Rows
from etl_studio.nodes.extract._crawl_pace import Pace
from etl_studio.nodes.extract._crawl_robots import Robots
from etl_studio.nodes.extract._crawl_sitemaps import read_sitemap
from etl_studio.nodes.extract._html_page import is_web_page, may_be_web_page, parse
from etl_studio.nodes.extract._page_rules import PageRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.nodes.extract._crawl_hosts import Pages
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan
    from etl_studio.sdk.frontier import Frontier, Link, Visit

BATCH_PAGES = 100
BATCH_ROWS = 10_000
BATCH_SECONDS = 1.0
MOST_WORKERS = 64
SITEMAP_BYTES = 50 * 1024 * 1024
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Taken:
    """What some pages gave.

    Attributes:
        columns: the rows, column by column.
        refused: pages that could not be read, with what is wrong.
        done: numbers of the links that are dealt with.
    """

    columns: dict[str, Sequence[Any]]
    refused: Sequence[tuple[Visit, Exception]]
    done: Sequence[int]


class Crawl:
    """One crawl.

    Args:
        plan: the settings, compiled.
        context: the run.
        frontier: its queue.
        pages: asks for pages in place of the client, such as a browser; None: the client does.

    Attributes:
        counts: ``pages`` asked for, ``read``, ``bytes``, ``failed``, and links and pages that were left out.
        ended: the limit that was reached; empty: none.
    """

    def __init__(
        self, plan: CrawlPlan, context: sdk.RunContext, frontier: Frontier, pages: Pages | None = None
    ) -> None:
        self._plan, self._context, self._frontier, self._pages = plan, context, frontier, pages
        self._rows = Rows(plan.fields, typed=plan.typed, parents=plan.parents)
        self._hosts: dict[str, Host] = {}
        self._turn: deque[Host] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._refused: list[tuple[Visit, Exception]] = []
        self._done: list[int] = []
        self._wake = asyncio.Event()
        self._error: BaseException | None = None
        self._first_failure: Exception | None = None
        self._seconds_before = 0.0
        self._began = time.monotonic()
        self._title = ""
        self._wanted: int | None = None
        self._under_way = 0
        self.counts: Counter[str] = Counter()
        self.ended = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What a resumed crawl must know."""
        asked = self.counts["pages"] - self._under_way
        return {
            "counts": {**self.counts, "pages": asked},
            "left_out": dict(self._plan.finder.left_out),
            "items": {str(n): [kind.pages, kind.items, dict(kind.misses)] for n, kind in enumerate(self._plan.items)},
            "admitted": self._plan.finder.admitted,
            "seconds": self._seconds_before + time.monotonic() - self._began,
        }

    def restore(self, facts: dict[str, Any]) -> None:
        """Go on where facts were kept."""
        self.counts.update(facts.get("counts", {}))
        self._plan.finder.left_out.update(facts.get("left_out", {}))
        for host in facts.get("admitted", ()):
            self._plan.finder.admit(f"http://{host}/")
        self._seconds_before = facts.get("seconds", 0.0)
        for n, (pages, items, misses) in facts.get("items", {}).items():
            kind = self._plan.items[int(n)]
            kind.pages, kind.items = pages, items
            kind.misses.update(misses)

    def begin(self, *, anew: bool) -> None:
        """Put the start addresses into the queue, or find those that wait there."""
        if anew:
            self._add([link for link in self._plan.starts() if link is not None])
        for name, waiting in self._frontier.hosts().items():
            self._host(name).waiting = waiting

    async def next(self, web: sdk.Web, wanted: int | None = None) -> Taken | None:
        """What came since the last call, after a second or a batch; None: the crawl has ended.

        Args:
            web: the run's client (``sdk.Web``).
            wanted: rows that are enough.
        """
        self._pump(web)
        if not self._is_full(wanted) and self._workers:
            self._wake.clear()
            self._wanted = wanted
            alarm = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                alarm.cancel()
        if self._error is not None:
            raise self._error
        if not self._done and not self._workers:
            return None
        taken = Taken(self._rows.taken(), self._refused, self._done)
        self._refused, self._done = [], []
        return taken

    def conclude(self) -> None:
        """Tell how it ended.

        Raises:
            EtlError: no page could be read.
        """
        counts, context = self.counts, self._context
        if not counts["read"]:
            raise self._first_failure or self._nothing_read()
        for kind in self._plan.items:
            kind.conclude(context, self._title)
        waiting = sum(host.work for host in self._hosts.values())
        if self.ended and waiting:
            context.log("warning", f"Stopped with {waiting:,} addresses waiting, as {self.ended}.")
        left_out = {**self._plan.finder.left_out, **{k[4:]: n for k, n in counts.items() if k.startswith("not ")}}
        if left_out:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(left_out.items(), key=lambda each: -each[1]))
            context.log("info", f"Addresses left out: {reasons}.", left_out=left_out)
        items = sum(kind.items for kind in self._plan.items)
        failed = f"; {counts['failed']:,} could not be read" if counts["failed"] else ""
        context.log(
            "info",
            f"Read {items:,} items on {counts['read']:,} pages ({counts['bytes'] / 1e6:,.1f} MB){failed}.",
        )

    def _nothing_read(self) -> PermanentError:
        why = ", ".join(f"{n:,} {k[4:]}" for k, n in self.counts.items() if k.startswith("not "))
        return PermanentError(
            f"No page could be read{f': {why}' if why else ''}.",
            hint="Check the start addresses and the patterns. A site whose robots.txt forbids a page wants no crawler "
            "there.",
            column="start_urls",
        )

    def _is_full(self, wanted: int | None) -> bool:
        rows = self._rows.count
        return len(self._done) >= BATCH_PAGES or rows >= BATCH_ROWS or (wanted is not None and rows >= wanted)

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            plan = self._plan
            host = Host(name, Pace(plan.delay, plan.most_delay, plan.target))
            if not plan.respect_robots:
                host.robots = Robots(b"", plan.agent, "")
            self._hosts[name] = host
            self._turn.append(host)
        return host

    def _add(self, links: Sequence[Link]) -> None:
        if not links:
            return
        by_host: dict[str, list[Link]] = {}
        for link in links:
            by_host.setdefault(link.host, []).append(link)
        for name, some in by_host.items():
            if new := self._frontier.add(some):
                self._host(name).waiting += new

    def _pump(self, web: sdk.Web) -> None:
        """Let workers ask the hosts for which links wait, in turn."""
        if self._limit_reached() or self._error is not None:
            return
        for _ in range(len(self._turn)):
            host = self._turn[0]
            self._turn.rotate(-1)
            # Before its robots.txt is known, one worker asks for it.
            most = self._plan.concurrency if host.robots is not None or host.closed is not None else 1
            for _ in range(min(most - host.workers, host.work)):
                if len(self._workers) >= MOST_WORKERS:
                    return
                host.workers += 1
                task = asyncio.get_running_loop().create_task(self._work(web, host))
                self._workers.add(task)

    async def _work(self, web: sdk.Web, host: Host) -> None:
        try:
            if host.robots is None and host.closed is None:
                await self._learn_robots(web, host)
                self._pump(web)
            while not self._limit_reached() and (visit := host.next(self._frontier)) is not None:
                await self._visit(web, host, visit)
                if host.work and host.workers < self._plan.concurrency:
                    self._pump(web)
        except BaseException as error:  # noqa: BLE001 - whoever waits for pages must hear of it
            if not isinstance(error, asyncio.CancelledError):
                self._error = self._error or error
        finally:
            host.workers -= 1
            self._workers.discard(asyncio.current_task())
            if not self._workers or self._error is not None:
                self._wake.set()

    def _limit_reached(self) -> bool:
        plan, counts = self._plan, self.counts
        if self.ended:
            return True
        if plan.max_pages is not None and counts["pages"] >= plan.max_pages:
            self.ended = f"max_pages is {plan.max_pages:,}"
        elif plan.max_bytes is not None and counts["bytes"] >= plan.max_bytes:
            self.ended = f"max_megabytes is {plan.max_bytes / 1e6:,.0f}"
        elif plan.max_seconds is not None and self._seconds_before + time.monotonic() - self._began >= plan.max_seconds:
            self.ended = f"max_minutes is {plan.max_seconds / 60:,g}"
        return bool(self.ended)

    async def _learn_robots(self, web: sdk.Web, host: Host) -> None:
        visit = host.next(self._frontier)
        if visit is None:
            return
        host.put_back(visit)
        scheme = urlsplit(visit.url).scheme
        await host.learn(web, scheme, self._plan, self._context)
        if host.robots is not None and self._plan.sitemaps_of_robots:
            addresses = host.robots.sitemaps or (f"{scheme}://{host.name}/sitemap.xml",)
            found = [self._plan.finder.link(address, 0, None, "sitemap") for address in addresses]
            self._add([link for link in found if link is not None])

    async def _visit(self, web: sdk.Web, host: Host, visit: Visit) -> None:
        """Ask for one page and take what it holds."""
        counts = self.counts
        if host.closed is not None:
            reason = f"robots.txt of {host.name} could not be read, which forbids all: {host.closed}"
            self._fail(visit, TransientError(reason))
            return
        assert host.robots is not None  # noqa: S101 - learnt before
        url = self._plan.address(visit.url)
        if not host.robots.allows(url):
            self._leave_out(visit, "forbidden by robots.txt")
            return
        is_page = visit.kind == "page"
        counts["pages"] += is_page
        self._under_way += is_page
        try:
            response = await self._ask(web, host, visit, url)
        except (PermanentError, TransientError) as error:
            if is_page:
                self._fail(visit, error)
            else:
                self._leave_out(visit, "a sitemap that is not there")
            return
        finally:
            self._under_way -= is_page
        counts["bytes"] += len(response.content) if self._pages is None else self._pages.took
        if response.status in REDIRECTS:
            self._redirect(visit, url, response)
        elif is_page:
            self._read_page(visit, response)
        else:
            self._read_sitemap(visit, response)

    async def _ask(self, web: sdk.Web, host: Host, visit: Visit, url: str) -> sdk.HttpResponse:
        most = self._plan.most_page if visit.kind == "page" else SITEMAP_BYTES
        request = self._plan.request(url, host.name, most=most, reads=may_be_web_page if visit.kind == "page" else None)
        asked: sdk.Web | Pages = web if self._pages is None or visit.kind != "page" else self._pages
        response = await host.ask(asked, request)
        if response.status in REDIRECTS and self._is_same(_target(url, response), url):
            response = await host.ask(asked, request)  # it wanted to set a cookie
        return response

    def _redirect(self, visit: Visit, url: str, response: sdk.HttpResponse) -> None:
        """The page to which a redirect leads is one of the queue, for which robots.txt and all limits count."""
        target = _target(url, response)
        if visit.parent is None and visit.depth == 0:
            self._plan.finder.admit(target)  # http://example.org leads to https://www.example.org
        link = self._plan.finder.link(target, visit.depth, visit.number, visit.kind)
        if link is not None:
            self._add([link])
        self._leave_out(visit, "redirected")

    def _read_page(self, visit: Visit, response: sdk.HttpResponse) -> None:
        plan = self._plan
        if not is_web_page(response):
            self._leave_out(visit, "no web page")
            return
        try:
            page = parse(response, self._context)
        except PermanentError as error:
            self._fail(visit, error)
            return
        self._title = page.title
        rules = PageRules.of(page, response)
        if plan.canonical and rules.canonical and not self._is_same(rules.canonical, page.url):
            link = plan.finder.link(rules.canonical, visit.depth, visit.number)
            if link is not None:
                self._add([link])
                self._leave_out(visit, "another address is canonical")
                return
        if plan.noindex and rules.noindex:
            self.counts["not noindex"] += 1
        else:
            facts = PageFacts(page, visit.depth, dt.datetime.now(dt.UTC), visit.parent)
            try:
                for kind in plan.items:
                    kind.take(facts, self._rows)
            except PermanentError as error:
                self._fail(visit, error)
                return
        self.counts["read"] += 1
        if rules.refresh and not self._is_same(rules.refresh, page.url):
            link = plan.finder.link(rules.refresh, visit.depth, visit.number)
            self._add([link] if link is not None else [])
        if (plan.max_depth is None or visit.depth < plan.max_depth) and not (plan.nofollow and rules.nofollow):
            self._add(plan.finder.links(page, visit.depth, visit.number))
        self._finish(visit)

    def _is_same(self, one: str, other: str) -> bool:
        try:
            return canonical(one) == canonical(other)
        except ValueError:
            return False

    def _read_sitemap(self, visit: Visit, response: sdk.HttpResponse) -> None:
        found, finder = read_sitemap(response.content), self._plan.finder
        shown = sdk.shown_url(response.url)
        if found.fault:
            self._context.log("warning", f"The sitemap {shown} was read up to a fault: {found.fault}.", url=shown)
        further = [finder.link(url, visit.depth, visit.number, "sitemap") for url in found.sitemaps]
        pages = [finder.link(url, visit.depth, visit.number) for url in found.pages if self._plan.wants(url)]
        self._add([link for link in (*further, *pages) if link is not None])
        self._finish(visit)

    def _fail(self, visit: Visit, error: Exception) -> None:
        self.counts["failed"] += 1
        self._first_failure = self._first_failure or error
        self._refused.append((visit, error))
        self._finish(visit)

    def _leave_out(self, visit: Visit, reason: str) -> None:
        self.counts[f"not {reason}"] += 1
        self._finish(visit)

    def _finish(self, visit: Visit) -> None:
        self._done.append(visit.number)
        if self._is_full(self._wanted):
            self._wake.set()


def _target(url: str, response: sdk.HttpResponse) -> str:
    try:
        return urljoin(url, response.headers.get("location", "").strip())
    except ValueError:
        return ""
