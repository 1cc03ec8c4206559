"""How long a crawl waits between two requests to one host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """The delay between the starts of two requests.

    Attributes:
        least: seconds that settings and robots.txt ask for.
        most: where autothrottle stops to grow.
        target: requests that autothrottle wants to be under way at once; None: it is off.
        delay: seconds now.
        last: when the last request started, in monotonic seconds.
    """

    least: float = 0.0
    most: float = 60.0
    target: float | None = None
    delay: float = 0.0
    last: float = float("-inf")

    def __post_init__(self) -> None:
        self.delay = max(self.delay, self.least)

    def ask(self, least: float) -> None:
        """Keep at least so many seconds from now on."""
        self.least = max(self.least, least)
        self.delay = max(self.delay, self.least)

    def wait(self, now: float) -> float:
        """Seconds until the next request may start; 0 or less: at once."""
        return self.last + self.delay - now

    def took(self, seconds: float, *, good: bool) -> None:
        """An answer came after so many seconds; one that was no success never makes requests denser."""
        if self.target is None:
            return
        delay = (self.delay + seconds / self.target) / 2
        delay = min(max(delay, self.least), max(self.most, self.least))
        if good or delay > self.delay:
            self.delay = delay
