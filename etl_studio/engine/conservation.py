"""The sum check at the end of each run: no row vanished, none appeared from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import ConservationError
from etl_studio.sdk import Sink, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.engine.events import NodeCounts
    from etl_studio.engine.inbox import Inbox
    from etl_studio.engine.plan import Plan


LOADED = ("inserted", "updated", "unchanged", "superseded", "deleted", "stale")


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
        refused = count.rejected + count.dead_letters + count.skipped
        if isinstance(item.node, Sink):
            _require(node, count.rows_in, count.rows_out + refused, "loaded + refused")
        elif isinstance(item.node, Source) or item.node.rows == "same":
            _require(node, count.rows_in, count.rows_out + refused, "given out + refused")
        elif item.node.rows == "fewer":
            _require(
                node,
                count.rows_in,
                count.rows_out + count.filtered + refused,
                "given out + filtered + refused",
            )
            if count.filtered < 0:
                raise ConservationError(f"{-count.filtered:,} rows more came out than went in.", node=node)


def sum_line(counts: Mapping[str, int]) -> str:
    """Where the rows of a node went: ``1,000 read = 700 inserted + 250 unchanged + 50 rejected``.

    Args:
        counts: as in ``NodeCounts``, by name.
    """
    loaded = [(counts.get(name, 0), name) for name in LOADED]
    gone = [
        (counts.get(name, 0), name.replace("_", " ")) for name in ("filtered", "rejected", "dead_letters", "skipped")
    ]
    parts = loaded if any(number for number, _ in loaded) else [(counts.get("rows_out", 0), "given out")]
    shown = [f"{number:,} {name}" for number, name in (*parts, *gone) if number] or ["none"]
    return f"{counts.get('rows_in', 0):,} read = {' + '.join(shown)}"


def _require(node: str, taken: int, accounted: int, formula: str) -> None:
    if taken != accounted:
        raise ConservationError(
            f"{taken:,} rows were read but {accounted:,} are accounted for ({formula}).",
            node=node,
            hint="This is a defect; the run is marked as failed.",
        )
