"""Fault injection: nodes fail on purpose, in the same way for the same seed, and a report tells what became of it.

Faults are raised where real ones arise, inside the policy and as the same types of errors, before the operation begins:
what a fault takes away has not happened. Chaos engineering as Polly's Simmy and Netflix's tools have it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import pyarrow as pa

from etl_studio.engine.conservation import missing_rows
from etl_studio.engine.events import BreakerChanged, BreakerState, RunStatus
from etl_studio.errors import DeadlineError, EtlError, TransientError, UsageError
from etl_studio.sdk import Problem, Rejected, Sink, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from etl_studio.engine.events import Event, RunEnded
    from etl_studio.engine.plan import Plan
    from etl_studio.sdk.node import Emission

FaultKind = Literal["too_many_requests", "unavailable", "reset", "timeout", "busy", "disk_full", "malformed_rows"]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
FATAL: tuple[FaultKind, ...] = ("disk_full",)
"""No retry helps against them: they end the run, as they do in earnest."""
RETRY_AFTER = 0.2
"""Seconds that an injected 429 asks to wait."""
ROWS_PER_CALL = 20
"""Rows are malformed this many times less often than calls fail: most rows of real sources are good."""

StorageFaults: TypeAlias = "Mapping[str, Callable[[], EtlError]]"
"""``busy`` and ``disk_full`` as storage tells them, since the engine knows no database."""


@dataclass(frozen=True, slots=True)
class Injection:
    """What to inject.

    Attributes:
        seed: the same seed gives the same faults.
        rate: share of attempts that fail, 0 to 1.
        nodes: ids of the nodes to fail; empty: all.
        kinds: what happens; those that end the run only when they are named here.
    """

    seed: int
    rate: float = 0.2
    nodes: tuple[str, ...] = ()
    kinds: tuple[FaultKind, ...] = tuple(kind for kind in FAULT_KINDS if kind not in FATAL)


@dataclass(frozen=True, slots=True)
class NodeFaults:
    """What was done to a node, and what its policy did.

    Attributes:
        injected: faults by kind; of malformed rows, the rows.
        attempts: operations under the policy, the failed ones included.
        retries: attempts after the first.
        openings: how often a breaker opened.
        refused: calls that an open breaker refused.
        rejected, dead_letters, skipped: where rows that failed went.
        lost: rows that are nowhere; None where the run did not end well, so that nothing was to arrive.
    """

    injected: Mapping[str, int]
    attempts: int
    retries: int
    openings: int
    refused: int
    rejected: int
    dead_letters: int
    skipped: int
    lost: int | None

    @property
    def amplification(self) -> float:
        """Attempts for each operation: 1.0 without any retry."""
        operations = self.attempts - self.retries
        return self.attempts / operations if operations > 0 else 1.0


@dataclass(frozen=True, slots=True)
class FaultReport:
    """The end of a run with faults."""

    injection: Injection
    status: RunStatus
    nodes: Mapping[str, NodeFaults]

    @property
    def injected(self) -> int:
        """All faults."""
        return sum(sum(node.injected.values()) for node in self.nodes.values())

    @property
    def lost(self) -> int | None:
        """Rows that are nowhere; None where the run did not end well."""
        lost = [node.lost for node in self.nodes.values()]
        return None if None in lost else sum(rows or 0 for rows in lost)

    @property
    def amplification(self) -> float:
        """The largest one of all nodes."""
        return max((node.amplification for node in self.nodes.values()), default=1.0)

    @property
    def summary(self) -> str:
        """One sentence for people."""
        if self.lost is None:
            lost = "the run did not end well, so nothing was to arrive"
        else:
            lost = f"{self.lost:,} {'row' if self.lost == 1 else 'rows'} lost"
        return (
            f"{self.injected:,} faults injected (seed {self.injection.seed}): {lost}; "
            f"at most {self.amplification:.2f} attempts for each operation."
        )


@dataclass(slots=True)
class _Struck:
    """One node: its own random numbers, so that other nodes' threads do not change its faults."""

    calls: random.Random
    rows: random.Random
    attempts: int = 0
    injected: Counter[str] = field(default_factory=Counter)


