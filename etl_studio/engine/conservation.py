"""The sum check at the end of each run: no row vanished, none appeared from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import ConservationError
from etl_studio.sdk import Sink, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.engine.events import NodeCounts
    from etl_studio.engine.inbox import Inbox
    from etl_studio.engine.plan import Plan, PlannedNode


LOADED = ("inserted", "updated", "unchanged", "superseded", "deleted", "stale")
LEFT_OUT = ("filtered", "rejected", "dead_letters", "skipped", "dropped")


def check_rows(plan: Plan, counts: Mapping[str, NodeCounts], inboxes: Mapping[str, Inbox]) -> None:
    """Check every wire and every node of a run that ended well.

    Raises:
        ConservationError: names the node and shows its sum.
    """
    for node, inbox in inboxes.items():
        for wire, missing in inbox.lost():
            raise ConservationError(f"{missing:,} rows were lost on the wire {wire}.", node=node)
    for node, item in plan.nodes.items():
        count = counts[node]
        if count.filtered < 0:
            raise ConservationError(f"{-count.filtered:,} rows more came out than went in.", node=node)
        missing = missing_rows(item, count)
        if missing:
            found = f"{count.rows_in - missing:,} are accounted for ({_formula(item)})"
            raise ConservationError(
                f"{count.rows_in:,} rows were read but {found}.",
                node=node,
                hint="This is a defect; the run is marked as failed.",
            )


def sum_line(counts: Mapping[str, int]) -> str:
    """Where the rows of a node went: ``1,000 read = 700 inserted + 250 unchanged + 50 rejected``, zeros left out.

    Where rows are combined or the run broke off, there is no sum: ``1,000 read; 12 given out``.

    Args:
        counts: as in ``NodeCounts``, by name.
    """
    loaded = {name: counts.get(name, 0) for name in LOADED}
    parts = loaded if any(loaded.values()) else {"given_out": counts.get("rows_out", 0)}
    parts |= {name: counts.get(name, 0) for name in LEFT_OUT}
    texts = [f"{number:,} {name.replace('_', ' ')}" for name, number in parts.items() if number]
    read = counts.get("rows_in", 0)
    by_hand = [f"{edited:,} edited by hand"] if (edited := counts.get("edited", 0)) else []
    if sum(parts.values()) == read:
        return "; ".join([f"{read:,} read = {' + '.join(texts)}" if texts else "0 read", *by_hand])
    return "; ".join([f"{read:,} read", *(texts or ["nothing given out"]), *by_hand])


def missing_rows(item: PlannedNode, count: NodeCounts) -> int:
    """Rows that a node took and that are nowhere; negative: more came out. 0 where the two cannot be compared."""
    formula = _formula(item)
    if not formula:
        return 0
    refused = count.rejected + count.dead_letters + count.skipped
    filtered = count.filtered if "filtered" in formula else 0
    return count.rows_in - count.rows_out - filtered - refused - count.dropped


def _formula(item: PlannedNode) -> str:
    """What a node's rows must add up to; empty where they cannot be compared."""
    if isinstance(item.node, Sink):
        return "loaded + refused"
    if isinstance(item.node, Source) or item.node.rows == "same":
        return "given out + refused"
    return "given out + filtered + refused" if item.node.rows == "fewer" else ""
