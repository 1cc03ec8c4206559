"""The hosts of a crawl: what each allows, when it may be asked, and what waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._crawl_robots import MOST_BYTES, Robots

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from etl_studio import sdk
    from etl_studio.nodes.extract._crawl_pace import Pace
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan
    from etl_studio.sdk.frontier import Frontier, Visit

TAKEN = 64
"""Links of one host that are held in memory."""
ROBOTS_AGAIN = (5.0, 30.0)
"""Seconds after which a robots.txt that could not be had is asked for again; it is no permission."""
WITHOUT_ANSWER = 5.0
"""Where there is no answer at all, such as for a name that does not exist, longer waits are of no use."""
OK = 200
REFUSALS = range(400, 500)
"""Statuses that say that there is no robots.txt."""


class Pages(Protocol):
    """What asks for pages."""

    @property
    def took(self) -> int:
        """Bytes that came since this was last asked."""
        ...

    async def send(
        self, request: sdk.HttpRequest, *, before: Callable[[], Awaitable[object]] | None = None
    ) -> sdk.HttpResponse:
        """As ``sdk.Web.send``."""
        ...


@dataclass(slots=True)
class Host:
    """One host.

    Attributes:
        name: host and port.
        pace: when the next request may start.
        robots: its rules; None: not known yet.
        waiting: links that wait in the frontier and are not taken.
        workers: how many ask it now.
        closed: why none of its pages can be asked for.
        gate: passed by one worker at a time before a request.
    """

    name: str
    pace: Pace
    robots: Robots | None = None
    waiting: int = 0
    workers: int = 0
    closed: Exception | None = None
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    _taken: deque[Visit] = field(default_factory=deque)
    _last: int = 0

    @property
    def work(self) -> int:
        """Links that no worker has yet."""
        return self.waiting + len(self._taken)

    def next(self, frontier: Frontier) -> Visit | None:
        """The oldest link; None: none is left."""
        if not self._taken:
            found = frontier.take(self.name, self._last, TAKEN) if self.waiting else []
            if not found:
                self.waiting = 0
                return None
            self._taken.extend(found)
            self._last = found[-1].number
            self.waiting = max(0, self.waiting - len(found))
        return self._taken.popleft()

    def put_back(self, visit: Visit) -> None:
        """A link that was taken is the next one again."""
        self._taken.appendleft(visit)

    async def ask(self, web: sdk.Web | Pages, request: sdk.HttpRequest) -> sdk.HttpResponse:
        """Send a request when it is its turn, and each attempt of it.

        Raises:
            TransientError: still failing after the last attempt.
            PermanentError: an answer that will not change.
        """
        clock = asyncio.get_running_loop().time
        try:
            response = await web.send(request, before=self.turn)
        except (PermanentError, TransientError):
            self.pace.took(clock() - self.pace.last, good=False)
            raise
        self.pace.took(response.elapsed, good=response.status == OK)
        return response

    async def turn(self) -> None:
        """Wait until the next request may start."""
        clock, pace = asyncio.get_running_loop().time, self.pace
        if pace.delay <= 0:
            pace.last = clock()
            return
        async with self.gate:
            # By the clock and not by a reservation, so that a late start is not followed too soon by the next one.
            while (wait := pace.wait(clock())) > 0:  # noqa: ASYNC110 - a time, no event
                await asyncio.sleep(wait)
            pace.last = clock()

    async def learn(self, web: sdk.Web, scheme: str, plan: CrawlPlan, context: sdk.RunContext) -> None:
        """Ask for its robots.txt; where that fails to the end, the host is closed."""
        url = f"{scheme}://{self.name}/robots.txt"
        waits = iter(ROBOTS_AGAIN)
        while True:
            try:
                response = await self.ask(web, plan.request(url, self.name, most=8 * MOST_BYTES, follow=True))
            except PermanentError as error:
                if error.status in REFUSALS:
                    self.robots = Robots(b"", plan.agent, url)
                else:
                    self.closed = error
                return
            except TransientError as error:
                wait = next(waits, None)
                if wait is None or (error.status is None and wait > WITHOUT_ANSWER):
                    self.closed = error
                    return
                context.log("warning", f"{url} does not answer, so {self.name} is not crawled yet: {error.what}")
                await asyncio.sleep(wait)
            else:
                self.robots = Robots(response.content, plan.agent, url)
                self.pace.ask(self.robots.delay)
                # To connect for the first time takes long: the delay counts from the answer.
                self.pace.last = asyncio.get_running_loop().time()
                if self.robots.delay:
                    context.log("info", f"{self.name} asks for {self.robots.delay:g} seconds between requests.")
                return
