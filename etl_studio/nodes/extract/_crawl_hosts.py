"""The hosts of a crawl: what each allows, when it may be asked, and what waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl_studio.nodes.extract._crawl_pace import Pace
    from etl_studio.nodes.extract._crawl_robots import Robots
    from etl_studio.sdk.frontier import Frontier, Visit

TAKEN = 64
"""Links of one host that are held in memory."""


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