class Injector:
    """Fails the nodes of one run. A listener of its events, too.

    Args:
        injection: what to inject.
        plan: of the run.
        storage: how a database fails.

    Raises:
        UsageError: a node that is not there, or no kind of fault.
    """

    def __init__(self, injection: Injection, plan: Plan, storage: StorageFaults) -> None:
        for node in injection.nodes:
            if node not in plan.nodes:
                raise UsageError(f'There is no node "{node}" to fail.', hint=f"Nodes: {', '.join(plan.nodes)}.")
        if not injection.kinds:
            raise UsageError("There is no fault to inject.", hint=f"Choose from {', '.join(FAULT_KINDS)}.")
        self.injection = injection
        self._plan = plan
        self._storage = storage
        self._openings: Counter[str] = Counter()
        self._struck = {
            node: _Struck(random.Random(f"{injection.seed}:{node}"), random.Random(f"{injection.seed}:{node}:rows"))  # noqa: S311 - the same faults for the same seed
            for node in injection.nodes or plan.nodes
        }

    def __call__(self, event: Event) -> None:
        """Count how often breakers open."""
        if isinstance(event, BreakerChanged) and event.state is BreakerState.OPEN:
            self._openings[event.node] += 1

    def strike(self, node: str, target: str) -> None:
        """Called before each attempt of an operation.

        Args:
            node: id of the node.
            target: host that is called; empty for work in this process.

        Raises:
            EtlError: the fault, if this attempt is to fail.
        """
        struck = self._struck.get(node)
        if struck is None:
            return
        fails, which = struck.calls.random() < self.injection.rate, struck.calls.random()
        kinds = [kind for kind in self._possible(node, target) if kind in self.injection.kinds]
        if fails and kinds:
            kind = kinds[int(which * len(kinds))]
            struck.injected[kind] += 1
            raise self._error(kind, target or node)

    def spoil(self, node: str, emissions: Iterable[Emission]) -> Iterator[Any]:
        """What a source gives, with some rows refused as malformed."""
        struck = self._struck.get(node)
        share = self.injection.rate / ROWS_PER_CALL
        if struck is None or share <= 0 or "malformed_rows" not in self.injection.kinds:
            yield from emissions
            return
        following = _gap(struck.rows, share)  # rows until the next malformed one
        for emission in emissions:
            if not isinstance(emission, pa.RecordBatch):
                yield emission
                continue
            spoilt = []
            while following < emission.num_rows:
                spoilt.append(following)
                following += 1 + _gap(struck.rows, share)
            following -= emission.num_rows
            if not spoilt:
                yield emission
                continue
            struck.injected["malformed_rows"] += len(spoilt)
            yield emission.take(pa.array(sorted(set(range(emission.num_rows)) - set(spoilt)), pa.int64()))
            problem = Problem("injected", f"Fault injection made this row malformed (seed {self.injection.seed}).")
            yield Rejected(emission.take(pa.array(spoilt, pa.int64())), [problem] * len(spoilt))

    def report(self, ended: RunEnded) -> FaultReport:
        """What became of it."""
        well = ended.status in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS)
        nodes = {}
        for node, count in ended.nodes.items():
            struck = self._struck.get(node)
            nodes[node] = NodeFaults(
                injected=dict(struck.injected) if struck else {},
                attempts=count.calls,
                retries=count.retries,
                openings=self._openings[node],
                refused=count.refused,
                rejected=count.rejected,
                dead_letters=count.dead_letters,
                skipped=count.skipped,
                lost=missing_rows(self._plan.nodes[node], count) if well else None,
            )
        return FaultReport(self.injection, ended.status, nodes)

    def _possible(self, node: str, target: str) -> tuple[FaultKind, ...]:
        if target:
            return ("too_many_requests", "unavailable", "reset", "timeout")
        if isinstance(self._plan.nodes[node].node, Sink):
            return ("busy", "disk_full")
        return () if isinstance(self._plan.nodes[node].node, Source) else ("timeout",)

    def _error(self, kind: FaultKind, name: str) -> EtlError:
        match kind:
            case "too_many_requests":
                return TransientError(
                    f"{name} answered 429 Too Many Requests (injected).", status=429, retry_after=RETRY_AFTER
                )
            case "unavailable":
                return TransientError(f"{name} answered 503 Service Unavailable (injected).", status=503)
            case "reset":
                return TransientError(f"The connection to {name} broke off (injected).")
            case "timeout":
                return DeadlineError(f"{name} did not answer in time (injected).")
            case _:
                return self._storage[kind]()


def _gap(numbers: random.Random, share: float) -> int:
    """Rows between two that are struck when each is struck with the same chance (geometric distribution)."""
    if share >= 1:
        return 0
    return int(math.log(1.0 - numbers.random()) / math.log(1.0 - share))
