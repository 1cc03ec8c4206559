"""What the canvas knows of the run: plain facts per node and wire, made from the engine's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    NodeChanged,
    NodeCounts,
    NodeState,
    PauseChanged,
    RetryScheduled,
    Sampled,
)
from etl_studio.pipeline.flat import SEPARATOR
from etl_studio.ui import quantities
from etl_studio.ui.quantities import count
from etl_studio.ui.translation import digits, tr, trn

if TYPE_CHECKING:
    from etl_studio.engine.events import NodeSample

SMOOTHING = 0.3
"""Weight of the newest sample in the shown rate; about a second's memory at ten samples a second."""

ACTIVE = (NodeState.RUNNING, NodeState.RETRYING, NodeState.OPEN)


@dataclass(frozen=True, slots=True)
class Notice:
    """A short line under a node. ``role``: warning or danger."""

    text: str
    role: str


@dataclass(slots=True)
class LiveNode:
    """One node of the run.

    Attributes:
        rate: rows per second taken in, smoothed.
        retry: the retry that is waited for.
        breaker: state of the breaker that changed last; None where none surrounds a call, and after the run.
        breakers: those that are not closed, by target.
        paused: a person paused the run.
        halted: what waits for a person before it; empty: nothing.
        dry: nothing is written.
    """

    state: NodeState = NodeState.WAITING
    detail: str = ""
    counts: NodeCounts = field(default_factory=NodeCounts)
    rate: float = 0.0
    retry: RetryScheduled | None = None
    breaker: BreakerState | None = None
    breakers: dict[str, BreakerChanged] = field(default_factory=dict)
    sampled_at: float | None = None
    paused: bool = False
    halted: str = ""
    dry: bool = False

    def sample(self, at: float, sample: NodeSample) -> bool:
        """Take a sample and tell whether it shows anything new."""
        before = (self.state, self.counts, round(self.rate))
        if self.sampled_at is not None and at > self.sampled_at:
            now = (sample.counts.rows_in - self.counts.rows_in) / (at - self.sampled_at)
            self.rate += SMOOTHING * (max(now, 0.0) - self.rate)
        self.sampled_at, self.counts = at, sample.counts
        self.breaker = sample.breaker
        self._enter(sample.state)
        return before != (self.state, self.counts, round(self.rate))

    def change(self, event: NodeChanged) -> None:
        """Take a new state."""
        self.detail = event.detail
        self._enter(event.state)

    def retry_scheduled(self, event: RetryScheduled) -> None:
        """A failed attempt will be followed by another."""
        self.retry = event

    def breaker_changed(self, event: BreakerChanged) -> None:
        """A breaker opened, half opened or closed, by itself or by hand."""
        self.breaker = event.state
        if event.state is BreakerState.CLOSED:
            self.breakers.pop(event.target, None)
        else:
            self.breakers[event.target] = event

    def counting_down(self, now: float) -> bool:
        """Whether the notice changes by the clock alone."""
        return bool(self.retry and now < self.retry.at + self.retry.delay) or any(
            event.until is not None and now < event.until for event in self.breakers.values()
        )

    def notice(self, now: float) -> Notice | None:
        """What a person should see first: the failure, an open breaker, a retry, rows that were refused."""
        if self.state is NodeState.FAILED:
            return Notice(self.detail or tr("failed"), "danger")
        if self.halted and self.state in ACTIVE:
            return Notice(self.halted, "warning")
        for event in self.breakers.values():
            if event.state is not BreakerState.DISABLED:
                return _breaker_notice(event, now)
        if self.retry:
            left = self.retry.at + self.retry.delay - now
            return Notice(_retry_words(self.retry, left), "warning")
        if self.counts.rejected or self.counts.dead_letters:
            return Notice(_refused_words(self.counts), "danger")
        if self.paused and self.state in ACTIVE:
            return Notice(tr("paused"), "warning")
        return Notice(tr("breaker disabled by hand"), "warning") if self.breakers else None

    def counters(self, *, is_source: bool, is_sink: bool, short: bool = False) -> str:
        """``12,400 → 11,002``; one number for a source. ``short``: ``12k → 11k``."""
        came, went = (quantities.short(n) if short else count(n) for n in (self.counts.rows_in, self.counts.rows_out))
        if is_source:
            return tr("{number} rows", number=went)
        if is_sink:
            text = tr("{came} → {went} to load") if self.dry else tr("{came} → {went} loaded")
            return text.format(came=came, went=went)
        return f"{came} → {went}"

    def _enter(self, state: NodeState) -> None:
        if state not in ACTIVE:
            self.breakers.clear()
            self.breaker = None
            self.rate = 0.0
        if state is not NodeState.RETRYING and (self.state is NodeState.RETRYING or state not in ACTIVE):
            self.retry = None
        self.state = state


def _retry_words(retry: RetryScheduled, left: float) -> str:
    numbers = {"attempt": retry.attempt + 1, "attempts": retry.attempts}
    if left > 0:
        return tr("retry {attempt}/{attempts} in {seconds} s", **numbers, seconds=digits(f"{left:.1f}"))
    return tr("retry {attempt}/{attempts}…", **numbers)


def _refused_words(counts: NodeCounts) -> str:
    texts = []
    if counts.rejected:
        texts.append(tr("{number} rejected", number=count(counts.rejected)))
    if counts.dead_letters:
        texts.append(trn("{count} dead letter", "{count} dead letters", counts.dead_letters))
    return " · ".join(texts)


def _breaker_notice(event: BreakerChanged, now: float) -> Notice:
    if event.state is BreakerState.FORCED_OPEN:
        return Notice(tr("breaker opened by hand"), "danger")
    if event.state is BreakerState.HALF_OPEN:
        return Notice(tr("breaker half open, trial calls"), "warning")
    left = (event.until or now) - now
    if left > 0:
        return Notice(tr("breaker open, trial in {seconds} s", seconds=f"{left:.0f}"), "danger")
    return Notice(tr("breaker open, trial is due"), "danger")


class LiveRun:
    """All nodes of the run that the canvas shows. ``dry``: it writes nothing."""

    def __init__(self, *, dry: bool = False) -> None:
        self._dry = dry
        self.nodes: dict[str, LiveNode] = {}

    def node(self, name: str) -> LiveNode:
        """What is known of a node; nothing yet for a new one."""
        return self.nodes.setdefault(name, LiveNode(dry=self._dry))

    def inside(self, name: str) -> dict[str, LiveNode]:
        """The nodes of a sub-pipeline, by their ids in its file."""
        prefix = name + SEPARATOR
        return {key.removeprefix(prefix): node for key, node in self.nodes.items() if key.startswith(prefix)}

    def sampled(self, event: Sampled) -> list[str]:
        """Take a sample of all nodes and name those that show anything new."""
        return [name for name, sample in event.nodes.items() if self.node(name).sample(event.at, sample)]

    def paused(self, event: PauseChanged) -> None:
        """A person paused the run, or let it go on."""
        for node in self.nodes.values():
            node.paused = event.paused

    def counting_down(self, now: float) -> list[str]:
        """The nodes whose notice changes by the clock alone."""
        return [name for name, node in self.nodes.items() if node.counting_down(now)]
